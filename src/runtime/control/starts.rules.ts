/** After so many workers in a row that ended before they were ready, it is no accident. */
const FAILED_STARTS = 3;
/** From then on a pause before each further start, doubling up to some half a minute, in milliseconds. */
const PAUSE_MS = 100;
const MOST_DOUBLINGS = 8;
/** Without any worker nobody tries again before so many milliseconds have passed. */
const TRY_AGAIN_MS = 5000;

/**
 * What to do when workers end before they are ready. While others go on, further starts come ever more rarely. Without any, what
 * is asked for is refused, so that nobody waits for a worker that will never come; after a while one more is tried.
 */
export class Starts {
  #failed = 0;
  #refused: { readonly reason: string; readonly until: number } | undefined;

  /** A worker is ready. */
  succeeded(): void {
    this.#failed = 0;
    this.#refused = undefined;
  }

  /** A worker has ended before it was ready. Returns why everything is refused from now on, if it is. */
  failed(why: string, others: boolean, now: number): string | undefined {
    this.#failed++;
    if (this.#failed < FAILED_STARTS || others) return undefined;
    const reason = `${this.#failed} workers in a row ended before they were ready, the last one because ${why}`;
    this.#refused = { reason, until: now + TRY_AGAIN_MS };
    return reason;
  }

  /** Why a demand is refused now; undefined when it is not. */
  refusal(now: number): string | undefined {
    if (this.#refused === undefined) return undefined;
    if (now < this.#refused.until) return this.#refused.reason;
    // What was in the way may be gone. Should this start fail as well, all is refused again.
    this.#refused = undefined;
    this.#failed = FAILED_STARTS - 1;
    return undefined;
  }

  /** Milliseconds to wait before the next start. */
  get pause(): number {
    if (this.#failed < FAILED_STARTS) return 0;
    return PAUSE_MS * 2 ** Math.min(this.#failed - FAILED_STARTS, MOST_DOUBLINGS);
  }
}
