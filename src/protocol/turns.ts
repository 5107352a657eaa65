import { type Demand, type Granted, isUnmet, type Ledger, uses } from './ledger.ts';
import type { Need, Pool } from './resources.ts';
import type { WorkerTable } from './worker-table.ts';

/** Nobody waits for longer than so many quanta on account of his own long tasks. */
const LONGEST = 100;

/**
 * How owners and shapes take turns: whose lease is called back for a demand that has waited for a quantum, and what is
 * kept for it. A turn lasts a quantum, and as long as the task that runs at its end; where that is long, those who are
 * called back for the same demand have turns of that length too. Times in milliseconds.
 */
export class Turns {
  readonly #ledger: Ledger;
  readonly #workers: WorkerTable;
  readonly #quantum: number;
  /** By owner and key: for how long a lease was kept when it had been called back the last time. */
  readonly #overran = new Map<string, number>();

  constructor(ledger: Ledger, workers: WorkerTable, quantum: number) {
    this.#ledger = ledger;
    this.#workers = workers;
    this.#quantum = quantum;
  }

  isLate(demand: Demand, now: number): boolean {
    return isUnmet(demand) && now - demand.since >= this.#quantum;
  }

  /** A lease has been given back. */
  released(lease: Granted, now: number): void {
    const name = nameOf(lease);
    if (isCalledBack(lease)) this.#overran.set(name, Math.min(now - lease.calledBack, LONGEST * this.#quantum));
    else this.#overran.delete(name);
  }

  ownerDied(owner: string): void {
    for (const name of this.#overran.keys()) if (name.startsWith(`${owner}/`)) this.#overran.delete(name);
  }

  /** Marks the leases that are to be called back for late demands, and returns them. */
  callBack(late: readonly Demand[], now: number): Granted[] {
    const victims: Granted[] = [];
    const coming = this.#ledger.free.copy();
    let workers = 0;
    for (const lease of this.#ledger.leases()) {
      if (!isCalledBack(lease)) continue;
      anticipate(coming, lease);
      workers++;
    }
    for (const demand of late) {
      if (!isUnmet(demand)) continue;
      while (!coming.fits(demand.need)) {
        const short = coming.short(demand.need);
        const victim = this.#victim(demand, now, (need) => short.some((name) => uses(need, name)));
        if (victim === undefined) break;
        victim.calledBack = now;
        victims.push(victim);
        anticipate(coming, victim);
        workers++;
      }
      const gpus = coming.pickGpus(demand.need);
      if (gpus === undefined || !coming.fits(demand.need)) continue;
      coming.take(demand.need, gpus);
      coming.cpus -= demand.need.cpus;
      // The resources are there, or on their way; a worker may still be missing.
      if (this.#workers.isComing(demand.shape.isolation)) continue;
      if (workers-- > 0) continue;
      const victim = this.#victim(demand, now, () => true);
      if (victim === undefined) continue;
      victim.calledBack = now;
      victims.push(victim);
    }
    return victims;
  }

  /**
   * The leases of others that a late demand could use and may not call back, since their owners have no more than it has.
   * They need not be of use to those: once marked, they go back as soon as they lie idle. Each is returned once.
   */
  wanted(late: readonly Demand[]): Granted[] {
    const leases: Granted[] = [];
    for (const demand of late) {
      if (!isUnmet(demand)) continue;
      const short = this.#ledger.free.short(demand.need);
      for (const lease of this.#ledger.leases()) {
        if (isCalledBack(lease) || lease.wanted || lease.resident || isFor(lease, demand)) continue;
        // With nothing short, it is a worker that is missing.
        if (short.length > 0 && !short.some((name) => uses(lease.need, name))) continue;
        lease.wanted = true;
        leases.push(lease);
      }
    }
    return leases;
  }

  /** The lease held longest, of those that a demand may call back: from others, and from those who have more. */
  #victim(demand: Demand, now: number, useful: (need: Need) => boolean): Granted | undefined {
    let victim: Granted | undefined;
    const turn = Math.max(this.#quantum, this.#overran.get(nameOf(demand)) ?? 0);
    for (const lease of this.#ledger.leases()) {
      if (isCalledBack(lease) || lease.resident || lease.suspended || now - lease.since < turn) continue;
      if (isFor(lease, demand)) continue;
      if (victim !== undefined && lease.since >= victim.since) continue;
      if (demand.held > 0 && this.#ledger.heldLike(lease) <= demand.held + 1) continue;
      if (useful(lease.need)) victim = lease;
    }
    return victim;
  }

  /**
   * The demand for which everything it is short of is kept: the first that has waited for a quantum and can be
   * met once the running tasks are done. What actors hold stays with them. What suspended tasks hold may not come back before somebody else is served, so a
   * demand for that does not stand in the way.
   */
  keptFor(unmet: readonly Demand[], now: number): { demand: Demand; names: string[] } | undefined {
    const { free } = this.#ledger;
    for (const demand of unmet) {
      if (!this.isLate(demand, now)) continue;
      const names = free.short(demand.need);
      if (names.length === 0) continue;
      const later = free.copy();
      for (const lease of this.#ledger.leases()) {
        if (!lease.suspended && !lease.resident) later.give(lease.need, lease.gpus);
      }
      for (const worker of this.#workers.all()) {
        if (!worker.leases.some((lease) => lease.resident)) later.cpus += worker.charged;
      }
      if (later.fits(demand.need)) return { demand, names };
    }
    return undefined;
  }
}

function nameOf({ owner, key }: { owner: string; key: number }): string {
  return `${owner}/${key}`;
}

function isCalledBack(lease: Granted): boolean {
  return lease.calledBack >= 0;
}

function isFor(lease: Granted, demand: Demand): boolean {
  return lease.owner === demand.owner && lease.key === demand.key;
}

function anticipate(pool: Pool, lease: Granted): void {
  pool.give(lease.need, lease.gpus);
  if (!lease.suspended) pool.cpus += lease.need.cpus;
}
