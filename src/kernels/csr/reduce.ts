import { type DType, type Elements, isBig, kindOf } from '../../nd/index.ts';
import { type Csr, wordsOf } from './format.ts';

export type SparseReducer = 'sum' | 'min' | 'max';

type Value = number | bigint;

/**
 * The elements of each row (`axis` 1), or of each column (0), combined. What is not there is 0, and takes part: the least of a row that is
 * not full is at most 0. NaN wins. There is one element at least along the axis, but for sums.
 */
export function reduce(a: Csr, axis: 0 | 1, reducer: SparseReducer, into: Elements): void {
  const zero: Value = isBig(a.dtype) ? 0n : 0;
  const lines = axis === 1 ? a.rows : a.columns;
  const along = axis === 1 ? a.columns : a.rows;
  const [starts, places] = [wordsOf(a.indptr), wordsOf(a.indices)];
  const both = combining(reducer, a.dtype);
  into.fill(zero as never, 0, lines);
  if (axis === 1) {
    for (let row = 0, at = 0; row < lines; row++) {
      const first = at;
      const end = starts.words[(row + 1) * starts.step] as number;
      let value = first < end && (reducer === 'sum' || end - first === along) ? (a.values[at++] as Value) : zero;
      for (; at < end; at++) value = both(value as never, a.values[at] as never);
      into[row] = value as never;
    }
    return;
  }
  const count = starts.words[a.rows * starts.step] as number;
  /** How many elements of each column have been there. */
  const seen = reducer === 'sum' ? undefined : new Uint32Array(lines);
  for (let at = 0; at < count; at++) {
    const column = places.words[at * places.step] as number;
    const value = a.values[at] as Value;
    const isFirst = seen !== undefined && seen[column]!++ === 0;
    into[column] = (isFirst ? value : both(into[column] as never, value as never)) as never;
  }
  if (seen === undefined) return;
  for (let column = 0; column < lines; column++) {
    if ((seen[column] as number) < along) into[column] = both(into[column] as never, zero as never) as never;
  }
}

function combining(reducer: SparseReducer, dtype: DType): (x: never, y: never) => Value {
  if (reducer === 'sum') return (x: number, y: number) => x + y;
  if (kindOf(dtype) === 'float') return reducer === 'min' ? Math.min : Math.max;
  return reducer === 'min' ? (x: number, y: number) => (y < x ? y : x) : (x: number, y: number) => (y > x ? y : x);
}
