import { UsageError } from '../base/index.ts';
import { type Cell, QUEUED, type Run, type TaskRecord, WAITING } from '../protocol/index.ts';
import { type Call, callOf } from './call.ts';
import { cancelGathering } from './gathering.ts';
import { lasting } from './sites.ts';
import type { TaskHost } from './task-host.ts';

/** Of a long queue, so many are listed at most. */
const MOST_LISTED = 10_000;

/** A method can't be ended by force: with its worker its actor would end, and with that what others have called of it. */
export function refuseForce(cell: Cell): void {
  const call = callOf(cell);
  if (cell.settled || call === null || call.plan.actor === null) return;
  throw new UsageError(
    `${call.name} is a method of an actor and can't be cancelled by force, which would end the actor and all that others have called ` +
      'of it; cancel it without force, or give it a `timeout`',
    { details: { method: call.name } },
  );
}

/** The calls of a party from the moment they are made until they are over: submitted, counted, cancelled. */
export class Submissions {
  readonly #host: TaskHost;
  /** Calls that had to wait for their arguments, and have not ended. */
  readonly #blocked = new Set<Call>();
  readonly #idlers: (() => void)[] = [];

  constructor(host: TaskHost) {
    this.#host = host;
  }

  /** Hands a call to the protocol. */
  submit(call: Call): void {
    const { counters, party, role, reactor, recorder } = this.#host;
    counters.submitted++;
    call.plan.pending++;
    if (call.plan.actor !== null) call.plan.actor.pending++;
    const now = performance.now();
    party.owner.now = now;
    // A small integer, which costs nothing to keep, is exact enough for most.
    call.submittedAt = recorder === null ? now | 0 : now;
    party.owner.submit(call);
    if (call.state === WAITING) this.#blocked.add(call);
    if (call.key.waiting.size > 0 || role === 'worker') reactor.kick();
  }

  /** A call has come to its end. */
  ended(call: Call): void {
    if (this.#blocked.size > 0) this.#blocked.delete(call);
  }

  /** Cancels a pending task; a borrowed reference's owner is asked to. */
  cancel(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
    const host = this.#host;
    if (cell.settled) return;
    if (cell.owner !== null) {
      host.cancelElsewhere(cell, force, recursive);
      return;
    }
    // Its task has returned a reference, and is over: what is to be stopped is the one behind that.
    if (cell.alias !== null) {
      this.cancel(cell.alias, error, force, recursive);
      return;
    }
    const call = callOf(cell);
    if (call === null) {
      cancelGathering(cell, error, force, recursive);
      return;
    }
    call.cancelRecursively = recursive;
    // By way of what it is a part of, or of a borrower: it is asked, and its actor goes on.
    host.party.owner.cancel(call, error, force && call.plan.actor === null);
    host.settleUp();
    host.reactor.kick();
  }

  /** Cancels what a run has called and not got back. */
  cancelChildren(run: Run, error: Error): void {
    const { owner } = this.#host.party;
    const children: Call[] = [];
    const visit = (task: TaskRecord | null): void => {
      if (task !== null && (task as Call).parent === run) children.push(task as Call);
    };
    for (const queue of owner.queues) queue.waiting.forEach(visit);
    for (const line of owner.lines) line.waiting.forEach(visit);
    for (const task of owner.inFlight) visit(task);
    for (const call of this.#blocked) if (call.parent === run) children.push(call);
    if (children.length > 0) lasting(error);
    for (const call of children) owner.cancel(call, error, false);
    this.#host.settleUp();
  }

  /** All that are not over, those first that are furthest. */
  *pending(): Generator<Call> {
    const { owner } = this.#host.party;
    for (const task of owner.inFlight) if (task !== null) yield task as Call;
    for (const queue of owner.queues) {
      const queued: Call[] = [];
      queue.waiting.forEach((task) => {
        // One that was cancelled stays until its turn comes.
        if (queued.length < MOST_LISTED && task.state === QUEUED) queued.push(task as Call);
      });
      yield* queued;
    }
    for (const call of this.#blocked) if (call.state === WAITING) yield call;
  }

  drained(): Promise<void> {
    const { closed, party, reactor } = this.#host;
    if (closed || party.owner.pending === 0) return Promise.resolve();
    reactor.kick();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  /** Tells those who wait for it that nothing is pending. */
  settledUp(): void {
    if (this.#idlers.length > 0 && this.#host.party.owner.pending === 0) this.#release();
  }

  #release(): void {
    for (const resolve of this.#idlers.splice(0)) resolve();
  }

  /** Fails everything that is pending. */
  failAll(error: Error): void {
    const { party, endings } = this.#host;
    for (const queue of party.owner.queues) {
      for (const task of queue.waiting.remove(() => true)) endings.fail(task as Call, error);
    }
    for (const line of party.owner.lines) {
      for (const task of line.waiting.remove(() => true)) endings.fail(task as Call, error);
    }
    for (const task of party.owner.inFlight) if (task !== null) endings.fail(task as Call, error);
    for (const call of this.#blocked) if (call.state === WAITING) endings.fail(call, error);
  }

  close(): void {
    this.#release();
  }
}
