import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DTYPE_NAMES, isBig } from '../nd/index.ts';
import { withSession } from './arrays.fixture.ts';
import * as sf from './index.ts';
import { arange, asarray, empty, eye, fromNested, fromTyped, full, linspace, ones, zeros } from './index.ts';

withSession();

test('zeros, ones and full are the same everywhere, in every type', async () => {
  for (const dtype of DTYPE_NAMES) {
    const unit = dtype === 'bool' ? true : isBig(dtype) ? 1n : 1;
    const none = dtype === 'bool' ? false : isBig(dtype) ? 0n : 0;
    assert.deepEqual(await ones([2, 1], { dtype }).toNested(), [[unit], [unit]]);
    assert.deepEqual(await zeros([2], { dtype }).toNested(), [none, none]);
    assert.deepEqual(await empty([1], { dtype }).toNested(), [none]);
    assert.deepEqual(await sf.onesLike(zeros([2], { dtype })).toNested(), [unit, unit]);
    assert.equal(sf.zerosLike(zeros([2]), { dtype }).dtype, dtype);
    assert.deepEqual(await sf.fullLike(zeros([1], { dtype }), unit).toNested(), [unit]);
    assert.equal(sf.emptyLike(zeros([2], { dtype })).dtype, dtype);
  }
  assert.equal(full([], 2n).dtype, 'i64');
  assert.equal(full([], true).dtype, 'bool');
  assert.equal(full([], 2).dtype, 'f64');
  assert.throws(() => full([2], 300, { dtype: 'u8' }), { code: 'ERR_SHEAF_DTYPE', message: /^full: 300 is no u8/ });
  assert.throws(() => zeros([-1]), { code: 'ERR_SHEAF_SHAPE', message: /^zeros: -1 is no length/ });
  assert.throws(() => zeros([1.5]), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => zeros('x' as never), { code: 'ERR_SHEAF_SHAPE', message: /takes a shape such as/ });
  assert.throws(() => zeros([1], { dtype: 'f16' as never }), {
    code: 'ERR_SHEAF_DTYPE',
    message: /there are bool, i8/,
  });
});

test('arange goes from start up to stop', async () => {
  assert.deepEqual(await arange(3).toNested(), [0, 1, 2]);
  assert.deepEqual(await arange(1, 2, 0.25).toNested(), [1, 1.25, 1.5, 1.75]);
  assert.deepEqual(await arange(3, 0, -1).toNested(), [3, 2, 1]);
  assert.deepEqual(arange(3, 0).shape, [0]);
  assert.deepEqual(arange(0, 1, -1, { dtype: 'i32' }).shape, [0]);
  assert.deepEqual(await arange(3n, { dtype: 'i64' }).toNested(), [0n, 1n, 2n]);
  assert.deepEqual(await arange(7, 0, -3, { dtype: 'i8' }).toNested(), [7, 4, 1]);
  assert.deepEqual(await arange(0, 7, 3, { dtype: 'u8' }).toNested(), [0, 3, 6]);
  assert.deepEqual(
    await arange(2n ** 64n - 3n, 2n ** 64n, 1n, { dtype: 'u64' }).toNested(),
    [-3n, -2n, -1n].map((x) => BigInt.asUintN(64, x)),
  );
  assert.deepEqual(await arange(2n ** 63n, 0n, -(2n ** 62n), { dtype: 'u64' }).toNested(), [2n ** 63n, 2n ** 62n]);
  assert.throws(() => arange(300, { dtype: 'u8' }), { code: 'ERR_SHEAF_DTYPE', message: /299 is no u8|299n is no u8/ });
  assert.throws(() => arange(0, 1, 0), { code: 'ERR_SHEAF_USAGE', message: /steps of 0/ });
  assert.throws(() => arange(Number.POSITIVE_INFINITY), { code: 'ERR_SHEAF_USAGE' });
});

test('linspace has both ends', async () => {
  assert.deepEqual(await linspace(0, 1, 5).toNested(), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(await linspace(0, 1, 4, { endpoint: false }).toNested(), [0, 0.25, 0.5, 0.75]);
  assert.deepEqual(await linspace(2, 7, 1).toNested(), [2]);
  assert.deepEqual(linspace(0, 1, 0).shape, [0]);
  assert.equal(await linspace(0, 0.3, 4).at(-1).item(), 0.3);
  assert.equal(linspace(0, 1, 3, { dtype: 'f32' }).dtype, 'f32');
  assert.throws(() => linspace(0, 1, -1), { code: 'ERR_SHEAF_USAGE' });
  assert.throws(() => linspace(0, 1, 3, { dtype: 'i8' as never }), {
    code: 'ERR_SHEAF_DTYPE',
    message: /takes floats/,
  });
});

test('eye has ones on a diagonal', async () => {
  assert.deepEqual(await eye(2, 3, { k: 1 }).toNested(), [
    [0, 1, 0],
    [0, 0, 1],
  ]);
  assert.deepEqual(await eye(2, 2, { k: -1, dtype: 'bool' }).toNested(), [
    [false, false],
    [true, false],
  ]);
  assert.deepEqual(eye(3).shape, [3, 3]);
});

test('lists of lists become arrays, and are refused where they have no one shape or kind', async () => {
  assert.deepEqual(await fromNested([[1], [2]]).toNested(), [[1], [2]]);
  assert.deepEqual(fromNested([[], []]).shape, [2, 0]);
  assert.equal(await fromNested(7).item(), 7);
  assert.equal(fromNested([1n]).dtype, 'i64');
  assert.equal(fromNested([true]).dtype, 'bool');
  assert.equal(fromNested([1, 2], { dtype: 'u8' }).dtype, 'u8');
  assert.throws(() => fromNested([[1, 2], [3]]), {
    code: 'ERR_SHEAF_SHAPE',
    message: /make 2 x 2, and at \[1\] there is a list of 1/,
  });
  assert.throws(() => fromNested([1, [2]]), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => fromNested([[1], 2]), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => fromNested([1, 2n, true] as never), {
    code: 'ERR_SHEAF_DTYPE',
    message: /the value at \[2\]: true is no f64/,
  });
  assert.throws(() => fromNested(['a'] as never), { code: 'ERR_SHEAF_USAGE', message: /and not string/ });
  assert.throws(() => fromNested([256], { dtype: 'u8' }), { code: 'ERR_SHEAF_DTYPE' });
});

test('typed arrays are arrays of their type', async () => {
  const data = Float32Array.of(1, 2, 3, 4);
  const x = fromTyped(data, [2, 2]);
  assert.equal(x.dtype, 'f32');
  assert.deepEqual(await x.toNested(), [
    [1, 2],
    [3, 4],
  ]);
  assert.equal((await x.data()).buffer, data.buffer, 'it was not copied');
  assert.equal(fromTyped(new Uint8ClampedArray(2)).dtype, 'u8');
  assert.equal(fromTyped(Buffer.from('ab')).dtype, 'u8');
  assert.equal(asarray(BigUint64Array.of(1n)).dtype, 'u64');
  assert.throws(() => fromTyped(data, [3]), { code: 'ERR_SHEAF_SHAPE', message: /4 elements do not fill the shape 3/ });
  assert.throws(() => fromTyped(new DataView(new ArrayBuffer(8))), {
    code: 'ERR_SHEAF_USAGE',
    message: /not a DataView/,
  });
  assert.throws(() => fromTyped([1] as never), { code: 'ERR_SHEAF_USAGE', message: /not an array/ });
});

test('asarray takes what there is, and gives arrays back as they are', async () => {
  const x = zeros([2]);
  assert.equal(asarray(x), x);
  assert.equal(asarray(x, { dtype: 'i8' }).dtype, 'i8');
  assert.deepEqual(await asarray(Int8Array.of(1), { dtype: 'f32' }).toNested(), [1]);
  assert.equal(await asarray(5).item(), 5);
});

test('facts about types', () => {
  assert.deepEqual(sf.finfo('f32'), {
    bits: 32,
    eps: 2 ** -23,
    max: 3.4028234663852886e38,
    min: -3.4028234663852886e38,
    smallestNormal: 2 ** -126,
    dtype: 'f32',
  });
  assert.equal(sf.finfo(zeros([1])).eps, Number.EPSILON);
  assert.deepEqual(sf.iinfo('i64'), { bits: 64, max: 2n ** 63n - 1n, min: -(2n ** 63n), dtype: 'i64' });
  assert.equal(sf.iinfo(zeros([1], { dtype: 'u8' })).max, 255);
  assert.throws(() => sf.iinfo('f64' as never), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => sf.finfo('i8' as never), { code: 'ERR_SHEAF_DTYPE' });
  assert.ok(sf.isdtype('f32', 'real floating') && sf.isdtype('u8', ['bool', 'integral']) && sf.isdtype('i8', 'i8'));
  assert.ok(!sf.isdtype('u8', 'signed integer') && !sf.isdtype('bool', 'numeric'));
  assert.throws(() => sf.isdtype('u8', 'integer' as never), { code: 'ERR_SHEAF_USAGE' });
  assert.ok(sf.canCast('i8', 'i16') && sf.canCast(zeros([1], { dtype: 'f32' }), 'f64'));
  assert.ok(!sf.canCast('i16', 'i8') && !sf.canCast('i8', 'f64'));
  assert.equal(sf.resultType('i8', zeros([1], { dtype: 'u8' }), 3), 'i16');
  assert.throws(() => sf.resultType('i8', 'f32'), { code: 'ERR_SHEAF_DTYPE', message: /^resultType: i8 and f32/ });
  assert.throws(() => sf.resultType('i8', 0.5), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => sf.resultType(1), { code: 'ERR_SHEAF_USAGE' });
});
