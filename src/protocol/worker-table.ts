import type { Shape } from './lease.ts';
import type { Granted } from './ledger.ts';
import { type Candidate, depthFirst, type Placement } from './placement.ts';

export interface WorkerState {
  readonly number: number;
  readonly incarnation: number;
  readonly isolation: Shape['isolation'];
  starting: boolean;
  /** It is being ended, for a worker of the other isolation. */
  retiring: boolean;
  /** Newest last. */
  readonly leases: Granted[];
  /** Cores that count as used by it. It runs one task at a time, so this is the most that one of its leases asks for. */
  charged: number;
  /** Larger is later: idle workers are lent out last-used-first, because they are still awake and warm. */
  used: number;
  /** When it was last lent or given back, in milliseconds. */
  usedAt: number;
}

/** The workers of a node and their numbers, and which of them is best for a lease. */
export class WorkerTable {
  readonly #parties: number;
  readonly #stacked: number;
  readonly #place: Placement;
  readonly #depthFirst: Placement;
  readonly #workers = new Map<number, WorkerState>();
  readonly #reserved = new Set<number>();
  /** Those of the reserved numbers that dead workers had. */
  readonly #leaving = new Set<number>();
  readonly #incarnations: number[] = [];
  #clock = 0;

  /** `parties` and `stacked` as in `SchedulerLimits`; `cores` of the node. */
  constructor(parties: number, stacked: number, cores: number, place?: Placement) {
    this.#parties = parties;
    this.#stacked = stacked;
    this.#depthFirst = depthFirst(Math.max(2, Math.ceil(cores)));
    this.#place = place ?? this.#depthFirst;
  }

  all(): IterableIterator<WorkerState> {
    return this.#workers.values();
  }

  get(number: number, incarnation: number): WorkerState | undefined {
    const worker = this.#workers.get(number);
    return worker?.incarnation === incarnation ? worker : undefined;
  }

  reserve(number: number): void {
    this.#reserved.add(number);
  }

  unreserve(number: number): boolean {
    this.#leaving.delete(number);
    return this.#reserved.delete(number);
  }

  freeNumber(): number | undefined {
    for (let number = 1; number < this.#parties; number++) {
      if (!this.#workers.has(number) && !this.#reserved.has(number)) return number;
    }
    return undefined;
  }

  /** A worker that is about to be started; undefined when all numbers are taken. */
  enter(isolation: Shape['isolation']): WorkerState | undefined {
    const number = this.freeNumber();
    if (number === undefined) return undefined;
    const incarnation = (this.#incarnations[number] ?? 0) + 1;
    this.#incarnations[number] = incarnation;
    const worker: WorkerState = {
      number,
      incarnation,
      isolation,
      starting: true,
      retiring: false,
      leases: [],
      charged: 0,
      used: 0,
      usedAt: 0,
    };
    this.#workers.set(number, worker);
    return worker;
  }

  /** Its number stays reserved until `unreserve`. */
  leave(worker: WorkerState): void {
    this.#workers.delete(worker.number);
    this.#reserved.add(worker.number);
    this.#leaving.add(worker.number);
  }

  touch(worker: WorkerState, now: number): void {
    worker.used = ++this.#clock;
    worker.usedAt = now;
  }

  count(isolation: Shape['isolation']): number {
    let n = 0;
    for (const worker of this.#workers.values()) if (worker.isolation === isolation && !worker.retiring) n++;
    return n;
  }

  get starting(): number {
    let n = 0;
    for (const worker of this.#workers.values()) if (worker.starting) n++;
    return n;
  }

  /** Workers that are idle, or will be as soon as they have started. */
  available(isolation: Shape['isolation']): number {
    let n = 0;
    for (const worker of this.#workers.values()) {
      if (worker.isolation === isolation && (worker.starting || isIdle(worker))) n++;
    }
    return n;
  }

  /** Whether a worker can be had without anybody's giving one back. */
  isComing(isolation: Shape['isolation']): boolean {
    return this.freeNumber() !== undefined || this.available(isolation) > 0 || this.#isRetiring;
  }

  get #isRetiring(): boolean {
    for (const worker of this.#workers.values()) if (worker.retiring) return true;
    return false;
  }

  // ---- when the numbers run out

  /** Workers there may be that are not held by exclusive leases, and those that are. */
  get shares(): { open: number; exclusive: number } {
    let open = 0;
    let exclusive = 0;
    for (let number = 1; number < this.#parties; number++) {
      const worker = this.#workers.get(number);
      if (worker?.leases.some((lease) => lease.exclusive)) exclusive++;
      else if (worker !== undefined || !this.#reserved.has(number)) open++;
    }
    return { open, exclusive };
  }

  /** Workers there may be on which no actor lives. */
  get withoutActor(): number {
    let n = 0;
    for (let number = 1; number < this.#parties; number++) {
      const worker = this.#workers.get(number);
      if (worker === undefined) {
        if (!this.#reserved.has(number) || this.#leaving.has(number)) n++;
      } else if (!worker.leases.some((lease) => lease.resident)) n++;
    }
    return n;
  }

  /** The worker of actors that share one, for one more of them: the one on which most live, as long as it has room. */
  withActors(isolation: Shape['isolation']): WorkerState | undefined {
    let found: WorkerState | undefined;
    for (const worker of this.#workers.values()) {
      const { leases } = worker;
      if (worker.isolation !== isolation || leases.length === 0 || leases.length >= this.#stacked) continue;
      if (!leases.every((lease) => lease.shared)) continue;
      if (found === undefined || leases.length > found.leases.length) found = worker;
    }
    return found;
  }

  /** The worker that an owner (an address key) is; undefined for the driver. */
  ofOwner(owner: string): WorkerState | undefined {
    for (const worker of this.#workers.values()) if (isParty(owner, worker)) return worker;
    return undefined;
  }

  /** Whether an owner is a worker on which everything waits. */
  isWaiting(owner: string): boolean {
    const worker = this.ofOwner(owner);
    return worker !== undefined && waits(worker);
  }

  /** No task runs on any worker. */
  get nothingRuns(): boolean {
    for (const worker of this.#workers.values()) if (!isIdle(worker) && !waits(worker)) return false;
    return true;
  }

  /** All workers there may be are here, and none of them does anything. */
  get standStill(): boolean {
    return this.#leaving.size === 0 && this.freeNumber() === undefined && this.nothingRuns;
  }

  /**
   * The worker to end for one of `isolation`, for which there is no number: the one of the other isolation that has been
   * idle longest, and at least since `before` (ms). Undefined while another one is on its way out.
   */
  toRetire(isolation: Shape['isolation'], before: number): WorkerState | undefined {
    if (this.#leaving.size > 0 || this.isComing(isolation)) return undefined;
    let oldest: WorkerState | undefined;
    for (const worker of this.#workers.values()) {
      if (worker.isolation === isolation || !isIdle(worker) || worker.usedAt > before) continue;
      if (oldest === undefined || worker.used < oldest.used) oldest = worker;
    }
    return oldest;
  }

  /** Why none of the workers can be lent, for the reason of an error. */
  obstacles(isolation: Shape['isolation']): { total: number; exclusive: number; others: number; full: number } {
    let exclusive = 0;
    let others = 0;
    for (const worker of this.#workers.values()) {
      if (worker.leases.some((lease) => lease.exclusive)) exclusive++;
      else if (worker.isolation !== isolation) others++;
    }
    const total = this.#workers.size;
    return { total, exclusive, others, full: total - exclusive - others };
  }

  // ---- choosing

  /** The worker for a lease, as `Placement` chooses. Undefined when a new one should be started instead, or none can be had. */
  pick(owner: string, shape: Shape): WorkerState | undefined {
    const others = shape.shared === true ? this.withActors(shape.isolation) : undefined;
    if (others !== undefined) return others;
    const candidates: (Candidate & { readonly worker: WorkerState })[] = [];
    let count = 0;
    for (const worker of this.#workers.values()) {
      if (worker.isolation !== shape.isolation) continue;
      count++;
      if (worker.starting || worker.retiring) continue;
      const waiting = worker.leases.length;
      if (waiting > 0 && !this.#canStack(worker, shape)) continue;
      const asking = waiting > 0 && isParty(owner, worker);
      candidates.push({ worker, number: worker.number, waiting, used: worker.used, asking });
    }
    if (candidates.length === 0) return undefined;
    const wish = { owner, shape };
    const staff = { count, canGrow: this.freeNumber() !== undefined };
    const chosen = this.#place(wish, candidates, staff);
    // One that it was not offered may not have the lease. No other is started while one is idle, or when none can come.
    let found = candidates.find((each) => each === chosen);
    if (found === undefined && (candidates.some((each) => each.waiting === 0) || !this.isComing(shape.isolation))) {
      const instead = this.#depthFirst(wish, candidates, staff);
      found = candidates.find((each) => each === instead);
    }
    return found?.worker;
  }

  #canStack(worker: WorkerState, shape: Shape): boolean {
    if (shape.exclusive || worker.leases.length >= this.#stacked) return false;
    return worker.leases.every((lease) => lease.suspended && !lease.exclusive);
  }

  /** For people. */
  rows(): { worker: number; incarnation: number; state: string; leases: number }[] {
    return [...this.#workers.values()].map((w) => ({
      worker: w.number,
      incarnation: w.incarnation,
      state: stateOf(w),
      leases: w.leases.length,
    }));
  }
}

/** Whether an owner (an address key) is that worker. */
export function isParty(owner: string, worker: WorkerState): boolean {
  return owner.endsWith(`.${worker.number}.${worker.incarnation}`);
}

function isIdle(worker: WorkerState): boolean {
  return worker.leases.length === 0 && !worker.starting && !worker.retiring;
}

function waits(worker: WorkerState): boolean {
  return worker.leases.length > 0 && worker.leases.every((lease) => lease.suspended);
}

function stateOf(worker: WorkerState): string {
  if (worker.starting) return 'starting';
  if (worker.retiring) return 'retiring';
  if (worker.leases.length === 0) return 'idle';
  return waits(worker) ? 'waiting' : 'busy';
}
