/** A wait on the core that lasted so long was somebody else's slice of it, and no answer. Milliseconds. */
const SLICE_MS = 0.5;
/** What an answer saves that came while its party was awake: a bell, and the time to get up. Milliseconds. */
const SAVED_MS = 0.05;
/** What it is worth that others were let go first, and took no more than a moment. Milliseconds. */
const HELPED_MS = 0.01;
/** What is forgiven with each chance that is not taken, in milliseconds: the core may be free by now. */
const FORGIVEN_MS = 0.01;
/** The most that is remembered of what was saved, and of what was lost. Milliseconds. */
const MOST_SAVED_MS = 5;
const MOST_LOST_MS = 50;

/**
 * Whether it pays for a party to stay awake while it has nothing to do, in milliseconds saved and lost. One that spins, or gives its core
 * to others and takes it again, saves a bell when its answer comes meanwhile. Where others have work for the same core (the
 * sockets of a server, its clients, more workers than cores), they keep it for a slice of milliseconds: until that is over the party hears
 * nothing, and nobody rings for it, since it is not asleep. A sleeper who is rung for, or whose socket has news, gets the core at once. So a lost slice
 * has to be made up for by answers, or by as many chances that were not taken.
 */
export class CoreLedger {
  #balance = 0;

  /** Says whether to stay awake; asked once for each chance. */
  affordable(): boolean {
    if (this.#balance >= 0) return true;
    this.#balance += FORGIVEN_MS;
    return false;
  }

  /** Something came while the party was awake. */
  answered(): void {
    this.#add(SAVED_MS);
  }

  /**
   * The core was given to others for `ms`; true when that was a slice of somebody who has work for it, and held up whatever else the
   * party's event loop has to do. Where it has nothing (`isWanted`, asked for long ones only), most such slices go to workers that compute what
   * the party waits for: nothing is lost.
   */
  gaveAway(ms: number, isWanted: () => boolean): boolean {
    const lost = ms >= SLICE_MS && isWanted();
    if (lost) this.#add(-ms);
    return lost;
  }

  /** Others were let go first before the party goes to sleep, which took no more than a moment. */
  helped(): void {
    this.#add(HELPED_MS);
  }

  #add(ms: number): void {
    this.#balance = Math.min(MOST_SAVED_MS, Math.max(-MOST_LOST_MS, this.#balance + ms));
  }
}
