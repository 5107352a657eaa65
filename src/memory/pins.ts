import { type Layout, S_PINS } from './layout.ts';

/** Which set of bits: who holds the object, or who needs its bytes in memory. */
export type PinKind = 0 | 1;
export const HOLD = 0;
export const USE = 1;

/**
 * The pins of the slots: one bit per party and kind, set and cleared without a lock. An object exists as long as one of
 * either kind is set, and stays in memory as long as one is that says that it is used. `slot` is the first word of a slot.
 */
export class Pins {
  readonly #words: Int32Array;
  readonly #pinWords: number;

  constructor(words: Int32Array, layout: Layout) {
    this.#words = words;
    this.#pinWords = layout.pinWords;
  }

  #word(slot: number, kind: PinKind, party: number): number {
    return slot + S_PINS + kind * this.#pinWords + (party >>> 5);
  }

  set(slot: number, kind: PinKind, party: number): void {
    Atomics.or(this.#words, this.#word(slot, kind, party), 1 << (party & 31));
  }

  clear(slot: number, kind: PinKind, party: number): void {
    Atomics.and(this.#words, this.#word(slot, kind, party), ~(1 << (party & 31)));
  }

  has(slot: number, kind: PinKind, party: number): boolean {
    return (Atomics.load(this.#words, this.#word(slot, kind, party)) & (1 << (party & 31))) !== 0;
  }

  /** Whether anybody has pinned it. */
  any(slot: number): boolean {
    return this.#anyOf(slot + S_PINS, 2 * this.#pinWords);
  }

  /** Whether anybody uses it. */
  anyUse(slot: number): boolean {
    return this.#anyOf(slot + S_PINS + this.#pinWords, this.#pinWords);
  }

  /** Whether anybody but `party` does. */
  othersUse(slot: number, party: number): boolean {
    const first = slot + S_PINS + this.#pinWords;
    for (let i = 0; i < this.#pinWords; i++) {
      const own = i === party >>> 5 ? 1 << (party & 31) : 0;
      if ((Atomics.load(this.#words, first + i) & ~own) !== 0) return true;
    }
    return false;
  }

  none(slot: number): void {
    for (let i = 0; i < 2 * this.#pinWords; i++) Atomics.store(this.#words, slot + S_PINS + i, 0);
  }

  #anyOf(first: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (Atomics.load(this.#words, first + i) !== 0) return true;
    return false;
  }
}
