import { REGION_PAGES } from './layout.ts';

// Bitmaps of pages, 32 to a word, lowest bit first. `at` is where a bitmap begins in the table.

const REGION_WORDS_MASK = REGION_PAGES / 32 - 1;

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

export function ones(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The bits of word `w` that lie in the pages [start, end). */
function maskOf(w: number, start: number, end: number): number {
  const low = Math.max(start - w * 32, 0);
  const high = Math.min(end - w * 32, 32);
  const upTo = high === 32 ? -1 : (1 << high) - 1;
  return upTo & (-1 << low);
}

export function setBits(words: Int32Array, at: number, start: number, end: number): void {
  for (let w = start >>> 5; w * 32 < end; w++) Atomics.or(words, at + w, maskOf(w, start, end));
}

export function clearBits(words: Int32Array, at: number, start: number, end: number): void {
  for (let w = start >>> 5; w * 32 < end; w++) Atomics.and(words, at + w, ~maskOf(w, start, end));
}

/** How many pages of [start, end) have their bit set. */
export function countBits(words: Int32Array, at: number, start: number, end: number): number {
  let n = 0;
  for (let w = start >>> 5; w * 32 < end; w++) n += ones(words[at + w]! & maskOf(w, start, end));
  return n;
}

/** Which pages a search looks at, one word at a time. */
export type Pick = (w: number) => number;

/** Calls `found(start, end)` for every run of picked pages within a region, in order, until it answers true. */
export function eachRun(
  pick: Pick,
  from: number,
  bitmapWords: number,
  found: (start: number, end: number) => boolean,
): void {
  let start = 0;
  let end = 0;
  for (let w = from; w < bitmapWords; w++) {
    if ((w & REGION_WORDS_MASK) === 0 && end > start) {
      if (found(start, end)) return;
      start = end = 0;
    }
    const bits = pick(w);
    let pos = 0;
    while (pos < 32) {
      const rest = bits >>> pos;
      const skip = rest === 0 ? 32 - pos : trailingZeros(rest);
      if (skip > 0) {
        if (end > start && found(start, end)) return;
        start = end = 0;
        pos += skip;
        continue;
      }
      const inverted = ~rest;
      const length = inverted === 0 ? 32 : trailingZeros(inverted);
      if (end === start) start = w * 32 + pos;
      end = w * 32 + pos + length;
      pos += length;
    }
  }
  if (end > start) found(start, end);
}

/** Where in the word the first `n` adjacent ones begin, n < 32; -1 without them. */
function onesWithin(bits: number, n: number): number {
  // After each step bit i says that the `have` bits from i on are ones.
  let x = bits;
  for (let have = 1; have < n && x !== 0; ) {
    const shift = Math.min(have, n - have);
    x &= x >>> shift;
    have += shift;
  }
  return x === 0 ? -1 : trailingZeros(x);
}

/** The first page of the first run of `n` picked pages within a region, from word `from` on; -1 without one. */
export function findRun(pick: Pick, from: number, bitmapWords: number, n: number): number {
  // The picked pages right before word w.
  let run = 0;
  for (let w = from; w < bitmapWords; w++) {
    if ((w & REGION_WORDS_MASK) === 0) run = 0;
    const bits = pick(w);
    if (bits === 0) {
      run = 0;
    } else if (bits === -1) {
      run += 32;
      if (run >= n) return (w + 1) * 32 - run;
    } else {
      if (run + trailingZeros(~bits) >= n) return w * 32 - run;
      const at = n < 32 ? onesWithin(bits, n) : -1;
      if (at >= 0) return w * 32 + at;
      run = Math.clz32(~bits);
    }
  }
  return -1;
}

/** The last run of picked pages within a region, cut to its last `most` pages, as [start, end); undefined without one. */
export function lastRun(pick: Pick, bitmapWords: number, most: number): [start: number, end: number] | undefined {
  for (let w = bitmapWords - 1; w >= 0; w--) {
    const bits = pick(w);
    if (bits === 0) continue;
    const end = w * 32 + 32 - Math.clz32(bits);
    const floor = Math.max(end - most, Math.floor((end - 1) / REGION_PAGES) * REGION_PAGES);
    let start = end - 1;
    while (start > floor && (pick((start - 1) >>> 5) & (1 << ((start - 1) & 31))) !== 0) start--;
    return [start, end];
  }
  return undefined;
}
