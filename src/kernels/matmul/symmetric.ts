import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';

/** Rows and columns that are copied together, so that the lines of both stay in the cache. */
const SQUARE = 32;

/** Whether `b` is `a`, turned: then row i times column j is row j times column i. */
export function isTransposed(a: Strided, b: Strided): boolean {
  const sameElements =
    a.elements.buffer === b.elements.buffer &&
    a.elements.byteOffset === b.elements.byteOffset &&
    a.elements.constructor === b.elements.constructor;
  return sameElements && a.offset === b.offset && a.strides[0] === b.strides[1] && a.strides[1] === b.strides[0];
}

/** Copies what is above the diagonal of a matrix of n rows to below it; of rows from `from` to `to` alone, if so many are given. */
export function mirrored(
  elements: Elements,
  offset: number,
  [row, column]: readonly [number, number],
  n: number,
  from = 0,
  to = n,
): void {
  for (let top = from; top < to; top += SQUARE) {
    const bottom = Math.min(to, top + SQUARE);
    for (let left = top; left < n; left += SQUARE) {
      const right = Math.min(n, left + SQUARE);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i + 1); j < right; j++) {
          elements[offset + j * row + i * column] = elements[offset + i * row + j * column] as never;
        }
      }
    }
  }
}
