/** Methods that share one limit of calls at a time. */
export interface MethodGroup {
  readonly methods: readonly string[];
  readonly concurrency: number;
}

/** How many calls of an actor may be under way at the same time: of all methods that are in no group, and of each group. */
export interface Concurrency {
  readonly concurrency: number;
  readonly groups: readonly MethodGroup[];
}

/**
 * Which calls of an actor may begin. A call is under way until its method has ended, awaits included; as many of one group are at
 * the same time as its limit allows. Calls of one caller begin in their order: one that may not begin yet holds up those of
 * its group behind it, and not those of others. Pure.
 *
 * The host takes calls out of the callers' rings in order. One that may not begin is kept here (`keep`) when those behind it might
 * be of another group, or of another actor; otherwise it stays in its ring, where its caller can still take it back.
 */
export class Mailbox<C> {
  readonly #limits: number[] = [];
  readonly #running: number[] = [];
  readonly #groups = new Map<string, number>();
  /** Calls that were taken out of their rings and may not begin yet, by group, in order of coming. */
  readonly #kept: C[][] = [];
  #keptCount = 0;
  /** No call begins before it is. */
  ready = false;
  /** The calls of other actors come through the same rings. */
  shares = false;

  constructor({ concurrency, groups }: Concurrency) {
    this.#add(concurrency);
    for (const { methods, concurrency } of groups) {
      const group = this.#add(concurrency);
      for (const method of methods) this.#groups.set(method, group);
    }
  }

  #add(limit: number): number {
    this.#running.push(0);
    this.#kept.push([]);
    return this.#limits.push(limit) - 1;
  }

  /**
   * A method whose calls are handled together: so many of them may begin, to wait for each other. What handles them takes one place
   * in the group that the method is in, which is returned: it is kept like a call (`keep`), and begins when its turn comes.
   */
  gathers(method: string, most: number): number {
    const group = this.groupOf(method);
    this.#groups.set(method, this.#add(most));
    return group;
  }

  groupOf(method: string): number {
    return this.#groups.get(method) ?? 0;
  }

  /** Whether a call that comes now may begin. */
  mayBegin(group: number): boolean {
    return (
      this.ready &&
      (this.#running[group] as number) < (this.#limits[group] as number) &&
      this.#kept[group]?.length === 0
    );
  }

  /** Whether calls are taken out of their rings before they may begin: only where others behind them may overtake. */
  get keeps(): boolean {
    return this.shares || (this.ready && this.#limits.length > 1);
  }

  keep(group: number, call: C): void {
    (this.#kept[group] as C[]).push(call);
    this.#keptCount++;
  }

  /** The next of those that were kept that may begin. */
  next(): C | undefined {
    if (this.#keptCount === 0 || !this.ready) return undefined;
    for (let group = 0; group < this.#limits.length; group++) {
      const kept = this.#kept[group] as C[];
      if (kept.length === 0 || (this.#running[group] as number) >= (this.#limits[group] as number)) continue;
      this.#keptCount--;
      return kept.shift();
    }
    return undefined;
  }

  began(group: number): void {
    (this.#running[group] as number)++;
  }

  ended(group: number): void {
    (this.#running[group] as number)--;
  }

  /** Everything that has begun is over, and nothing waits here. */
  get quiet(): boolean {
    return this.#keptCount === 0 && this.#running.every((n) => n === 0);
  }

  /** Takes out those that were kept and are not to begin any more. */
  remove(gone: (call: C) => boolean): C[] {
    const removed: C[] = [];
    for (const kept of this.#kept) {
      const stay = kept.splice(0);
      for (const call of stay) (gone(call) ? removed : kept).push(call);
    }
    this.#keptCount -= removed.length;
    return removed;
  }
}
