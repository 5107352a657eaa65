import { KeyQueue, Lease, type Shape, shapeKey } from './lease.ts';
import type { Owner } from './owner.ts';
import type { OwnerLimits, OwnerPort } from './owner-port.ts';
import { DONE, PUSHED, QUEUED, type TaskRecord } from './task-record.ts';

/** A single task is given so much more time to begin than several are. */
const LONE = 10;
const MOST_DOUBLINGS = 16;
/** The number of queues that the scheduler never hears of. */
const UNNUMBERED = 0x7fffffff;
const NO_GPUS: readonly number[] = Object.freeze([]);

/**
 * The workers lent to one owner, and the way of its tasks to them: one queue for each shape, which lease takes the next
 * task, how many more would be of use, and what is taken back from a worker that is silent. It moves tasks between
 * QUEUED and PUSHED; everything else about them is the owner's.
 */
export class LeaseTable {
  readonly #owner: Owner;
  readonly #port: OwnerPort;
  readonly #limits: OwnerLimits;
  readonly #keys = new Map<string, KeyQueue>();
  readonly queues: KeyQueue[] = [];
  readonly #leases = new Map<number, Lease>();
  /** Pushed tasks by slot. */
  readonly inFlight: (TaskRecord | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #dirty: KeyQueue[] = [];
  /** Queues whose next task found the way to its worker full. */
  readonly #refused = new Set<KeyQueue>();
  /** What stands for a lease where the worker is an actor's own. */
  readonly #hosting = new Set<Lease>();
  readonly #lines = new Set<KeyQueue>();
  /** Tasks in flight by worker, over all of its leases. */
  readonly #sent: number[] = [];
  /** Milliseconds of the host's clock. */
  now = 0;

  constructor(owner: Owner, port: OwnerPort, limits: OwnerLimits) {
    this.#owner = owner;
    this.#port = port;
    this.#limits = limits;
  }

  queue(shape: Shape): KeyQueue {
    const name = shapeKey(shape);
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = new KeyQueue(this.#owner, this.queues.length, shape);
      this.#keys.set(name, key);
      this.queues.push(key);
    }
    return key;
  }

  // ---- actors

  /**
   * A queue for the calls of an actor, or of a pool of equal ones. It asks the scheduler for nothing: `attach` says which worker
   * hosts the actor, `detach` that it does not any more. Its tasks share one `Timing`, and so leave in their order: each to the
   * actor with the fewest calls under way.
   */
  orderedQueue(shape: Shape): KeyQueue {
    return new KeyQueue(this.#owner, UNNUMBERED, shape, true);
  }

  attach(key: KeyQueue, worker: number, incarnation: number): void {
    if (this.#hostAt(key, worker, incarnation) !== undefined) return;
    const lease = new Lease(-1, worker, incarnation, NO_GPUS, key, this.now);
    key.leases.push(lease);
    this.#hosting.add(lease);
    this.touch(key);
  }

  /** Nothing more goes there, and what has not begun comes back. What has begun is answered, or heard of with the worker's death. */
  detach(key: KeyQueue, worker: number, incarnation: number): void {
    const lease = this.#hostAt(key, worker, incarnation);
    if (lease === undefined || lease.reclaimed) return;
    lease.reclaimed = true;
    if (this.#takeBack(lease, 0) > 0) {
      this.#lines.add(key);
      this.touch(key);
    }
    if (lease.inFlight === 0) this.forget(lease);
  }

  /** Calls under way to one of the actors of a queue. */
  inFlightAt(key: KeyQueue, worker: number, incarnation: number): number {
    return this.#hostAt(key, worker, incarnation)?.inFlight ?? 0;
  }

  #hostAt(key: KeyQueue, worker: number, incarnation: number): Lease | undefined {
    return key.leases.find((lease) => lease.worker === worker && lease.incarnation === incarnation);
  }

  /** The one that takes the next call. */
  #nextHost(key: KeyQueue): Lease | null {
    let best: Lease | null = null;
    for (const lease of key.leases) {
      if (lease.reclaimed || lease.inFlight >= this.#limits.calls) continue;
      if (best === null || lease.inFlight < best.inFlight) best = lease;
    }
    return best;
  }

  /** A call that waits for its arguments: those behind it wait, too. */
  line(task: TaskRecord): void {
    task.key.waiting.push(task);
    this.#lines.add(task.key);
  }

  /** Queues of actors that have something waiting or in flight. */
  get lines(): Iterable<KeyQueue> {
    for (const key of this.#lines) if (key.waiting.size === 0 && key.inFlight === 0) this.#lines.delete(key);
    return this.#lines;
  }

  #pumpLine(key: KeyQueue): void {
    const { waiting } = key;
    for (let task = waiting.peek(); task !== undefined; task = waiting.peek()) {
      if (task.state !== DONE) {
        const lease = this.#nextHost(key);
        if (task.state !== QUEUED || lease === null || !this.#push(task, lease)) return;
      }
      waiting.shift();
    }
    if (key.leases.length > 1 && key.inFlight > 1) this.#share(key);
  }

  /** One of a pool that has nothing to do takes half of what the busiest has not begun. */
  #share(key: KeyQueue): void {
    const idle = key.leases.find((lease) => lease.inFlight === 0 && !lease.reclaimed);
    if (idle === undefined) return;
    const busiest = key.leases.reduce((a, b) => (b.inFlight > a.inFlight ? b : a));
    if (busiest.inFlight < 2 || this.#takeBack(busiest, busiest.inFlight >> 1) === 0) return;
    this.#pumpLine(key);
  }

  // ---- the way to a worker

  /** A task that has all it needs: on its way at once if there is room, or at the end of its kind's line. */
  enqueue(task: TaskRecord): void {
    const { key } = task;
    task.state = QUEUED;
    if (key.waiting.size === 0) {
      const lease = this.#choose(key, task);
      if (lease !== null && this.#push(task, lease)) return;
    }
    if (key.ordered) {
      this.line(task);
      return;
    }
    key.waiting.push(task);
    this.#demand(key);
    // What stands before it may have been cancelled since.
    this.touch(key);
  }

  /** A task that has left its worker is the next one of its kind. */
  requeue(task: TaskRecord): void {
    task.state = QUEUED;
    task.lease = null;
    task.key.waiting.unshift(task);
    this.touch(task.key);
  }

  /** Marks a queue for `settleUp`. */
  touch(key: KeyQueue): void {
    if (key.dirty) return;
    key.dirty = true;
    this.#dirty.push(key);
  }

  /** Pushes what can be pushed and asks for what is missing. A way that was full may have room after any message. */
  settleUp(): void {
    for (const key of this.#refused) this.touch(key);
    this.#refused.clear();
    for (let key = this.#dirty.pop(); key !== undefined; key = this.#dirty.pop()) {
      key.dirty = false;
      this.#pump(key);
    }
  }

  #pump(key: KeyQueue): void {
    if (key.ordered) {
      this.#pumpLine(key);
      return;
    }
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
    if (key.ordered) return this.#nextHost(key);
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
    // One of an actor keeps its place while it waits once more.
    if (task.dependencies.length > 0 && !this.#owner.isStillReady(task))
      return !task.key.ordered || task.state === DONE;
    const slot = this.#freeSlots.pop() ?? this.inFlight.length;
    this.inFlight[slot] = task;
    task.slot = slot;
    const ticket = this.#port.push(task, lease);
    if (ticket < 0) {
      this.#freeSlot(task);
      this.#refused.add(task.key);
      return false;
    }
    // The port may have found that it can't be sent at all, and failed it.
    if (task.state === DONE) {
      this.#freeSlot(task);
      return true;
    }
    task.state = PUSHED;
    task.ticket = ticket;
    task.lease = lease;
    task.cost = task.timing.expected;
    lease.inFlight++;
    lease.begun = false;
    this.#sent[lease.worker] = this.#sentTo(lease.worker) + 1;
    lease.work += task.cost;
    lease.lastUsed = this.now;
    const { key } = task;
    if (key.ordered && key.inFlight === 0) this.#lines.add(key);
    key.inFlight++;
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

  // ---- the way back

  /** A reply has come: the task leaves its worker. Undefined for an answer nobody waits for. */
  replied(slot: number, worker: number, micros: number): TaskRecord | undefined {
    const task = this.inFlight[slot];
    if (task === null || task === undefined || task.lease?.worker !== worker) return undefined;
    const { lease } = task;
    if (micros >= 0) task.timing.observe(micros);
    this.unlease(task);
    lease.lastUsed = this.now;
    lease.stalled = false;
    lease.answered = true;
    task.key.recalls = 0;
    if (lease.reclaimed && lease.inFlight === 0) this.#return(lease);
    this.touch(task.key);
    return task;
  }

  /** A task that its port has recalled for good. */
  recalled(task: TaskRecord): void {
    const lease = task.lease as Lease;
    this.unlease(task);
    if (lease.reclaimed && lease.inFlight === 0) this.#return(lease);
  }

  /** Takes a pushed task off its lease. */
  unlease(task: TaskRecord): void {
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
    let taken = 0;
    for (const task of this.tasksOf(lease)) {
      if (lease.inFlight <= keep) break;
      // A deeper one may have started before those pushed earlier.
      if (!this.#port.recall(task, lease)) continue;
      this.unlease(task);
      task.state = QUEUED;
      task.key.waiting.unshift(task);
      taken++;
    }
    return taken;
  }

  /** The tasks in flight under a lease, last pushed first. */
  tasksOf(lease: Lease): TaskRecord[] {
    const tasks: TaskRecord[] = [];
    for (const task of this.inFlight) if (task !== null && task.lease === lease) tasks.push(task);
    return tasks.sort((a, b) => b.ticket - a.ticket);
  }

  // ---- leases

  /** Tells the scheduler how many leases would be of use, in doubling steps so that a burst costs few messages. */
  #demand(key: KeyQueue): void {
    const { size, work } = key.waiting;
    if (size === 0) return;
    const total = key.leases.length + Math.max(1, Math.min(size, Math.ceil(work / this.#limits.window)));
    if (total <= key.demanded || (key.demanded > key.leases.length && total < key.demanded * 2)) return;
    key.demanded = total;
    this.#port.control({ type: 'demand', key: key.id, shape: key.shape, total });
  }

  granted(keyId: number, id: number, worker: number, incarnation: number, gpus: readonly number[]): void {
    const key = this.queues[keyId] as KeyQueue;
    const lease = new Lease(id, worker, incarnation, gpus, key, this.now);
    this.#leases.set(id, lease);
    key.leases.push(lease);
    this.touch(key);
  }

  reclaim(id: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.reclaimed) return;
    lease.reclaimed = true;
    // Every lease gets something done; otherwise several that want the same could call it back from each other for ever.
    this.#takeBack(lease, lease.answered ? 0 : 1);
    if (lease.inFlight === 0) this.#return(lease);
    this.touch(lease.key);
  }

  /** Somebody waits for what an owner with no more than its share holds: it keeps it only as long as it uses it. */
  wanted(id: number): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.wanted = true;
  }

  #mayLieIdle(lease: Lease): number {
    return lease.wanted ? this.#limits.idleWanted : this.#limits.idle;
  }

  #return(lease: Lease): void {
    this.forget(lease);
    const { key } = lease;
    if (key.ordered) return;
    key.demanded = Math.min(key.demanded, key.leases.length);
    this.#port.control({ type: 'return', lease: lease.id });
  }

  /** The lease is no more; the scheduler knows. */
  forget(lease: Lease): void {
    if (!this.#hosting.delete(lease)) this.#leases.delete(lease.id);
    const { leases } = lease.key;
    leases.splice(leases.indexOf(lease), 1);
    // Whatever was asked for on top is asked for anew.
    lease.key.demanded = Math.min(lease.key.demanded, leases.length);
  }

  leasesOn(worker: number, incarnation: number): Lease[] {
    return [...this.#leases.values(), ...this.#hosting].filter(
      (lease) => lease.worker === worker && lease.incarnation === incarnation,
    );
  }

  // ---- time

  /**
   * Time passes: idle leases go back, and a worker that has been silent for long gives up what it has not started, so
   * that one long task does not hold up those pushed behind it.
   */
  tick(): void {
    const recalled = new Set<KeyQueue>();
    for (const lease of this.#leases.values()) {
      const quiet = this.now - lease.lastUsed;
      if (lease.inFlight === 0) {
        if (quiet >= this.#mayLieIdle(lease) && lease.key.waiting.size === 0) this.#return(lease);
      } else if (quiet >= this.#patience(lease)) {
        lease.lastUsed = this.now;
        const sent = this.#sentTo(lease.worker);
        // Leases stacked on one worker share its one place: behind a task of another one all of this one's may wait.
        const taken = this.#takeBack(lease, sent > 1 && sent === lease.inFlight ? 1 : 0);
        lease.begun = taken === 0 && (sent === 1 || lease.key.shape.resident === true);
        if (taken === 0) continue;
        recalled.add(lease.key);
        this.touch(lease.key);
        // Not given to it again before it has answered; one with nothing left to answer goes back.
        if (lease.inFlight > 0) lease.stalled = true;
        else this.#return(lease);
      }
    }
    // Once, however many leases it took them from.
    for (const key of recalled) key.recalls++;
    this.settleUp();
  }

  /** Leases with nothing to do go back now: this party is about to be deaf for long, to a call to return them as well. */
  returnIdle(): void {
    for (const lease of this.#leases.values()) {
      if (lease.inFlight === 0 && lease.key.waiting.size === 0) this.#return(lease);
    }
  }

  /** Whether any lease is held. */
  get any(): boolean {
    return this.#leases.size > 0;
  }

  /**
   * How long the worker of a lease with tasks in flight may be silent. Even its only task may stand behind one of another
   * owner, until it is known to have begun.
   */
  #patience(lease: Lease): number {
    // An actor that is there lasts, whatever else its worker is sent.
    if (lease.begun && lease.key.shape.resident === true) return Number.POSITIVE_INFINITY;
    // Doubling while nothing is answered: where messages take longer than that, nothing would ever begin.
    const stall = this.#limits.stall * 2 ** Math.min(lease.key.recalls, MOST_DOUBLINGS);
    if (this.#sentTo(lease.worker) > 1) return stall;
    return lease.begun ? Number.POSITIVE_INFINITY : stall * LONE;
  }

  /** Milliseconds until `tick` has something to do; undefined when nothing is due. */
  get nextTick(): number | undefined {
    let next: number | undefined;
    for (const lease of this.#leases.values()) {
      let due: number;
      if (lease.inFlight === 0) {
        // With tasks waiting all the same, the way to it is full, and the next message goes on.
        if (lease.key.waiting.size > 0) continue;
        due = lease.lastUsed + this.#mayLieIdle(lease);
      } else {
        due = lease.lastUsed + this.#patience(lease);
      }
      if (next === undefined || due < next) next = due;
    }
    return next === undefined || next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - this.now);
  }
}
