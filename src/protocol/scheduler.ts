import type { Shape } from './lease.ts';
import { type Demand, type Granted, isUnmet, Ledger, uses } from './ledger.ts';
import type { Placement } from './placement.ts';
import { type Capacity, fromUnits, impossible, type Pool } from './resources.ts';
import { Turns } from './turns.ts';
import { isParty, type WorkerState, WorkerTable } from './worker-table.ts';

export interface SchedulerPort {
  /** Starts a worker; `workerStarted` or `workerDied` follows. */
  spawn(worker: number, incarnation: number, isolation: Shape['isolation']): void;
  grant(owner: string, key: number, lease: number, worker: number, incarnation: number, gpus: readonly number[]): void;
  reclaim(owner: string, lease: number): void;
  /** Others wait for what this lease holds, but its owner has no more than its share: it is not to lie idle. */
  wanted(owner: string, lease: number): void;
  infeasible(owner: string, key: number, reason: string): void;
  /**
   * Ends an idle worker whose number is wanted for one of the other isolation; `workerDied` follows. False when it has to
   * stay, because something that it owns is still held. A host without this ends none.
   */
  retire?(worker: number, incarnation: number): boolean;
}

export interface SchedulerLimits {
  /** Worker numbers run from 1 to this, at most; 0 is the control thread. The driver takes one of them. */
  readonly parties: number;
  /** Leases that may be stacked on one worker while everything on it is suspended. */
  readonly stacked: number;
  /** A demand unmet for so many milliseconds has the lease held longest called back. */
  readonly quantum: number;
  /** When all workers have done nothing but wait for so many milliseconds, a demand for one more is refused. */
  readonly standstill: number;
  /** Which worker a lease is for; `depthFirst` where it is left out. */
  readonly placement?: Placement;
}

export const SCHEDULER_LIMITS: SchedulerLimits = { parties: 64, stacked: 64, quantum: 10, standstill: 5000 };

/**
 * One node's scheduler: lends workers to owners. It never sees tasks, only demands: "so many leases of this shape".
 * Demands are served in rounds, in the order in which they became unmet. One that has waited for a quantum has leases of
 * others called back, oldest first, so that owners and shapes take turns (see `Turns`); and what it is short of is kept for it, so that
 * a large demand is not starved by small ones.
 *
 * There are only so many workers. A waiting task keeps its own one if it is exclusive, so those may come to hold
 * all of them while each waits for a task that has none. The last worker is kept from that, for those who wait; where
 * that does not help, because they are nested deeper than there are workers, a demand is refused in the end.
 *
 * Pure: workers are started and told through the port; time arrives with the events.
 */
export class Scheduler {
  readonly #port: SchedulerPort;
  readonly capacity: Capacity;
  readonly #ledger: Ledger;
  readonly #workers: WorkerTable;
  readonly #turns: Turns;
  readonly #limits: SchedulerLimits;
  /** When a worker last came, went, was lent, given back, or had a task begin or cease to wait. */
  #moved = 0;
  now = 0;

  constructor(port: SchedulerPort, capacity: Capacity, limits: SchedulerLimits = SCHEDULER_LIMITS) {
    this.#port = port;
    this.capacity = capacity;
    this.#limits = limits;
    this.#ledger = new Ledger(capacity);
    this.#workers = new WorkerTable(limits.parties, limits.stacked, capacity.cpus, limits.placement);
    this.#turns = new Turns(this.#ledger, this.#workers, limits.quantum);
  }

  // ---- workers

  /** A number that is no worker's: the control thread, a driver, or a dead worker not yet forgotten by everybody. */
  reserve(party: number): void {
    this.#workers.reserve(party);
  }

  unreserve(party: number): void {
    if (!this.#workers.unreserve(party)) return;
    this.#moved = this.now;
    this.#serve();
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
    this.#moved = this.now;
    this.#serve();
  }

  /** Frees what was lent on it. Its number stays reserved until `unreserve`, when nobody remembers it any more. */
  workerDied(number: number, incarnation: number): void {
    const worker = this.#workers.get(number, incarnation);
    if (worker === undefined) return;
    this.#workers.leave(worker);
    this.#moved = this.now;
    for (const lease of [...worker.leases]) {
      this.#ledger.release(lease);
      this.#ledger.dropUnmet(lease.owner, lease.key);
    }
    this.#serve();
  }

  /**
   * All tasks on a worker wait for others: its cores count as free until one of them goes on, or a new one starts. Those of
   * all but one lease do while only tasks of that one run, which is what `running` says.
   */
  blocked(number: number, incarnation: number, blocked: boolean, running?: { owner: string; key: number }): void {
    const worker = this.#workers.get(number, incarnation);
    if (worker === undefined) return;
    // A lease that this one was stacked on may have been returned, and another one taken, before the message came.
    const known = running !== undefined && worker.leases.some((lease) => isOf(lease, running));
    for (const lease of worker.leases) lease.suspended = blocked || (known && !isOf(lease, running));
    this.#moved = this.now;
    this.#ledger.charge(worker);
    if (blocked || known) this.#serve();
  }

  // ---- owners

  demand(owner: string, key: number, shape: Shape, total: number): void {
    const never = impossible(shape, this.capacity);
    if (never !== undefined && total > 0) {
      this.#port.infeasible(owner, key, never);
      return;
    }
    this.#ledger.setDemand(owner, key, shape, total, this.now);
    this.#serve();
  }

  returned(owner: string, id: number): void {
    const lease = this.#ledger.lease(id);
    if (lease === undefined || lease.owner !== owner) return;
    this.#release(lease);
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
      this.#release(lease);
    }
    this.#turns.ownerDied(owner);
    this.#serve();
    return busy;
  }

  #release(lease: Granted): void {
    this.#ledger.release(lease);
    this.#turns.released(lease, this.now);
    this.#workers.touch(lease.worker, this.now);
    this.#moved = this.now;
  }

  /** Time passes: demands that have waited for a quantum have leases of others called back. */
  tick(): void {
    const late = this.#ledger.unmet().filter((demand) => this.#turns.isLate(demand, this.now));
    if (late.length === 0) return;
    this.#serve();
    this.#retireFor(late);
    this.#refuseActors(late);
    this.#refuseOne(late);
    for (const lease of this.#turns.callBack(late, this.now)) this.#port.reclaim(lease.owner, lease.id);
    for (const lease of this.#turns.wanted(late)) this.#port.wanted(lease.owner, lease.id);
  }

  /** All numbers are taken, and one of the workers is idle that can't be lent for a demand. */
  #retireFor(late: readonly Demand[]): void {
    if (this.#port.retire === undefined) return;
    for (const demand of late) {
      if (!isUnmet(demand) || !this.#ledger.free.fits(demand.need)) continue;
      const worker = this.#workers.toRetire(demand.shape.isolation, this.now - this.#limits.quantum);
      // What it has called may be waited for by others.
      if (worker === undefined || this.#ledger.isOwner((owner) => isParty(owner, worker))) continue;
      if (this.#port.retire(worker.number, worker.incarnation)) worker.retiring = true;
    }
  }

  /**
   * Nothing moves, and there is no worker for those who want one: a demand is refused. First the last one of a task that
   * waits, which is likely the deepest; its failure sets others free.
   */
  #refuseOne(late: readonly Demand[]): void {
    const { standstill } = this.#limits;
    if (this.now - this.#moved < standstill || !this.#workers.standStill) return;
    const stuck = late.filter(
      (demand) => isUnmet(demand) && this.now - demand.since >= standstill && this.#ledger.free.fits(demand.need),
    );
    const refused =
      stuck.findLast((demand) => this.#workers.isWaiting(demand.owner)) ??
      stuck.findLast((demand) => this.#workers.ofOwner(demand.owner) !== undefined) ??
      stuck.at(-1);
    if (refused === undefined) return;
    this.#moved = this.now;
    this.#ledger.dropUnmet(refused.owner, refused.key);
    this.#port.infeasible(refused.owner, refused.key, this.#whyRefused(refused.shape));
  }

  /** There are as many actors as there can be, and none has ended for a while. */
  #refuseActors(late: readonly Demand[]): void {
    const { standstill } = this.#limits;
    for (const demand of late) {
      if (!demand.shape.resident || !isUnmet(demand) || this.now - demand.since < standstill) continue;
      if (this.#workers.withoutActor > 1 || this.#joins(demand.shape)) continue;
      this.#ledger.dropUnmet(demand.owner, demand.key);
      const why =
        'on all workers that there may be actors live, but for one that is kept for tasks, and none has ended for ' +
        `${standstill} ms: let go of some, or put more into one`;
      this.#port.infeasible(demand.owner, demand.key, why);
    }
  }

  #whyRefused({ isolation, exclusive: alone }: Shape): string {
    const { total, exclusive, others, full } = this.#workers.obstacles(isolation);
    const parts: string[] = [];
    if (exclusive > 0)
      parts.push(`${exclusive} run tasks with \`retries: 0\` that wait and share a worker with nobody`);
    if (others > 0) parts.push(`${others} can't be used for isolation '${isolation}'`);
    if (full > 0) parts.push(`${full} run waiting tasks ${alone ? 'beside which it may not run' : 'and take no more'}`);
    return `nothing has moved for ${this.#limits.standstill} ms, and of the ${total} workers there may be ${parts.join(', ')}: nest waiting tasks less deeply, or give them retries`;
  }

  /** Whether an owner has a lease on that worker. */
  hasLent(number: number, incarnation: number, owner: string): boolean {
    return this.#workers.get(number, incarnation)?.leases.some((lease) => lease.owner === owner) ?? false;
  }

  /** Whether a worker is lent to one whose tasks must not run twice. */
  runsOnce(number: number, incarnation: number): boolean {
    return this.#workers.get(number, incarnation)?.leases.some((lease) => lease.exclusive && !lease.suspended) ?? false;
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
    if (!this.#ledger.free.fits(demand.need) || !this.#mayLend(demand)) return false;
    const worker = this.#workers.pick(demand.owner, demand.shape);
    if (worker === undefined) return false;
    const { id, gpus } = this.#ledger.grant(demand, worker, this.now);
    this.#workers.touch(worker, this.now);
    this.#moved = this.now;
    this.#port.grant(demand.owner, demand.key, id, worker.number, worker.incarnation, gpus);
    return true;
  }

  /** The last worker that no exclusive task holds is for those who are waited for. */
  #mayLend(demand: Demand): boolean {
    // An actor stays: it does not get the last worker on which none lives.
    if (demand.shape.resident) return this.#workers.withoutActor > 1 || this.#joins(demand.shape);
    if (!demand.shape.exclusive || this.#workers.isWaiting(demand.owner)) return true;
    const { open, exclusive } = this.#workers.shares;
    if (open > 1 || exclusive === 0) return true;
    // When nothing goes on without it, what waits may wait for just that.
    return this.#workers.nothingRuns && this.now - this.#moved >= this.#limits.quantum;
  }

  /** Whether it is an actor that shares a worker, and there is one with room. */
  #joins({ shared, isolation }: Shape): boolean {
    return shared === true && this.#workers.withActors(isolation) !== undefined;
  }

  /**
   * Starts a worker for each lease that the resources allow and no worker was found for; never more at a time than there
   * are cores, so that many demands which cost nothing don't start a crowd that is late for them.
   */
  #startMissing(unmet: readonly Demand[]): void {
    let { starting } = this.#workers;
    const most = Math.max(1, Math.ceil(this.capacity.cpus));
    // Whoever has waited longest gets the last number.
    for (const isolation of unmet[0]?.shape.isolation === 'thread' ? THREADS_FIRST : PROCESSES_FIRST) {
      let wanted = 0;
      let pool: Pool | undefined;
      for (const demand of unmet) {
        if (demand.shape.isolation !== isolation || !this.#mayLend(demand)) continue;
        const together = demand.shape.shared === true ? this.#limits.stacked : 1;
        const workers = Math.ceil((demand.total - demand.held) / together);
        for (let missing = workers; missing > 0 && wanted < most; missing--) {
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
    if (!this.#mayLend(demand) && shape.resident)
      return 'actors live on all workers but the one that is kept for tasks';
    if (!this.#mayLend(demand)) return 'the last worker is kept for what waiting tasks have called';
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

function isOf(lease: Granted, { owner, key }: { owner: string; key: number }): boolean {
  return lease.owner === owner && lease.key === key;
}

const PROCESSES_FIRST = ['process', 'thread'] as const;
const THREADS_FIRST = ['thread', 'process'] as const;
