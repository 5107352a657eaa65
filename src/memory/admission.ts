import { P_ADMITTED, P_WAITING, partyWord } from './layout.ts';
import { pagesOf } from './residence.ts';
import type { Table } from './table.ts';

/** The arguments of running tasks take this part of the store at most. */
const PART = 0.7;

/**
 * Which tasks may begin, by what their arguments take in shared memory: all that run at the same time are given a part of it,
 * so that what one needs is not what keeps the others from having theirs.
 */
export class Admission {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Whether a task may begin now whose arguments take `bytes`. The first one always may. `all`: those that wait for others
   * count as well; not so for what they may be waiting for.
   */
  admit(bytes: number, all: boolean): boolean {
    const table = this.#table;
    const pages = pagesOf(bytes);
    return table.locked(() => {
      const sum = this.#sumOf(P_ADMITTED) + (all ? this.#sumOf(P_WAITING) : 0);
      if (sum > 0 && sum + pages > table.layout.pages * PART) return false;
      this.#add(P_ADMITTED, pages);
      return true;
    });
  }

  /** All that has been admitted waits. */
  get standsStill(): boolean {
    return this.#sumOf(P_ADMITTED) === 0;
  }

  /** A task that was admitted has ended. */
  dismiss(bytes: number): void {
    this.#add(P_ADMITTED, -pagesOf(bytes));
  }

  /** It begins to wait for others (1), or goes on (-1). */
  waits(bytes: number, sign: 1 | -1): void {
    const pages = sign * pagesOf(bytes);
    this.#add(P_WAITING, pages);
    this.#add(P_ADMITTED, -pages);
  }

  #add(field: number, pages: number): void {
    const { words, layout, party } = this.#table;
    Atomics.add(words, partyWord(layout, party, field), pages);
  }

  #sumOf(field: number): number {
    const { words, layout } = this.#table;
    let sum = 0;
    for (let party = 0; party < layout.parties; party++) sum += Atomics.load(words, partyWord(layout, party, field));
    return sum;
  }
}
