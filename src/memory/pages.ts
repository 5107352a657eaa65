import { clearBits, countBits, eachRun, findRun, lastRun, ones, type Pick, setBits } from './bitmap.ts';
import { H_BUSY, H_FREE, H_LOW, H_WARM, H_WARM_LIMIT, type Layout } from './layout.ts';

/**
 * Which pages are free, and which of those are warm: present in memory, since the first touch of a page costs far more than
 * filling it does. All but the bits of touched pages is derived from the slots. Used under the lock of the table, but for
 * what is only looked at.
 */
export class Pages {
  readonly #words: Int32Array;
  readonly #layout: Layout;
  readonly #free: Pick;
  readonly #warm: Pick;

  constructor(words: Int32Array, layout: Layout) {
    this.#words = words;
    this.#layout = layout;
    const { freeAt, touchedAt } = layout;
    this.#free = (w) => words[freeAt + w]!;
    this.#warm = (w) => words[freeAt + w]! & words[touchedAt + w]!;
  }

  get free(): number {
    return Atomics.load(this.#words, H_FREE);
  }

  get warm(): number {
    return Atomics.load(this.#words, H_WARM);
  }

  /** In the hands of `trim`. */
  get busy(): number {
    return Atomics.load(this.#words, H_BUSY);
  }

  /** Warm pages above the limit of what is kept so. */
  get surplus(): number {
    return Math.max(0, this.#words[H_WARM]! - this.#words[H_WARM_LIMIT]!);
  }

  get largestFree(): number {
    let largest = 0;
    eachRun(this.#free, this.#words[H_LOW]!, this.#layout.bitmapWords, (start, end) => {
      largest = Math.max(largest, end - start);
      return false;
    });
    return largest;
  }

  /** The first of `n` adjacent free pages, warm ones if there are; -1 without them. */
  find(n: number): number {
    const words = this.#words;
    const { bitmapWords } = this.#layout;
    if (words[H_FREE]! < n) return -1;
    const from = words[H_LOW]!;
    const start = words[H_WARM]! >= n ? findRun(this.#warm, from, bitmapWords, n) : -1;
    return start >= 0 ? start : findRun(this.#free, from, bitmapWords, n);
  }

  /** The last warm pages that are adjacent, at most `most`. */
  lastWarm(most: number): [start: number, end: number] | undefined {
    return lastRun(this.#warm, this.#layout.bitmapWords, most);
  }

  /** Part of the truth, and to be done before anybody touches the pages. Returns how many of them were warm. */
  touch(start: number, end: number): number {
    const { touchedAt } = this.#layout;
    const warm = countBits(this.#words, touchedAt, start, end);
    setBits(this.#words, touchedAt, start, end);
    return warm;
  }

  /** They have been given back to the system. */
  cool(start: number, end: number): void {
    clearBits(this.#words, this.#layout.touchedAt, start, end);
  }

  /** They have an owner, of whom `touch` was said that so many were warm. */
  take(start: number, end: number, warm: number): void {
    const words = this.#words;
    const { freeAt, bitmapWords } = this.#layout;
    clearBits(words, freeAt, start, end);
    words[H_FREE]! -= end - start;
    words[H_WARM]! -= warm;
    while (words[H_LOW]! < bitmapWords && words[freeAt + words[H_LOW]!] === 0) words[H_LOW]!++;
  }

  /** They have none any more. */
  giveBack(start: number, end: number): void {
    const words = this.#words;
    setBits(words, this.#layout.freeAt, start, end);
    words[H_FREE]! += end - start;
    words[H_WARM]! += countBits(words, this.#layout.touchedAt, start, end);
    words[H_LOW] = Math.min(words[H_LOW]!, start >>> 5);
  }

  /** Derives everything anew; `owned` calls back with what has an owner. */
  rebuild(owned: (take: (start: number, end: number) => void) => void): void {
    const words = this.#words;
    const { freeAt, bitmapWords, pages } = this.#layout;
    words.fill(0, freeAt, freeAt + bitmapWords);
    setBits(words, freeAt, 0, pages);
    owned((start, end) => clearBits(words, freeAt, start, end));
    let warm = 0;
    for (let w = 0; w < bitmapWords; w++) warm += ones(this.#warm(w));
    words[H_FREE] = countBits(words, freeAt, 0, pages);
    words[H_WARM] = warm;
    words[H_LOW] = 0;
  }
}
