/** Keys of rows as small numbers in their order, by which rows are grouped without looking at the keys again. */

import { exactNumbers, integerOf, isWideCells } from '../values/integers.ts';
import { NumberCodes } from '../values/number-codes.ts';
import { compareTexts, Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';

export type Cells = Column['cells'];
export type Key = number | bigint | string;

/** The rank of each row's key; ranks are below `count`, and not all of them need to occur. */
export interface Ranks {
  readonly ranks: Int32Array;
  readonly count: number;
}

/** What equal keys are equal in, in the order that cells have: texts by their codes, integers of 64 bits as numbers where these are exact, the way values have them. */
export function keysOf(cells: Cells): ArrayLike<Key> {
  if (cells instanceof Texts) return cells.codes;
  if (!ArrayBuffer.isView(cells)) return cells;
  if (!isWideCells(cells)) return cells as ArrayLike<number>;
  return exactNumbers(cells) ?? Array.from(cells as BigInt64Array, integerOf);
}

/** Ranks of columns that frames have: queries group by the same ones again. */
const known = new WeakMap<object, Ranks>();

export const isRanked = (cells: Cells): boolean => cells instanceof Texts || known.has(cells);

export function ranksOf(cells: Cells): Ranks {
  if (cells instanceof Texts) return { ranks: cells.codes, count: cells.words.length };
  let ranks = known.get(cells);
  if (ranks === undefined) {
    ranks = ranked(keysOf(cells));
    known.set(cells, ranks);
  }
  return ranks;
}

function ranked(keys: ArrayLike<Key>): Ranks {
  return byRange(keys) ?? byValue(keys);
}

/** From the least one, `count` integers. */
export interface Range {
  readonly least: number;
  readonly count: number;
}

/** Undefined: not all of them are integers, or these are more than `most` apart. */
export function integerRange(numbers: Float64Array, most = numbers.length * 2 + 1024): Range | undefined {
  if (numbers.length === 0) return { least: 0, count: 0 };
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    const key = numbers[i]!;
    if (key !== Math.floor(key)) return undefined;
    if (key < least) least = key;
    if (key > greatest) greatest = key;
  }
  const count = greatest - least + 1;
  return count <= most ? { least, count } : undefined;
}

/** Integers that lie close together are their own ranks. */
function byRange(keys: ArrayLike<Key>): Ranks | undefined {
  const numbers = keys as Float64Array;
  const range = ArrayBuffer.isView(keys) ? integerRange(numbers) : undefined;
  if (range === undefined) return undefined;
  const { least, count } = range;
  const ranks = new Int32Array(numbers.length);
  for (let i = 0; i < ranks.length; i++) ranks[i] = numbers[i]! - least;
  return { ranks, count };
}

function byValue(keys: ArrayLike<Key>): Ranks {
  if (ArrayBuffer.isView(keys)) return byNumber(keys as Float64Array);
  const ranks = new Int32Array(keys.length);
  const codes = new Map<Key, number>();
  for (let i = 0; i < ranks.length; i++) {
    const key = keys[i]!;
    let code = codes.get(key);
    if (code === undefined) {
      code = codes.size;
      codes.set(key, code);
    }
    ranks[i] = code;
  }
  const rankOf = new Int32Array(codes.size);
  const sorted = [...codes.keys()].sort(compareKeys);
  for (let rank = 0; rank < sorted.length; rank++) rankOf[codes.get(sorted[rank]!)!] = rank;
  for (let i = 0; i < ranks.length; i++) ranks[i] = rankOf[ranks[i]!]!;
  return { ranks, count: sorted.length };
}

function byNumber(keys: Float64Array): Ranks {
  const codes = new NumberCodes();
  const ranks = new Int32Array(keys.length);
  for (let i = 0; i < ranks.length; i++) ranks[i] = codes.add(keys[i]!);
  const { rankOf } = numbersInOrder(codes);
  for (let i = 0; i < ranks.length; i++) ranks[i] = rankOf[ranks[i]!]!;
  return { ranks, count: codes.size };
}

/** Numbers, ascending, NaN as the last one; and the rank of each code. */
export function numbersInOrder(codes: NumberCodes): { sorted: Float64Array; rankOf: Int32Array } {
  const sorted = codes.keys().slice().sort();
  const rankOf = new Int32Array(sorted.length);
  for (let rank = 0; rank < sorted.length; rank++) rankOf[codes.find(sorted[rank]!)] = rank;
  return { sorted, rankOf };
}

/** Less than 0, 0, or more: NaN comes last. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === 'string') return compareTexts(a, b as string);
  const [left, right] = [a as number | bigint, b as number | bigint];
  if (left < right) return -1;
  if (left > right) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** The group of each row, and one row of each group: its first. Groups are numbered in the order of their keys. */
export interface Groups {
  readonly ids: Int32Array;
  readonly count: number;
  readonly first: Int32Array;
}

/** Groups of rows that are equal in all of some keys, the first of which orders them first. */
export function groupsOf(keys: readonly Ranks[], rows: number): Groups {
  let all: Ranks = { ranks: new Int32Array(rows), count: 1 };
  for (const [i, next] of keys.entries()) all = i === 0 ? next : combined(all, next);
  return numbered(all);
}

/** Ranks of pairs. */
function combined(a: Ranks, b: Ranks): Ranks {
  const rows = a.ranks.length;
  // Some of the pairs do not occur: with those left out there are no more than rows.
  const [left, right] = a.count * b.count > 2 ** 31 - 1 ? [dense(a), dense(b)] : [a, b];
  const width = right.count;
  if (left.count * width <= 2 ** 31 - 1) {
    const ranks = new Int32Array(rows);
    for (let i = 0; i < rows; i++) ranks[i] = left.ranks[i]! * width + right.ranks[i]!;
    return { ranks, count: left.count * width };
  }
  const pairs = new Float64Array(rows);
  for (let i = 0; i < rows; i++) pairs[i] = left.ranks[i]! * width + right.ranks[i]!;
  return byValue(pairs);
}

function dense(given: Ranks): Ranks {
  const { ids, count } = numbered(given);
  return { ranks: ids, count };
}

function numbered({ ranks, count }: Ranks): Groups {
  const rows = ranks.length;
  if (count > rows * 8 + 65_536) return numbered(byValue(ranks));
  const first = new Int32Array(count).fill(-1);
  for (let i = rows - 1; i >= 0; i--) first[ranks[i]!] = i;
  const idOf = new Int32Array(count);
  let groups = 0;
  for (let rank = 0; rank < count; rank++) {
    if (first[rank]! < 0) continue;
    idOf[rank] = groups;
    first[groups++] = first[rank]!;
  }
  const ids = groups === count ? ranks : new Int32Array(rows);
  if (ids !== ranks) for (let i = 0; i < rows; i++) ids[i] = idOf[ranks[i]!]!;
  return { ids, count: groups, first: first.subarray(0, groups) };
}

/** Positions of rows, sorted by several columns; rows that are equal in all of them keep their order. */
export function sortedRows(
  columns: readonly { readonly cells: Cells; readonly ascending: boolean }[],
  rows: number,
): Int32Array {
  let sorted: Int32Array = Int32Array.from({ length: rows }, (_, i) => i);
  // By the last column first: what is equal in one before stays as it is.
  for (const { cells, ascending } of columns.toReversed()) sorted = sortedBy(ranksOf(cells), ascending, sorted);
  return sorted;
}

/** Rows by how many others have lower ranks. */
function sortedBy({ ranks, count }: Ranks, ascending: boolean, rows: Int32Array): Int32Array {
  const [last, step] = ascending ? [0, 1] : [count - 1, -1];
  const starts = new Int32Array(count + 1);
  for (let i = 0; i < rows.length; i++) starts[last + step * ranks[i]! + 1]!++;
  for (let rank = 0; rank < count; rank++) starts[rank + 1] = starts[rank]! + starts[rank + 1]!;
  const sorted = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    sorted[starts[last + step * ranks[row]!]!++] = row;
  }
  return sorted;
}
