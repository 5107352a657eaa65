export interface PoolLimits {
  /** Replicas, at least and at most. */
  readonly min: number;
  readonly max: number;
  /** Pending calls for which one replica is enough. */
  readonly perReplica: number;
  /** More are made when they would have been of use for so long, in milliseconds. */
  readonly growAfter: number;
  /** Those go that were of no use at any moment of so long, in milliseconds. */
  readonly shrinkAfter: number;
}

/** A burst that is over before a new replica could be there makes none; what a pause of some seconds needs none of stays. */
export const POOL_TIMES = { growAfter: 20, shrinkAfter: 10_000 };

/**
 * How many replicas a pool has: as many as its pending calls can use, within its bounds. A replica that dies after it was ready
 * is replaced as long as there are fewer than the least. One whose construction failed is not, since that of the next one would fail,
 * too: where none is left, the pool is dead. Pure: time arrives with the events.
 */
export class PoolSize {
  readonly #limits: PoolLimits;
  /** Made and not gone. */
  #live = 0;
  /** Of those, which have been ready. */
  #ready = 0;
  /** One could not be made while no other was ready. */
  #hopeless = false;
  /** Since when more would be of use. */
  #shortSince: number | undefined;
  /** When it is looked next at how many are of no use, and the most that were of use since the last look. */
  #shrinkAt = Number.POSITIVE_INFINITY;
  #peak = 0;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  get live(): number {
    return this.#live;
  }

  /** None is there, and none will be. */
  get dead(): boolean {
    return this.#live === 0 && this.#hopeless;
  }

  made(count: number): void {
    this.#live += count;
  }

  ready(): void {
    this.#ready++;
    this.#hopeless = false;
  }

  /** One has died, or could not be made. */
  died(wasReady: boolean): void {
    this.letGo(wasReady);
    if (!wasReady && this.#ready === 0) this.#hopeless = true;
  }

  /** One was told to end. */
  letGo(wasReady: boolean): void {
    this.#live--;
    if (wasReady) this.#ready--;
  }

  /** How many are of use for so many pending calls. */
  #useful(pending: number): number {
    const { min, max, perReplica } = this.#limits;
    return Math.min(max, Math.max(min, Math.ceil(pending / perReplica)));
  }

  /** How many to make now, or, where it is negative, to let go. To be called at each change of what is pending, and at `nextLook`. */
  look(pending: number, now: number): number {
    const { min, growAfter, shrinkAfter } = this.#limits;
    const useful = this.#useful(pending);
    this.#peak = Math.max(this.#peak, useful);
    if (this.#hopeless) return 0;
    if (this.#live < min) return min - this.#live;
    if (useful > this.#live) {
      this.#shrinkAt = Number.POSITIVE_INFINITY;
      this.#shortSince ??= now;
      if (now - this.#shortSince < growAfter) return 0;
      this.#shortSince = undefined;
      return useful - this.#live;
    }
    this.#shortSince = undefined;
    if (this.#live === min) {
      this.#shrinkAt = Number.POSITIVE_INFINITY;
      return 0;
    }
    if (this.#shrinkAt === Number.POSITIVE_INFINITY) {
      this.#shrinkAt = now + shrinkAfter;
      this.#peak = useful;
    }
    if (now < this.#shrinkAt) return 0;
    const spare = this.#live - Math.max(min, this.#peak);
    this.#shrinkAt = now + shrinkAfter;
    this.#peak = useful;
    return spare > 0 ? -spare : 0;
  }

  /** When `look` is to be called again, whether anything has changed or not; undefined: when something has. */
  get nextLook(): number | undefined {
    if (this.#shortSince !== undefined) return this.#shortSince + this.#limits.growAfter;
    return this.#shrinkAt === Number.POSITIVE_INFINITY ? undefined : this.#shrinkAt;
  }
}
