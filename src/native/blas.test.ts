import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Blas, lookFor, searchBlas } from './blas.ts';

const { blas, problem } = searchBlas();
const skip = blas === undefined ? (problem as string) : false;

test('what is not OpenBLAS is refused with a reason, and off means none', () => {
  assert.deepEqual(lookFor('off'), { blas: undefined, problem: 'SHEAF_BLAS is off' });
  const missing = lookFor('/nowhere/libopenblas.so.0');
  assert.equal(missing.blas, undefined);
  assert.match(missing.problem ?? '', /^SHEAF_BLAS is \/nowhere\/libopenblas\.so\.0: /);
});

test('a library that is not OpenBLAS is named', { skip: process.platform !== 'linux' }, () => {
  const { blas, problem } = lookFor('libm.so.6');
  assert.equal(blas, undefined);
  assert.match(problem ?? '', /^libm\.so\.6 is not OpenBLAS/);
});

test('it is looked for once', () => {
  assert.equal(searchBlas(), searchBlas());
});

test('loading it leaves the environment as it was', () => {
  const name = 'OPENBLAS_NUM_THREADS';
  const before = process.env[name];
  try {
    process.env[name] = '3';
    lookFor(undefined);
    assert.equal(process.env[name], '3');
    delete process.env[name];
    lookFor(undefined);
    assert.equal(process.env[name], undefined);
  } finally {
    if (before !== undefined) process.env[name] = before;
  }
});

test('gemm multiplies doubles and floats that lie in rows or columns, with gaps, in shared memory', { skip }, () => {
  const { gemm } = blas as Blas;
  const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  for (const Elements of [Float64Array, Float32Array] as (new (
    ...args: [ArrayBufferLike, number, number]
  ) => Float64Array | Float32Array)[]) {
    // 2 x 3 times 3 x 2.
    const a = new Elements(buffer, 64, 8);
    a.set([1, 2, 3, -1, 4, 5, 6, -1]);
    const b = new Elements(buffer, 256, 6);
    b.set([1, 0, 2, 0, 1, 3]);
    const into = new Elements(buffer, 512, 5);
    into.fill(100);
    const [left, right] = [
      { elements: a, transposed: false, lead: 4 },
      { elements: b, transposed: true, lead: 3 },
    ];
    gemm(2, 2, 3, left, right, { elements: into, lead: 3 }, false);
    assert.deepEqual([...into], [7, 11, 100, 16, 23, 100].slice(0, 5));
    gemm(2, 2, 3, left, right, { elements: into, lead: 3 }, true);
    assert.deepEqual([...into], [14, 22, 100, 32, 46]);
  }
});

test('LAPACK factorizes, and says where it could not', { skip: skip || blas?.lapack === undefined }, () => {
  const { lapack } = blas as Blas;
  assert.ok(lapack);
  const a = new Float64Array([4, 2, 2, 5]);
  assert.equal(lapack.potrf(2, a), 0);
  assert.deepEqual([...a], [2, 1, 2, 2]);
  assert.equal(lapack.potrf(2, new Float64Array([1, 2, 2, 1])), 2);
  const b = new Float64Array([2, 6]);
  assert.equal(lapack.gesv(2, 1, new Float64Array([2, 0, 0, 3]), b), 0);
  assert.deepEqual([...b], [1, 2]);
  const values = new Float64Array(2);
  assert.equal(lapack.syevd(true, 2, new Float64Array([3, 0, 0, 1]), values), 0);
  assert.deepEqual([...values], [1, 3]);
  const s = new Float64Array(2);
  assert.equal(
    lapack.gesdd('some', 3, 2, new Float64Array([0, 3, 0, 4, 0, 0]), s, new Float64Array(6), new Float64Array(4)),
    0,
  );
  assert.deepEqual([...s], [4, 3]);
});
