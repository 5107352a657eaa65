import type { Cell } from './cell.ts';
import { FAILED, NO_CELLS, READY } from './cell.ts';
import type { KeyQueue, Lease, Shape } from './lease.ts';
import { LeaseTable } from './lease-table.ts';
import type { Kept, Lineage } from './lineage.ts';
import { OWNER_LIMITS, type OwnerLimits, type OwnerPort } from './owner-port.ts';
import type { Holder } from './references.ts';
import type { Intake } from './stream.ts';
import { DONE, PUSHED, QUEUED, type TaskRecord, WAITING } from './task-record.ts';

/**
 * The owner's side of tasks, from `submit` to `done`: they wait for arguments, are sent to workers (see `LeaseTable`), are
 * answered, cancelled or run again; what happens to a task when its worker dies. One per party. Pure: time arrives in
 * `now`, everything leaves through ports.
 */
export class Owner {
  readonly #port: OwnerPort;
  readonly #references: Holder;
  readonly #limits: OwnerLimits;
  readonly #table: LeaseTable;
  /** Pushed tasks by slot. */
  readonly inFlight: readonly (TaskRecord | null)[];
  /** Tasks not yet done, without those that host actors. */
  pending = 0;
  /** Told when a kept task is done, perhaps with nobody left who wants its results. */
  lineage: Lineage | null = null;

  constructor(port: OwnerPort, references: Holder, limits: OwnerLimits = OWNER_LIMITS) {
    this.#port = port;
    this.#references = references;
    this.#limits = limits;
    this.#table = new LeaseTable(this, port, limits);
    this.inFlight = this.#table.inFlight;
  }

  /** Milliseconds of the host's clock; set by the host before it hands in events. */
  get now(): number {
    return this.#table.now;
  }

  set now(ms: number) {
    this.#table.now = ms;
  }

  /** The queue for a shape; the host keeps it with the function's options. */
  queue(shape: Shape): KeyQueue {
    return this.#table.queue(shape);
  }

  get queues(): readonly KeyQueue[] {
    return this.#table.queues;
  }

  /** Those of actors that have something to do. */
  get lines(): Iterable<KeyQueue> {
    return this.#table.lines;
  }

  /** A queue for the calls of an actor, or of a pool of them; see `LeaseTable.orderedQueue`. */
  orderedQueue(shape: Shape): KeyQueue {
    return this.#table.orderedQueue(shape);
  }

  /** A worker that hosts an actor of a queue. */
  attach(key: KeyQueue, worker: number, incarnation: number): void {
    this.#table.attach(key, worker, incarnation);
  }

  detach(key: KeyQueue, worker: number, incarnation: number): void {
    this.#table.detach(key, worker, incarnation);
  }

  /** Calls under way to that worker. */
  inFlightAt(key: KeyQueue, worker: number, incarnation: number): number {
    return this.#table.inFlightAt(key, worker, incarnation);
  }

  /** The actor is no more: what waits for it fails. What is in flight is answered, or heard of with the worker's death. */
  failLine(key: KeyQueue, error: (task: TaskRecord) => unknown): void {
    for (let task = key.waiting.shift(); task !== undefined; task = key.waiting.shift()) {
      if (task.state !== DONE) this.#fail(task, error(task));
    }
  }

  // ---- a task's life

  /** A new task; `uses` and `dependencies` are set, nothing is held yet. */
  submit(task: TaskRecord): void {
    if (!task.resident) this.pending++;
    const { uses, dependencies } = task;
    for (let i = 0; i < uses.length; i++) this.#references.hold(uses[i] as Cell);
    if (dependencies.length > 0) this.#await(task);
    else this.#table.enqueue(task);
  }

  #await(task: TaskRecord, inLine = false): void {
    const { dependencies } = task;
    for (let i = 0; i < dependencies.length; i++) {
      const cell = dependencies[i] as Cell;
      if (cell.state === FAILED) {
        this.#fail(task, cell.value, cell.inner);
        return;
      }
      if (!cell.settled) {
        task.missing++;
        cell.addWaiter(task);
        this.#references.need(cell);
      }
    }
    if (task.missing === 0) this.#table.enqueue(task);
    else if (task.key.ordered && !inLine) this.#table.line(task);
  }

  argumentSettled(task: TaskRecord, cell: Cell): void {
    if (task.state !== WAITING) return;
    if (cell.state === FAILED) this.#fail(task, cell.value, cell.inner);
    else if (--task.missing > 0) return;
    else if (task.key.ordered) task.state = QUEUED;
    else this.#table.enqueue(task);
    // In an actor's line it has stood all the time, and those behind it may go on.
    if (task.key.ordered) this.#table.touch(task.key);
  }

  /** An argument may have been lost while the task stood in the queue: then it waits for that once more. */
  isStillReady(task: TaskRecord): boolean {
    for (const cell of task.dependencies) {
      if (cell.state === READY) continue;
      task.state = WAITING;
      task.missing = 0;
      this.#await(task, task.key.ordered);
      return false;
    }
    return true;
  }

  /**
   * A reply has come: takes the task off its worker and returns it. The host settles the results and calls `done`, or
   * `retry`. Undefined for an answer nobody waits for.
   */
  replied(slot: number, worker: number, micros: number): TaskRecord | undefined {
    return this.#table.replied(slot, worker, micros);
  }

  /** The stream whose task a worker has in that slot. Null for an item that nobody waits for. */
  streamOf(slot: number, worker: number): Intake | null {
    const task = this.inFlight[slot];
    return task === null || task === undefined || task.lease?.worker !== worker ? null : task.stream;
  }

  /** The task is over: its arguments are let go. */
  done(task: TaskRecord): void {
    if (task.state !== DONE) this.#done(task);
  }

  #done(task: TaskRecord): void {
    task.state = DONE;
    if (!task.resident) this.pending--;
    const { uses } = task;
    task.uses = NO_CELLS;
    task.dependencies = NO_CELLS;
    for (let i = 0; i < uses.length; i++) this.#references.drop(uses[i] as Cell);
    if (task.kept !== null) this.lineage?.released(task);
  }

  #fail(task: TaskRecord, error: unknown, inner: readonly Cell[] = NO_CELLS): void {
    this.#port.fail(task, error, inner);
    this.#done(task);
  }

  /** Runs a replied task once more, because its own error asked for it. False when it has no retries left. */
  retry(task: TaskRecord): boolean {
    if (task.cancelled !== undefined || task.retries <= 0) return false;
    task.retries--;
    task.attempt++;
    this.#table.requeue(task);
    return true;
  }

  /** A replied task has not begun, because arguments were lost on the way: it waits for them once more. */
  await(task: TaskRecord): void {
    this.#table.requeue(task);
  }

  /** Runs a finished task once more, because a result is lost. The attempt has been charged. */
  resubmit(task: TaskRecord): void {
    const { uses, dependencies } = task.kept as Kept;
    for (const cell of uses) this.#references.revive(cell);
    task.uses = uses;
    task.dependencies = dependencies;
    task.state = WAITING;
    task.missing = 0;
    this.submit(task);
  }

  /**
   * Ends a task early: at once if it has not started, otherwise when its worker answers. With `force`, its worker is
   * ended. The results fail with `error`.
   */
  cancel(task: TaskRecord, error: unknown, force: boolean): void {
    if (task.state === DONE) return;
    if (task.cancelled === undefined) task.cancelled = error;
    task.stream?.close((cell) => this.#references.drop(cell));
    if (task.state === PUSHED) {
      const lease = task.lease as Lease;
      if (!this.#port.recall(task, lease)) {
        this.#cancelRunning(task, lease, error, force);
        return;
      }
      this.#table.recalled(task);
    }
    // One that waits in the queue is passed over there; a demand made for it alone is taken back.
    this.#table.touch(task.key);
    this.#fail(task, error);
  }

  #cancelRunning(task: TaskRecord, lease: Lease, error: unknown, force: boolean): void {
    this.#port.cancelRunning(task, lease, force, error instanceof Error ? error.message : String(error));
    // Those who wait hear of it now; the record stays until the worker has answered.
    this.#port.fail(task, error, NO_CELLS);
  }

  // ---- what the scheduler says

  granted(keyId: number, id: number, worker: number, incarnation: number, gpus: readonly number[]): void {
    this.#table.granted(keyId, id, worker, incarnation, gpus);
  }

  reclaim(id: number): void {
    this.#table.reclaim(id);
  }

  wanted(id: number): void {
    this.#table.wanted(id);
  }

  infeasible(keyId: number, reason: string): void {
    const key = this.#table.queues[keyId] as KeyQueue;
    key.demanded = key.leases.length;
    const error = this.#port.unschedulable(key.shape, reason);
    for (let task = key.waiting.shift(); task !== undefined; task = key.waiting.shift()) {
      if (task.state === QUEUED) this.#fail(task, error);
    }
  }

  // ---- the host's turns

  /** Pushes what can be pushed and asks for what is missing. Called by the host after each batch of events. */
  settleUp(): void {
    this.#table.settleUp();
  }

  /** Time passes; see `LeaseTable`. */
  tick(): void {
    this.#table.tick();
  }

  /** See `LeaseTable.returnIdle`. */
  returnIdle(): void {
    if (this.#table.any) this.#table.returnIdle();
  }

  /** Milliseconds until `tick` has something to do; undefined when nothing is due. */
  get nextTick(): number | undefined {
    return this.#table.nextTick;
  }

  // ---- failures

  /**
   * A worker is gone; its last replies have been taken in. `started` says of a task whether it had begun there, and
   * `guilty` is the slot of the task that was on its stack, or -1 when that is not known. Only the guilty one, or the
   * one whose cancelling killed the worker, pays for it.
   */
  workerDied(
    worker: number,
    incarnation: number,
    reason: string,
    started: (task: TaskRecord) => boolean,
    guilty: number,
  ): void {
    for (const lease of this.#table.leasesOn(worker, incarnation)) {
      const tasks = this.#table.tasksOf(lease);
      this.#table.forget(lease);
      for (const task of tasks) {
        const { slot } = task;
        const begun = started(task);
        this.#table.unlease(task);
        this.#orphaned(task, reason, begun, begun && slot === guilty);
      }
      this.#table.touch(lease.key);
    }
  }

  #orphaned(task: TaskRecord, reason: string, begun: boolean, guilty: boolean): void {
    if (task.cancelled !== undefined) {
      this.#fail(task, task.cancelled);
      return;
    }
    // One that may run only once has had its run.
    if (begun && (guilty || task.key.shape.exclusive || ++task.uncharged > this.#limits.uncharged)) {
      if (task.retries <= 0) {
        this.#fail(task, this.#port.workerDied(task, reason));
        return;
      }
      task.retries--;
      task.attempt++;
      this.#port.retrying(task, true, reason);
    } else if (begun) {
      this.#port.retrying(task, false, reason);
    }
    this.#table.requeue(task);
  }
}
