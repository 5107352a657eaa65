import { type DType, isBig, kindOf } from '../../nd/index.ts';
import { type Csr, type Indices, indicesLike, putIndex, valuesOf, wordsOf } from './format.ts';

type Value = number | bigint;

/** x y, and a sum to that; rounded, and wrapping, as each operation of its own would. */
function stepsFor(dtype: DType): (sum: Value, x: Value, y: Value) => Value {
  // Sums of integers of 32 bits stay so when they are stored.
  const step =
    kindOf(dtype) === 'float' || isBig(dtype)
      ? (sum: number, x: number, y: number): number => sum + x * y
      : (sum: number, x: number, y: number): number => sum + Math.imul(x, y);
  return step as unknown as (sum: Value, x: Value, y: Value) => Value;
}

/**
 * The product of two sparse matrices, whose shapes fit and whose types are one: row by row, the rows of the second that a row of the first names are
 * added up in a row of all columns (Gustavson). What comes to 0 is left out. `room`: as many elements as it can have, or more.
 */
export function multiply(a: Csr, b: Csr, room: number): Csr {
  const { rows, dtype } = a;
  const { columns } = b;
  const [aStarts, aPlaces] = [wordsOf(a.indptr), wordsOf(a.indices)];
  const [bStarts, bPlaces] = [wordsOf(b.indptr), wordsOf(b.indices)];
  const indptr = indicesLike(a.indptr, rows + 1);
  const indices = indicesLike(a.indptr, room);
  const values = valuesOf(dtype, room);
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  const step = stepsFor(dtype);
  const zero: Value = isBig(dtype) ? 0n : 0;
  // Floats of 32 bits are rounded once.
  const sums = valuesOf(dtype === 'f32' ? 'f64' : dtype, columns);
  const seen = new Int32Array(columns).fill(-1);
  const named = new Int32Array(columns);
  let kept = 0;
  for (let i = 0; i < rows; i++) {
    let count = 0;
    for (let at = aStarts.words[i * aStarts.step]!, end = aStarts.words[(i + 1) * aStarts.step]!; at < end; at++) {
      const row = aPlaces.words[at * aPlaces.step] as number;
      const x = a.values[at] as Value;
      const last = bStarts.words[(row + 1) * bStarts.step] as number;
      for (let other = bStarts.words[row * bStarts.step] as number; other < last; other++) {
        const j = bPlaces.words[other * bPlaces.step] as number;
        if (seen[j] !== i) {
          seen[j] = i;
          sums[j] = zero as never;
          named[count++] = j;
        }
        sums[j] = step(sums[j] as Value, x, b.values[other] as Value) as never;
      }
    }
    for (const j of named.subarray(0, count).sort()) {
      values[kept] = sums[j] as never;
      if (values[kept] === zero) continue;
      putIndex(to, kept++, j);
    }
    putIndex(pointers, i + 1, kept);
  }
  return {
    rows,
    columns,
    dtype,
    indptr,
    indices: indices.subarray(0, kept) as Indices,
    values: values.subarray(0, kept),
  };
}
