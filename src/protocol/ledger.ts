import type { Shape } from './lease.ts';
import { type Capacity, Need, Pool } from './resources.ts';
import type { WorkerState } from './worker-table.ts';

/** A lease as the scheduler sees it. */
export interface Granted {
  readonly id: number;
  readonly owner: string;
  readonly key: number;
  readonly worker: WorkerState;
  readonly exclusive: boolean;
  readonly resident: boolean;
  readonly shared: boolean;
  readonly need: Need;
  readonly gpus: readonly number[];
  readonly since: number;
  /** When it was called back; negative while it was not. */
  calledBack: number;
  /** Its owner has been told that others wait for it. */
  wanted: boolean;
  /** Everything that ran under it waits for others. */
  suspended: boolean;
}

/** How many leases of a shape an owner wants in total, and has. */
export interface Demand {
  readonly owner: string;
  readonly key: number;
  readonly shape: Shape;
  readonly need: Need;
  total: number;
  held: number;
  /** When it last became unmet. */
  since: number;
}

/** Who wants leases, who has which, and what is free of the node's resources. */
export class Ledger {
  readonly free: Pool;
  /** In the order in which they became unmet, or were last served. */
  readonly #demands = new Map<string, Demand>();
  readonly #granted = new Map<number, Granted>();
  #nextLease = 1;

  constructor(capacity: Capacity) {
    this.free = Pool.of(capacity);
  }

  // ---- demands

  demands(): IterableIterator<Demand> {
    return this.#demands.values();
  }

  demandOf(owner: string, key: number): Demand | undefined {
    return this.#demands.get(`${owner}/${key}`);
  }

  /** The demand, made if need be, with a new total; nothing is left of one for nothing. */
  setDemand(owner: string, key: number, shape: Shape, total: number, now: number): void {
    const name = `${owner}/${key}`;
    let demand = this.#demands.get(name);
    if (demand === undefined) {
      demand = { owner, key, shape, need: new Need(shape), total: 0, held: 0, since: now };
      this.#demands.set(name, demand);
    }
    if (demand.total <= demand.held && total > demand.held) this.#toTheBack(demand, now);
    demand.total = total;
    this.#forgetIfIdle(demand);
  }

  /** An owner that has lost a lease asks anew for what it still wants. */
  dropUnmet(owner: string, key: number): void {
    const demand = this.demandOf(owner, key);
    if (demand === undefined) return;
    demand.total = Math.min(demand.total, demand.held);
    this.#forgetIfIdle(demand);
  }

  /** Whether an owner has leases, or wants any. */
  isOwner(isIt: (owner: string) => boolean): boolean {
    for (const lease of this.#granted.values()) if (isIt(lease.owner)) return true;
    for (const demand of this.#demands.values()) if (isIt(demand.owner)) return true;
    return false;
  }

  dropDemandsOf(owner: string): void {
    for (const [name, demand] of this.#demands) if (demand.owner === owner) this.#demands.delete(name);
  }

  #forgetIfIdle(demand: Demand): void {
    if (demand.total === 0 && demand.held === 0) this.#demands.delete(`${demand.owner}/${demand.key}`);
  }

  #toTheBack(demand: Demand, now: number): void {
    const name = `${demand.owner}/${demand.key}`;
    this.#demands.delete(name);
    this.#demands.set(name, demand);
    demand.since = now;
  }

  get waiting(): boolean {
    for (const demand of this.#demands.values()) if (isUnmet(demand)) return true;
    return false;
  }

  unmet(): Demand[] {
    return [...this.#demands.values()].filter(isUnmet);
  }

  // ---- leases

  leases(): IterableIterator<Granted> {
    return this.#granted.values();
  }

  lease(id: number): Granted | undefined {
    return this.#granted.get(id);
  }

  get leaseCount(): number {
    return this.#granted.size;
  }

  /** Books a lease for a demand that fits. */
  grant(demand: Demand, worker: WorkerState, now: number): Granted {
    const { need } = demand;
    const gpus = this.free.pickGpus(need) as number[];
    const lease: Granted = {
      id: this.#nextLease++,
      owner: demand.owner,
      key: demand.key,
      worker,
      exclusive: demand.shape.exclusive,
      resident: demand.shape.resident === true,
      shared: demand.shape.shared === true,
      need,
      gpus,
      since: now,
      calledBack: -1,
      wanted: false,
      suspended: false,
    };
    this.#granted.set(lease.id, lease);
    worker.leases.push(lease);
    this.free.take(need, gpus);
    this.charge(worker);
    demand.held++;
    // It has been served, and goes to the back of the line with the rest.
    if (isUnmet(demand)) this.#toTheBack(demand, now);
    return lease;
  }

  release(lease: Granted): void {
    if (!this.#granted.delete(lease.id)) return;
    const { worker } = lease;
    worker.leases.splice(worker.leases.indexOf(lease), 1);
    this.free.give(lease.need, lease.gpus);
    this.charge(worker);
    const demand = this.demandOf(lease.owner, lease.key);
    if (demand !== undefined) demand.held--;
  }

  /** Cores only: devices, memory and custom resources stay with a suspended task. */
  charge(worker: WorkerState): void {
    let most = 0;
    for (const lease of worker.leases) if (!lease.suspended) most = Math.max(most, lease.need.cpus);
    this.free.cpus += worker.charged - most;
    worker.charged = most;
  }

  heldLike(lease: Granted): number {
    return this.demandOf(lease.owner, lease.key)?.held ?? 0;
  }
}

export function isUnmet(demand: Demand): boolean {
  return demand.total > demand.held;
}

/** Whether a need has a part in the resource of that name. */
export function uses(need: Need, name: string): boolean {
  if (name === 'cpus') return need.cpus > 0;
  if (name === 'memory') return need.memory > 0;
  if (name === 'gpus') return need.gpus > 0;
  return need.custom.some(([each]) => each === name);
}
