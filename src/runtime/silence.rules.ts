/**
 * When a wait explains itself: once, when nothing has come in for long. It is looked at a few times in that span, so that
 * nothing has to be done when something does come in. Milliseconds of the host's clock.
 */
export class Silence {
  readonly #after: number;
  #progress = 0;
  #since = 0;
  #told = false;

  /** `after`: so long a silence is told of; 0: none is. */
  constructor(after: number) {
    this.#after = after;
  }

  /** When to look next, after a look; undefined: never. */
  get pause(): number | undefined {
    return this.#after === 0 ? undefined : this.#after / 4;
  }

  /** Somebody begins to wait, who did not before: what was silent until then was not waited for. */
  begin(now: number, progress: number): void {
    this.#progress = progress;
    this.#since = now;
    this.#told = false;
  }

  /**
   * A look at a count of all that has come in. Returns how long nothing has, when that is to be told of now. What was seen to
   * have come since the last look may have come right after it: a silence is never taken for longer than it is.
   */
  look(now: number, progress: number): number | undefined {
    if (progress !== this.#progress) {
      this.begin(now, progress);
      return undefined;
    }
    const silent = now - this.#since;
    if (this.#told || this.#after === 0 || silent < this.#after) return undefined;
    this.#told = true;
    return silent;
  }
}
