import type { Shape } from './lease.ts';
import { type Capacity, fromUnits, Need, Pool } from './resources.ts';

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

interface Granted {
  readonly id: number;
  readonly owner: string;
  readonly key: number;
  readonly worker: WorkerState;
  readonly exclusive: boolean;
  readonly need: Need;
  readonly gpus: readonly number[];
  readonly since: number;
  reclaiming: boolean;
  /** Everything that ran under it waits for others. */
  suspended: boolean;
}

interface WorkerState {
  readonly number: number;
  readonly incarnation: number;
  readonly isolation: Shape['isolation'];
  starting: boolean;
  /** Newest last. */
  readonly leases: Granted[];
  /** Cores that count as used by it. It runs one task at a time, so this is the most that one of its leases asks for. */
  charged: number;
  /** Larger is later: idle workers are lent out last-used-first, because they are still awake and warm. */
  used: number;
}

interface Demand {
  readonly owner: string;
  readonly key: number;
  readonly shape: Shape;
  readonly need: Need;
  total: number;
  held: number;
  /** When it last became unmet. */
  since: number;
}

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
  readonly #limits: SchedulerLimits;
  readonly capacity: Capacity;
  readonly #free: Pool;
  readonly #workers = new Map<number, WorkerState>();
  readonly #granted = new Map<number, Granted>();
  readonly #demands = new Map<string, Demand>();
  readonly #reserved = new Set<number>();
  readonly #incarnations: number[] = [];
  #nextLease = 1;
  #clock = 0;
  now = 0;

  constructor(port: SchedulerPort, capacity: Capacity, limits: SchedulerLimits = SCHEDULER_LIMITS) {
    this.#port = port;
    this.capacity = capacity;
    this.#limits = limits;
    this.#free = Pool.of(capacity);
  }

  /** A number that is no worker's: the control thread, a driver, or a dead worker not yet forgotten by everybody. */
  reserve(party: number): void {
    this.#reserved.add(party);
  }

  unreserve(party: number): void {
    if (this.#reserved.delete(party)) this.#serve();
  }

  /** Starts workers ahead of demand. */
  prestart(count: number, isolation: Shape['isolation']): void {
    for (let i = this.#countOf(isolation); i < count; i++) if (this.#spawn(isolation) === undefined) return;
  }

  #countOf(isolation: Shape['isolation']): number {
    let n = 0;
    for (const worker of this.#workers.values()) if (worker.isolation === isolation) n++;
    return n;
  }

  #freeNumber(): number | undefined {
    for (let number = 1; number < this.#limits.parties; number++) {
      if (!this.#workers.has(number) && !this.#reserved.has(number)) return number;
    }
    return undefined;
  }

  #spawn(isolation: Shape['isolation']): WorkerState | undefined {
    const number = this.#freeNumber();
    if (number === undefined) return undefined;
    const incarnation = (this.#incarnations[number] ?? 0) + 1;
    this.#incarnations[number] = incarnation;
    const worker: WorkerState = {
      number,
      incarnation,
      isolation,
      starting: true,
      leases: [],
      charged: 0,
      used: 0,
    };
    this.#workers.set(number, worker);
    this.#port.spawn(number, incarnation, isolation);
    return worker;
  }

  // ---- events

  demand(owner: string, key: number, shape: Shape, total: number): void {
    const name = `${owner}/${key}`;
    const impossible = this.#impossible(shape);
    if (impossible !== undefined && total > 0) {
      this.#port.infeasible(owner, key, impossible);
      return;
    }
    let demand = this.#demands.get(name);
    if (demand === undefined) {
      demand = { owner, key, shape, need: new Need(shape), total: 0, held: 0, since: this.now };
      this.#demands.set(name, demand);
    }
    if (demand.total <= demand.held && total > demand.held) {
      // It goes to the back of the line.
      this.#demands.delete(name);
      this.#demands.set(name, demand);
      demand.since = this.now;
    }
    demand.total = total;
    this.#forgetIfIdle(name, demand);
    this.#serve();
  }

  returned(owner: string, id: number): void {
    const lease = this.#granted.get(id);
    if (lease === undefined || lease.owner !== owner) return;
    this.#release(lease);
    const name = `${owner}/${lease.key}`;
    const demand = this.#demands.get(name);
    if (demand !== undefined) {
      demand.total = Math.min(demand.total, demand.held);
      this.#forgetIfIdle(name, demand);
    }
    this.#serve();
  }

  workerStarted(number: number, incarnation: number): void {
    const worker = this.#workers.get(number);
    if (worker === undefined || worker.incarnation !== incarnation) return;
    worker.starting = false;
    this.#serve();
  }

  /** Frees what was lent on it. Its number stays reserved until `unreserve`, when nobody remembers it any more. */
  workerDied(number: number, incarnation: number): void {
    const worker = this.#workers.get(number);
    if (worker === undefined || worker.incarnation !== incarnation) return;
    this.#workers.delete(number);
    this.#reserved.add(number);
    for (const lease of [...worker.leases]) {
      this.#release(lease);
      const demand = this.#demands.get(`${lease.owner}/${lease.key}`);
      if (demand === undefined) continue;
      demand.total = Math.min(demand.total, demand.held);
      this.#forgetIfIdle(`${lease.owner}/${lease.key}`, demand);
    }
    this.#serve();
  }

  /** An owner is gone: its demands and leases with it. Returns the workers that were working for it. */
  ownerDied(owner: string): { worker: number; incarnation: number }[] {
    const busy: { worker: number; incarnation: number }[] = [];
    for (const [name, demand] of this.#demands) if (demand.owner === owner) this.#demands.delete(name);
    for (const lease of [...this.#granted.values()]) {
      if (lease.owner !== owner) continue;
      busy.push({ worker: lease.worker.number, incarnation: lease.worker.incarnation });
      this.#release(lease);
    }
    this.#serve();
    return busy;
  }

  /** All tasks on a worker wait for others: its cores count as free until one of them goes on, or a new one starts. */
  blocked(number: number, incarnation: number, blocked: boolean): void {
    const worker = this.#workers.get(number);
    if (worker === undefined || worker.incarnation !== incarnation) return;
    // Cores only: devices, memory and custom resources stay with the suspended task.
    for (const lease of worker.leases) lease.suspended = blocked;
    this.#charge(worker);
    if (blocked) this.#serve();
  }

  #charge(worker: WorkerState): void {
    let most = 0;
    for (const lease of worker.leases) if (!lease.suspended) most = Math.max(most, lease.need.cpus);
    this.#free.cpus += worker.charged - most;
    worker.charged = most;
  }

  /** Time passes: demands that have waited for a quantum have leases of others called back. */
  tick(): void {
    const late = this.#late();
    if (late.length === 0) return;
    this.#serve();
    const coming = this.#free.copy();
    let workers = 0;
    for (const lease of this.#granted.values()) {
      if (!lease.reclaiming) continue;
      this.#anticipate(coming, lease);
      workers++;
    }
    for (const demand of late) {
      if (demand.total <= demand.held) continue;
      while (!coming.fits(demand.need)) {
        const short = coming.short(demand.need);
        const victim = this.#victim(demand, (need) => short.some((name) => uses(need, name)));
        if (victim === undefined) break;
        this.#callBack(victim);
        this.#anticipate(coming, victim);
        workers++;
      }
      const gpus = coming.pickGpus(demand.need);
      if (gpus === undefined || !coming.fits(demand.need)) continue;
      coming.take(demand.need, gpus);
      coming.cpus -= demand.need.cpus;
      // The resources are there, or on their way; a worker may still be missing.
      if (this.#workerIsComing(demand.shape.isolation)) continue;
      if (workers-- > 0) continue;
      const victim = this.#victim(demand, () => true);
      if (victim !== undefined) this.#callBack(victim);
    }
  }

  #late(): Demand[] {
    const late: Demand[] = [];
    for (const demand of this.#demands.values()) {
      if (demand.total > demand.held && this.now - demand.since >= this.#limits.quantum) late.push(demand);
    }
    return late;
  }

  #anticipate(pool: Pool, lease: Granted): void {
    pool.give(lease.need, lease.gpus);
    if (!lease.suspended) pool.cpus += lease.need.cpus;
  }

  #workerIsComing(isolation: Shape['isolation']): boolean {
    if (this.#freeNumber() !== undefined) return true;
    for (const worker of this.#workers.values()) {
      if (worker.isolation === isolation && (worker.starting || worker.leases.length === 0)) return true;
    }
    return false;
  }

  /** The lease held longest, of those that a demand may call back: from others, and from those who have more. */
  #victim(demand: Demand, useful: (need: Need) => boolean): Granted | undefined {
    let victim: Granted | undefined;
    for (const lease of this.#granted.values()) {
      if (lease.reclaiming || lease.suspended || this.now - lease.since < this.#limits.quantum) continue;
      if (lease.owner === demand.owner && lease.key === demand.key) continue;
      if (victim !== undefined && lease.since >= victim.since) continue;
      if (demand.held > 0 && this.#heldBy(lease) <= demand.held + 1) continue;
      if (useful(lease.need)) victim = lease;
    }
    return victim;
  }

  #heldBy(lease: Granted): number {
    return this.#demands.get(`${lease.owner}/${lease.key}`)?.held ?? 0;
  }

  #callBack(lease: Granted): void {
    lease.reclaiming = true;
    this.#port.reclaim(lease.owner, lease.id);
  }

  /** Whether any lease is out. */
  get busy(): boolean {
    return this.#granted.size > 0;
  }

  /** Whether `tick` may have something to do. */
  get waiting(): boolean {
    for (const demand of this.#demands.values()) if (demand.total > demand.held) return true;
    return false;
  }

  // ---- granting

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

  /** In rounds, so that what is free is shared out among all who want it. */
  #serve(): void {
    const unmet: Demand[] = [];
    for (const demand of this.#demands.values()) if (demand.total > demand.held) unmet.push(demand);
    if (unmet.length === 0) return;
    for (let granted = true; granted; ) {
      granted = false;
      const kept = this.#keptFor(unmet);
      for (const demand of unmet) {
        if (demand.total <= demand.held) continue;
        if (kept !== undefined && kept.demand !== demand && kept.names.some((name) => uses(demand.need, name)))
          continue;
        if (this.#grantOne(demand)) granted = true;
      }
    }
    this.#startMissing(unmet);
  }

  /**
   * The demand for which everything it is short of is kept: the first that has waited for a quantum and can be
   * met once the running tasks are done. What suspended tasks hold may not come back before somebody else is served, so a
   * demand for that does not stand in the way.
   */
  #keptFor(unmet: readonly Demand[]): { demand: Demand; names: string[] } | undefined {
    for (const demand of unmet) {
      if (demand.total <= demand.held || this.now - demand.since < this.#limits.quantum) continue;
      const names = this.#free.short(demand.need);
      if (names.length === 0) continue;
      const later = this.#free.copy();
      for (const lease of this.#granted.values()) if (!lease.suspended) later.give(lease.need, lease.gpus);
      for (const worker of this.#workers.values()) later.cpus += worker.charged;
      if (later.fits(demand.need)) return { demand, names };
    }
    return undefined;
  }

  #grantOne(demand: Demand): boolean {
    const { need } = demand;
    if (!this.#free.fits(need)) return false;
    const gpus = this.#free.pickGpus(need) as number[];
    const worker = this.#pickWorker(demand);
    if (worker === undefined) return false;
    const lease: Granted = {
      id: this.#nextLease++,
      owner: demand.owner,
      key: demand.key,
      worker,
      exclusive: demand.shape.exclusive,
      need,
      gpus,
      since: this.now,
      reclaiming: false,
      suspended: false,
    };
    this.#granted.set(lease.id, lease);
    worker.leases.push(lease);
    worker.used = ++this.#clock;
    this.#free.take(need, gpus);
    this.#charge(worker);
    demand.held++;
    if (demand.held < demand.total) {
      // It has been served, and goes to the back of the line with the rest.
      demand.since = this.now;
      const name = `${demand.owner}/${demand.key}`;
      this.#demands.delete(name);
      this.#demands.set(name, demand);
    }
    this.#port.grant(demand.owner, demand.key, lease.id, worker.number, worker.incarnation, gpus);
    return true;
  }

  /**
   * The worker for a lease: the demanding worker itself when all it has is suspended (its children run where their
   * parent waits, depth first), then the idle one used last, then the least loaded suspended one. Undefined when a new
   * one should be started instead, or none can be had.
   */
  #pickWorker(demand: Demand): WorkerState | undefined {
    let idle: WorkerState | undefined;
    let stacked: WorkerState | undefined;
    let count = 0;
    for (const worker of this.#workers.values()) {
      if (worker.isolation !== demand.shape.isolation) continue;
      count++;
      if (worker.starting) continue;
      if (worker.leases.length === 0) {
        if (idle === undefined || worker.used > idle.used) idle = worker;
      } else if (this.#canStack(worker, demand.shape)) {
        if (demand.owner.endsWith(`.${worker.number}.${worker.incarnation}`)) return worker;
        if (stacked === undefined || worker.leases.length < stacked.leases.length) stacked = worker;
      }
    }
    if (idle !== undefined || stacked === undefined) return idle;
    // Workers whose tasks are suspended are as good as idle; a new one costs memory and 50 ms.
    const enough = count >= Math.max(2, Math.ceil(this.capacity.cpus));
    return enough || this.#freeNumber() === undefined ? stacked : undefined;
  }

  #canStack(worker: WorkerState, shape: Shape): boolean {
    if (shape.exclusive || worker.leases.length >= this.#limits.stacked) return false;
    return worker.leases.every((lease) => lease.suspended && !lease.exclusive);
  }

  /**
   * Starts a worker for each lease that the resources allow and no worker was found for; never more at a time than there
   * are cores, so that many demands which cost nothing don't start a crowd that is late for them.
   */
  #startMissing(unmet: readonly Demand[]): void {
    let starting = 0;
    for (const worker of this.#workers.values()) if (worker.starting) starting++;
    const most = Math.max(1, Math.ceil(this.capacity.cpus));
    for (const isolation of ISOLATIONS) {
      let wanted = 0;
      let pool: Pool | undefined;
      for (const demand of unmet) {
        if (demand.shape.isolation !== isolation) continue;
        for (let missing = demand.total - demand.held; missing > 0 && wanted < most; missing--) {
          pool ??= this.#free.copy();
          const gpus = pool.pickGpus(demand.need);
          if (gpus === undefined || !pool.fits(demand.need)) break;
          pool.take(demand.need, gpus);
          pool.cpus -= demand.need.cpus;
          wanted++;
        }
      }
      for (const worker of this.#workers.values()) {
        if (worker.isolation === isolation && (worker.starting || worker.leases.length === 0)) wanted--;
      }
      for (; wanted > 0 && starting < most; wanted--) {
        if (this.#spawn(isolation) === undefined) return;
        starting++;
      }
    }
  }

  #release(lease: Granted): void {
    if (!this.#granted.delete(lease.id)) return;
    const { worker } = lease;
    worker.leases.splice(worker.leases.indexOf(lease), 1);
    worker.used = ++this.#clock;
    this.#free.give(lease.need, lease.gpus);
    this.#charge(worker);
    const demand = this.#demands.get(`${lease.owner}/${lease.key}`);
    if (demand !== undefined) demand.held--;
  }

  #forgetIfIdle(name: string, demand: Demand): void {
    if (demand.total === 0 && demand.held === 0) this.#demands.delete(name);
  }

  // ---- for people

  /** Demands not met, oldest first, and why. */
  explain(): { owner: string; key: number; shape: Shape; missing: number; waitedMs: number; why: string }[] {
    const rows: { owner: string; key: number; shape: Shape; missing: number; waitedMs: number; why: string }[] = [];
    for (const d of this.#demands.values()) {
      if (d.total <= d.held) continue;
      rows.push({
        owner: d.owner,
        key: d.key,
        shape: d.shape,
        missing: d.total - d.held,
        waitedMs: this.now - d.since,
        why: this.#why(d),
      });
    }
    return rows;
  }

  #why(demand: Demand): string {
    const { shape } = demand;
    const { cpus, memory, gpus, custom } = this.free;
    const reasons = this.#free.short(demand.need).map((name) => {
      if (name === 'cpus') return `${shape.cpus} cpus wanted, ${cpus} of ${this.capacity.cpus} free`;
      if (name === 'memory') return `${shape.memory} bytes wanted, ${memory} free`;
      if (name === 'gpus') return `${shape.gpus} gpus wanted, ${gpus} free`;
      return `${name}: ${shape.custom[name]} wanted, ${custom[name] ?? 0} free`;
    });
    if (reasons.length > 0) return reasons.join('; ');
    const kept = this.#keptFor([...this.#demands.values()]);
    if (kept !== undefined && kept.demand !== demand && kept.names.some((each) => uses(demand.need, each))) {
      return `what is free is kept for a call that wants more ${kept.names.join(', ')} and has waited longer`;
    }
    return this.#workerIsComing(shape.isolation)
      ? 'a worker is starting'
      : 'all workers that this node may have are busy';
  }

  get free(): { cpus: number; memory: number; gpus: number; custom: Record<string, number> } {
    const { cpus, memory, gpus, custom } = this.#free;
    return {
      cpus: fromUnits(cpus),
      memory,
      gpus: fromUnits(gpus.reduce((a, b) => a + b, 0)),
      custom: Object.fromEntries([...custom].map(([name, units]) => [name, fromUnits(units)])),
    };
  }

  workers(): { worker: number; incarnation: number; state: string; leases: number }[] {
    return [...this.#workers.values()].map((w) => ({
      worker: w.number,
      incarnation: w.incarnation,
      state: stateOf(w),
      leases: w.leases.length,
    }));
  }
}

const ISOLATIONS = ['process', 'thread'] as const;

function uses(need: Need, name: string): boolean {
  if (name === 'cpus') return need.cpus > 0;
  if (name === 'memory') return need.memory > 0;
  if (name === 'gpus') return need.gpus > 0;
  return need.custom.some(([each]) => each === name);
}

function stateOf(worker: WorkerState): string {
  if (worker.starting) return 'starting';
  if (worker.leases.length === 0) return 'idle';
  return worker.leases.every((lease) => lease.suspended) ? 'waiting' : 'busy';
}
