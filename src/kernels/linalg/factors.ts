import type { Matmul } from '../matmul/index.ts';
import { DONE } from './algebra.ts';
import {
  BASE,
  columnsOf,
  type Part,
  part,
  rowsOf,
  solveTransposedLower,
  solveUnitLower,
  subtractProduct,
} from './triangular.ts';

/**
 * Cholesky by halves (F. Gustavson, "Recursion leads to automatic variable blocking for dense linear-algebra algorithms", 1997), into
 * the lower triangle. Gives DONE, or the row whose diagonal is not positive.
 */
export function choleskyLower(matmul: Matmul, a: Part, n: number): number {
  if (n > BASE) {
    const half = n >> 1;
    const first = choleskyLower(matmul, a, half);
    if (first !== DONE) return first;
    const below = part(a, half, 0);
    const rest = part(a, half, half);
    solveTransposedLower(matmul, a, below, half, n - half);
    subtractProduct(matmul, rest, below, columnsOf(below), n - half, half, n - half);
    const second = choleskyLower(matmul, rest, n - half);
    return second === DONE ? DONE : half + second;
  }
  const { elements, offset, lead } = a;
  for (let i = 0; i < n; i++) {
    const row = offset + i * lead;
    for (let j = 0; j <= i; j++) {
      const other = offset + j * lead;
      let own = elements[row + j] as number;
      for (let k = 0; k < j; k++) own -= (elements[row + k] as number) * (elements[other + k] as number);
      if (j < i) elements[row + j] = own / (elements[other + j] as number);
      else if (own > 0) elements[row + i] = Math.sqrt(own);
      else return i;
    }
  }
  return DONE;
}

/**
 * LU with partial pivoting by halves of the columns (S. Toledo, "Locality of reference in LU decomposition with partial pivoting", 1997), of all
 * rows from `first` on. Whole rows are exchanged, those of `others` with them. A column without a pivot is left as it is.
 */
export function luInPlace(
  matmul: Matmul,
  a: Part,
  n: number,
  first: number,
  columns: number,
  exchange: (i: number, j: number) => void,
): void {
  if (columns > BASE) {
    const half = columns >> 1;
    const [middle, end] = [first + half, first + columns];
    luInPlace(matmul, a, n, first, half, exchange);
    solveUnitLower(matmul, part(a, first, first), part(a, first, middle), half, columns - half);
    const [left, right] = [part(a, middle, first), rowsOf(part(a, first, middle))];
    subtractProduct(matmul, part(a, middle, middle), left, right, n - middle, half, columns - half);
    luInPlace(matmul, a, n, middle, end - middle, exchange);
    return;
  }
  const { elements: x, offset, lead } = a;
  for (let j = first; j < first + columns; j++) {
    let pivot = j;
    for (let i = j + 1; i < n; i++) {
      if (Math.abs(x[offset + i * lead + j] as number) > Math.abs(x[offset + pivot * lead + j] as number)) pivot = i;
    }
    if (pivot !== j) {
      swapRows(a, n, j, pivot);
      exchange(j, pivot);
    }
    const row = offset + j * lead;
    const own = x[row + j] as number;
    if (own === 0) continue;
    for (let i = j + 1; i < n; i++) {
      const line = offset + i * lead;
      const factor = (x[line + j] as number) / own;
      x[line + j] = factor;
      for (let k = j + 1; k < first + columns; k++) x[line + k]! -= factor * (x[row + k] as number);
    }
  }
}

export function swapRows({ elements, offset, lead }: Part, columns: number, i: number, j: number): void {
  for (let k = 0, a = offset + i * lead, b = offset + j * lead; k < columns; k++, a++, b++) {
    const own = elements[a] as number;
    elements[a] = elements[b] as number;
    elements[b] = own;
  }
}
