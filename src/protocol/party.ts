import { Cell, FREED, NO_CELLS } from './cell.ts';
import { EXECUTOR_LIMITS, Executor } from './executor.ts';
import { type Address, addressKey } from './ids.ts';
import { Lineage } from './lineage.ts';
import type { FromControl } from './messages.ts';
import { Owner } from './owner.ts';
import { OWNER_LIMITS, type OwnerLimits, type OwnerPort } from './owner-port.ts';
import { References, type ReferencesPort } from './references.ts';
import type { TaskRecord } from './task-record.ts';

/** One result of a task as its reply says it: a value, or the reference that will have it. */
export interface ResultWire<P> {
  readonly payload: P;
  readonly inner: readonly string[];
  /** The task returned this reference: the result is what it will be. */
  readonly delegate: string | null;
}

/** A reply that says more than one plain value. */
export interface Reply<P> {
  readonly slot: number;
  readonly micros: number;
  readonly failed: boolean;
  readonly results: readonly ResultWire<P>[];
  /** Lent references that the worker keeps. */
  readonly kept: readonly string[];
  /** Not 0: the worker holds what is inside until this number is acknowledged. */
  readonly receipt: number;
  /** The run has failed before it began, because the value of a reference in the arguments is gone. */
  readonly unread?: boolean;
}

/** An item of a stream that is more than one plain value. */
export interface Item<P> {
  readonly slot: number;
  readonly index: number;
  readonly result: ResultWire<P>;
  /** As in a reply. */
  readonly receipt: number;
}

export interface PartyPort<P> extends Omit<OwnerPort, 'control'>, ReferencesPort<P> {
  acknowledge(worker: number, receipt: number): void;
  /** Nobody will read the stream of this task any further, so that it is cancelled: the error for that of a host that has streams. */
  abandoned?(task: TaskRecord): unknown;
  /** Nobody has the actor any more that this task hosts: it is to end in order. */
  unheld?(task: TaskRecord): void;
  /** Whether a failed task may run again because of its own error, which `failure` has. */
  wantsRetry(task: TaskRecord, failure: Cell): boolean;
  /** Everything the party had sent is worked in; see `ToControl.buried`. */
  drain(party: number): void;
  /** Slot on the stack of a dead worker if it was one of ours, else -1; and whether a task had started there. */
  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean };
  /** What was kept for a dead caller is let go. */
  discard(payload: unknown): void;
  /**
   * Bytes that a finished task takes which is kept to be run again; its arguments must last until `forgotten`. A host without
   * this keeps none, and what is lost is lost.
   */
  recordSize?(task: TaskRecord): number;
  /** A task that was kept will not run again. */
  forgotten?(task: TaskRecord): void;
  /** A finished task is about to run again, because a result of it is lost. True: the host sees to that, it is no task for workers. */
  remaking?(task: TaskRecord): boolean;
  /** Whether the value of a settled cell is gone. A host without this loses none by itself. */
  isLost?(cell: Cell): boolean;
}

/**
 * One thread of user code: owner of what it calls, borrower of what it was given, executor of what others call. The
 * host feeds it messages and carries out what leaves through the port.
 */
export class Party<P> {
  readonly self: Address;
  readonly references: References<P>;
  readonly owner: Owner;
  readonly executor: Executor;
  readonly lineage: Lineage;
  readonly #port: PartyPort<P>;

  constructor(self: Address, port: PartyPort<P>, limits: OwnerLimits = OWNER_LIMITS) {
    this.self = self;
    this.#port = port;
    this.references = new References<P>(self, port);
    this.owner = new Owner(port, this.references, limits);
    this.executor = new Executor(this.references, EXECUTOR_LIMITS, (payload) => port.discard(payload));
    const { references, owner } = this;
    this.lineage = new Lineage(
      {
        hold: (cell) => references.hold(cell),
        drop: (cell) => references.drop(cell),
        isLost: (cell) => this.#isLost(cell),
        unsettle: (cell) => this.#unsettle(cell),
        fail: (cell, why) => references.fail(cell, why),
        resubmit: (task) => {
          if (port.remaking?.(task) !== true) owner.resubmit(task);
        },
        forgotten: (task) => port.forgotten?.(task),
      },
      limits.lineage,
    );
    references.lineage = this.lineage;
    references.abandoned = (task) => {
      if (task.resident) port.unheld?.(task);
      else owner.cancel(task, port.abandoned?.(task), false);
    };
    owner.lineage = this.lineage;
  }

  /** The commonest reply: one result, a plain value with nothing inside, nothing kept. */
  completed(worker: number, slot: number, micros: number, value: unknown): void {
    const task = this.owner.replied(slot, worker, micros);
    if (task === undefined) return;
    const { results } = task;
    if (task.cancelled !== undefined) this.#port.fail(task, task.cancelled, NO_CELLS);
    else this.references.settle(results as Cell, false, value, false, NO_CELLS);
    this.owner.done(task);
  }

  /** The commonest item of a stream: a plain value with nothing inside. */
  yielded(worker: number, slot: number, index: number, value: unknown): void {
    const stream = this.owner.streamOf(slot, worker);
    if (stream?.accept(index)) stream.add(value);
  }

  /** An item of a stream; of one that nobody wants everything is taken in and let go, so that every count balances. */
  item(worker: Address, { slot, index, result, receipt }: Item<P>): void {
    const stream = this.owner.streamOf(slot, worker.party);
    const wanted = stream?.accept(index) === true;
    const cell = wanted ? new Cell() : this.#nobody();
    this.#settle(cell, false, result, worker.party);
    if (receipt !== 0) this.#port.acknowledge(worker.party, receipt);
    if (wanted) stream?.add(cell);
  }

  replied(worker: Address, reply: Reply<P>): void {
    const { references, owner } = this;
    const task = owner.replied(reply.slot, worker.party, reply.micros);
    if (reply.kept.length > 0) references.keptBy(worker, reply.kept);
    if (task === undefined || task.cancelled !== undefined) {
      // Nobody wants it: taken in and let go, so that every count balances.
      for (const result of reply.results) this.#settle(this.#nobody(), reply.failed, result, worker.party);
      if (task !== undefined) this.#port.fail(task, task.cancelled, NO_CELLS);
    } else if (reply.unread === true) {
      this.#awaitLost(task);
      this.#settle(this.#nobody(), true, reply.results[0] as ResultWire<P>, worker.party);
      if (reply.receipt !== 0) this.#port.acknowledge(worker.party, reply.receipt);
      return;
    } else if (reply.failed) {
      // Taken in once, because the worker has counted this party in once; each result has it from here.
      const failure = new Cell();
      failure.observed = true;
      this.#settle(failure, true, reply.results[0] as ResultWire<P>, worker.party);
      const again = this.#port.wantsRetry(task, failure) && owner.retry(task);
      if (!again) task.eachResult((cell) => references.settleLike(cell, failure));
      references.drop(failure);
      if (again) {
        if (reply.receipt !== 0) this.#port.acknowledge(worker.party, reply.receipt);
        return;
      }
    } else if (Array.isArray(task.results)) {
      const cells = task.results as readonly Cell[];
      for (let i = 0; i < cells.length; i++) {
        this.#settle(cells[i] as Cell, false, reply.results[i] as ResultWire<P>, worker.party);
      }
    } else {
      this.#settle(task.results as Cell, false, reply.results[0] as ResultWire<P>, worker.party);
    }
    if (reply.receipt !== 0) this.#port.acknowledge(worker.party, reply.receipt);
    if (task === undefined) return;
    if (!reply.failed) this.#keepLineage(task);
    owner.done(task);
  }

  #keepLineage(task: TaskRecord): void {
    const port = this.#port;
    if (port.recordSize === undefined) return;
    let shared = false;
    task.eachResult((cell) => {
      if (cell.state !== FREED && (cell.pinned || cell.alias !== null)) shared = true;
    });
    if (shared) this.lineage.keep(task, port.recordSize(task));
  }

  /** The task goes back into its queue, and waits there for those of its arguments that are lost and not here again by now. */
  #awaitLost(task: TaskRecord): void {
    this.owner.await(task);
    for (const cell of task.dependencies) if (this.#isLost(cell)) this.lost(cell);
  }

  /**
   * The value of a cell is gone. An own one is made again, or fails; a borrowed one is asked for again as soon as somebody
   * needs it, and its owner hears of the loss from the directory, which knows by then.
   */
  lost(cell: Cell): void {
    if (cell.owner === null) this.lineage.lost(cell);
    else if (cell.settled) this.#unsettle(cell);
  }

  #isLost(cell: Cell): boolean {
    return cell.settled && this.#port.isLost?.(cell) === true;
  }

  #unsettle(cell: Cell): void {
    if (cell.inner.length > 0) this.#keepLent(cell);
    if (cell.settled && cell.pinned) this.#port.free(cell, false);
    this.references.unsettle(cell);
  }

  /** What is inside of the value was lent with it to tasks under way: from now on they hold it by themselves. */
  #keepLent(cell: Cell): void {
    for (const task of this.owner.inFlight) {
      if (!task?.uses.includes(cell)) continue;
      for (const each of cell.inner) this.references.hold(each);
      task.uses = [...task.uses, ...cell.inner];
    }
  }

  /** The directory has no value any more of what this party owns. */
  #missing(id: string): void {
    const cell = this.references.owned.get(id);
    if (cell === undefined) this.references.disown(id);
    else if (this.#isLost(cell)) this.lost(cell);
    // Otherwise it has been settled again since, or will be: the directory hears of that.
  }

  #nobody(): Cell {
    const cell = new Cell();
    cell.holds = 0;
    return cell;
  }

  #settle(cell: Cell, failed: boolean, wire: ResultWire<P>, by: number): void {
    const { references } = this;
    if (wire.delegate !== null) {
      const target = references.granted(wire.delegate, by);
      // Perhaps the task ran again because of that.
      if (this.#isLost(target)) this.lost(target);
      references.delegate(cell, target);
      return;
    }
    const inner = wire.inner.length === 0 ? NO_CELLS : wire.inner.map((id) => references.granted(id, by));
    const own = this.#nobody();
    this.#port.decode(own, wire.payload);
    references.settle(cell, failed, own.value, own.pinned, inner);
  }

  fromControl(message: FromControl<P>): void {
    switch (message.type) {
      case 'grant':
        this.owner.granted(message.key, message.lease, message.worker, message.incarnation, message.gpus);
        break;
      case 'reclaim':
        this.owner.reclaim(message.lease);
        break;
      case 'wanted':
        this.owner.wanted(message.lease);
        break;
      case 'infeasible':
        this.owner.infeasible(message.key, message.reason);
        break;
      case 'resolved':
        this.references.resolved(message.id, message.settled);
        break;
      case 'lost':
        this.references.lost(message.id, message.reason);
        break;
      case 'missing':
        this.#missing(message.id);
        break;
      case 'freed':
        this.references.freed(message.id, message.observed);
        break;
      case 'died':
        this.#died(message.party, message.incarnation, message.reason);
        break;
    }
  }

  /** The order is the point: first what it still said, then what its death means, then word that this is done. */
  #died(party: number, incarnation: number, reason: string): void {
    this.#port.drain(party);
    const { guilty, started } = this.#port.autopsy(party);
    this.owner.workerDied(party, incarnation, reason, started, guilty);
    for (const payload of this.executor.callerDied(party)) this.#port.discard(payload);
    this.references.partyDied(party);
    this.#port.control({ type: 'buried', party, incarnation });
  }

  get key(): string {
    return addressKey(this.self);
  }
}
