import type { Shape } from './lease.ts';
import { type Demand, isUnmet, Ledger, uses } from './ledger.ts';
import { type Capacity, fromUnits, type Pool } from './resources.ts';
import { Turns } from './turns.ts';
import { type WorkerState, WorkerTable } from './worker-table.ts';

export interface SchedulerPort {
  /** Starts a worker; `workerStarted` or `workerDied` follows. */
  spawn(worker: number, incarnation: number, isolation: Shape['isolation']): void;
  grant(owner: string, key: number, lease: number, worker: number, incarnation: number, gpus: readonly number[]): void;
  reclaim(owner: string, lease: number): void;
  infeasible(owner: string, key: number, reason: string): void;
}

export interface SchedulerLimits {
  /** Worker numbers run from 1 to this, at most; 0 is the control thread. The driver takes one of them. */
  readonly parties: number;
  /** Leases that may be stacked on one worker while everything on it is suspended. */
  readonly stacked: number;
  /** A demand unmet for so many milliseconds has the lease held longest called back. */
  readonly quantum: number;
}

export const SCHEDULER_LIMITS: SchedulerLimits = { parties: 64, stacked: 64, quantum: 10 };

/**
 * One node's scheduler: lends workers to owners. It never sees tasks, only demands: "so many leases of this shape".
 * Demands are served in rounds, in the order in which they became unmet. One that has waited for a quantum has leases of
 * others called back, oldest first, so that owners and shapes take turns; and what it is short of is kept for it, so that
 * a large demand is not starved by small ones.
 *
 * Pure: workers are started and told through the port; time arrives with the events.
 */
export class Scheduler {
  readonly #port: SchedulerPort;
  readonly capacity: Capacity;
  readonly #ledger: Ledger;
  readonly #workers: WorkerTable;
  readonly #turns: Turns;
  now = 0;

  constructor(port: SchedulerPort, capacity: Capacity, limits: SchedulerLimits = SCHEDULER_LIMITS) {
    this.#port = port;
    this.capacity = capacity;
    this.#ledger = new Ledger(capacity);
    this.#workers = new WorkerTable(limits.parties, limits.stacked, capacity.cpus);
    this.#turns = new Turns(this.#ledger, this.#workers, limits.quantum);
  }

  // ---- workers

  /** A number that is no worker's: the control thread, a driver, or a dead worker not yet forgotten by everybody. */
  reserve(party: number): void {
    this.#workers.reserve(party);
  }

  unreserve(party: number): void {
    if (this.#workers.unreserve(party)) this.#serve();
  }

  /** Starts workers ahead of demand. */
  prestart(count: number, isolation: Shape['isolation']): void {
    for (let i = this.#workers.count(isolation); i < count; i++) if (this.#spawn(isolation) === undefined) return;
  }

  #spawn(isolation: Shape['isolation']): WorkerState | undefined {
    const worker = this.#workers.enter(isolation);
    if (worker !== undefined) this.#port.spawn(worker.number, worker.incarnation, isolation);
    return worker;
  }

  workerStarted(number: number, incarnation: number): void {
    const worker = this.#workers.get(number, incarnation);
    if (worker === undefined) return;
    worker.starting = false;
    this.#serve();
  }

  /** Frees what was lent on it. Its number stays reserved until `unreserve`, when nobody remembers it any more. */
  workerDied(number: number, incarnation: number): void {
    const worker = this.#workers.get(number, incarnation);
    if (worker === undefined) return;
    this.#workers.leave(worker);
    for (const lease of [...worker.leases]) {
      this.#ledger.release(lease);
      this.#ledger.dropUnmet(lease.owner, lease.key);
    }
    this.#serve();
  }

  /** All tasks on a worker wait for others: its cores count as free until one of them goes on, or a new one starts. */
  blocked(number: number, incarnation: number, blocked: boolean): void {
    const worker = this.#workers.get(number, incarnation);
    if (worker === undefined) return;
    for (const lease of worker.leases) lease.suspended = blocked;
    this.#ledger.charge(worker);
    if (blocked) this.#serve();
  }

  // ---- owners

  demand(owner: string, key: number, shape: Shape, total: number): void {
    const impossible = this.#impossible(shape);
    if (impossible !== undefined && total > 0) {
      this.#port.infeasible(owner, key, impossible);
      return;
    }
    this.#ledger.setDemand(owner, key, shape, total, this.now);
    this.#serve();
  }

  #impossible(shape: Shape): string | undefined {
    const { capacity } = this;
    const missing: string[] = [];
    const want = (name: string, needed: number, has: number): void => {
      if (needed > has) missing.push(`${name}: ${needed} wanted, ${has} here`);
    };
    want('cpus', shape.cpus, capacity.cpus);
    want('gpus', shape.gpus, capacity.gpus);
    want('memory', shape.memory, capacity.memory);
    for (const [name, amount] of Object.entries(shape.custom)) want(name, amount, capacity.custom[name] ?? 0);
    return missing.length === 0 ? undefined : missing.join('; ');
  }

  returned(owner: string, id: number): void {
    const lease = this.#ledger.lease(id);
    if (lease === undefined || lease.owner !== owner) return;
    this.#ledger.release(lease);
    this.#workers.touch(lease.worker);
    this.#ledger.dropUnmet(owner, lease.key);
    this.#serve();
  }

  /** An owner is gone: its demands and leases with it. Returns the workers that were working for it. */
  ownerDied(owner: string): { worker: number; incarnation: number }[] {
    const busy: { worker: number; incarnation: number }[] = [];
    this.#ledger.dropDemandsOf(owner);
    for (const lease of [...this.#ledger.leases()]) {
      if (lease.owner !== owner) continue;
      busy.push({ worker: lease.worker.number, incarnation: lease.worker.incarnation });
      this.#ledger.release(lease);
      this.#workers.touch(lease.worker);
    }
    this.#serve();
    return busy;
  }

  /** Time passes: demands that have waited for a quantum have leases of others called back. */
  tick(): void {
    const late = this.#ledger.unmet().filter((demand) => this.#turns.isLate(demand, this.now));
    if (late.length === 0) return;
    this.#serve();
    for (const lease of this.#turns.callBack(late, this.now)) this.#port.reclaim(lease.owner, lease.id);
  }

  /** Whether any lease is out. */
  get busy(): boolean {
    return this.#ledger.leaseCount > 0;
  }

  /** Whether `tick` may have something to do. */
  get waiting(): boolean {
    return this.#ledger.waiting;
  }

  // ---- granting

  /** In rounds, so that what is free is shared out among all who want it. */
  #serve(): void {
    if (!this.#ledger.waiting) return;
    const unmet = this.#ledger.unmet();
    for (let granted = true; granted; ) {
      granted = false;
      const kept = this.#turns.keptFor(unmet, this.now);
      for (const demand of unmet) {
        if (!isUnmet(demand)) continue;
        if (kept !== undefined && kept.demand !== demand && kept.names.some((name) => uses(demand.need, name)))
          continue;
        if (this.#grantOne(demand)) granted = true;
      }
    }
    this.#startMissing(unmet);
  }

  #grantOne(demand: Demand): boolean {
    if (!this.#ledger.free.fits(demand.need)) return false;
    const worker = this.#workers.pick(demand.owner, demand.shape);
    if (worker === undefined) return false;
    const { id, gpus } = this.#ledger.grant(demand, worker, this.now);
    this.#workers.touch(worker);
    this.#port.grant(demand.owner, demand.key, id, worker.number, worker.incarnation, gpus);
    return true;
  }

  /**
   * Starts a worker for each lease that the resources allow and no worker was found for; never more at a time than there
   * are cores, so that many demands which cost nothing don't start a crowd that is late for them.
   */
  #startMissing(unmet: readonly Demand[]): void {
    let { starting } = this.#workers;
    const most = Math.max(1, Math.ceil(this.capacity.cpus));
    for (const isolation of ISOLATIONS) {
      let wanted = 0;
      let pool: Pool | undefined;
      for (const demand of unmet) {
        if (demand.shape.isolation !== isolation) continue;
        for (let missing = demand.total - demand.held; missing > 0 && wanted < most; missing--) {
          pool ??= this.#ledger.free.copy();
          const gpus = pool.pickGpus(demand.need);
          if (gpus === undefined || !pool.fits(demand.need)) break;
          pool.take(demand.need, gpus);
          pool.cpus -= demand.need.cpus;
          wanted++;
        }
      }
      wanted -= this.#workers.available(isolation);
      for (; wanted > 0 && starting < most; wanted--) {
        if (this.#spawn(isolation) === undefined) return;
        starting++;
      }
    }
  }

  // ---- for people

  /** Demands not met, oldest first, and why. */
  explain(): { owner: string; key: number; shape: Shape; missing: number; waitedMs: number; why: string }[] {
    return this.#ledger.unmet().map((d) => ({
      owner: d.owner,
      key: d.key,
      shape: d.shape,
      missing: d.total - d.held,
      waitedMs: this.now - d.since,
      why: this.#why(d),
    }));
  }

  #why(demand: Demand): string {
    const { shape } = demand;
    const { cpus, memory, gpus, custom } = this.free;
    const reasons = this.#ledger.free.short(demand.need).map((name) => {
      if (name === 'cpus') return `${shape.cpus} cpus wanted, ${cpus} of ${this.capacity.cpus} free`;
      if (name === 'memory') return `${shape.memory} bytes wanted, ${memory} free`;
      if (name === 'gpus') return `${shape.gpus} gpus wanted, ${gpus} free`;
      return `${name}: ${shape.custom[name]} wanted, ${custom[name] ?? 0} free`;
    });
    if (reasons.length > 0) return reasons.join('; ');
    const kept = this.#turns.keptFor([...this.#ledger.demands()], this.now);
    if (kept !== undefined && kept.demand !== demand && kept.names.some((each) => uses(demand.need, each))) {
      return `what is free is kept for a call that wants more ${kept.names.join(', ')} and has waited longer`;
    }
    return this.#workers.isComing(shape.isolation)
      ? 'a worker is starting'
      : 'all workers that this node may have are busy';
  }

  get free(): { cpus: number; memory: number; gpus: number; custom: Record<string, number> } {
    const { cpus, memory, gpus, custom } = this.#ledger.free;
    return {
      cpus: fromUnits(cpus),
      memory,
      gpus: fromUnits(gpus.reduce((a, b) => a + b, 0)),
      custom: Object.fromEntries([...custom].map(([name, units]) => [name, fromUnits(units)])),
    };
  }

  workers(): { worker: number; incarnation: number; state: string; leases: number }[] {
    return this.#workers.rows();
  }
}

const ISOLATIONS = ['process', 'thread'] as const;
