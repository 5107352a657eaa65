import { giveBackHeap } from '../memory/index.ts';

/** So many tasks make a burst, after which the heap is worth a collection. */
const BURST = 50_000;
/** How long it must have been quiet, in milliseconds. */
const QUIET_MS = 400;

/** How long a worker with views of shared memory must have been quiet, in milliseconds. */
const SHORT_QUIET_MS = 100;

/**
 * After a burst of tasks, and once it is quiet, returns the heap that the burst has needed to the system; and after any
 * tasks the shared memory that garbage still pins.
 */
export class Housekeeping {
  readonly #total: () => number;
  readonly #relief: () => { collect(): void } | undefined;
  #collectedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #relievedAt = 0;
  #reliefTimer: NodeJS.Timeout | undefined;

  /** `total` tells how many tasks have passed through the thread so far. */
  constructor(total: () => number, relief: () => { collect(): void } | undefined = () => undefined) {
    this.#total = total;
    this.#relief = relief;
  }

  /** Called when the thread goes to sleep with nothing pending. */
  idle(): void {
    const total = this.#total();
    if (total !== this.#relievedAt && this.#reliefTimer === undefined && this.#relief() !== undefined)
      this.#relieveSoon();
    if (total - this.#collectedAt < BURST || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Something went on meanwhile: the next time that it is idle.
      if (this.#total() !== total) return;
      this.#collectedAt = total;
      giveBackHeap();
    }, QUIET_MS).unref();
  }

  #relieveSoon(): void {
    const total = this.#total();
    this.#reliefTimer = setTimeout(() => {
      this.#reliefTimer = undefined;
      if (this.#total() !== total) {
        this.#relieveSoon();
        return;
      }
      const relief = this.#relief();
      // Not while a task goes on: the next time that it is idle.
      if (relief === undefined) return;
      this.#relievedAt = total;
      relief.collect();
    }, SHORT_QUIET_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#reliefTimer);
  }
}
