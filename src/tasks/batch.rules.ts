import { Deque } from '../base/index.ts';

interface Entry<C> {
  readonly call: C;
  /** When it came, in milliseconds. */
  readonly at: number;
}

/**
 * Which calls form a batch, and when it begins: as soon as `max` calls have come, or the first of them has waited for `wait`
 * milliseconds, and no batch runs. So there is one batch at a time, and what comes meanwhile forms the next one. Calls are taken
 * in the order in which they came.
 */
export class Batches<C> {
  readonly #max: number;
  readonly #wait: number;
  readonly #line = new Deque<Entry<C>>();
  #running = false;

  constructor(max: number, wait: number) {
    this.#max = max;
    this.#wait = wait;
  }

  /** Calls that have come and are in no batch yet. */
  get waiting(): number {
    return this.#line.size;
  }

  get running(): boolean {
    return this.#running;
  }

  add(call: C, now: number): void {
    this.#line.push({ call, at: now });
  }

  /** Takes calls out that nobody waits for any more, and returns them. */
  withdraw(isGone: (call: C) => boolean): C[] {
    return this.#line.remove(({ call }) => isGone(call)).map(({ call }) => call);
  }

  /** When the next batch may begin: a time that may have passed. Undefined while one runs, or nobody waits. */
  get due(): number | undefined {
    const first = this.#line.peek();
    if (this.#running || first === undefined) return undefined;
    return this.#line.size >= this.#max ? first.at : first.at + this.#wait;
  }

  /** The calls of the batch that begins now; none where it is not due. `ended` has to follow. */
  begin(now: number): C[] {
    const { due } = this;
    if (due === undefined || now < due) return [];
    this.#running = true;
    const calls: C[] = [];
    while (calls.length < this.#max) {
      const entry = this.#line.shift();
      if (entry === undefined) break;
      calls.push(entry.call);
    }
    return calls;
  }

  ended(): void {
    this.#running = false;
  }
}
