/**
 * The order in which a hash table of C++'s library gives its entries, for what prints them so. Integers are their own hashes; buckets are chains of one
 * list, which begins with the bucket that became occupied last, and which growing turns around.
 */

import { groupsOf, ranksOf } from '../sql/keys.ts';
import type { Column } from '../values/values.ts';

/** The sizes that a table has, one after the other, while it grows one by one. Each is a prime, and about twice the one before. */
const SIZES = [
  13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153, 2938679,
  5967347, 12117689, 24607243, 49969847,
];

/**
 * One row of each key (its first), and these rows' positions in that list in the order of a hash table into which they were put one after the other.
 * Keys that are no integers stay in the order in which they come.
 */
export function emplacedOrder(keys: Column): { first: Int32Array; order: Int32Array } {
  const groups = groupsOf([ranksOf(keys.cells)], keys.cells.length);
  const first = groups.first.slice().sort();
  const isHashed = keys.value === 'si64' || keys.value === 'ui64' || keys.value === 'size';
  if (!isHashed) return { first, order: Int32Array.from(first, (_, i) => i) };
  const words = wordsOf(keys.cells as BigInt64Array, first);
  return { first, order: orderOf(words) };
}

/** Numbers of 64 bits without a sign, as halves. */
interface Words {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

function wordsOf(cells: BigInt64Array, rows: Int32Array): Words {
  const halves = new Uint32Array(cells.buffer, cells.byteOffset, 2 * cells.length);
  const [low, high] = [new Uint32Array(rows.length), new Uint32Array(rows.length)];
  for (let i = 0; i < rows.length; i++) {
    low[i] = halves[2 * rows[i]!]!;
    high[i] = halves[2 * rows[i]! + 1]!;
  }
  return { low, high };
}

const NONE = -2;

function orderOf({ low, high }: Words): Int32Array {
  const count = low.length;
  const next = new Int32Array(count).fill(-1);
  // -1: nothing before an entry, which is the head of the list; `buckets` have the entry before their first one.
  let head = -1;
  let size = 1;
  let buckets = new Int32Array(size).fill(NONE);
  // Exact, since sizes are below 2**26.
  const bucketOf = (entry: number): number => ((high[entry]! % size) * (2 ** 32 % size) + low[entry]!) % size;
  const put = (entry: number): void => {
    const bucket = bucketOf(entry);
    const before = buckets[bucket]!;
    if (before >= 0) {
      next[entry] = next[before]!;
      next[before] = entry;
      return;
    }
    next[entry] = head;
    head = entry;
    if (before === -1) return;
    if (next[entry]! >= 0) buckets[bucketOf(next[entry]!)] = entry;
    buckets[bucket] = -1;
  };
  const grow = (): void => {
    const entries = listed();
    size = SIZES.find((each) => each > size) ?? size * 2 + 1;
    buckets = new Int32Array(size).fill(NONE);
    head = -1;
    for (const entry of entries) put(entry);
  };
  let length = 0;
  const listed = (): Int32Array => {
    const entries = new Int32Array(length);
    for (let at = head, i = 0; at >= 0; at = next[at]!) entries[i++] = at;
    return entries;
  };
  for (; length < count; length++) {
    if (length + 1 > (size === 1 ? 0 : size)) grow();
    put(length);
  }
  return listed();
}
