import { isMainThread } from 'node:worker_threads';
import type { AnyFunction } from './loaded.ts';
import { sayOnStderr } from './worker-output.ts';

/** So many names of tasks are listed at most. */
const MOST_NAMES = 10;

/** Whether a debugger is to be attached to runs of the task of that name (`sheaf run --inspect-task`). */
export function isInspected(name: string): boolean {
  return process.env.SHEAF_INSPECT_TASK === name;
}

/**
 * Says so when a task was to be inspected and the program has called none of that name: it may be mistyped. `called`: the names of those
 * that it has called. Methods of actors, and tasks that other tasks call, are known to the workers alone.
 */
export function sayIfNotCalled(called: ReadonlySet<string>): void {
  const name = process.env.SHEAF_INSPECT_TASK;
  if (name === undefined || called.has(name) || name.includes('.')) return;
  const some = [...called].sort().slice(0, MOST_NAMES);
  const others = called.size > some.length ? `, and ${called.size - some.length} more` : '';
  const known = some.length === 0 ? 'it called none' : `it called ${some.join(', ')}${others}`;
  sayOnStderr(
    `sheaf: a debugger was asked for in the task ${name}, but the program itself called none of that name; ${known}`,
  );
}

/**
 * The same function, but its first run on this worker opens an inspector, says where, and waits for a debugger; and each run stops at
 * its beginning as long as one is attached. Only people on this machine can attach: the port is of the loopback interface.
 */
export function underInspector(fn: AnyFunction, name: string, worker: number): AnyFunction {
  if (!isMainThread) {
    // The end of a thread waits for its debugger to go, and with it would that of the session.
    sayOnStderr(
      `sheaf: no debugger can be attached to the task ${name}: its worker is a thread, and has to be a process`,
    );
    return fn;
  }
  const { open, url, waitForDebugger } = process.getBuiltinModule('node:inspector');
  const attach = (): void => {
    if (url() !== undefined) return;
    open(0, '127.0.0.1');
    sayOnStderr(
      `sheaf: the task ${name} waits on worker ${worker} for a debugger: attach one to ${url()}, by chrome://inspect or from your editor`,
    );
    waitForDebugger();
  };
  const inspected = function (this: unknown, ...args: unknown[]): unknown {
    attach();
    // biome-ignore lint/suspicious/noDebugger: it is what this is for; without a debugger it does nothing.
    debugger;
    return fn.apply(this, args);
  };
  return Object.defineProperty(inspected, 'name', { value: name, configurable: true });
}
