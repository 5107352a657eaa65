import { giveBackHeap } from '../memory/index.ts';

/** So many tasks make a burst, after which the heap is worth a collection. */
const BURST = 50_000;
/** How long it must have been quiet, in milliseconds. */
const QUIET_MS = 400;

/** After a burst of tasks, and once it is quiet, returns the heap that the burst has needed to the system. */
export class Housekeeping {
  readonly #total: () => number;
  #collectedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `total` tells how many tasks have passed through the thread so far. */
  constructor(total: () => number) {
    this.#total = total;
  }

  /** Called when the thread goes to sleep with nothing pending. */
  idle(): void {
    const total = this.#total();
    if (total - this.#collectedAt < BURST || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Something went on meanwhile: the next time that it is idle.
      if (this.#total() !== total) return;
      this.#collectedAt = total;
      giveBackHeap();
    }, QUIET_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
