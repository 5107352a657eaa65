import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asArr, at, build, type Plain, plainOf, same, withSession } from './arrays.fixture.ts';
import * as sf from './index.ts';
import {
  type Arr,
  arange,
  asarray,
  cross,
  diagonal,
  eye,
  matmul,
  outer,
  randomNormal,
  tensordot,
  trace,
  vecdot,
  zeros,
} from './index.ts';

withSession();

const dot = (n: number, of: (i: number) => number): number =>
  Array.from({ length: n }, (_, i) => of(i)).reduce((a, b) => a + b, 0);

const length = fc.nat(4);
const many = fc.array(fc.nat(3), { maxLength: 2 });

test('matmul multiplies the last two axes, and broadcasts those before', () =>
  fc.assert(
    fc.asyncProperty(
      fc
        .tuple(length, length, length, many)
        .chain(([m, k, n, outer]) => fc.tuple(plainOf([...outer, m, k]), plainOf([...outer.slice(1), k, n]))),
      async ([x, y]) => {
        const [m, k] = x.shape.slice(-2) as [number, number];
        const n = y.shape.at(-1)!;
        const product = build([...x.shape.slice(0, -2), m, n], 'f64', (p) => {
          const [row, column] = p.slice(-2) as [number, number];
          const before = p.slice(0, -2);
          return dot(k, (i) => Number(at(x, [...before, row, i])) * Number(at(y, [...before, i, column])));
        });
        await same(matmul(asArr(x), asArr(y)), product);
        await same(asArr(x).astype('i32').matmul(asArr(y).astype('i32')) as Arr, { ...product, dtype: 'i32' });
      },
    ),
  ));

test('arrays of one axis are rows on the left and columns on the right', async () => {
  const [x, y] = [arange(3), arange(6).reshape([3, 2])];
  assert.deepEqual(await matmul(x, y).toNested(), [10, 13]);
  assert.deepEqual(await matmul(y.T, x).toNested(), [10, 13]);
  assert.equal(await matmul(x, x).item(), 5);
  assert.equal(matmul(x, x).ndim, 0);
  assert.throws(() => matmul(y, y), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^matmul: the shapes 3 x 2 and 3 x 2 .* a row of the first has 2/,
  });
  assert.throws(() => matmul(zeros([]), x), { code: 'ERR_SHEAF_SHAPE', message: /use multiply/ });
  assert.throws(() => matmul(zeros([2, 2], { dtype: 'bool' }), zeros([2, 2], { dtype: 'bool' })), {
    code: 'ERR_SHEAF_DTYPE',
  });
  assert.throws(() => matmul(x, x.astype('i32') as never), { code: 'ERR_SHEAF_DTYPE' });
});

test('tensordot sums over the axes that are named', async () => {
  const [x, y] = [arange(24).reshape([2, 3, 4]), arange(12).reshape([4, 3])];
  const plain = async (a: Arr): Promise<Plain> => ({ shape: a.shape, dtype: a.dtype, values: [...(await a.data())] });
  const [px, py] = [await plain(x), await plain(y)];
  await same(
    tensordot(x, y, {
      axes: [
        [1, 2],
        [1, 0],
      ],
    }),
    build([2], 'f64', ([i]) => dot(3, (j) => dot(4, (k) => Number(at(px, [i!, j, k])) * Number(at(py, [k, j]))))),
  );
  await same(
    tensordot(x, y, { axes: 1 }),
    build([2, 3, 3], 'f64', ([i, j, l]) => dot(4, (k) => Number(at(px, [i!, j!, k])) * Number(at(py, [k, l!])))),
  );
  assert.deepEqual(tensordot(x, y, { axes: 0 }).shape, [2, 3, 4, 4, 3]);
  assert.throws(() => tensordot(x, y), { code: 'ERR_SHEAF_SHAPE', message: /are not equally long/ });
  assert.throws(() => tensordot(x, y, { axes: 3 }), { code: 'ERR_SHEAF_AXIS' });
});

test('vecdot, outer, cross', async () => {
  const x = arange(6).reshape([2, 3]);
  assert.deepEqual(await vecdot(x, x).toNested(), [5, 50]);
  assert.deepEqual(await vecdot(x, x, { axis: 0 }).toNested(), [9, 17, 29]);
  assert.deepEqual(await vecdot(x, arange(3)).toNested(), [5, 14]);
  assert.deepEqual(await outer(arange(2), arange(3)).toNested(), [
    [0, 0, 0],
    [0, 1, 2],
  ]);
  assert.deepEqual(await cross(asarray([1, 2, 3]), asarray([4, 5, 6])).toNested(), [-3, 6, -3]);
  assert.deepEqual(await cross(eye(3), eye(3).roll(1, { axis: 0 }), { axis: 0 }).toNested(), [
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
  ]);
  assert.throws(() => cross(x.T, x.T), { code: 'ERR_SHEAF_SHAPE', message: /vectors have 3 elements, and not 2/ });
  assert.throws(() => vecdot(x, zeros([2, 1])), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => outer(x, x), { code: 'ERR_SHEAF_SHAPE' });
});

test('diagonals, and sums along them', () =>
  fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.nat(2), fc.nat(4), fc.nat(4)).chain((shape) => plainOf(shape)),
      fc.integer({ min: -5, max: 5 }),
      async (x, offset) => {
        const [outer, m, n] = x.shape as [number, number, number];
        const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
        const count = Math.max(0, Math.min(m - row, n - column));
        const line = build([outer, count], 'f64', ([i, j]) => at(x, [i!, row + j!, column + j!]));
        await same(diagonal(asArr(x), { offset }), line);
        await same(
          trace(asArr(x), { offset }),
          build([outer], 'f64', ([i]) => dot(count, (j) => Number(at(line, [i!, j])))),
        );
      },
    ),
  ));

/** That the greatest difference is small. */
async function close(a: Arr<'f64'>, b: Arr<'f64'>, text: string): Promise<void> {
  assert.deepEqual([...a.shape], [...b.shape], text);
  const apart = a.size === 0 ? 0 : await a.sub(b).abs().max().item();
  assert.ok(apart < 1e-9, `${text}: ${apart}`);
}

const matrices = (m: number, n: number, seed = 1) => randomNormal([2, m, n], { seed });

test('decompositions multiply to what they were made of', async () => {
  for (const [m, n] of [
    [4, 4],
    [5, 3],
    [3, 5],
    [1, 1],
  ] as const) {
    const x = matrices(m, n);
    for (const mode of ['reduced', 'complete'] as const) {
      const { q, r } = sf.qr(x, { mode });
      await close(q.matmul(r), x, `qr ${mode}`);
      await close(q.mT.matmul(q), sf.broadcastTo(eye(q.shape.at(-1)!), [2, q.shape.at(-1)!, q.shape.at(-1)!]), 'q');
      await close(sf.triu(r), r, 'r');
    }
    const { u, s, vh } = sf.svd(x, { fullMatrices: false });
    await close(u.mul(s.at(':', 'new')).matmul(vh), x, 'svd');
    await close(sf.svdvals(x), s, 'svdvals');
    const whole = sf.svd(x);
    assert.deepEqual(
      [whole.u.shape, whole.vh.shape],
      [
        [2, m, m],
        [2, n, n],
      ],
    );
    const p = sf.pinv(x);
    await close(x.matmul(p).matmul(x), x, 'pinv');
    assert.deepEqual(await sf.matrixRank(x).toNested(), [BigInt(Math.min(m, n)), BigInt(Math.min(m, n))]);
  }
  const x = matrices(4, 4);
  const symmetric = x.add(x.mT);
  const { eigenvalues, eigenvectors } = sf.eigh(symmetric);
  await close(symmetric.matmul(eigenvectors), eigenvectors.mul(eigenvalues.at(':', 'new')), 'eigh');
  await close(sf.eigvalsh(symmetric), eigenvalues, 'eigvalsh');
  const found = sf.eigh(symmetric, { sorted: false });
  await close(
    symmetric.matmul(found.eigenvectors),
    found.eigenvectors.mul(found.eigenvalues.at(':', 'new')),
    'unsorted',
  );
  await close(found.eigenvectors.mT.matmul(found.eigenvectors), sf.broadcastTo(eye(4), [2, 4, 4]), 'of length 1');
  await close(sf.sort(found.eigenvalues), eigenvalues, 'the same values');
  const positive = x.matmul(x.mT).add(eye(4));
  const lower = sf.cholesky(positive);
  await close(lower.matmul(lower.mT), positive, 'cholesky');
  await close(sf.tril(lower), lower, 'its triangle');
  await close(sf.cholesky(positive, { upper: true }), lower.mT, 'upper');
});

test('eigenvalues that are not sorted come as the EigenSolver of Eigen has them', async () => {
  // The example of its documentation, with its rounding.
  const { eigenvalues, eigenvectors } = sf.eigh(sf.ones([3, 3]), { sorted: false });
  assert.deepEqual(
    Array.from(await eigenvalues.data(), (x) => x.toPrecision(3)),
    ['-5.31e-17', '3.00', '0.00'],
  );
  await close(
    eigenvectors.at(':', 0),
    asarray([-0.816496580927726, 0.408248290463863, 0.408248290463863]),
    'the first',
  );
  const trivial = sf.eigh(sf.zeros([2, 2]), { sorted: false });
  await close(trivial.eigenvectors, eye(2), 'of zeros');
  // The lower triangle is read.
  const below = sf.eigh(
    asarray([
      [2, 99],
      [1, 2],
    ]),
    { sorted: false },
  );
  await close(below.eigenvalues, asarray([3, 1]), 'in the order in which they split off');
  // Twice the same ones, and more rows than are done at once.
  const x = sf.random([12, 12], { seed: 5 });
  const twice = sf.concat([
    sf.concat([x.add(x.T), sf.zeros([12, 12])], { axis: 1 }),
    sf.concat([sf.zeros([12, 12]), x.add(x.T)], { axis: 1 }),
  ]);
  const { eigenvalues: values, eigenvectors: vectors } = sf.eigh(twice, { sorted: false });
  await close(twice.matmul(vectors), vectors.mul(values), 'twice the same ones');
});

test('solve, inv, det, slogdet and powers agree', async () => {
  const x = matrices(4, 4);
  const unit = sf.broadcastTo(eye(4), [2, 4, 4]);
  await close(x.matmul(sf.inv(x)), unit, 'inv');
  const y = matrices(4, 3, 2);
  await close(x.matmul(sf.solve(x, y)), y, 'solve');
  await close(x.at(0).matmul(sf.solve(x.at(0), arange(4))), arange(4), 'a vector');
  await close(x.matmul(sf.solve(x, y.at(0))), sf.broadcastTo(y.at(0), [2, 4, 3]), 'broadcast');
  const { sign, logabsdet } = sf.slogdet(x);
  await close(sign.mul(logabsdet.exp()), sf.det(x), 'slogdet');
  await close(sf.det(sf.eye(3).mul(2)), sf.full([], 8), 'det');
  await close(sf.matrixPower(x, 3), x.matmul(x).matmul(x), 'power');
  await close(sf.matrixPower(x, 0), unit, 'power 0');
  await close(sf.matrixPower(x, -2).matmul(x).matmul(x), unit, 'power -2');
});

test('norms of vectors and matrices', async () => {
  const x = asarray([
    [3, -4, 0],
    [1, 2, 2],
  ]);
  const vector = (ord: number): Promise<unknown> => sf.vectorNorm(x, { ord, axis: 1 }).toNested();
  assert.deepEqual(await vector(2), [5, 3]);
  assert.deepEqual(await vector(1), [7, 5]);
  assert.deepEqual(await vector(0), [2, 3]);
  assert.deepEqual(await vector(Number.POSITIVE_INFINITY), [4, 2]);
  assert.deepEqual(await vector(Number.NEGATIVE_INFINITY), [0, 1]);
  await close(sf.vectorNorm(x, { ord: 3, axis: 1 }), asarray([91 ** (1 / 3), 17 ** (1 / 3)]), 'of order 3');
  assert.equal(await sf.vectorNorm(x).item(), Math.sqrt(34));
  assert.deepEqual(sf.vectorNorm(x, { axis: 0, keepdims: true }).shape, [1, 3]);
  const matrix = (ord: never): Promise<number> => sf.matrixNorm(x, { ord }).item();
  assert.equal(await sf.matrixNorm(x).item(), Math.sqrt(34));
  assert.equal(await matrix(1 as never), 6);
  assert.equal(await matrix(-1 as never), 2);
  assert.equal(await matrix(Number.POSITIVE_INFINITY as never), 7);
  assert.equal(await matrix(Number.NEGATIVE_INFINITY as never), 5);
  const s = (await sf.svdvals(x).toNested()) as number[];
  for (const [ord, expected] of [
    ['nuc', s[0]! + s[1]!],
    [2, s[0]!],
    [-2, s[1]!],
  ] as const)
    assert.ok(Math.abs((await matrix(ord as never)) - expected) < 1e-12);
  assert.deepEqual(sf.matrixNorm(zeros([5, 2, 3]), { keepdims: true }).shape, [5, 1, 1]);
  const nothing = sf.zeros([2, 0]);
  assert.equal(await sf.vectorNorm(nothing, { ord: Number.POSITIVE_INFINITY }).item(), 0);
  assert.deepEqual(await sf.matrixNorm(nothing, { ord: 2, keepdims: true }).toNested(), [[0]]);
  for (const ord of [Number.NEGATIVE_INFINITY, -2, -1] as const) {
    const refused = { code: 'ERR_SHEAF_SHAPE', message: /^(vector|matrix)Norm: axis \d of the shape .* is empty/ };
    assert.throws(() => sf.matrixNorm(sf.zeros([0, 0]), { ord }), refused);
    if (ord < -2) assert.throws(() => sf.vectorNorm(nothing, { ord }), refused);
  }
  assert.throws(() => sf.matrixNorm(x, { ord: 3 }), { code: 'ERR_SHEAF_USAGE', message: /there is no norm 3/ });
});

test('matrices that do not do are refused', async () => {
  assert.throws(() => sf.inv(zeros([2, 3])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^inv: a matrix of 2 rows and 3 columns is not square/,
  });
  assert.throws(() => sf.det(zeros([3])), { code: 'ERR_SHEAF_SHAPE', message: /^det takes matrices/ });
  assert.throws(() => sf.svd(zeros([2, 2], { dtype: 'i32' }) as never), {
    code: 'ERR_SHEAF_DTYPE',
    message: /^svd takes floats/,
  });
  assert.throws(() => sf.solve(eye(2), zeros([3])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /there are 2 equations, and 3 right sides/,
  });
  assert.throws(() => sf.qr(eye(2), { mode: 'all' as never }), { code: 'ERR_SHEAF_USAGE' });
  assert.throws(() => sf.matrixPower(eye(2), 0.5), { code: 'ERR_SHEAF_USAGE' });
  await assert.rejects(sf.inv(zeros([2, 2])).data(), { code: 'ERR_SHEAF_MATRIX', message: /singular/ });
  await assert.rejects(sf.cholesky(eye(2).neg()).data(), { code: 'ERR_SHEAF_MATRIX' });
});
