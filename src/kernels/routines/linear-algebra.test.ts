import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { searchBlas } from '../../native/index.ts';
import { type DType, elements, sizeOf } from '../../nd/index.ts';
import { LapackAlgebra, OwnAlgebra } from '../linalg/index.ts';
import { Matmul } from '../matmul/index.ts';
import type { Dense, Params, Routine } from './index.ts';
import { linearAlgebraBy } from './linear-algebra.ts';

type Routines = ReturnType<typeof linearAlgebraBy>;

const { blas, problem } = searchBlas();
const own = new OwnAlgebra(new Matmul({ blas: null }));
const byLapack = blas?.lapack === undefined ? undefined : new LapackAlgebra(blas.lapack);
const implementations: [string, Routines | undefined][] = [
  ['our own code', linearAlgebraBy(() => own)],
  ['LAPACK', byLapack === undefined ? undefined : linearAlgebraBy(() => byLapack)],
];

function dense(shape: readonly number[], values: readonly number[], dtype: DType = 'f64'): Dense {
  const x = elements(dtype, sizeOf(shape));
  x.set(values as never);
  return { shape, dtype, elements: x };
}

function run({ outputs, run }: Routine, inputs: readonly Dense[], params: Params = {}): Dense[] {
  const made = outputs(inputs, params).map(({ dtype, shape }) => {
    const x = elements(dtype, sizeOf(shape));
    x.fill((dtype === 'i64' ? 77n : 77) as never);
    return { dtype, shape, elements: x };
  });
  run(inputs, params, made);
  return made;
}

function assertIs(got: Dense | undefined, shape: readonly number[], values: readonly number[], within = 1e-13): void {
  assert.deepEqual(got!.shape, shape);
  assert.equal(got!.elements.length, values.length);
  for (const [i, x] of values.entries()) {
    const y = Number(got!.elements[i]);
    assert.ok(Object.is(x, y) || Math.abs(x - y) <= within, `${[...got!.elements].join()} instead of ${values.join()}`);
  }
}

for (const [name, routines] of implementations) {
  describe(`routines of linear algebra by ${name}`, {
    skip: routines === undefined ? (problem ?? 'no LAPACK') : false,
  }, () => {
    const r = routines as Routines;

    test('cholesky of a stack, lower and upper', () => {
      const x = dense([2, 2, 2], [4, 2, 2, 5, 9, 0, 0, 1]);
      assertIs(run(r.cholesky, [x])[0], [2, 2, 2], [2, 0, 1, 2, 3, 0, 0, 1]);
      assertIs(run(r.cholesky, [x], { upper: true })[0], [2, 2, 2], [2, 1, 0, 2, 3, 0, 0, 1]);
    });

    test('solve takes vectors and stacks, and broadcasts these', () => {
      const a = dense([2, 2, 2], [2, 0, 0, 4, 0, 1, 1, 0]);
      assertIs(run(r.solve, [a, dense([2], [2, 4])])[0], [2, 2], [1, 1, 4, 2]);
      assertIs(run(r.solve, [a, dense([1, 2, 1], [2, 4])])[0], [2, 2, 1], [1, 1, 4, 2]);
      const one = dense([2, 2], [2, 0, 0, 4]);
      assertIs(run(r.solve, [one, dense([3, 2, 1], [2, 4, 4, 8, 6, 12])])[0], [3, 2, 1], [1, 1, 2, 2, 3, 3]);
    });

    test('inverse, determinant and its logarithm', () => {
      const x = dense([2, 2, 2], [0, 2, 1, 0, 1, 2, 3, 4]);
      assertIs(run(r.inv, [x])[0], [2, 2, 2], [0, 1, 0.5, 0, -2, 1, 1.5, -0.5]);
      assertIs(run(r.det, [x])[0], [2], [-2, -2]);
      const [sign, logarithm] = run(r.slogdet, [x]);
      assertIs(sign, [2], [-1, -1]);
      assertIs(logarithm, [2], [Math.LN2, Math.LN2]);
      const [none, least] = run(r.slogdet, [dense([2, 2], [1, 2, 0, 0])]);
      assertIs(none, [], [0]);
      assertIs(least, [], [Number.NEGATIVE_INFINITY]);
    });

    test('qr has the columns that are asked for', () => {
      const x = dense([3, 1], [0, 3, 4]);
      const [q, upper] = run(r.qr, [x]);
      const sign = Math.sign(Number(upper!.elements[0]));
      assertIs(upper, [1, 1], [5 * sign]);
      assertIs(q, [3, 1], [0, 0.6 * sign, 0.8 * sign]);
      const [full, tall] = run(r.qr, [x], { mode: 'complete' });
      assert.deepEqual(
        [full!.shape, tall!.shape],
        [
          [3, 3],
          [3, 1],
        ],
      );
      assertIs(tall, [3, 1], [5 * sign, 0, 0]);
    });

    test('svd, its values, the rank and the pseudo-inverse', () => {
      const x = dense([2, 3], [0, 3, 0, 4, 0, 0]);
      const [u, s, vh] = run(r.svd, [x]);
      assert.deepEqual(
        [u!.shape, vh!.shape],
        [
          [2, 2],
          [3, 3],
        ],
      );
      assertIs(s, [2], [4, 3]);
      assert.deepEqual(run(r.svd, [x], { fullMatrices: false })[2]!.shape, [2, 3]);
      assertIs(run(r.svdvals, [x])[0], [2], [4, 3]);
      assertIs(run(r.pinv, [x])[0], [3, 2], [0, 1 / 4, 1 / 3, 0, 0, 0]);
      const ranks = dense([3, 2, 2], [1, 2, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0]);
      assertIs(run(r.matrixRank, [ranks])[0], [3], [1, 2, 0]);
      assertIs(run(r.matrixRank, [dense([2, 2], [1, 0, 0, 0.1])], { rtol: 0.2 })[0], [], [1]);
      assertIs(run(r.pinv, [dense([2, 2], [1, 1, 1, 1])])[0], [2, 2], [0.25, 0.25, 0.25, 0.25]);
    });

    test('eigh, and its values', () => {
      const x = dense([2, 2], [2, 1, 1, 2]);
      const [values, vectors] = run(r.eigh, [x]);
      assertIs(values, [2], [1, 3]);
      const v = [...vectors!.elements].map(Number);
      assert.ok(Math.abs(v[0]! + v[2]!) < 1e-14 && Math.abs(v[1]! - v[3]!) < 1e-14);
      assertIs(run(r.eigvalsh, [x])[0], [2], [1, 3]);
    });

    test('floats of 32 bits are rounded once', () => {
      const x = dense([2, 2], [3, 0, 0, 7], 'f32');
      const [got] = run(r.inv, [x]);
      assert.equal(got!.dtype, 'f32');
      assert.deepEqual([...got!.elements], [Math.fround(1 / 3), 0, 0, Math.fround(1 / 7)]);
    });

    test('empty matrices, and stacks without any', () => {
      assertIs(run(r.det, [dense([0, 0], [])])[0], [], [1]);
      assertIs(run(r.inv, [dense([0, 0], [])])[0], [0, 0], []);
      assertIs(run(r.solve, [dense([0, 0], []), dense([0, 2], [])])[0], [0, 2], []);
      assertIs(run(r.svd, [dense([2, 0], [])])[0], [2, 2], [1, 0, 0, 1]);
      assertIs(run(r.qr, [dense([2, 0], [])], { mode: 'complete' })[0], [2, 2], [1, 0, 0, 1]);
      assertIs(run(r.eigh, [dense([0, 0], [])])[0], [0], []);
      assertIs(run(r.cholesky, [dense([0, 2, 2], [])])[0], [0, 2, 2], []);
      assertIs(run(r.pinv, [dense([0, 3], [])])[0], [3, 0], []);
      assertIs(run(r.matrixRank, [dense([1, 0, 3], [])])[0], [1], [0]);
    });

    test('what a matrix does not allow is said of that matrix', () => {
      const second = dense([2, 2, 2], [1, 0, 0, 1, 1, 2, 2, 4]);
      const error = { name: 'UsageError', code: 'ERR_SHEAF_MATRIX' };
      assert.throws(() => run(r.inv, [second]), {
        ...error,
        message: 'inv: matrix 1 of 2 is singular: column 1 is made of the columns before it; use pinv, which takes any',
        details: { operation: 'inv', matrix: 1, why: 'is singular: column 1 is made of the columns before it' },
      });
      assert.throws(() => run(r.solve, [second, dense([2], [1, 1])]), error);
      assert.throws(() => run(r.cholesky, [dense([2, 2], [1, 2, 2, 1])]), {
        ...error,
        message: /^cholesky: the matrix is not positive definite, as row 1 shows; /,
      });
      const bad = dense([2, 2], [1, Number.NaN, Number.NaN, 1]);
      for (const routine of [r.svd, r.svdvals, r.eigh, r.eigvalsh, r.pinv, r.matrixRank])
        assert.throws(() => run(routine, [bad]), { ...error, message: /not finite/ });
      // Without iterations there is nothing that would not come to an end.
      assert.ok(Number.isNaN(run(r.det, [bad])[0]!.elements[0] as number));
    });
  });
}

test('wrong types and shapes are refused before anything runs', () => {
  const { solve, inv, svd, eigh } = linearAlgebraBy(() => own);
  assert.throws(() => svd.outputs([dense([2, 2], [], 'i32')], {}), {
    code: 'ERR_SHEAF_DTYPE',
    message: /svd is not for i32.*f32, f64/,
  });
  assert.throws(() => inv.outputs([dense([2, 3], [])], {}), { code: 'ERR_SHEAF_SHAPE', message: /square.*2 x 3/ });
  assert.throws(() => eigh.outputs([dense([2], [])], {}), { code: 'ERR_SHEAF_SHAPE', message: /at least two axes/ });
  const a = dense([2, 2], []);
  assert.throws(() => solve.outputs([a, dense([3], [])], {}), {
    code: 'ERR_SHEAF_SHAPE',
    message: /2 rows.*2 x 2 and 3/,
  });
  assert.throws(() => solve.outputs([dense([3, 2, 2], []), dense([2, 2, 1], [])], {}), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => solve.outputs([a, dense([2], [], 'f32')], {}), { code: 'ERR_SHEAF_DTYPE' });
});
