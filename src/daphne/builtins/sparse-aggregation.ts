/** Many elements of a sparse matrix become one, without those that are not there: all of them are 0. */

import { type Arr, computedHere, type Sparse } from '../../arrays/index.ts';
import { type Elements, elements } from '../../nd/index.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES } from '../types.ts';
import type { MaybeLater, SparseMatrix } from '../values/values.ts';
import { RunError } from './builtin.ts';
import type { NumericType } from './operands.ts';

export type SparseName = 'aggMin' | 'aggMax' | 'mean' | 'var' | 'stddev' | 'idxMin' | 'idxMax';
type Cell = number | bigint;

/** Elements of one row, of one column, or of all. */
interface Line {
  /** Those that are there, in order, and where. */
  readonly values: ArrayLike<Cell>;
  readonly places: ArrayLike<number>;
  readonly from: number;
  readonly to: number;
  /** How many there are with those that are 0. */
  readonly length: number;
  readonly zero: Cell;
}

/**
 * One element for each row (axis 1), for each column (axis 0), or of all (undefined). `nothing`: what a minimum or maximum of nothing is; `value`: the
 * type of the result.
 */
export function sparseAggregate(
  runtime: Runtime,
  name: SparseName,
  { csr, rows, columns }: SparseMatrix,
  axis: 0 | 1 | undefined,
  value: NumericType,
  nothing: Cell,
): MaybeLater<Elements> {
  const own = axis === 0 ? computedHere(csr.T) : csr;
  const [count, length] = axis === undefined ? [1, rows * columns] : axis === 1 ? [rows, columns] : [columns, rows];
  const { indptr, indices, values } = own as Sparse;
  return then(runtime.computed([indptr, indices, values] as Arr[]), ([starts, places, cells]) => {
    const all = cells as unknown as ArrayLike<Cell>;
    const into = elements(ELEMENT_TYPES[value], count);
    const zero: Cell = cells instanceof BigInt64Array || cells instanceof BigUint64Array ? 0n : 0;
    for (let i = 0; i < count; i++) {
      const [from, to] = axis === undefined ? [0, all.length] : [Number(starts![i]), Number(starts![i + 1])];
      const line = { values: all, places: places as Int32Array, from, to, length, zero };
      into[i] = of(name, line, nothing, axis !== undefined) as never;
    }
    return into;
  });
}

function of(name: SparseName, line: Line, nothing: Cell, startsWithFirst: boolean): Cell {
  switch (name) {
    case 'aggMin':
    case 'aggMax':
      return extreme(name === 'aggMin', line, nothing, startsWithFirst);
    case 'idxMin':
    case 'idxMax':
      return BigInt(place(name, line, nothing));
    case 'mean':
      return meanOf(line);
    default: {
      const variance = varianceOf(line);
      return name === 'var' ? variance : Math.sqrt(variance);
    }
  }
}

const isNan = (x: Cell): boolean => Number.isNaN(x);

/** NaN is passed over; but a row or column begins with its first element, which as NaN stays. */
function extreme(least: boolean, line: Line, nothing: Cell, startsWithFirst: boolean): Cell {
  const { values, places, from, to, length, zero } = line;
  if (startsWithFirst && from < to && places[from] === 0 && isNan(values[from]!)) return Number.NaN;
  let found = to - from < length ? zero : nothing;
  for (let at = from; at < to; at++) {
    const own = values[at]!;
    if (least ? own < found : own > found) found = own;
  }
  return found;
}

/** The first place; NaN is there as what a minimum or maximum of nothing is. */
function place(name: 'idxMin' | 'idxMax', line: Line, nothing: Cell): number {
  const { values, places, from, to, length, zero } = line;
  if (length === 0) throw new RunError(`${name} looks for a place, and there is none in what is empty`);
  let gap = 0;
  while (from + gap < to && places[from + gap] === gap) gap++;
  let [found, best] = gap < length ? [gap, zero] : [0, nothing];
  for (let at = from; at < to; at++) {
    const own = isNan(values[at]!) ? nothing : values[at]!;
    const isBetter = name === 'idxMin' ? own < best : own > best;
    if (isBetter || (own === best && places[at]! < found)) [found, best] = [places[at]!, own];
  }
  return found;
}

function meanOf({ values, from, to, length }: Line): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += Number(values[at]);
  return sum / length;
}

function varianceOf(line: Line): number {
  const { values, from, to, length } = line;
  const mean = meanOf(line);
  let squares = (length - (to - from)) * mean * mean;
  for (let at = from; at < to; at++) squares += (Number(values[at]) - mean) ** 2;
  return squares / length;
}
