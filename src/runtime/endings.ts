import { OutOfMemoryError, SheafError, UnschedulableError, WorkerDiedError } from '../base/index.ts';
import { type Cell, FAILED, NO_CELLS } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { Reference } from './reference.ts';
import { lasting } from './sites.ts';
import type { TaskHost } from './task-host.ts';
import { isShared, Stored } from './values.ts';

/** How the control thread begins the reason when it ends a worker for its memory; see `MemoryGuard`. */
export const SHORT_OF_MEMORY = 'memory: ';

/** How the calls of a party come to their end, or to another attempt. */
export class Endings {
  readonly #host: TaskHost;
  constructor(host: TaskHost) {
    this.#host = host;
  }

  fail(call: Call, error: unknown, inner: readonly Cell[] = NO_CELLS): void {
    const { values, party } = this.#host;
    const { references } = party;
    call.eachResult((cell) => {
      if (cell.settled) return;
      const value = error instanceof Stored ? error : toError(error);
      const pinned = isShared(value);
      if (pinned) values.pin(value);
      for (const each of inner) references.hold(each);
      references.settle(cell, true, value, pinned, inner);
    });
    this.ended(call, true);
  }

  workerDied(call: Call, reason: string): unknown {
    if (call.plan.actor !== null) return this.#host.actors.died(call, reason);
    if (reason.startsWith(SHORT_OF_MEMORY)) {
      return new OutOfMemoryError(
        `the worker that ran ${call.name} was ended, because ${reason.slice(SHORT_OF_MEMORY.length)}; give the task less to do at ` +
          'once, let fewer run at the same time (option `memory` or `cpus`), or let it run again (option `retries`)',
        { code: 'ERR_SHEAF_WORKER_MEMORY', details: { task: call.name, attempts: call.attempt + 1, reason } },
      );
    }
    if (call.actorId !== null) {
      return new WorkerDiedError(
        `the worker of the actor ${call.name} died: ${reason}; no restarts are left (option \`restarts\`)`,
        { details: { actor: call.name, attempts: call.attempt + 1, reason } },
      );
    }
    return new WorkerDiedError(
      `the worker that ran ${call.name} died: ${reason}; it was attempt ${call.attempt + 1} and no retries are left` +
        ' (option `retries`)',
      { details: { task: call.name, attempts: call.attempt + 1, reason } },
    );
  }

  unschedulable(reason: string): unknown {
    return new UnschedulableError(
      `no worker of this node can run the task, or host the actor: ${reason}; ask for less, or connect with more`,
    );
  }

  wantsRetry(call: Call, failure: Cell): boolean {
    const { retryErrors } = call.plan;
    if (retryErrors === false || call.retries <= 0) return false;
    if (typeof retryErrors === 'function') {
      const error = this.#readError(failure);
      try {
        if (!retryErrors(error)) return false;
      } catch (thrown) {
        this.#host.log(`the retryErrors function of ${call.name} threw: ${String(thrown)}`);
        return false;
      }
    }
    this.#host.retrying(call, true, 'its own error');
    return true;
  }

  /** The error of a failed cell; what keeps it from being read here is one, too. */
  #readError(cell: Cell): Error {
    try {
      return toError(this.#host.values.read(cell));
    } catch (error) {
      return toError(error);
    }
  }

  /** What the host itself kept for a call is let go. */
  ended(call: Call, failed: boolean): void {
    const { counters, values } = this.#host;
    const { handles, shared } = call;
    if (call.submittedAt < 0) return;
    this.#host.forget(call);
    call.submittedAt = -1;
    call.plan.pending--;
    counters.finished++;
    if (failed) counters.failed++;
    // Whoever keeps its references in an object, a method of which has called it, is not to keep the object by that.
    call.site = failed || call.delegates ? lasting(call.site) : undefined;
    // One that is kept to run again has them until it is forgotten.
    if (shared !== null && call.kept === null) {
      call.shared = null;
      values.unpin(shared);
    }
    call.onEnd?.();
    if (call.actorId !== null) this.#host.actors.over(call, failed);
    call.plan.actor?.ended();
    call.handles = null;
    if (handles === null) {
      // Nothing but the reader keeps the handle of a stream, nor that of an actor but who calls it.
      const lasts = call.stream !== null || call.actorId !== null;
      const end = lasts ? ((call.results as Cell).handle as WeakRef<Reference<unknown>>).deref() : undefined;
      if (end !== undefined) this.#afterSettling(end, call);
      return;
    }
    if (Array.isArray(handles)) for (const handle of handles) this.#afterSettling(handle, call);
    else this.#afterSettling(handles as Reference<unknown>, call);
  }

  /** One that was not submitted has failed all the same. */
  refused(call: Call): void {
    const handle = ((call.results as Cell).handle as WeakRef<Reference<unknown>>).deref();
    if (handle !== undefined) this.#afterSettling(handle, call);
  }

  #afterSettling(handle: Reference<unknown>, call: Call): void {
    const { failures } = this.#host;
    const cell = Reference.peek(handle);
    if (cell.pinned || cell.inner.length > 0 || cell.alias !== null) Reference.watch(handle);
    if (cell.state === FAILED && !cell.observed) failures.watch(handle, cell, call);
    else if (cell.alias !== null) cell.addWaiter(failures.delegated(call));
  }
}

function toError(error: unknown): Error {
  return lasting(error instanceof Error ? error : new SheafError(String(error)));
}
