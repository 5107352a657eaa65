import type { Cell } from './cell.ts';
import { FAILED, NO_CELLS, READY } from './cell.ts';
import { KeyQueue, Lease, type Shape, shapeKey } from './lease.ts';
import type { Kept, Lineage } from './lineage.ts';
import type { TaskMessage } from './messages.ts';
import type { Holder } from './references.ts';
import { DONE, PUSHED, QUEUED, type TaskRecord, WAITING } from './task-record.ts';

/** What the task rules need from their host. */
export interface OwnerPort {
  /** Sends a task to its lease's worker; the ticket for taking it back, or -1 when the link has no room now. */
  push(task: TaskRecord, lease: Lease): number;
  /** Takes a pushed task back: true if it had not started, false if it has. */
  recall(task: TaskRecord, lease: Lease): boolean;
  /** Asks the worker to stop a task that may be running. */
  cancelRunning(task: TaskRecord, lease: Lease): void;
  control(message: TaskMessage): void;
  /** A task ends without a reply: every result gets this failure. */
  fail(task: TaskRecord, error: unknown): void;
  /** The error for a task whose worker died with no retries left. */
  workerDied(task: TaskRecord, reason: string): unknown;
  unschedulable(shape: Shape, reason: string): unknown;
  /** A task goes back to the queue because its worker died; told to observers. */
  retrying(task: TaskRecord, charged: boolean, reason: string): void;
}

export interface OwnerLimits {
  /** Tasks in flight to one worker. */
  readonly depth: number;
  /** Expected work in flight to one worker, in microseconds. */
  readonly window: number;
  /** Below this much expected work a worker is given more before another is woken, in microseconds. */
  readonly stack: number;
  /** An idle lease is returned after so many milliseconds. */
  readonly idle: number;
  /** A worker silent for so long has what it has not started taken back, in milliseconds. */
  readonly stall: number;
  /** Resubmissions of one task that are not charged to it. */
  readonly uncharged: number;
  /** Bytes of finished tasks that are kept to be run again, should their results be lost. */
  readonly lineage: number;
}

export const OWNER_LIMITS: OwnerLimits = {
  depth: 1000,
  window: 1000,
  stack: 50,
  idle: 500,
  stall: 5,
  uncharged: 16,
  lineage: 2 ** 30,
};

/** A single task is given so much more time to begin than several are. */
const LONE = 10;
const MOST_DOUBLINGS = 16;

/**
 * The owner's side of tasks: which of them wait for arguments, for a worker, for an answer; which leases exist; what
 * happens to a task when its worker dies. One per party. Pure: time arrives in `now`, everything leaves through ports.
 */
export class Owner {
  readonly #port: OwnerPort;
  readonly #references: Holder;
  readonly #limits: OwnerLimits;
  readonly #keys = new Map<string, KeyQueue>();
  readonly #queues: KeyQueue[] = [];
  readonly #leases = new Map<number, Lease>();
  /** Pushed tasks by slot. */
  readonly inFlight: (TaskRecord | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #dirty: KeyQueue[] = [];
  /** Tasks in flight by worker, over all of its leases. */
  readonly #sent: number[] = [];
  /** Milliseconds of the host's clock; set by the host before it hands in events. */
  now = 0;
  /** Tasks not yet done. */
  pending = 0;
  /** Told when a kept task is done, perhaps with nobody left who wants its results. */
  lineage: Lineage | null = null;

  constructor(port: OwnerPort, references: Holder, limits: OwnerLimits = OWNER_LIMITS) {
    this.#port = port;
    this.#references = references;
    this.#limits = limits;
  }

  /** The queue for a shape; the host keeps it with the function's options. */
  queue(shape: Shape): KeyQueue {
    const key = shapeKey(shape);
    let queue = this.#keys.get(key);
    if (queue === undefined) {
      queue = new KeyQueue(this, this.#queues.length, shape);
      this.#keys.set(key, queue);
      this.#queues.push(queue);
    }
    return queue;
  }

  get queues(): readonly KeyQueue[] {
    return this.#queues;
  }

  /** A new task; `uses` and `dependencies` are set, nothing is held yet. */
  submit(task: TaskRecord): void {
    this.pending++;
    const { uses, dependencies } = task;
    for (let i = 0; i < uses.length; i++) this.#references.hold(uses[i] as Cell);
    if (dependencies.length > 0) this.#await(task);
    else this.#enqueue(task);
  }

  #await(task: TaskRecord): void {
    const { dependencies } = task;
    for (let i = 0; i < dependencies.length; i++) {
      const cell = dependencies[i] as Cell;
      if (cell.state === FAILED) {
        this.#port.fail(task, cell.value);
        this.#done(task);
        return;
      }
      if (!cell.settled) {
        task.missing++;
        cell.addWaiter(task);
        this.#references.need(cell);
      }
    }
    if (task.missing === 0) this.#enqueue(task);
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

  argumentSettled(task: TaskRecord, cell: Cell): void {
    if (task.state !== WAITING) return;
    if (cell.state === FAILED) {
      this.#port.fail(task, cell.value);
      this.#done(task);
    } else if (--task.missing === 0) {
      this.#enqueue(task);
    }
  }

  #enqueue(task: TaskRecord): void {
    const { key } = task;
    task.state = QUEUED;
    if (key.waiting.size === 0) {
      const lease = this.#choose(key, task);
      if (lease !== null && this.#push(task, lease)) return;
    }
    key.waiting.push(task);
    this.#demand(key);
    // What stands before it may have been cancelled since.
    this.#touch(key);
  }

  #requeue(task: TaskRecord): void {
    task.state = QUEUED;
    task.lease = null;
    task.key.waiting.unshift(task);
    this.#touch(task.key);
  }

  /** Marks a queue for `settleUp`, which the host calls once after a batch of events. */
  #touch(key: KeyQueue): void {
    if (key.dirty) return;
    key.dirty = true;
    this.#dirty.push(key);
  }

  /** Pushes what can be pushed and asks for what is missing. Called by the host after each batch of events. */
  settleUp(): void {
    for (let key = this.#dirty.pop(); key !== undefined; key = this.#dirty.pop()) {
      key.dirty = false;
      this.#pump(key);
    }
  }

  #pump(key: KeyQueue): void {
    const { waiting } = key;
    for (let task = waiting.peek(); task !== undefined; task = waiting.peek()) {
      if (task.state !== QUEUED) {
        waiting.shift();
        continue;
      }
      const lease = this.#choose(key, task);
      if (lease === null || !this.#push(task, lease)) break;
      waiting.shift();
    }
    if (waiting.size > 0) {
      this.#demand(key);
      return;
    }
    if (key.demanded > key.leases.length) {
      key.demanded = key.leases.length;
      this.#port.control({ type: 'demand', key: key.id, shape: key.shape, total: key.demanded });
    }
    this.#spread(key);
  }

  /**
   * The lease for a task: the one used last while little is in flight to it (its worker is awake, and its cache warm),
   * otherwise the one with the least expected work.
   */
  #choose(key: KeyQueue, task: TaskRecord): Lease | null {
    const { leases } = key;
    const { depth, window, stack } = this.#limits;
    const cost = task.timing.expected;
    const unknown = task.timing.micros < 0;
    const most = key.shape.exclusive ? 1 : depth;
    let best: Lease | null = null;
    for (let i = 0; i < leases.length; i++) {
      const lease = leases[i] as Lease;
      if (lease.reclaimed || lease.inFlight >= most || lease.stalled) continue;
      // While the function's cost is unknown, a second call waits for the first answer or for another worker.
      if (unknown && lease.inFlight > 0) continue;
      // One more may always wait behind a task of moderate length, which hides the round trip.
      if (lease.inFlight > 0 && lease.work + cost > window && (lease.inFlight > 1 || cost > 5 * window)) continue;
      if (lease.work + cost <= stack) return lease;
      if (best === null || lease.work < best.work) best = lease;
    }
    return best;
  }

  /** True when the task is on its way, or has left the queue otherwise. */
  #push(task: TaskRecord, lease: Lease): boolean {
    if (task.dependencies.length > 0 && !this.#isStillReady(task)) return true;
    const slot = this.#freeSlots.pop() ?? this.inFlight.length;
    this.inFlight[slot] = task;
    task.slot = slot;
    const ticket = this.#port.push(task, lease);
    if (ticket < 0) {
      this.#freeSlot(task);
      return false;
    }
    // The port may have found that it can't be sent at all, and failed it.
    if (task.state === DONE) return true;
    task.state = PUSHED;
    task.ticket = ticket;
    task.lease = lease;
    task.cost = task.timing.expected;
    lease.inFlight++;
    lease.begun = false;
    this.#sent[lease.worker] = this.#sentTo(lease.worker) + 1;
    lease.work += task.cost;
    lease.lastUsed = this.now;
    task.key.inFlight++;
    return true;
  }

  /** An argument may have been lost while the task stood in the queue: then it waits for that once more. */
  #isStillReady(task: TaskRecord): boolean {
    for (const cell of task.dependencies) {
      if (cell.state === READY) continue;
      task.state = WAITING;
      task.missing = 0;
      this.#await(task);
      return false;
    }
    return true;
  }

  #freeSlot(task: TaskRecord): void {
    if (task.slot < 0) return;
    this.inFlight[task.slot] = null;
    this.#freeSlots.push(task.slot);
    task.slot = -1;
  }

  #sentTo(worker: number): number {
    return this.#sent[worker] ?? 0;
  }

  /** Takes a pushed task off its lease. */
  #unlease(task: TaskRecord): void {
    const lease = task.lease as Lease;
    lease.inFlight--;
    lease.begun = false;
    this.#sent[lease.worker] = this.#sentTo(lease.worker) - 1;
    lease.work = lease.inFlight === 0 ? 0 : lease.work - task.cost;
    if (lease.inFlight === 0) lease.stalled = false;
    task.key.inFlight--;
    task.lease = null;
    this.#freeSlot(task);
  }

  /**
   * A reply has come: takes the task off its worker and returns it. The host settles the results and calls `done`, or
   * `retry`. Undefined for an answer nobody waits for.
   */
  replied(slot: number, worker: number, micros: number): TaskRecord | undefined {
    const task = this.inFlight[slot];
    if (task === null || task === undefined || task.lease?.worker !== worker) return undefined;
    const { lease } = task;
    if (micros >= 0) task.timing.observe(micros);
    this.#unlease(task);
    lease.lastUsed = this.now;
    lease.stalled = false;
    lease.answered = true;
    task.key.recalls = 0;
    if (lease.reclaimed && lease.inFlight === 0) this.#return(lease);
    this.#touch(task.key);
    return task;
  }

  /** The task is over: its arguments are let go. */
  done(task: TaskRecord): void {
    if (task.state !== DONE) this.#done(task);
  }

  #done(task: TaskRecord): void {
    task.state = DONE;
    this.pending--;
    const { uses } = task;
    task.uses = NO_CELLS;
    task.dependencies = NO_CELLS;
    for (let i = 0; i < uses.length; i++) this.#references.drop(uses[i] as Cell);
    if (task.kept !== null) this.lineage?.released(task);
  }

  /** Runs a replied task once more, because its own error asked for it. False when it has no retries left. */
  retry(task: TaskRecord): boolean {
    if (task.cancelled !== undefined || task.retries <= 0) return false;
    task.retries--;
    task.attempt++;
    this.#requeue(task);
    return true;
  }

  /**
   * Ends a task early: at once if it has not started, otherwise when its worker answers. With `force`, its worker is
   * ended. The results fail with `error`.
   */
  cancel(task: TaskRecord, error: unknown, force: boolean): void {
    if (task.state === DONE) return;
    if (task.cancelled === undefined) task.cancelled = error;
    if (task.state === PUSHED) {
      const lease = task.lease as Lease;
      if (!this.#port.recall(task, lease)) {
        this.#port.cancelRunning(task, lease);
        // Those who wait hear of it now; the record stays until the worker has answered.
        this.#port.fail(task, error);
        if (force) {
          this.#port.control({
            type: 'kill',
            worker: lease.worker,
            incarnation: lease.incarnation,
            reason: error instanceof Error ? error.message : String(error),
          });
        }
        return;
      }
      this.#unlease(task);
      if (lease.reclaimed && lease.inFlight === 0) this.#return(lease);
    }
    // One that waits in the queue is passed over there; a demand made for it alone is taken back.
    this.#touch(task.key);
    this.#port.fail(task, error);
    this.#done(task);
  }

  // ---- leases

  granted(keyId: number, id: number, worker: number, incarnation: number, gpus: readonly number[]): void {
    const key = this.#queues[keyId] as KeyQueue;
    const lease = new Lease(id, worker, incarnation, gpus, key, this.now);
    this.#leases.set(id, lease);
    key.leases.push(lease);
    this.#touch(key);
  }

  reclaim(id: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.reclaimed) return;
    lease.reclaimed = true;
    // Every lease gets something done; otherwise several that want the same could call it back from each other for ever.
    this.#takeBack(lease, lease.answered ? 0 : 1);
    if (lease.inFlight === 0) this.#return(lease);
    this.#touch(lease.key);
  }

  #return(lease: Lease): void {
    this.#forget(lease);
    const { key } = lease;
    key.demanded = Math.min(key.demanded, key.leases.length);
    this.#port.control({ type: 'return', lease: lease.id });
  }

  #forget(lease: Lease): void {
    this.#leases.delete(lease.id);
    const { leases } = lease.key;
    leases.splice(leases.indexOf(lease), 1);
    // Whatever was asked for on top is asked for anew.
    lease.key.demanded = Math.min(lease.key.demanded, leases.length);
  }

  infeasible(keyId: number, reason: string): void {
    const key = this.#queues[keyId] as KeyQueue;
    key.demanded = 0;
    const error = this.#port.unschedulable(key.shape, reason);
    for (let task = key.waiting.shift(); task !== undefined; task = key.waiting.shift()) {
      if (task.state !== QUEUED) continue;
      this.#port.fail(task, error);
      this.#done(task);
    }
  }

  /** Tells the scheduler how many leases would be of use, in doubling steps so that a burst costs few messages. */
  #demand(key: KeyQueue): void {
    const waiting = key.waiting.size;
    if (waiting === 0) return;
    const next = key.waiting.peek() as TaskRecord;
    const work = waiting * next.timing.expected;
    const total = key.leases.length + Math.max(1, Math.min(waiting, Math.ceil(work / this.#limits.window)));
    if (total <= key.demanded || (key.demanded > key.leases.length && total < key.demanded * 2)) return;
    key.demanded = total;
    this.#port.control({ type: 'demand', key: key.id, shape: key.shape, total });
  }

  /** Nothing waits: an idle lease takes what another one has not started yet. */
  #spread(key: KeyQueue): void {
    if (key.inFlight < 2) return;
    for (const idle of key.leases) {
      if (idle.inFlight > 0 || idle.reclaimed) continue;
      const busiest = key.leases.reduce((a, b) => (b.work > a.work ? b : a));
      if (busiest.inFlight < 2 || busiest.work < 4 * this.#limits.stack) return;
      if (this.#takeBack(busiest, busiest.inFlight >> 1) === 0) return;
      for (let task = key.waiting.peek(); task !== undefined; task = key.waiting.peek()) {
        // Without room on the way it stays in the queue.
        if (task.state === QUEUED && !this.#push(task, idle)) return;
        key.waiting.shift();
      }
    }
  }

  /** Recalls tasks that have not started, last pushed first, until `keep` are left in flight. Returns how many. */
  #takeBack(lease: Lease, keep: number): number {
    const tasks = this.#tasksOf(lease).sort((a, b) => b.ticket - a.ticket);
    let taken = 0;
    for (const task of tasks) {
      if (lease.inFlight <= keep) break;
      // A deeper one may have started before those pushed earlier.
      if (!this.#port.recall(task, lease)) continue;
      this.#unlease(task);
      task.state = QUEUED;
      task.key.waiting.unshift(task);
      taken++;
    }
    return taken;
  }

  #tasksOf(lease: Lease): TaskRecord[] {
    const tasks: TaskRecord[] = [];
    for (const task of this.inFlight) if (task !== null && task.lease === lease) tasks.push(task);
    return tasks;
  }

  /**
   * Time passes: idle leases go back, and a worker that has been silent for long gives up what it has not started, so
   * that one long task does not hold up those pushed behind it.
   */
  tick(): void {
    for (const lease of this.#leases.values()) {
      const quiet = this.now - lease.lastUsed;
      if (lease.inFlight === 0) {
        if (quiet >= this.#limits.idle && lease.key.waiting.size === 0) this.#return(lease);
      } else if (quiet >= this.#patience(lease)) {
        lease.lastUsed = this.now;
        const sent = this.#sentTo(lease.worker);
        // Leases stacked on one worker share its one place: behind a task of another one all of this one's may wait.
        const taken = this.#takeBack(lease, sent > 1 && sent === lease.inFlight ? 1 : 0);
        lease.begun = taken === 0 && sent === 1;
        if (taken === 0) continue;
        lease.key.recalls++;
        this.#touch(lease.key);
        // Not given to it again before it has answered; one with nothing left to answer goes back.
        if (lease.inFlight > 0) lease.stalled = true;
        else this.#return(lease);
      }
    }
    this.settleUp();
  }

  /**
   * How long the worker of a lease with tasks in flight may be silent. Even its only task may stand behind one of another
   * owner, until it is known to have begun.
   */
  #patience(lease: Lease): number {
    // Doubling while nothing is answered: where messages take longer than that, nothing would ever begin.
    const stall = this.#limits.stall * 2 ** Math.min(lease.key.recalls, MOST_DOUBLINGS);
    if (this.#sentTo(lease.worker) > 1) return stall;
    return lease.begun ? Number.POSITIVE_INFINITY : stall * LONE;
  }

  /** The links to workers may have room again. */
  writable(): void {
    for (const key of this.#queues) if (key.waiting.size > 0) this.#touch(key);
    this.settleUp();
  }

  /** Milliseconds until `tick` has something to do; undefined when nothing is due. */
  get nextTick(): number | undefined {
    let next: number | undefined;
    for (const lease of this.#leases.values()) {
      let due: number;
      if (lease.inFlight === 0) {
        // With tasks waiting all the same, the way to it is full, and `writable` goes on.
        if (lease.key.waiting.size > 0) continue;
        due = lease.lastUsed + this.#limits.idle;
      } else {
        due = lease.lastUsed + this.#patience(lease);
      }
      if (next === undefined || due < next) next = due;
    }
    return next === undefined || next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - this.now);
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
    for (const lease of [...this.#leases.values()]) {
      if (lease.worker !== worker || lease.incarnation !== incarnation) continue;
      const tasks = this.#tasksOf(lease).sort((a, b) => b.ticket - a.ticket);
      this.#forget(lease);
      for (const task of tasks) {
        const { slot } = task;
        const begun = started(task);
        this.#unlease(task);
        this.#orphaned(task, reason, begun, begun && slot === guilty);
      }
      this.#touch(lease.key);
    }
  }

  #orphaned(task: TaskRecord, reason: string, begun: boolean, guilty: boolean): void {
    if (task.cancelled !== undefined) {
      this.#port.fail(task, task.cancelled);
      this.#done(task);
      return;
    }
    // One that may run only once has had its run.
    if (begun && (guilty || task.key.shape.exclusive || ++task.uncharged > this.#limits.uncharged)) {
      if (task.retries <= 0) {
        this.#port.fail(task, this.#port.workerDied(task, reason));
        this.#done(task);
        return;
      }
      task.retries--;
      task.attempt++;
      this.#port.retrying(task, true, reason);
    } else if (begun) {
      this.#port.retrying(task, false, reason);
    }
    this.#requeue(task);
  }
}
