import { Matmul } from '../matmul/index.ts';
import { DONE, type LinearAlgebra, type Svd, type SvdWant } from './algebra.ts';
import { symmetricEigen } from './eigen.ts';
import { choleskyLower, luInPlace, swapRows } from './factors.ts';
import { factorize, orthogonal } from './householder.ts';
import { singular } from './singular.ts';
import { solveUnitLower, solveUpper } from './triangular.ts';

/** Factorizations that need no library; most of their work is in products of matrices. */
export class OwnAlgebra implements LinearAlgebra {
  readonly #matmul: Matmul;

  constructor(matmul = new Matmul()) {
    this.#matmul = matmul;
  }

  cholesky(a: Float64Array, n: number): number {
    const stopped = choleskyLower(this.#matmul, { elements: a, offset: 0, lead: n }, n);
    for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
    return stopped;
  }

  diagonal(a: Float64Array, n: number): { diagonal: Float64Array; exchanges: number } {
    let exchanges = 0;
    luInPlace(this.#matmul, { elements: a, offset: 0, lead: n }, n, 0, n, () => exchanges++);
    return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i] as number), exchanges };
  }

  solve(a: Float64Array, n: number, b: Float64Array, columns: number): number {
    const left = { elements: a, offset: 0, lead: n };
    const right = { elements: b, offset: 0, lead: columns };
    luInPlace(this.#matmul, left, n, 0, n, (i, j) => swapRows(right, columns, i, j));
    for (let i = 0; i < n; i++) if (a[i * n + i] === 0) return i;
    solveUnitLower(this.#matmul, left, right, n, columns);
    solveUpper(this.#matmul, left, right, n, columns);
    return DONE;
  }

  qr(a: Float64Array, m: number, n: number, columns: number): { q: Float64Array; r: Float64Array } {
    const taus = factorize(this.#matmul, a, m, n);
    return { q: orthogonal(this.#matmul, a, taus, m, n, columns), r: upperOf(a, n, columns) };
  }

  eigh(a: Float64Array, n: number, vectors: boolean): Float64Array | undefined {
    return symmetricEigen(this.#matmul, a, n, vectors);
  }

  svd(a: Float64Array, m: number, n: number, want: SvdWant): Svd | undefined {
    return singular(this.#matmul, a, m, n, want);
  }
}

/** The upper triangle of the first rows of a matrix that lies row by row. */
function upperOf(a: Float64Array, n: number, rows: number): Float64Array {
  const r = new Float64Array(rows * n);
  for (let i = 0; i < Math.min(rows, n); i++) r.set(a.subarray(i * n + i, (i + 1) * n), i * n + i);
  return r;
}
