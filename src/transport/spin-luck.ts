/** A spin is a try like any other when this part of the recent ones has ended with an answer. */
const WORTH = 0.2;
/** Of how many recent spins, roughly, the part is taken. */
const MEMORY = 8;
/** When spinning does not pay, one in so many chances is taken all the same, to see whether that has changed. */
const PROBE = 32;

/**
 * Whether it pays for a party to spin before it sleeps. It does not when answers take long, and least of all when the other
 * party has been put on the same core, where the spin itself keeps the answer from being made.
 */
export class SpinLuck {
  #score = 1;
  #skipped = 0;

  worthTrying(): boolean {
    if (this.#score >= WORTH) return true;
    if (++this.#skipped < PROBE) return false;
    this.#skipped = 0;
    return true;
  }

  record(answered: boolean): void {
    this.#score += ((answered ? 1 : 0) - this.#score) / MEMORY;
  }
}
