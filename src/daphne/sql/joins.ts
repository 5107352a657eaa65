import { NumberCodes } from '../values/number-codes.ts';
import { alike, stringsOf, type TextCells, Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';
import { type Cells, compareKeys, integerRange, type Key, keysOf, type Range } from './keys.ts';

/** Pairs of rows, by their positions on both sides. -1: none, where rows without a partner stay. */
export interface Pairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export interface Condition {
  readonly left: Column;
  readonly comparison: Comparison;
  readonly right: Column;
}

interface Index {
  /** The first row with a key; -1: there is none. NaN equals nothing, itself included. */
  firstOf(key: Key): number;
  /** For each row the next one with the same key: -1 ends a chain. */
  readonly next: Int32Array;
}

function indexOf(keys: ArrayLike<Key>): Index {
  if (ArrayBuffer.isView(keys)) return indexOfNumbers(keys as Float64Array);
  const firstOf = new Map<Key, number>();
  const next = new Int32Array(keys.length);
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i]!;
    next[i] = firstOf.get(key) ?? -1;
    if (!Number.isNaN(key)) firstOf.set(key, i);
  }
  return { firstOf: (key) => firstOf.get(key) ?? -1, next };
}

function indexOfNumbers(keys: Float64Array): Index {
  const range = integerRange(keys);
  if (range !== undefined) return indexOfRange(keys, range);
  const codes = new NumberCodes();
  const [first, next] = [new Int32Array(keys.length).fill(-1), new Int32Array(keys.length)];
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i]!;
    if (Number.isNaN(key)) continue;
    const code = codes.add(key);
    next[i] = first[code]!;
    first[code] = i;
  }
  const firstOf = (key: Key): number => {
    const code = typeof key === 'number' ? codes.find(key) : -1;
    return code < 0 ? -1 : first[code]!;
  };
  return { firstOf, next };
}

/** Integers that lie close together are places in a list. */
function indexOfRange(keys: Float64Array, { least, count }: Range): Index {
  const [first, next] = [new Int32Array(count).fill(-1), new Int32Array(keys.length)];
  for (let i = keys.length - 1; i >= 0; i--) {
    const place = keys[i]! - least;
    next[i] = first[place]!;
    first[place] = i;
  }
  const firstOf = (key: Key): number => {
    const place = typeof key === 'number' ? key - least : -1;
    // Between integers there is nothing.
    return place >= 0 && place < count ? (first[place] ?? -1) : -1;
  };
  return { firstOf, next };
}

/** A list of numbers that grows. */
class Positions {
  #room = new Int32Array(1024);
  #length = 0;

  push(position: number): void {
    if (this.#length === this.#room.length) {
      const more = new Int32Array(this.#length * 2);
      more.set(this.#room);
      this.#room = more;
    }
    this.#room[this.#length++] = position;
  }

  all(): Int32Array {
    return this.#room.subarray(0, this.#length);
  }
}

/** Keys of both sides, which are compared with each other. */
function keysOfBoth(left: Cells, right: Cells): [ArrayLike<Key>, ArrayLike<Key>] {
  if (left instanceof Texts && right instanceof Texts) {
    const [a, b] = alike(left, right);
    return [a.codes, b.codes];
  }
  const isMixed = left instanceof Texts || right instanceof Texts;
  return isMixed ? [stringsOf(left as TextCells), stringsOf(right as TextCells)] : [keysOf(left), keysOf(right)];
}

/** Rows with equal keys: by the left side's order, then the right one's. `keepLeft`: with those that have no partner. */
export function equalPairs(leftCells: Cells, rightCells: Cells, keepLeft = false): Pairs {
  const [keys, others] = keysOfBoth(leftCells, rightCells);
  const { firstOf, next } = indexOf(others);
  const [left, right] = [new Positions(), new Positions()];
  for (let i = 0; i < keys.length; i++) {
    let at = firstOf(keys[i]!);
    if (at < 0 && keepLeft) {
      left.push(i);
      right.push(-1);
    }
    for (; at >= 0; at = next[at]!) {
      left.push(i);
      right.push(at);
    }
  }
  return { left: left.all(), right: right.all() };
}

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Whether a condition holds for two rows. */
function tested({ left, comparison, right }: Condition): (i: number, j: number) => boolean {
  const [a, b] = keysOfBoth(left.cells, right.cells);
  const holds = HOLDS[comparison];
  return (i, j) => {
    const [x, y] = [a[i]!, b[j]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return comparison === '<>';
    return holds(compareKeys(x, y));
  };
}

/** Pairs of rows for which all conditions hold; without any, all pairs. */
export function thetaPairs(conditions: readonly Condition[], leftRows: number, rightRows: number): Pairs {
  const equal = conditions.find(({ comparison }) => comparison === '=');
  const tests = conditions.filter((each) => each !== equal).map(tested);
  if (equal !== undefined) {
    const pairs = equalPairs(equal.left.cells, equal.right.cells);
    return tests.length === 0 ? pairs : filtered(pairs, tests);
  }
  if (tests.length === 0) return allPairs(leftRows, rightRows);
  const [left, right] = [new Positions(), new Positions()];
  for (let i = 0; i < leftRows; i++)
    for (let j = 0; j < rightRows; j++) {
      if (!tests.every((test) => test(i, j))) continue;
      left.push(i);
      right.push(j);
    }
  return { left: left.all(), right: right.all() };
}

function filtered(pairs: Pairs, tests: readonly ((i: number, j: number) => boolean)[]): Pairs {
  const [left, right] = [new Positions(), new Positions()];
  pairs.left.forEach((i, at) => {
    const j = pairs.right[at]!;
    if (!tests.every((test) => test(i, j))) return;
    left.push(i);
    right.push(j);
  });
  return { left: left.all(), right: right.all() };
}

export function allPairs(leftRows: number, rightRows: number): Pairs {
  const [left, right] = [new Int32Array(leftRows * rightRows), new Int32Array(leftRows * rightRows)];
  for (let i = 0, at = 0; i < leftRows; i++)
    for (let j = 0; j < rightRows; j++, at++) {
      left[at] = i;
      right[at] = j;
    }
  return { left, right };
}

/** Which rows on the left have a partner on the right (`wanted`), or have none. */
export function rowsWithPartner(leftCells: Cells, rightCells: Cells, wanted: boolean): Int32Array {
  const [keys, others] = keysOfBoth(leftCells, rightCells);
  const { firstOf } = indexOf(others);
  const rows = new Positions();
  for (let i = 0; i < keys.length; i++) if (firstOf(keys[i]!) >= 0 === wanted) rows.push(i);
  return rows.all();
}
