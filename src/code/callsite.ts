/** Where a definition was made: as loaded (the text that runs), and on demand as source maps would have it. */
export interface CallSite {
  /** A file URL, a path or whatever name the text was loaded under. */
  readonly url: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The frames above, nearest first: a definition made through a helper is found by them. */
  readonly callers: readonly { url: string; line: number; column: number }[];
  /** The position in the original source, where the tool that transformed it keeps source maps in this process. */
  mapped(): { url: string; line: number; column: number } | undefined;
}

const depth = 8;

function place(frame: NodeJS.CallSite): { url: string; line: number; column: number } | undefined {
  const url = frame.getFileName() ?? frame.getScriptNameOrSourceURL?.();
  const line = frame.getLineNumber();
  const column = frame.getColumnNumber();
  if (!url || line === null || column === null) return undefined;
  return { url, line, column };
}

/** Reads the first frame of a stack that was printed by whoever keeps the source maps. */
function firstFrame(stack: string): { url: string; line: number; column: number } | undefined {
  for (const text of stack.split('\n')) {
    const match = /^\s+at (?:.*\()?((?:[a-z]+:\/\/|\/|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?$/.exec(text);
    if (match !== null) return { url: match[1]!, line: Number(match[2]), column: Number(match[3]) };
  }
  return undefined;
}

/**
 * The position of the call to `skipAbove`, in a few microseconds. Positions are those of the loaded text: tools that
 * map stacks (source maps, test runners) do so when a stack is printed, which this avoids.
 */
export function callSite(skipAbove: (...args: never[]) => unknown): CallSite | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const raw: { stack?: unknown } = {};
  const printed: { stack?: unknown } = {};
  let frames: NodeJS.CallSite[] = [];
  try {
    Error.stackTraceLimit = depth;
    Error.captureStackTrace(raw, skipAbove);
    Error.captureStackTrace(printed, skipAbove);
    Error.prepareStackTrace = (_error, list) => list;
    if (Array.isArray(raw.stack)) frames = raw.stack as NodeJS.CallSite[];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
    else Error.prepareStackTrace = prepareStackTrace;
  }
  const places = frames.map(place).filter((p) => p !== undefined && !p.url.startsWith('node:'));
  const first = places[0];
  if (first === undefined) return undefined;
  return {
    ...first,
    callers: places.slice(1) as CallSite['callers'],
    mapped: () => (typeof printed.stack === 'string' ? firstFrame(`Error\n${printed.stack}`) : undefined),
  };
}
