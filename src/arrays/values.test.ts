import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConnectOptions, connect, task } from '../tasks/index.ts';
import { withSession } from './arrays.fixture.ts';
import { type Arr, arange, asarray, fromTyped, full, ones, zeros } from './index.ts';

test('without a session, arrays are made, and values are refused', async () => {
  const x = zeros([2, 3]).add(1);
  assert.deepEqual(x.shape, [2, 3]);
  for (const ask of [
    () => x.sum().item(),
    () => x.data(),
    () => x.show(),
    () => x.persist(),
    () => x.toNested(),
    () => x.explain(),
  ]) {
    await assert.rejects(ask, { name: 'UsageError', code: 'ERR_SHEAF_NO_SESSION', message: /needs an open session/ });
  }
  await assert.rejects(x.nonzero(), { code: 'ERR_SHEAF_NO_SESSION', message: /^nonzero needs/ });
  const session = await connect({ mode: 'inline' });
  assert.deepEqual([...(await x.data())], [1, 1, 1, 1, 1, 1]);
  await session[Symbol.asyncDispose]();
});

test('with several sessions the one that is bound is used', async () => {
  const [a, b] = [await connect({ mode: 'inline' }), await connect({ mode: 'inline' })];
  const x = ones([2]).sum();
  await assert.rejects(x.item(), { code: 'ERR_SHEAF_SEVERAL_SESSIONS' });
  assert.equal(await a.run(() => x.item()), 2);
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});

describe('values', () => {
  withSession();

  test('are numbers, booleans and, of 64-bit integers, bigints', async () => {
    assert.equal(await full([], 3, { dtype: 'i8' }).item(), 3);
    assert.equal(await full([1, 1], true).item(), true);
    assert.equal(await full([], -(2n ** 63n)).item(), -(2n ** 63n));
    assert.deepEqual(await asarray([[1n], [2n]]).toNested(), [[1n], [2n]]);
    assert.equal(await full([], 5).toNested(), 5);
    assert.deepEqual(await zeros([2, 0]).toNested(), [[], []]);
    assert.ok((await zeros([2], { dtype: 'u64' }).data()) instanceof BigUint64Array);
    await assert.rejects(zeros([2, 3]).item(), { code: 'ERR_SHEAF_SHAPE', message: /shape 2 x 3 has 6 elements/ });
    await assert.rejects(zeros([0]).item(), { code: 'ERR_SHEAF_SHAPE' });
  });

  test('of views are in the order of rows', async () => {
    const x = await arange(6).reshape([2, 3]).persist();
    assert.deepEqual([...(await x.T.data())], [0, 3, 1, 4, 2, 5]);
    assert.deepEqual([...(await x.at(':', '::-1').data())], [2, 1, 0, 5, 4, 3]);
  });

  test('persist computes, and gives the same array', async () => {
    const x = ones([3]).add(1);
    assert.equal(await x.persist(), x);
    assert.match(await x.explain(), /plan: 0 steps/);
    assert.deepEqual(await x.mul(2).toNested(), [4, 4, 4]);
  });

  test('a chain of 10,000 operations is computed', async () => {
    let x = zeros([3]);
    for (let i = 0; i < 10_000; i++) x = x.add(1);
    assert.deepEqual(await x.toNested(), [10_000, 10_000, 10_000]);
  });

  test('explain tells the graph and the plan, as a text or drawn', async () => {
    const x = asarray([1, 2]).add(1).sum();
    const text = await x.explain();
    assert.match(text, /%2 = add\(%0, %1\): f64 2\n {2}%3 = sum over 0\(%2\): f64/);
    assert.match(text, /plan: 1 step/);
    assert.match(await x.explain({ svg: true }), /^<svg/);
    assert.equal(await x.item(), 5);
  });

  test('arrays that are computed are arguments and results of tasks', async () => {
    const add = task(async (x: Arr<'i64'>) => x.add(1n).persist());
    const x = await asarray([[1n], [2n]]).persist();
    const y = await add(x).value;
    assert.deepEqual([y.dtype, await y.toNested()], ['i64', [[2n], [3n]]]);
    await assert.rejects(async () => add(x.add(1n)).value, {
      code: 'ERR_SHEAF_CODEC',
      message: /await x\.persist\(\)/,
    });
    await assert.rejects(async () => add(x.at(x.greater(1n))).value, { code: 'ERR_SHEAF_CODEC' });
  });

  test('operators of JavaScript and JSON are refused', () => {
    const x = zeros([2]) as unknown as number;
    assert.throws(() => x + 1, { code: 'ERR_SHEAF_USAGE', message: /no JavaScript operators/ });
    assert.throws(() => x < 1, { code: 'ERR_SHEAF_USAGE' });
    assert.throws(() => JSON.stringify({ x }), { code: 'ERR_SHEAF_USAGE', message: /toNested/ });
  });
});

async function inSession(options: ConnectOptions, body: () => Promise<void>): Promise<void> {
  const session = await connect(options);
  try {
    await body();
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

describe('what is released', () => {
  for (const options of [{ mode: 'inline' }, { cpus: 2 }] as const) {
    test(`is gone, and typed arrays of it are not (${'mode' in options ? 'inline' : 'workers'})`, async () => {
      await inSession(options, async () => {
        for (const length of [10, 300_000]) {
          const x = await arange(length).mul(2).persist();
          const data = await x.data();
          const part = x.at('1:');
          const later = part.add(1);
          x.release();
          x.release();
          for (const gone of [x, part, later]) {
            await assert.rejects(gone.sum().item(), { name: 'ReleasedError', code: 'ERR_SHEAF_RELEASED' });
          }
          await assert.rejects(x.data(), { code: 'ERR_SHEAF_RELEASED' });
          // Its memory is somebody else's now.
          const others = await Promise.all(Array.from({ length: 4 }, () => full([length], 7).persist()));
          assert.equal(data[length - 1], 2 * (length - 1));
          for (const other of others) other.release();
          // What is not computed holds nothing.
          const lazy = zeros([length]).add(1);
          lazy.release();
          assert.equal(await lazy.sum().item(), length);
        }
      });
    });

    test(`while it is read stays until then (${'mode' in options ? 'inline' : 'workers'})`, async () => {
      await inSession(options, async () => {
        const x = await arange(4_000_000).persist();
        const sums = [x.add(1).sum().item(), x.mul(2).max().item()];
        x.release();
        const others = Array.from({ length: 3 }, () => full([4_000_000], -1).persist());
        const [sum, most] = await Promise.all(sums.map((each) => each.catch(({ code }) => code)));
        // One that had not begun hears of it; in this thread it begins at once.
        if ('mode' in options) assert.deepEqual([sum, most], [8_000_002_000_000, 7_999_998]);
        assert.ok(sum === 8_000_002_000_000 || sum === 'ERR_SHEAF_RELEASED', String(sum));
        assert.ok(most === 7_999_998 || most === 'ERR_SHEAF_RELEASED', String(most));
        for (const other of await Promise.all(others)) other.release();
        await assert.rejects(x.data(), { code: 'ERR_SHEAF_RELEASED' });
      });
    });
  }

  test('is gone wherever it was copied to', async () => {
    const early = fromTyped(new Float64Array(200_000).fill(2));
    await inSession({ cpus: 2 }, async () => {
      // Made before there was a session, and small ones, which lie in this thread's memory.
      assert.equal(await early.sum().item(), 400_000);
      const small = await arange(10).mul(2).persist();
      const large = (): Arr => zeros([10_000, 10]).add(small as Arr<'f64'>);
      assert.equal(await large().sum().item(), 900_000);
      early.release();
      small.release();
      await assert.rejects(early.sum().item(), { code: 'ERR_SHEAF_RELEASED' });
      await assert.rejects(large().sum().item(), { code: 'ERR_SHEAF_RELEASED' });
    });
  });
});
