/**
 * The order in which a hash table of C++'s library gives its entries, for what prints them so. Integers are their own hashes; buckets are chains of one
 * list, which begins with the bucket that became occupied last, and which growing turns around.
 */

import { groupsOf, keysOf, ranksOf } from '../sql/keys.ts';
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
  const values = keysOf(keys.cells);
  const distinct = Array.from(first, (row) => BigInt.asUintN(64, BigInt(values[row]!)));
  return { first, order: orderOf(distinct) };
}

function orderOf(hashes: readonly bigint[]): Int32Array {
  const next = new Int32Array(hashes.length).fill(-1);
  // -1: nothing before an entry, which is the head of the list; `buckets` have the entry before their first one.
  let head = -1;
  let size = 1;
  let buckets = new Map<number, number>();
  const bucketOf = (entry: number): number => Number(hashes[entry]! % BigInt(size));
  const after = (entry: number): number => (entry < 0 ? head : next[entry]!);
  const link = (entry: number, behind: number): void => {
    next[entry] = after(behind);
    if (behind < 0) head = entry;
    else next[behind] = entry;
  };
  const put = (entry: number): void => {
    const bucket = bucketOf(entry);
    const before = buckets.get(bucket);
    if (before !== undefined) {
      link(entry, before);
      return;
    }
    link(entry, -1);
    if (next[entry]! >= 0) buckets.set(bucketOf(next[entry]!), entry);
    buckets.set(bucket, -1);
  };
  const grow = (): void => {
    const entries: number[] = [];
    for (let at = head; at >= 0; at = next[at]!) entries.push(at);
    size = SIZES.find((each) => each > size) ?? size * 2 + 1;
    buckets = new Map();
    head = -1;
    for (const entry of entries) put(entry);
  };
  hashes.forEach((_, entry) => {
    if (entry + 1 > (size === 1 ? 0 : size)) grow();
    put(entry);
  });
  const order: number[] = [];
  for (let at = head; at >= 0; at = next[at]!) order.push(at);
  return Int32Array.from(order);
}
