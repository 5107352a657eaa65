/**
 * Sorts records of 1 to 3 words by the first one or two of them (the least significant first), stably: digit by digit, from the last one on
 * (D. Knuth, "The Art of Computer Programming" 3, 5.2.5). Digits that are the same everywhere are left out.
 */

/** Up to so many records are inserted one after the other. */
const FEW = 24;
/** From so many records on, wide digits are worth their larger tables. */
const MANY = 4096;

const NARROW = { bits: 8, shifts: [0, 8, 16, 24] } as const;
const WIDE = { bits: 11, shifts: [0, 11, 22] } as const;

/** Sorts the records in `records`, with `spare` as long; gives the one of both that has them in order. */
export function radixSort(
  records: Uint32Array,
  spare: Uint32Array,
  count: number,
  words: 1 | 2 | 3,
  keyWords: 1 | 2,
): Uint32Array {
  if (count <= FEW) {
    insertionSort(records, count, words, keyWords);
    return records;
  }
  const { bits, shifts } = count < MANY ? NARROW : WIDE;
  const size = 1 << bits;
  const tables = countDigits(records, count, words, keyWords, bits, shifts.length);
  const move = MOVES[words - 1] as Move;
  let [from, to] = [records, spare];
  for (let digit = 0; digit < keyWords * shifts.length; digit++) {
    const table = tables.subarray(digit * size, (digit + 1) * size);
    const word = Math.floor(digit / shifts.length);
    const shift = shifts[digit % shifts.length] as number;
    if (table[((from[word] as number) >>> shift) & (size - 1)] === count) continue;
    for (let i = 0, next = 0; i < size; i++) {
      const own = table[i] as number;
      table[i] = next;
      next += own * words;
    }
    move(from, to, count, word, shift, size - 1, table);
    [from, to] = [to, from];
  }
  return from;
}

function countDigits(
  records: Uint32Array,
  count: number,
  words: number,
  keyWords: number,
  bits: number,
  digits: number,
): Uint32Array {
  const size = 1 << bits;
  const tables = new Uint32Array(keyWords * digits * size);
  const mask = size - 1;
  for (let word = 0; word < keyWords; word++) {
    const first = word * digits * size;
    if (digits === 3) {
      for (let i = 0, at = word; i < count; i++, at += words) {
        const key = records[at] as number;
        tables[first + (key & mask)]!++;
        tables[first + size + ((key >>> 11) & mask)]!++;
        tables[first + 2 * size + (key >>> 22)]!++;
      }
    } else {
      for (let i = 0, at = word; i < count; i++, at += words) {
        const key = records[at] as number;
        tables[first + (key & mask)]!++;
        tables[first + size + ((key >>> 8) & mask)]!++;
        tables[first + 2 * size + ((key >>> 16) & mask)]!++;
        tables[first + 3 * size + (key >>> 24)]!++;
      }
    }
  }
  return tables;
}

type Move = (
  from: Uint32Array,
  to: Uint32Array,
  count: number,
  word: number,
  shift: number,
  mask: number,
  next: Uint32Array,
) => void;

/** One for each size of records: a loop over their words in the innermost loop would cost as much as all the rest. */
const MOVES: readonly Move[] = [
  (from, to, count, _word, shift, mask, next) => {
    for (let at = 0; at < count; at++) {
      const key = from[at] as number;
      to[next[(key >>> shift) & mask]!++] = key;
    }
  },
  (from, to, count, word, shift, mask, next) => {
    for (let at = 0, end = 2 * count; at < end; at += 2) {
      const digit = ((from[at + word] as number) >>> shift) & mask;
      const place = next[digit] as number;
      next[digit] = place + 2;
      to[place] = from[at] as number;
      to[place + 1] = from[at + 1] as number;
    }
  },
  (from, to, count, word, shift, mask, next) => {
    for (let at = 0, end = 3 * count; at < end; at += 3) {
      const digit = ((from[at + word] as number) >>> shift) & mask;
      const place = next[digit] as number;
      next[digit] = place + 3;
      to[place] = from[at] as number;
      to[place + 1] = from[at + 1] as number;
      to[place + 2] = from[at + 2] as number;
    }
  },
];

function insertionSort(records: Uint32Array, count: number, words: number, keyWords: number): void {
  for (let i = 1; i < count; i++) {
    const own = i * words;
    const low = records[own] as number;
    const high = records[own + 1] as number;
    const third = records[own + 2] as number;
    let at = own;
    for (; at > 0; at -= words) {
      const before = records[at - words] as number;
      if (keyWords === 2) {
        const top = records[at - words + 1] as number;
        if (top < high || (top === high && before <= low)) break;
      } else if (before <= low) break;
      for (let word = 0; word < words; word++) records[at + word] = records[at - words + word] as number;
    }
    records[at] = low;
    if (words > 1) records[at + 1] = high;
    if (words > 2) records[at + 2] = third;
  }
}
