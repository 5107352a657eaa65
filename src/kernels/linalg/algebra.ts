/**
 * Factorizations of single matrices of doubles, which lie row by row without gaps. There are two: by our own code (`OwnAlgebra`), and by
 * LAPACK where the machine has it (`LapackAlgebra`). Both are held to the same bounds on residuals.
 *
 * What can't be done is told by a number: how far it went before that.
 */
export interface LinearAlgebra {
  /**
   * The Cholesky factor of a symmetric matrix whose lower triangle is looked at, into it; what is above becomes 0. Gives DONE, or the
   * number of the row where the matrix is found not to be positive definite.
   */
  cholesky(a: Float64Array, n: number): number;
  /** LU with partial pivoting, of which only this is asked: the diagonal of U, and how often rows were exchanged. `a` is written over. */
  diagonal(a: Float64Array, n: number): { readonly diagonal: Float64Array; readonly exchanges: number };
  /** Writes x, with a x = b, over the columns of `b` (n x columns), and over `a`. Gives DONE, or the number of the column without a pivot. */
  solve(a: Float64Array, n: number, b: Float64Array, columns: number): number;
  /** Q (m x columns) and R (columns x n); `columns` is m, or the lesser of m and n. `a` is written over. */
  qr(a: Float64Array, m: number, n: number, columns: number): { readonly q: Float64Array; readonly r: Float64Array };
  /**
   * The eigenvalues, ascending, of a symmetric matrix whose lower triangle is looked at; with `vectors`, `a` becomes the matrix whose
   * columns are the eigenvectors, and is written over otherwise. Undefined if it does not converge.
   */
  eigh(a: Float64Array, n: number, vectors: boolean): Float64Array | undefined;
  /** Singular values, descending, with U (m x m, or m x k) and the transpose of V. `a` is written over. Undefined if it does not converge. */
  svd(a: Float64Array, m: number, n: number, want: SvdWant): Svd | undefined;
}

export const DONE = -1;

/** `some`: as many singular vectors as there are singular values. */
export type SvdWant = 'values' | 'some' | 'all';

export interface Svd {
  readonly s: Float64Array;
  /** Both are empty where only values are wanted. */
  readonly u: Float64Array;
  readonly vh: Float64Array;
}

/** The transpose (n x m) of a matrix (m x n), in square pieces that stay in the cache. */
export function transposed(a: Float64Array, m: number, n: number): Float64Array {
  const SIDE = 32;
  const into = new Float64Array(m * n);
  for (let rows = 0; rows < m; rows += SIDE) {
    const lastRow = Math.min(m, rows + SIDE);
    for (let columns = 0; columns < n; columns += SIDE) {
      const lastColumn = Math.min(n, columns + SIDE);
      for (let i = rows; i < lastRow; i++) {
        for (let j = columns; j < lastColumn; j++) into[j * m + i] = a[i * n + j] as number;
      }
    }
  }
  return into;
}

/**
 * A power of two that brings the greatest magnitude to about 1, so that squares stay in range; multiplying by it rounds nothing. 1 where there
 * is nothing to bring.
 */
export function scaleOf(a: Float64Array): number {
  let greatest = 0;
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs(a[i] as number);
    if (size > greatest) greatest = size;
  }
  if (greatest === 0 || !Number.isFinite(greatest)) return 1;
  return 2 ** -Math.max(-1022, Math.min(1022, Math.floor(Math.log2(greatest))));
}
