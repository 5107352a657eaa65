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
}

const key = Symbol.for('sheaf.thread');

export function threadState(): ThreadState {
  const scope = globalThis as { [key]?: ThreadState };
  scope[key] ??= { engines: new Set(), single: undefined, onWorker: false };
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
