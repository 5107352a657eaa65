/** Aggregates of groups of rows. */

import { DTYPES } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import { ELEMENT_TYPES, isFloat, isWide, type ValueType } from '../types.ts';
import { gather, roomFor } from '../values/frames.ts';
import { exactNumbers, wideCells } from '../values/integers.ts';
import { stringsOf, type TextCells, Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';
import { type Cells, compareKeys, type Groups, keysOf } from './keys.ts';

export const AGGREGATES = ['count', 'sum', 'min', 'max', 'avg'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** The type of an aggregate of cells of a type. */
export function aggregateType(aggregate: Aggregate, value: ValueType): ValueType {
  if (aggregate === 'count') return 'si64';
  return aggregate === 'avg' ? 'f64' : value;
}

type Values = Pick<Column, 'value' | 'cells'>;

/** One value for each group, of the type that `aggregateType` says. */
export function aggregated(aggregate: Aggregate, column: Values, groups: Groups): Cells {
  if (aggregate === 'count') return wideCells(counts(groups), new BigInt64Array(groups.count));
  if (aggregate === 'min' || aggregate === 'max') return extremes(column, groups, aggregate === 'min' ? -1 : 1);
  if (column.value === 'str') throw new RunError(`${aggregate} takes numbers, and these are strings`);
  return aggregate === 'sum'
    ? sums(column.value, column.cells as Numbers, groups)
    : means(column.cells as Numbers, groups);
}

type Numbers = Exclude<Cells, TextCells>;

function counts({ ids, count }: Groups): Float64Array {
  const counts = new Float64Array(count);
  for (let i = 0; i < ids.length; i++) counts[ids[i]!]!++;
  return counts;
}

const isExact = (number: number): boolean => number >= -Number.MAX_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER;

function sums(value: Exclude<ValueType, 'str'>, cells: Numbers, { ids, count }: Groups): Cells {
  if (!isWide(value)) return narrowSums(value, cells as Float64Array, ids, count);
  const numbers = exactNumbers(cells as BigInt64Array);
  const out = roomFor(value, count) as BigInt64Array;
  if (numbers !== undefined) {
    const sums = new Float64Array(count);
    let exact = true;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const sum = sums[id]! + numbers[i]!;
      if (!isExact(sum)) exact = false;
      sums[id] = sum;
    }
    if (exact) return wideCells(sums, out);
  }
  // Overflow wraps around, as it does there.
  const wide = cells as BigInt64Array;
  for (let i = 0; i < ids.length; i++) out[ids[i]!] = out[ids[i]!]! + wide[i]!;
  return out;
}

/** The elements of the result round, or wrap around, as they are stored: after each addition, as sums of that type do. */
function narrowSums(value: Exclude<ValueType, 'str'>, cells: Float64Array, ids: Int32Array, count: number): Cells {
  const out = roomFor(value, count) as Float64Array;
  if (value === 'bool') {
    for (let i = 0; i < ids.length; i++) if (cells[i]) out[ids[i]!] = 1;
    return out;
  }
  for (let i = 0; i < ids.length; i++) out[ids[i]!] = out[ids[i]!]! + cells[i]!;
  return out;
}

function means(cells: Numbers, groups: Groups): Float64Array {
  const { ids, count } = groups;
  const sums = new Float64Array(count);
  const wide = cells instanceof BigInt64Array || cells instanceof BigUint64Array;
  const numbers = wide
    ? (exactNumbers(cells) ?? Float64Array.from(cells as BigInt64Array, Number))
    : (cells as Float64Array);
  for (let i = 0; i < ids.length; i++) sums[ids[i]!] = sums[ids[i]!]! + numbers[i]!;
  const of = counts(groups);
  for (let id = 0; id < count; id++) sums[id] = sums[id]! / of[id]!;
  return sums;
}

/** The least or the greatest of each group. */
function extremes({ value, cells }: Values, { ids, count }: Groups, sign: number): Cells {
  // Where the best one of each group is: the cell itself is taken at the end, whatever it is.
  const best = new Int32Array(count).fill(-1);
  const keys = keysOf(cells);
  if (ArrayBuffer.isView(keys)) {
    const numbers = keys as Float64Array;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const at = best[id]!;
      if (at < 0 || (sign < 0 ? numbers[i]! < numbers[at]! : numbers[i]! > numbers[at]!)) best[id] = i;
    }
  } else {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const at = best[id]!;
      if (at < 0 || compareKeys(keys[i]!, keys[at]!) * sign > 0) best[id] = i;
    }
  }
  if (value === 'str') {
    if (cells instanceof Texts && !best.includes(-1)) return gather(cells, best);
    const texts = stringsOf(cells as TextCells);
    return Array.from(best, (at) => (at < 0 ? '' : texts[at]!));
  }
  const out = roomFor(value, count) as Float64Array;
  for (let id = 0; id < count; id++)
    out[id] = best[id]! < 0 ? neutral(value, sign) : (cells as Float64Array)[best[id]!]!;
  return out;
}

/** What the least and the greatest of nothing are: what any other value would replace. */
function neutral(value: Exclude<ValueType, 'str'>, sign: number): number {
  if (isFloat(value)) return sign < 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const { min, max } = DTYPES[ELEMENT_TYPES[value]];
  return (sign < 0 ? max : min) as number;
}
