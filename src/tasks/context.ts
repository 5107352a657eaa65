import { AsyncLocalStorage } from 'node:async_hooks';
import { UsageError } from '../base/index.ts';
import { type Engine, type InlineSession, inlineTaskEngine, type LocalSession, threadState } from '../runtime/index.ts';
import type { Session } from './types.ts';

const bound = new AsyncLocalStorage<Engine>();
let bindings = 0;

/** Sessions as users see them, to the engines behind them. */
export const engines = new WeakMap<Session, Engine>();
export const sessions = new WeakMap<Session, LocalSession | InlineSession>();

/** Whether a call without a session of its own has one, or several. */
export function hasSession(): boolean {
  return threadState().engines.size > 0 || (bindings > 0 && bound.getStore() !== undefined);
}

/** The engine that a call without a session of its own uses. */
export function currentEngine(what: string): Engine {
  // A task belongs to its session, whatever the program around it has open.
  const state = threadState();
  const own = state.inline.size === 0 ? undefined : inlineTaskEngine();
  if (own !== undefined) return own;
  if (bindings > 0) {
    const engine = bound.getStore();
    if (engine !== undefined) return engine;
  }
  const { single, engines: open } = state;
  if (single !== undefined) return single;
  if (open.size === 0) {
    throw new UsageError(
      `${what} needs an open session: call \`await connect()\` first, and keep it open until the end`,
      {
        code: 'ERR_SHEAF_NO_SESSION',
      },
    );
  }
  throw new UsageError(
    `${what} could mean any of ${open.size} open sessions: use session.run(() => ...), or task.with({ session })`,
    { code: 'ERR_SHEAF_SEVERAL_SESSIONS' },
  );
}

export function engineOf(session: Session): Engine {
  const engine = engines.get(session);
  if (engine === undefined) throw new UsageError('the option `session` takes what `await connect()` gave');
  return engine;
}

export function runWith<T>(engine: Engine, fn: () => T): T {
  bindings++;
  let result: T;
  try {
    result = bound.run(engine, fn);
  } catch (error) {
    bindings--;
    throw error;
  }
  if (result instanceof Promise) {
    void result.then(unbind, unbind);
    return result;
  }
  bindings--;
  return result;
}

function unbind(): void {
  bindings--;
}
