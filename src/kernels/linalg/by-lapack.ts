import type { Lapack } from '../../native/index.ts';
import { DONE, type LinearAlgebra, type Svd, type SvdWant, transposed } from './algebra.ts';

/** Factorizations by LAPACK, whose matrices lie column by column: for it, what lies row by row is the transpose. */
export class LapackAlgebra implements LinearAlgebra {
  readonly #lapack: Lapack;

  constructor(lapack: Lapack) {
    this.#lapack = lapack;
  }

  cholesky(a: Float64Array, n: number): number {
    const lower = transposed(a, n, n);
    const info = this.#lapack.potrf(n, lower);
    a.fill(0);
    for (let j = 0; j < n; j++) for (let i = j; i < n; i++) a[i * n + j] = lower[j * n + i] as number;
    return info > 0 ? info - 1 : DONE;
  }

  diagonal(a: Float64Array, n: number): { diagonal: Float64Array; exchanges: number } {
    const pivots = this.#lapack.integers(n);
    this.#lapack.getrf(n, a, pivots);
    let exchanges = 0;
    for (let i = 0; i < n; i++) if (Number(pivots[i]) !== i + 1) exchanges++;
    return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i] as number), exchanges };
  }

  solve(a: Float64Array, n: number, b: Float64Array, columns: number): number {
    const right = transposed(b, n, columns);
    const info = this.#lapack.gesv(n, columns, transposed(a, n, n), right);
    if (info > 0) return info - 1;
    b.set(transposed(right, columns, n));
    return DONE;
  }

  qr(a: Float64Array, m: number, n: number, columns: number): { q: Float64Array; r: Float64Array } {
    const count = Math.min(m, n);
    const factors = transposed(a, m, n);
    const taus = new Float64Array(count);
    this.#lapack.geqrf(m, n, factors, taus);
    const r = new Float64Array(columns * n);
    for (let j = 0; j < n; j++)
      for (let i = 0; i <= Math.min(j, columns - 1); i++) r[i * n + j] = factors[j * m + i] as number;
    const vectors = new Float64Array(m * columns);
    vectors.set(factors.subarray(0, m * count));
    this.#lapack.orgqr(m, columns, count, vectors, taus);
    return { q: transposed(vectors, columns, m), r };
  }

  eigh(a: Float64Array, n: number, vectors: boolean): Float64Array | undefined {
    const values = new Float64Array(n);
    const own = transposed(a, n, n);
    if (this.#lapack.syevd(vectors, n, own, values) !== 0) return undefined;
    if (vectors) a.set(transposed(own, n, n));
    return values;
  }

  svd(a: Float64Array, m: number, n: number, want: SvdWant): Svd | undefined {
    const least = Math.min(m, n);
    const s = new Float64Array(least);
    const [rows, columns] = want === 'all' ? [m, n] : [least, least];
    const u = new Float64Array(want === 'values' ? 0 : m * rows);
    const vh = new Float64Array(want === 'values' ? 0 : columns * n);
    // Of the transpose, whose U is our V, and the other way round.
    return this.#lapack.gesdd(want, n, m, a, s, vh, u) === 0 ? { s, u, vh } : undefined;
  }
}
