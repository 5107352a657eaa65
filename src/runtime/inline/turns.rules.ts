import {
  type Capacity,
  fromUnits,
  impossible,
  type KeyQueue,
  Need,
  Pool,
  QUEUED,
  type Shape,
} from '../../protocol/index.ts';

/** A call that may start now. */
export interface Turn {
  readonly key: KeyQueue;
  readonly lease: number;
  readonly gpus: readonly number[];
}

interface Lent {
  readonly need: Need;
  readonly gpus: readonly number[];
  suspended: boolean;
}

/**
 * Whose turn it is in inline mode: calls start in the order in which they were made, as far as what they ask for is free;
 * one that asks for more than is free lets others go first. A lease is for one call. Pure.
 */
export class Turns {
  readonly capacity: Capacity;
  readonly #free: Pool;
  readonly #needs = new Map<KeyQueue, Need>();
  readonly #lent = new Map<number, Lent>();
  #sequence = 0;

  constructor(capacity: Capacity) {
    this.capacity = capacity;
    this.#free = Pool.of(capacity);
  }

  /** Why no call of this shape can ever run; undefined when it can. */
  impossible(shape: Shape): string | undefined {
    return impossible(shape, this.capacity);
  }

  /** The next call that may start, of those at the heads of the queues; `order` tells which was made first. */
  next(queues: readonly KeyQueue[], order: (key: KeyQueue) => number): Turn | undefined {
    let first: KeyQueue | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (const key of queues) {
      if (key.waiting.peek()?.state !== QUEUED) continue;
      const at = order(key);
      if (at >= earliest || !this.#free.fits(this.#needOf(key))) continue;
      first = key;
      earliest = at;
    }
    if (first === undefined) return undefined;
    const need = this.#needOf(first);
    const gpus = this.#free.pickGpus(need) ?? [];
    this.#free.take(need, gpus);
    this.#free.cpus -= need.cpus;
    const lease = ++this.#sequence;
    this.#lent.set(lease, { need, gpus, suspended: false });
    return { key: first, lease, gpus };
  }

  #needOf(key: KeyQueue): Need {
    let need = this.#needs.get(key);
    if (need === undefined) {
      need = new Need(key.shape);
      this.#needs.set(key, need);
    }
    return need;
  }

  /** The call waits for others: its cores are free meanwhile, and nothing else of what it has. */
  suspended(lease: number): void {
    const lent = this.#lent.get(lease);
    if (lent === undefined || lent.suspended) return;
    lent.suspended = true;
    this.#free.cpus += lent.need.cpus;
  }

  /** It goes on without asking: for a while there may be less than no free cores. */
  resumed(lease: number): void {
    const lent = this.#lent.get(lease);
    if (lent === undefined || !lent.suspended) return;
    lent.suspended = false;
    this.#free.cpus -= lent.need.cpus;
  }

  returned(lease: number): void {
    const lent = this.#lent.get(lease);
    if (lent === undefined) return;
    this.#lent.delete(lease);
    this.#free.give(lent.need, lent.gpus);
    if (!lent.suspended) this.#free.cpus += lent.need.cpus;
  }

  /** Calls that have begun and not ended. */
  get under(): number {
    return this.#lent.size;
  }

  get free(): { cpus: number; gpus: number; memory: number } {
    const { cpus, gpus, memory } = this.#free;
    return { cpus: fromUnits(cpus), gpus: fromUnits(gpus.reduce((a, b) => a + b, 0)), memory };
  }

  /** What a queue waits for. */
  why(key: KeyQueue): string {
    const { shape } = key;
    const { cpus, gpus, memory } = this.free;
    const reasons = this.#free.short(this.#needOf(key)).map((name) => {
      if (name === 'cpus') return `${shape.cpus} cpus wanted, ${cpus} of ${this.capacity.cpus} free`;
      if (name === 'memory') return `${shape.memory} bytes wanted, ${memory} free`;
      if (name === 'gpus') return `${shape.gpus} gpus wanted, ${gpus} free`;
      return `${name}: ${shape.custom[name]} wanted, ${fromUnits(this.#free.custom.get(name) ?? 0)} free`;
    });
    return reasons.length === 0 ? 'its turn has not come' : reasons.join('; ');
  }
}
