const MIB = 2 ** 20;
/** What the first touch of memory takes: a millisecond for so many bytes or less. */
const TOUCHED_PER_MS = 2 * MIB;
const LEAST = 16 * MIB;
/** Of all memory, and in bytes, what may be allocated between two looks for garbage, unless more than that is no garbage. */
const MOST_PART = 1 / 4;
const MOST = 512 * MIB;
/** A look that takes more than one part in so many of a thread's time comes too often. */
const PART = 16;

/** A look for garbage, in milliseconds and bytes. */
export interface Look {
  readonly took: number;
  /** From the end of the one before to its beginning. */
  readonly since: number;
  /** For what turned out to be no garbage. */
  readonly held: number;
}

/**
 * How many bytes are allocated before garbage is looked for. Pages that were used before are faster than new ones: a look is worth the time that the first
 * touch of as much memory takes. But pages stay warm once they were touched, and looks never end: while they take too much of the
 * time they come half as often, so that a program that goes on for long pays for neither.
 */
export class Interval {
  readonly #most: number;
  #own = LEAST;
  #held = 0;

  /** `limit`: of all memory. */
  constructor(limit: number) {
    this.#most = Math.min(MOST, limit * MOST_PART);
  }

  get bytes(): number {
    return Math.max(this.#own, this.#held);
  }

  looked({ took, since, held }: Look): void {
    this.#held = held;
    const before = this.#own;
    const next = took * PART > since ? 2 * before : before;
    this.#own = Math.max(LEAST, Math.min(this.#most, Math.max(next, took * TOUCHED_PER_MS)));
  }
}
