import type { Shape } from './lease.ts';

/** What a node has to lend. Units: cores, device numbers, bytes, and the user's own. */
export interface Capacity {
  readonly cpus: number;
  readonly gpus: number;
  readonly memory: number;
  readonly custom: Readonly<Record<string, number>>;
}

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
  readonly shape: Shape;
  readonly gpus: readonly number[];
  readonly since: number;
  reclaiming: boolean;
  /** Its resources count as free, because everything on its worker is suspended. */
  suspended: boolean;
}

interface WorkerState {
  readonly number: number;
  readonly incarnation: number;
  readonly isolation: Shape['isolation'];
  starting: boolean;
  blocked: boolean;
  /** Newest last. */
  readonly leases: Granted[];
  /** Larger is later: idle workers are lent out last-used-first, because they are still awake and warm. */
  used: number;
}

interface Demand {
  readonly owner: string;
  readonly key: number;
  readonly shape: Shape;
  total: number;
  held: number;
  /** When it last became unmet. */
  since: number;
}

/**
 * One node's scheduler: lends workers to owners. It never sees tasks, only demands: "so many leases of this shape".
 * Demands are served in the order in which they became unmet; a demand that waits has the oldest lease of somebody
 * else called back, so that owners and shapes take turns.
 *
 * Pure: workers are started and told through the port; time arrives with the events.
 */
export class Scheduler {
  readonly #port: SchedulerPort;
  readonly #limits: SchedulerLimits;
  readonly capacity: Capacity;
  #cpus: number;
  #memory: number;
  readonly #custom: Map<string, number>;
  /** Free share of each device. */
  readonly #gpus: number[];
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
    this.#cpus = capacity.cpus;
    this.#memory = capacity.memory;
    this.#custom = new Map(Object.entries(capacity.custom));
    this.#gpus = new Array<number>(capacity.gpus).fill(1);
  }

  /** A number that is no worker's: the control thread, a driver, or a dead worker not yet forgotten by everybody. */
  reserve(party: number): void {
    this.#reserved.add(party);
  }

  unreserve(party: number): void {
    this.#reserved.delete(party);
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

  #spawn(isolation: Shape['isolation']): WorkerState | undefined {
    for (let number = 1; number < this.#limits.parties; number++) {
      if (this.#workers.has(number) || this.#reserved.has(number)) continue;
      const incarnation = (this.#incarnations[number] ?? 0) + 1;
      this.#incarnations[number] = incarnation;
      const worker: WorkerState = {
        number,
        incarnation,
        isolation,
        starting: true,
        blocked: false,
        leases: [],
        used: 0,
      };
      this.#workers.set(number, worker);
      this.#port.spawn(number, incarnation, isolation);
      return worker;
    }
    return undefined;
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
      demand = { owner, key, shape, total: 0, held: 0, since: this.now };
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
      if (demand !== undefined) demand.total = Math.min(demand.total, demand.held);
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

  /** All tasks on a worker wait for others: what was lent on it counts as free until one of them goes on. */
  blocked(number: number, incarnation: number, blocked: boolean): void {
    const worker = this.#workers.get(number);
    if (worker === undefined || worker.incarnation !== incarnation || worker.blocked === blocked) return;
    worker.blocked = blocked;
    for (const lease of worker.leases) {
      if (lease.suspended === blocked) continue;
      lease.suspended = blocked;
      // Cores only: devices, memory and custom resources stay with the suspended task.
      this.#cpus += blocked ? lease.shape.cpus : -lease.shape.cpus;
    }
    if (blocked) this.#serve();
  }

  /** Time passes: a demand that has waited for a quantum has another's lease called back. */
  tick(): void {
    let waiting = 0;
    for (const demand of this.#demands.values()) {
      if (demand.total > demand.held && this.now - demand.since >= this.#limits.quantum) waiting++;
    }
    if (waiting === 0) return;
    this.#serve();
    for (const demand of this.#demands.values()) {
      if (demand.total <= demand.held || this.now - demand.since < this.#limits.quantum) continue;
      if (demand.held === 0 || this.#share(demand) < 1) this.#callBack(demand);
    }
  }

  /** A demand that holds some leases already may call back more only from those who hold more than it does. */
  #share(demand: Demand): number {
    let most = 0;
    for (const other of this.#demands.values()) if (other !== demand) most = Math.max(most, other.held);
    return most > demand.held + 1 ? 0 : 1;
  }

  #callBack(demand: Demand): void {
    let victim: Granted | undefined;
    for (const lease of this.#granted.values()) {
      if (lease.reclaiming) {
        if (lease.owner !== demand.owner || lease.key !== demand.key) return;
        continue;
      }
      if (lease.owner === demand.owner && lease.key === demand.key) continue;
      if (lease.suspended || this.now - lease.since < this.#limits.quantum) continue;
      if (victim === undefined || lease.since < victim.since) victim = lease;
    }
    if (victim === undefined) return;
    victim.reclaiming = true;
    this.#port.reclaim(victim.owner, victim.id);
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

  #serve(): void {
    for (const demand of this.#demands.values()) {
      while (demand.total > demand.held) {
        if (!this.#grantOne(demand)) break;
      }
    }
  }

  #grantOne(demand: Demand): boolean {
    const { shape } = demand;
    if (shape.cpus > this.#cpus || shape.memory > this.#memory) return false;
    for (const [name, amount] of Object.entries(shape.custom)) if (amount > (this.#custom.get(name) ?? 0)) return false;
    const gpus = this.#pickGpus(shape.gpus);
    if (gpus === undefined) return false;
    const worker = this.#pickWorker(demand);
    if (worker === undefined) return false;

    const lease: Granted = {
      id: this.#nextLease++,
      owner: demand.owner,
      key: demand.key,
      worker,
      shape,
      gpus,
      since: this.now,
      reclaiming: false,
      suspended: false,
    };
    this.#granted.set(lease.id, lease);
    worker.leases.push(lease);
    worker.used = ++this.#clock;
    // New work on a blocked worker: what is suspended below stays free.
    worker.blocked = false;
    this.#cpus -= shape.cpus;
    this.#memory -= shape.memory;
    for (const [name, amount] of Object.entries(shape.custom)) {
      this.#custom.set(name, (this.#custom.get(name) as number) - amount);
    }
    for (const gpu of gpus) this.#gpus[gpu] = (this.#gpus[gpu] as number) - Math.min(1, shape.gpus);
    demand.held++;
    if (demand.held < demand.total) demand.since = this.now;
    this.#port.grant(demand.owner, demand.key, lease.id, worker.number, worker.incarnation, gpus);
    return true;
  }

  /** Whole devices, or a share of the fullest one that still has room. */
  #pickGpus(wanted: number): number[] | undefined {
    if (wanted === 0) return [];
    if (wanted < 1) {
      let best = -1;
      for (let i = 0; i < this.#gpus.length; i++) {
        const free = this.#gpus[i] as number;
        if (free >= wanted - 1e-9 && (best < 0 || free < (this.#gpus[best] as number))) best = i;
      }
      return best < 0 ? undefined : [best];
    }
    const whole: number[] = [];
    for (let i = 0; i < this.#gpus.length && whole.length < wanted; i++) if (this.#gpus[i] === 1) whole.push(i);
    return whole.length < wanted ? undefined : whole;
  }

  /**
   * The worker for a lease: the demanding worker itself when all it has is suspended (its children run where their
   * parent waits, depth first), then the idle one used last, then a new one, then the least loaded suspended one.
   */
  #pickWorker(demand: Demand): WorkerState | undefined {
    let idle: WorkerState | undefined;
    let stacked: WorkerState | undefined;
    let starting = false;
    for (const worker of this.#workers.values()) {
      if (worker.isolation !== demand.shape.isolation) continue;
      if (worker.starting) {
        starting = true;
        continue;
      }
      if (worker.leases.length === 0) {
        if (idle === undefined || worker.used > idle.used) idle = worker;
        continue;
      }
      if (!this.#canStack(worker, demand.shape)) continue;
      if (demand.owner.includes(`.${worker.number}.`) && this.#isWorker(demand.owner, worker)) return worker;
      if (stacked === undefined || worker.leases.length < stacked.leases.length) stacked = worker;
    }
    if (idle !== undefined) return idle;
    // One that is on its way serves this demand when it arrives.
    if (starting && this.#startingCount(demand.shape.isolation) >= this.#unmet()) return undefined;
    if (
      this.#running(demand.shape.isolation) < this.#limits.parties &&
      !demand.shape.exclusive &&
      stacked !== undefined
    ) {
      // Workers whose tasks are suspended are as good as idle; a new one costs memory and 50 ms.
      if (this.#countOf(demand.shape.isolation) >= Math.max(2, Math.ceil(this.capacity.cpus))) return stacked;
    }
    if (this.#spawn(demand.shape.isolation) === undefined) return stacked;
    return undefined;
  }

  #isWorker(owner: string, worker: WorkerState): boolean {
    return owner.endsWith(`.${worker.number}.${worker.incarnation}`);
  }

  #canStack(worker: WorkerState, shape: Shape): boolean {
    if (shape.exclusive || worker.leases.length >= this.#limits.stacked) return false;
    return worker.blocked && worker.leases.every((lease) => !lease.shape.exclusive);
  }

  #running(isolation: Shape['isolation']): number {
    return this.#countOf(isolation);
  }

  #startingCount(isolation: Shape['isolation']): number {
    let n = 0;
    for (const worker of this.#workers.values()) if (worker.starting && worker.isolation === isolation) n++;
    return n;
  }

  #unmet(): number {
    let n = 0;
    for (const demand of this.#demands.values()) n += Math.max(0, demand.total - demand.held);
    return Math.min(n, Math.max(1, Math.floor(this.#cpus)));
  }

  #release(lease: Granted): void {
    if (!this.#granted.delete(lease.id)) return;
    const { leases } = lease.worker;
    leases.splice(leases.indexOf(lease), 1);
    lease.worker.used = ++this.#clock;
    if (leases.length === 0) lease.worker.blocked = false;
    const { shape } = lease;
    if (!lease.suspended) this.#cpus += shape.cpus;
    this.#memory += shape.memory;
    for (const [name, amount] of Object.entries(shape.custom)) {
      this.#custom.set(name, (this.#custom.get(name) as number) + amount);
    }
    for (const gpu of lease.gpus) this.#gpus[gpu] = Math.min(1, (this.#gpus[gpu] as number) + Math.min(1, shape.gpus));
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
        why: this.#why(d.shape),
      });
    }
    return rows;
  }

  #why(shape: Shape): string {
    if (shape.cpus > this.#cpus) return `${shape.cpus} cpus wanted, ${this.#cpus} of ${this.capacity.cpus} free`;
    if (shape.memory > this.#memory) return `${shape.memory} bytes wanted, ${this.#memory} free`;
    for (const [name, amount] of Object.entries(shape.custom)) {
      const free = this.#custom.get(name) ?? 0;
      if (amount > free) return `${name}: ${amount} wanted, ${free} free`;
    }
    if (this.#pickGpus(shape.gpus) === undefined) return `${shape.gpus} gpus wanted, none free`;
    return 'a worker is starting';
  }

  get free(): { cpus: number; memory: number; gpus: number; custom: Record<string, number> } {
    return {
      cpus: this.#cpus,
      memory: this.#memory,
      gpus: this.#gpus.reduce((a, b) => a + b, 0),
      custom: Object.fromEntries(this.#custom),
    };
  }

  workers(): { worker: number; incarnation: number; state: string; leases: number }[] {
    return [...this.#workers.values()].map((w) => ({
      worker: w.number,
      incarnation: w.incarnation,
      state: w.starting ? 'starting' : w.leases.length === 0 ? 'idle' : w.blocked ? 'waiting' : 'busy',
      leases: w.leases.length,
    }));
  }
}
