import type { Engine } from './engine.ts';

/**
 * What this thread is, for code that can't be handed it: user functions call `task`, `get` and `current` as plain
 * imports. Kept on the global object, because a program may have two copies of the package.
 */
interface ThreadState {
  /** Open sessions, oldest first; on a worker exactly one. */
  readonly engines: Set<Engine>;
  /** The one that unbound tasks use, when there is exactly one. */
  single: Engine | undefined;
  onWorker: boolean;
  /** Inline sessions: their tasks run here, too. */
  readonly inline: Set<RunsTasks>;
}

/** The host of a session whose tasks run in this thread. */
interface RunsTasks {
  readonly engine: Engine;
  readonly executions: { current(): unknown };
}

const key = Symbol.for('sheaf.thread');

export function threadState(): ThreadState {
  const scope = globalThis as { [key]?: ThreadState };
  scope[key] ??= { engines: new Set(), single: undefined, onWorker: false, inline: new Set() };
  return scope[key];
}

export function addEngine(engine: Engine): void {
  const state = threadState();
  state.engines.add(engine);
  state.single = state.engines.size === 1 ? engine : undefined;
}

export function removeEngine(engine: Engine): void {
  const state = threadState();
  state.engines.delete(engine);
  state.single = state.engines.size === 1 ? [...state.engines][0] : undefined;
}

export function addInline(host: RunsTasks): void {
  threadState().inline.add(host);
}

export function removeInline(host: RunsTasks): void {
  threadState().inline.delete(host);
}

/** The engine of the inline session of whose tasks the calling code is one. */
export function inlineTaskEngine(): Engine | undefined {
  const { inline } = threadState();
  if (inline.size === 0) return undefined;
  for (const { engine, executions } of inline) if (executions.current() !== undefined) return engine;
  return undefined;
}
