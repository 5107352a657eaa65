import { FAILED } from '../protocol/index.ts';
import type { Engine } from './engine.ts';
import { OwnedEngine } from './owned-engine.ts';
import { afterSettling, cellOf, Reference } from './reference.ts';
import type { TaskHost } from './task-host.ts';

/**
 * Says when a task is over, for those who call tasks for purposes of their own: whatever becomes of the handle, and of the task whose code had it.
 * `over` hears why it failed, if it did; nobody else does.
 */
export function oversee(ref: Reference<unknown>, over: (failed: boolean, error: unknown) => void): void {
  const cell = cellOf(ref);
  const host = Reference.host(ref) as TaskHost;
  cell.observed = true;
  host.party.references.hold(cell);
  afterSettling(ref, () => {
    const failed = cell.state === FAILED;
    const error = failed ? failureOf() : undefined;
    host.drop(cell);
    over(failed, error);
  });

  function failureOf(): unknown {
    try {
      return host.read(cell);
    } catch (error) {
      return error;
    }
  }
}

/**
 * Takes in what others have sent, in the middle of code that keeps the event loop waiting: a lease that was granted gets its call, and what has
 * ended is heard of. Costs next to nothing when there is nothing.
 */
export function takeMessages(engine: Engine): void {
  if (engine instanceof OwnedEngine && !engine.host.closed) void engine.host.reactor.poll();
}

/** What others send is waited for: this thread hears of it as soon as its event loop turns, and the process stays for it. */
export function expectMessages(engine: Engine): void {
  if (engine instanceof OwnedEngine && !engine.host.closed) engine.host.reactor.kick();
}
