import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { searchBlas } from '../../native/index.ts';
import { Matmul } from '../matmul/index.ts';
import { eigenByDoubleSteps } from './double-steps.ts';
import { eigenByAllElements } from './francis.ts';
import { DONE, eigenAsTheyCome, LapackAlgebra, type LinearAlgebra, OwnAlgebra } from './index.ts';

/**
 * Residuals against bounds of the form c n u |A| (N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition: 10.3 Cholesky,
 * 9.3 LU, 19.3 QR; for eigenvalues and singular values Golub and Van Loan, "Matrix Computations", 8.1 and 8.6). The growth of elements
 * in LU with partial pivoting is small for such matrices.
 */
const UNIT = 2 ** -53;
const FACTOR = 20;
const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 60);

const { blas, problem } = searchBlas();
const implementations: [string, LinearAlgebra | undefined][] = [
  ['our own code', new OwnAlgebra(new Matmul({ blas: null }))],
  ['LAPACK', blas?.lapack === undefined ? undefined : new LapackAlgebra(blas.lapack)],
];

/** Mostly around the sizes at which matrices are cut into pieces. */
const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(31, 32, 33, 50, 64, 65, 80));
const scale = fc.constantFrom(1, 1, 1, 1e-3, 1e150, 1e-150);

/** Numbers between -1 and 1 from a seed. */
function noise(seed: number, length: number, factor = 1): Float64Array {
  let state = seed | 1;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 2 ** 31) * factor;
  });
}

type Matrix = { readonly x: Float64Array; readonly rows: number; readonly columns: number };
const matrix = (x: Float64Array, rows: number, columns: number): Matrix => ({ x, rows, columns });

function times(a: Matrix, b: Matrix): Matrix {
  const x = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++)
      for (let j = 0; j < b.columns; j++) x[i * b.columns + j]! += a.x[i * a.columns + k]! * b.x[k * b.columns + j]!;
  return matrix(x, a.rows, b.columns);
}

function turned({ x, rows, columns }: Matrix): Matrix {
  const own = new Float64Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) own[j * rows + i] = x[i * columns + j]!;
  return matrix(own, columns, rows);
}

const unit = (n: number): Matrix =>
  matrix(
    Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    n,
    n,
  );
const greatest = (x: Float64Array): number => x.reduce((most, each) => Math.max(most, Math.abs(each)), 0);

/** Compared by their greatest elements; norms are at most n times that. */
function assertClose(got: Matrix, want: Matrix, within: number): void {
  assert.deepEqual([got.rows, got.columns], [want.rows, want.columns]);
  for (const [i, x] of want.x.entries()) {
    const apart = Math.abs(got.x[i]! - x);
    assert.ok(apart <= within, `${got.x[i]} instead of ${x} at ${i}: apart by ${apart}, allowed ${within}`);
  }
}

const bound = (n: number, norm: number): number => FACTOR * n * UNIT * n * norm;
const assertOrthogonal = (q: Matrix): void => assertClose(times(turned(q), q), unit(q.columns), bound(q.rows, 1));

function assertSvd(algebra: LinearAlgebra, a: Matrix): void {
  const { rows: m, columns: n } = a;
  const k = Math.min(m, n);
  for (const want of ['some', 'all'] as const) {
    const svd = algebra.svd(a.x.slice(), m, n, want);
    assert.ok(svd);
    const [left, right] = want === 'all' ? [m, n] : [k, k];
    const [u, vh] = [matrix(svd.u, m, left), matrix(svd.vh, right, n)];
    assertOrthogonal(u);
    assertOrthogonal(turned(vh));
    const middle = new Float64Array(left * right);
    for (let i = 0; i < k; i++) middle[i * right + i] = svd.s[i]!;
    assertClose(times(times(u, matrix(middle, left, right)), vh), a, bound(Math.max(m, n), greatest(a.x)));
    for (let i = 0; i < k; i++) assert.ok(svd.s[i]! >= 0 && (i === 0 || svd.s[i]! <= svd.s[i - 1]!));
    const values = algebra.svd(a.x.slice(), m, n, 'values');
    assertClose(matrix(values!.s, 1, k), matrix(svd.s, 1, k), bound(Math.max(m, n), greatest(a.x)));
  }
}

for (const [name, algebra] of implementations) {
  describe(`linear algebra by ${name}`, { skip: algebra === undefined ? (problem ?? 'without LAPACK') : false }, () => {
    const own = algebra as LinearAlgebra;
    const check = (work: (n: number, m: number, seed: number, factor: number) => void): void =>
      fc.assert(fc.property(size, size, fc.integer(), scale, work), { numRuns: RUNS });

    test('Cholesky', () => {
      check((n, _, seed, factor) => {
        const some = matrix(noise(seed, n * n), n, n);
        const a = times(some, turned(some));
        for (let i = 0; i < n; i++) a.x[i * n + i]! += n;
        for (let i = 0; i < a.x.length; i++) a.x[i]! *= factor;
        const l = a.x.slice();
        // Only the lower triangle is looked at.
        for (let i = 0; i < n; i++) l.fill(7, i * n + i + 1, (i + 1) * n);
        assert.equal(own.cholesky(l, n), DONE);
        for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) assert.equal(l[i * n + j], 0);
        assertClose(times(matrix(l, n, n), turned(matrix(l, n, n))), a, bound(n, greatest(a.x)));
        const bad = a.x.slice();
        bad[n * n - 1] = -factor;
        assert.equal(own.cholesky(bad, n), n - 1);
      });
    });

    test('solving, and the diagonal of LU', () => {
      check((n, columns, seed, factor) => {
        const a = matrix(noise(seed, n * n, factor), n, n);
        const b = matrix(noise(seed + 1, n * columns), n, columns);
        const x = matrix(b.x.slice(), n, columns);
        assert.equal(own.solve(a.x.slice(), n, x.x, columns), DONE);
        assertClose(times(a, x), b, bound(n, greatest(a.x) * greatest(x.x) + 1));
        // A column, or a row, of zeros: no pivot is to be had, whatever the roundings.
        const bad = a.x.slice();
        const gone = Math.abs(seed) % n;
        for (let i = 0; i < n; i++) bad[i * n + gone] = 0;
        assert.equal(own.solve(bad.slice(), n, b.x.slice(), columns), gone);
        assert.ok(own.diagonal(bad, n).diagonal.includes(0));
      });
    });

    test('determinants of matrices that a permutation and triangles make', () => {
      check((n, _, seed) => {
        const lower = matrix(noise(seed, n * n, 0.1), n, n);
        const upper = matrix(noise(seed + 1, n * n, 0.1), n, n);
        let want = 1;
        for (let i = 0; i < n; i++) {
          lower.x.fill(0, i * n + i + 1, (i + 1) * n);
          upper.x.fill(0, i * n, i * n + i);
          lower.x[i * n + i] = 1;
          upper.x[i * n + i] = i % 2 === 0 ? 1.5 : -0.75;
          want *= upper.x[i * n + i]!;
        }
        const a = times(lower, upper);
        const rotated = a.x.slice();
        // The first row goes to the end: as many exchanges as there are other rows.
        rotated.set(a.x.subarray(n));
        rotated.set(a.x.subarray(0, n), (n - 1) * n);
        if (n % 2 === 0) want = -want;
        const { diagonal, exchanges } = own.diagonal(rotated, n);
        const got = diagonal.reduce((product, x) => product * x, exchanges % 2 === 0 ? 1 : -1);
        assert.ok(Math.abs(got - want) <= 1e-9 * Math.abs(want), `${got} instead of ${want}`);
      });
    });

    test('QR', () => {
      check((m, n, seed, factor) => {
        const a = matrix(noise(seed, m * n, factor), m, n);
        for (const columns of [m, Math.min(m, n)]) {
          const { q, r } = own.qr(a.x.slice(), m, n, columns);
          for (let i = 0; i < columns; i++) for (let j = 0; j < Math.min(i, n); j++) assert.equal(r[i * n + j], 0);
          assertOrthogonal(matrix(q, m, columns));
          assertClose(times(matrix(q, m, columns), matrix(r, columns, n)), a, bound(Math.max(m, n), greatest(a.x)));
        }
      });
    });

    test('eigenvalues and eigenvectors of symmetric matrices', () => {
      check((n, rank, seed, factor) => {
        const a = matrix(noise(seed, n * n, factor), n, n);
        for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a.x[j * n + i] = a.x[i * n + j]!;
        const some = matrix(noise(seed, n * Math.min(rank, n), Math.sqrt(factor)), n, Math.min(rank, n));
        // The second one has an eigenvalue 0 as often as its rank says.
        for (const symmetric of [a, times(some, turned(some))]) {
          const v = matrix(symmetric.x.slice(), n, n);
          const values = own.eigh(v.x, n, true);
          assert.ok(values);
          assertOrthogonal(v);
          const scaled = matrix(
            v.x.map((x, i) => x * values[i % n]!),
            n,
            n,
          );
          assertClose(times(symmetric, v), scaled, bound(n, greatest(symmetric.x)));
          for (let i = 1; i < n; i++) assert.ok(values[i]! >= values[i - 1]!);
          const alone = own.eigh(symmetric.x.slice(), n, false);
          assertClose(matrix(alone!, 1, n), matrix(values, 1, n), bound(n, greatest(symmetric.x)));
        }
      });
    });

    test('singular values and vectors', () => {
      check((m, n, seed, factor) => assertSvd(own, matrix(noise(seed, m * n, factor), m, n)));
    });

    test('singular values of matrices without full rank', () => {
      check((m, n, seed) => {
        const rank = Math.min(m, n, Math.abs(seed) % 4);
        const a = times(matrix(noise(seed, m * rank), m, rank), matrix(noise(seed + 1, rank * n), rank, n));
        assertSvd(own, a);
        const { s } = own.svd(a.x.slice(), m, n, 'values')!;
        const tiny = bound(Math.max(m, n), greatest(a.x));
        assert.ok(s.subarray(rank).every((x) => x <= tiny));
      });
    });

    test('larger ones, whose rotations are not kept until the end', () => {
      const n = 150;
      // What -1, 2, -1 along the diagonal have for eigenvalues is known.
      const a = matrix(new Float64Array(n * n), n, n);
      for (let i = 0; i < n; i++) {
        a.x[i * n + i] = 2;
        if (i > 0) a.x[i * n + i - 1] = a.x[(i - 1) * n + i] = -1;
      }
      const known = Float64Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos(((i + 1) * Math.PI) / (n + 1)));
      const v = matrix(a.x.slice(), n, n);
      const values = own.eigh(v.x, n, true);
      assertClose(matrix(values!, 1, n), matrix(known, 1, n), bound(n, 2));
      assertOrthogonal(v);
      assertSvd(own, matrix(noise(1, (n + 1) * n), n + 1, n));
    });

    test('matrices of zeros, and graded ones', () => {
      assertSvd(own, matrix(new Float64Array(12), 3, 4));
      assert.deepEqual([...own.eigh(new Float64Array(9), 3, true)!], [0, 0, 0]);
      const n = 12;
      const graded = unit(n);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) graded.x[i * n + j] = 10 ** (-12 * Math.max(i, j));
      assertSvd(own, graded);
      const v = matrix(graded.x.slice(), n, n);
      assert.ok(own.eigh(v.x, n, true));
      assertOrthogonal(v);
      // Of rank 1: what roundings leave becomes smaller than any number that has all digits.
      const ones = matrix(new Float64Array(150 * 150).fill(1), 150, 150);
      assert.ok(own.eigh(ones.x, 150, true));
      assertOrthogonal(ones);
    });
  });
}

describe('eigenvalues as they come', () => {
  const matmul = new Matmul({ blas: null });
  const of = (n: number, element: (i: number, j: number) => number): Matrix =>
    matrix(
      Float64Array.from({ length: n * n }, (_, at) => element(Math.floor(at / n), at % n)),
      n,
      n,
    );
  const kinds: Record<string, (i: number, j: number) => number> = {
    'three diagonals': (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0),
    'one that is diagonal': (i, j) => (i === j ? i + 1 : 0),
    'a row and a column': (i, j) => (i === j ? i + 1 : i === 0 || j === 0 ? 1 : 0),
    noise: (i, j) => Math.sin(i + j + i * j) * 1e200,
    'rank 1, and roundings that become smaller than any number': () => 1,
    graded: (i, j) => 10 ** (-0.4 * Math.max(i, j)),
    zeros: () => 0,
  };

  test('of symmetric matrices alone, in the order and with the signs of all elements', () => {
    for (const [name, element] of Object.entries(kinds)) {
      const a = of(4, element);
      const [b, c] = [matrix(a.x.slice(), 4, 4), matrix(a.x.slice(), 4, 4)];
      const [values, others] = [eigenByDoubleSteps(matmul, b.x, 4), eigenByAllElements(c.x, 4)];
      const within = bound(4, greatest(a.x));
      assertClose(matrix(values!, 1, 4), matrix(others!, 1, 4), within);
      if (!name.startsWith('rank')) assertClose(b, c, bound(4, 1));
    }
  });

  test('of larger matrices', () => {
    const n = 201;
    for (const element of Object.values(kinds)) {
      const a = of(n, element);
      const v = matrix(a.x.slice(), n, n);
      const values = eigenAsTheyCome(matmul, v.x, n);
      assert.ok(values);
      assertOrthogonal(v);
      const scaled = matrix(
        v.x.map((x, i) => x * values[i % n]!),
        n,
        n,
      );
      assertClose(times(a, v), scaled, bound(n, greatest(a.x)));
    }
  });
});
