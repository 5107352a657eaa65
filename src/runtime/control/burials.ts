import type { Member } from './members.ts';

/** A party that is gone, until everybody has taken in what it had sent. */
interface Burial {
  readonly dead: Member;
  readonly mourners: Set<number>;
}

/** A task that gives its event loop no turn may go on for so long after its caller has died. */
const ORPHAN_GRACE_MS = 500;

/**
 * The barrier after a death: nothing that the dead party held, and not its number, goes to anybody before every mourner
 * has said that it has taken in what the dead party had sent to it.
 */
export class Burials {
  readonly #over: (dead: Member) => void;
  readonly #overdue: (dead: Member, mourners: Iterable<number>) => void;
  readonly #open = new Map<number, Burial>();

  /** `over` hears of each burial that has come to its end, `overdue` who holds one up after a moment. */
  constructor(over: (dead: Member) => void, overdue: (dead: Member, mourners: Iterable<number>) => void) {
    this.#over = over;
    this.#overdue = overdue;
  }

  begin(dead: Member, mourners: Set<number>): void {
    const burial: Burial = { dead, mourners };
    this.#open.set(dead.party, burial);
    setTimeout(() => {
      if (this.#open.get(dead.party) === burial) this.#overdue(dead, mourners);
    }, ORPHAN_GRACE_MS).unref();
  }

  /** `by` has taken in what this party had sent. */
  said(party: number, incarnation: number, by: number): void {
    const burial = this.#open.get(party);
    if (burial?.dead.incarnation === incarnation) this.#mourned(burial, by);
  }

  /** A party that has gone itself says nothing any more; this also ends burials that have nobody to wait for. */
  excuse(party: number): void {
    for (const burial of [...this.#open.values()]) this.#mourned(burial, party);
  }

  #mourned(burial: Burial, by: number): void {
    burial.mourners.delete(by);
    if (burial.mourners.size > 0) return;
    this.#open.delete(burial.dead.party);
    this.#over(burial.dead);
  }
}
