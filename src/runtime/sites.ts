/**
 * Remembers where in user code something happened, for messages that come much later. A stack costs about a microsecond,
 * and more with each of its frames, so only the first few between two turns of the event loop are taken; the text of one
 * is made when it is read.
 */
class Budget {
  readonly #perTurn: number;
  #left: number;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  take(): boolean {
    if (this.#left <= 0) return false;
    if (this.#left-- === this.#perTurn) {
      setImmediate(() => {
        this.#left = this.#perTurn;
      }).unref();
    }
    return true;
  }
}

const calls = new Budget(8);
const objects = new Budget(16);
/** They need fewer frames, and many at once are common: at the end of a loop, say. */
const releases = new Budget(64);

/** Between the engine and the user's own frame there are those of a task, and perhaps of a scope. */
const CALL_FRAMES = 5;
/** Between `put`, `alloc` or `all` and the user's own frame there is none but theirs. */
const OBJECT_FRAMES = 2;

/** Of an error's causes, which may be its own. */
const MOST_CAUSES = 8;

type AnyFunction = (...args: never[]) => unknown;

export interface Site {
  readonly stack?: string | undefined;
}

/** The place from which `skip`, and what is between it and the user, was called; undefined when too many were taken lately. */
export function callSiteOf(skip: AnyFunction): Site | undefined {
  return calls.take() ? capture(skip, CALL_FRAMES) : undefined;
}

/** The place that has made a new object in shared memory, by calling `skip`; likewise. */
export function objectSite(skip: AnyFunction): Site | undefined {
  return objects.take() ? capture(skip, OBJECT_FRAMES) : undefined;
}

/** The place from which `skip` was called, likewise; the user's own is within the first `frames` before it. */
export function releaseSite(skip: AnyFunction, frames: number): Site | undefined {
  return releases.take() ? capture(skip, frames) : undefined;
}

/**
 * A place, or an error, that is kept for longer than its moment. As it is captured, a stack holds the objects whose methods are
 * on it, and so the references that those keep; once its text is made it holds nothing.
 */
export function lasting<T extends Site | undefined>(held: T): T {
  try {
    let each: unknown = held;
    for (let depth = 0; depth < MOST_CAUSES && typeof each === 'object' && each !== null; depth++) {
      const { stack, cause } = each as { stack?: unknown; cause?: unknown };
      void stack;
      each = cause;
    }
  } catch {
    // An error of the user's, whose stack is code of his.
  }
  return held;
}

/** A stack that begins above `skip`. Few frames: each costs as much again when nothing of it is in the core's cache. */
function capture(skip: AnyFunction, frames: number): Site {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  const site: Site = {};
  Error.captureStackTrace(site, skip);
  Error.stackTraceLimit = limit;
  return site;
}

// Bundled as CommonJS this module has no url; `packageRequire` says what to do, perhaps after this.
const ownUrl: string | undefined = import.meta.url;
const ownFolder = (ownUrl ?? '//').slice(0, (ownUrl ?? '//').lastIndexOf('/') + 1);
const ownPath = ownFolder.replace(/^file:\/\//, '');
/** Where this package's own frames are shown to be by a process that reads source maps. */
const ownSources = ownPath.replace(/[^/]+\/$/, 'src/');

/** What compilers, ours too, call in the place of `using`. */
const usingHelper = /\b(?:__callDispose|__disposeResources|__sheafEnd)\b/;

/** The first place of a site that is user code: `file:line:column`. */
export function userFrame(site: Site | undefined): string | undefined {
  const lines = (site?.stack ?? '').split('\n').slice(1);
  const helper = lines.findIndex((line) => usingHelper.test(line));
  for (const line of lines.slice(helper + 1)) {
    if (line.includes(ownFolder) || line.includes(ownPath) || line.includes(ownSources) || line.includes('node:'))
      continue;
    const match = /\(?([^\s(]+:\d+:\d+)\)?$/.exec(line);
    if (match !== null) return (match[1] as string).replace(/^file:\/\//, '');
  }
  return undefined;
}

/** The same for people: relative to the working directory. */
export function shownSite(site: Site | undefined): string | undefined {
  const at = userFrame(site);
  const here = `${process.cwd()}/`;
  return at?.startsWith(here) ? at.slice(here.length) : at;
}

/** For the end of a message. */
export function describeSite(site: Site | undefined): string {
  if (site === undefined) return '(where is not known: too much happened at once)';
  const frame = userFrame(site);
  return frame === undefined ? '(where is not known)' : `at ${frame}`;
}
