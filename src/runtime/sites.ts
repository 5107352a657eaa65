/**
 * Remembers where in user code something happened, for messages that come much later. A stack costs about a microsecond,
 * so only the first few between two turns of the event loop are taken; the text of one is made when it is read.
 */
const PER_TURN = 8;
const FRAMES = 8;

let left = PER_TURN;

/** The calling place, or undefined when too many have been taken lately. */
export function takeSite(what: string): Error | undefined {
  if (left <= 0) return undefined;
  if (left-- === PER_TURN) {
    setImmediate(() => {
      left = PER_TURN;
    }).unref();
  }
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const site = new Error(what);
  Error.stackTraceLimit = limit;
  return site;
}

// Bundled as CommonJS this module has no url; `packageRequire` says what to do, perhaps after this.
const ownUrl: string | undefined = import.meta.url;
const ownFolder = (ownUrl ?? '//').slice(0, (ownUrl ?? '//').lastIndexOf('/') + 1);
const ownPath = ownFolder.replace(/^file:\/\//, '');
/** Where this package's own frames are shown to be by a process that reads source maps. */
const ownSources = ownPath.replace(/[^/]+\/$/, 'src/');

/** The first place of a site that is user code: `file:line:column`. */
export function userFrame(site: Error | undefined): string | undefined {
  for (const line of (site?.stack ?? '').split('\n').slice(1)) {
    if (line.includes(ownFolder) || line.includes(ownPath) || line.includes(ownSources) || line.includes('node:'))
      continue;
    const match = /\(?([^\s(]+:\d+:\d+)\)?$/.exec(line);
    if (match !== null) return (match[1] as string).replace(/^file:\/\//, '');
  }
  return undefined;
}

/** For the end of a message. */
export function describeSite(site: Error | undefined): string {
  const frame = userFrame(site);
  return frame === undefined ? '(where is not known: too much happened at once)' : `at ${frame}`;
}
