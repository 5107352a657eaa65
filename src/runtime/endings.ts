import { OutOfMemoryError, SheafError, UnschedulableError, WorkerDiedError } from '../base/index.ts';
import { type Cell, FAILED, NO_CELLS, type TaskRecord } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { sharedNow } from './clock.ts';
import { timedOut } from './deadlines.ts';
import type { PartyHost } from './party-host.ts';
import { Reference } from './reference.ts';
import { lasting } from './sites.ts';
import { isShared, Stored } from './values.ts';

/** How the control thread begins the reason when it ends a worker for its memory; see `MemoryGuard`. */
const SHORT_OF_MEMORY = 'memory: ';

/** How the calls of a party come to their end, or to another attempt. */
export class Endings {
  readonly #host: PartyHost;
  /** While a death is taken in: what the control thread said of it. */
  #reason = '';

  constructor(host: PartyHost) {
    this.#host = host;
  }

  /** Takes a death in, of which the control thread said `reason`. */
  during(reason: string, takeIn: () => void): void {
    this.#reason = reason;
    takeIn();
    this.#reason = '';
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
    return new WorkerDiedError(
      `the worker that ran ${call.name} died: ${reason}; it was attempt ${call.attempt + 1} and no retries are left` +
        ' (option `retries`)',
      { details: { task: call.name, attempts: call.attempt + 1, reason } },
    );
  }

  unschedulable(reason: string): unknown {
    return new UnschedulableError(
      `no worker of this node can ever run the task: ${reason}; ask for less, or connect with more`,
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

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    const { reactor, block, self } = this.#host;
    const started = (each: TaskRecord): boolean => reactor.taskWriter(worker).claimed(each.ticket);
    const timeout = this.#reason.startsWith('timeout: ');
    if (timeout) this.#timedOut(worker);
    // A worker that was ended on purpose did nothing wrong by itself; one that was too large may not be so the next time.
    if (timeout || this.#reason.startsWith(SHORT_OF_MEMORY) || this.#reason.startsWith('ended: '))
      return { guilty: -1, started };
    return { guilty: block.currentSlot(worker, self.party), started };
  }

  /**
   * A worker was ended because of a run that gave its event loop no turn. Shared memory still names it, unless it came to its
   * end at that very moment: then nobody is to blame.
   */
  #timedOut(worker: number): void {
    const { block, self, party } = this.#host;
    const run = block.overdue(worker, sharedNow());
    if (run === undefined || run.caller !== self.party) return;
    const call = party.owner.inFlight[run.slot] as Call | null | undefined;
    if (call === null || call === undefined || call.lease?.worker !== worker) return;
    if (call.runName.sequence !== run.sequence || call.runName.attempt !== run.attempt) return;
    call.cancelled ??= timedOut(
      call.name,
      call.plan.timeout,
      ', without giving the event loop a turn; its worker was ended and other tasks on it run again',
    );
  }

  /** What the host itself kept for a call is let go. */
  ended(call: Call, failed: boolean): void {
    const { counters, sender, values } = this.#host;
    const { handles, shared } = call;
    if (call.submittedAt < 0) return;
    sender.parcels.forget(call);
    call.submittedAt = -1;
    call.plan.pending--;
    counters.finished++;
    if (failed) counters.failed++;
    // Whoever keeps its references in an object, a method of which has called it, is not to keep the object by that.
    call.site = failed || call.delegates ? lasting(call.site) : undefined;
    if (shared !== null) {
      call.shared = null;
      values.unpin(shared);
    }
    call.onEnd?.();
    if (call.actorId !== null) this.#host.actors.over(call, failed);
    call.plan.actor?.ended();
    call.handles = null;
    if (handles === null) {
      // Nothing but the reader keeps the handle of a stream.
      const end =
        call.stream === null ? undefined : ((call.results as Cell).handle as WeakRef<Reference<unknown>>).deref();
      if (end !== undefined) this.#afterSettling(end, call);
      return;
    }
    if (Array.isArray(handles)) for (const handle of handles) this.#afterSettling(handle, call);
    else this.#afterSettling(handles as Reference<unknown>, call);
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
