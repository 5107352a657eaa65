import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asArr, at, build, type Plain, plainOf, points, same, withSession } from './arrays.fixture.ts';
import {
  arange,
  argsort,
  asarray,
  cumulativeProd,
  cumulativeSum,
  nonzero,
  ones,
  searchsorted,
  sort,
  take,
  takeAlongAxis,
  zeros,
} from './index.ts';

withSession();

const shaped = fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5 }), fc.nat(3));
const lines = shaped.chain((shape) => fc.record({ x: plainOf(shape), axis: fc.nat(2) }));

/** The elements of the line that a point is on. */
const lineAt = (x: Plain, p: readonly number[], axis: number): number[] =>
  Array.from({ length: x.shape[axis]! }, (_, i) =>
    Number(
      at(
        x,
        p.map((own, each) => (each === axis ? i : own)),
      ),
    ),
  );

/** NaN is greater than everything. */
const order = (a: number, b: number): number => Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || a - b;

test('sort and argsort put lines in order, and leave equal elements in theirs', () =>
  fc.assert(
    fc.asyncProperty(lines, fc.boolean(), async ({ x, axis }, descending) => {
      const compare = descending ? (a: number, b: number) => b - a : order;
      await same(
        sort(asArr(x), { axis, descending }),
        build(x.shape, 'f64', (p) => [...lineAt(x, p, axis)].sort(compare)[p[axis]!]!),
      );
      const places = (line: number[]): number[] =>
        line.map((_, i) => i).sort((a, b) => compare(line[a]!, line[b]!) || a - b);
      await same(
        argsort(asArr(x), { axis: axis - 3, descending }),
        build(x.shape, 'i64', (p) => BigInt(places(lineAt(x, p, axis))[p[axis]!]!)),
      );
    }),
  ));

test('NaN comes last in a sorted line', async () => {
  assert.deepEqual(await sort(asarray([3, Number.NaN, 1])).toNested(), [1, 3, Number.NaN]);
  assert.throws(() => sort(zeros([])), { code: 'ERR_SHEAF_AXIS' });
});

test('searchsorted finds where values go in, on either side of equal ones', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 9 })),
      fc.array(fc.integer({ min: -1, max: 10 })),
      async (list, values) => {
        const sorted = [...list].sort((a, b) => a - b);
        const [x, v] = [asarray(list), asarray(values)];
        const left = values.map((value) => BigInt(sorted.filter((each) => each < value).length));
        const right = values.map((value) => BigInt(sorted.filter((each) => each <= value).length));
        assert.deepEqual(await searchsorted(sort(x), v).toNested(), left);
        assert.deepEqual(await searchsorted(sort(x), v, { side: 'right' }).toNested(), right);
        assert.deepEqual(await searchsorted(x, v, { sorter: argsort(x) }).toNested(), left);
      },
    ),
  ));

test('searchsorted refuses what it can not look in', async () => {
  assert.throws(() => searchsorted(zeros([2, 2]), zeros([1])), { code: 'ERR_SHEAF_SHAPE', message: /one axis/ });
  assert.throws(() => searchsorted(zeros([2]), 1, { side: 'middle' as never }), { code: 'ERR_SHEAF_USAGE' });
  assert.equal(await searchsorted(arange(4), 2).item(), 2n);
});

test('sums and products of all elements up to each', () =>
  fc.assert(
    fc.asyncProperty(lines, fc.boolean(), async ({ x, axis }, includeInitial) => {
      const shape = x.shape.map((length, i) => (i === axis && includeInitial ? length + 1 : length));
      const upTo = (p: readonly number[]): number[] => lineAt(x, p, axis).slice(0, p[axis]! + (includeInitial ? 0 : 1));
      await same(
        cumulativeSum(asArr(x), { axis, includeInitial }),
        build(shape, 'f64', (p) => upTo(p).reduce((a, b) => a + b, 0)),
      );
      await same(
        cumulativeProd(asArr(x), { axis, includeInitial }),
        build(shape, 'f64', (p) => upTo(p).reduce((a, b) => a * b, 1)),
      );
    }),
  ));

test('cumulative sums of integers are those of 64 bits, and want an axis where there are several', async () => {
  const x = ones([3], { dtype: 'u8' });
  assert.equal(cumulativeSum(x).dtype, 'u64');
  assert.equal(cumulativeProd(x, { dtype: 'i8' }).dtype, 'i8');
  assert.deepEqual(await cumulativeSum(x.astype('i16')).toNested(), [1n, 2n, 3n]);
  assert.throws(() => cumulativeSum(zeros([2, 2])), { code: 'ERR_SHEAF_AXIS', message: /several axes; name one/ });
});

test('take selects along an axis, takeAlongAxis along each line', () =>
  fc.assert(
    fc.asyncProperty(
      lines.chain(({ x, axis }) =>
        fc.record({
          x: fc.constant(x),
          axis: fc.constant(axis),
          list: fc.array(
            x.shape[axis] === 0 ? fc.constant(0) : fc.integer({ min: -x.shape[axis]!, max: x.shape[axis]! - 1 }),
            { maxLength: x.shape[axis] === 0 ? 0 : 4 },
          ),
        }),
      ),
      async ({ x, axis, list }) => {
        const place = (i: number): number => (i < 0 ? i + x.shape[axis]! : i);
        const shape = x.shape.map((length, i) => (i === axis ? list.length : length));
        const expected = build(shape, 'f64', (p) =>
          at(
            x,
            p.map((own, i) => (i === axis ? place(list[own]!) : own)),
          ),
        );
        await same(take(asArr(x), asarray(list, { dtype: 'i64' }), { axis }), expected);
        const indices = asarray(list, { dtype: 'i32' }).reshape(x.shape.map((_, i) => (i === axis ? list.length : 1)));
        await same(takeAlongAxis(asArr(x), indices, { axis }), expected);
        await same(takeAlongAxis(asArr(x), argsort(asArr(x), { axis }), { axis }), await plain(x, axis));
      },
    ),
  ));

async function plain(x: Plain, axis: number): Promise<Plain> {
  return { ...x, values: [...(await sort(asArr(x), { axis }).data())] };
}

test('indices that there are not are refused when they are used', async () => {
  const x = arange(6).reshape([2, 3]);
  const i = (value: number) => asarray([[value]], { dtype: 'i64' });
  const refused = { code: 'ERR_SHEAF_INDEX' };
  for (const value of [3, -4]) {
    await assert.rejects(take(x, i(value), { axis: 1 }).data(), refused);
    await assert.rejects(takeAlongAxis(x, i(value)).data(), refused);
  }
  assert.deepEqual(take(x, zeros([2, 2], { dtype: 'i32' }), { axis: 1 }).shape, [2, 2, 2]);
  assert.throws(() => take(x, zeros([1], { dtype: 'i32' })), { code: 'ERR_SHEAF_AXIS' });
  assert.throws(() => take(arange(3), zeros([1])), { code: 'ERR_SHEAF_DTYPE', message: /^take takes integers/ });
  assert.throws(() => takeAlongAxis(x, zeros([2], { dtype: 'i64' })), {
    code: 'ERR_SHEAF_SHAPE',
    message: /different numbers of axes/,
  });
});

const few = shaped.chain((shape) => plainOf(shape, 'i32'));

test('nonzero lists the places of each axis', () =>
  fc.assert(
    fc.asyncProperty(few, async (x) => {
      const found = await nonzero(asArr(x));
      const expected = [...points(x.shape)].filter((p) => at(x, p) !== 0);
      for (const [axis, each] of found.entries())
        assert.deepEqual(
          await each.toNested(),
          expected.map((p) => BigInt(p[axis]!)),
        );
      assert.equal(found.length, 3);
    }),
  ));

test('different values, where each is first, which of them each element is, and how often', () =>
  fc.assert(
    fc.asyncProperty(few, async (x) => {
      const arr = asArr(x);
      const values = [...new Set(x.values as number[])].sort((a, b) => a - b);
      const all = await arr.uniqueAll();
      assert.deepEqual(await all.values.toNested(), values);
      assert.deepEqual(
        await all.indices.toNested(),
        values.map((value) => BigInt(x.values.indexOf(value))),
      );
      assert.deepEqual(
        await all.counts.toNested(),
        values.map((value) => BigInt(x.values.filter((each) => each === value).length)),
      );
      const inverse = build(x.shape, 'i64', (p) => BigInt(values.indexOf(Number(at(x, p)))));
      await same(all.inverseIndices, inverse);
      assert.deepEqual(await (await arr.uniqueValues()).toNested(), values);
      assert.deepEqual(await (await arr.uniqueCounts()).counts.toNested(), await all.counts.toNested());
      await same((await arr.uniqueInverse()).inverseIndices, inverse);
    }),
  ));

test('every NaN is a value of its own', async () => {
  const { values, counts } = await asarray([Number.NaN, 1, Number.NaN]).uniqueCounts();
  assert.deepEqual(await values.toNested(), [1, Number.NaN, Number.NaN]);
  assert.deepEqual(await counts.toNested(), [1n, 1n, 1n]);
  await assert.rejects(nonzero(zeros([])), { code: 'ERR_SHEAF_SHAPE', message: /a scalar has no axes/ });
});

test('a mask selects, alone and beside other indices', () =>
  fc.assert(
    fc.asyncProperty(few, async (x) => {
      const arr = asArr(x);
      const positive = [...points(x.shape)].filter((p) => Number(at(x, p)) > 0);
      assert.deepEqual(
        await arr.at(arr.greater(0)).toNested(),
        positive.map((p) => at(x, p)),
      );
      const kept = await arr.at(arr.greater(0)).persist();
      assert.deepEqual(kept.shape, [positive.length]);
      // A mask of the first axis keeps the others.
      const mask = Array.from({ length: x.shape[0]! }, (_, i) => i % 2 === 0);
      const rows = await arr.at(asarray(mask, { dtype: 'bool' }), '...', '::-1').persist();
      const count = mask.filter(Boolean).length;
      await same(
        rows,
        build([count, x.shape[1]!, x.shape[2]!], 'i32', (p) => at(x, [2 * p[0]!, p[1]!, x.shape[2]! - 1 - p[2]!])),
      );
    }),
  ));

test('set writes to the places that arrays of indices have, the last value last', async () => {
  const x = zeros([2, 3]);
  const i = (...list: number[]) => asarray(list, { dtype: 'i64' });
  assert.deepEqual(await x.set([i(0, 1), i(-1, 0)], asarray([5, 6])).toNested(), [
    [0, 0, 5],
    [6, 0, 0],
  ]);
  assert.deepEqual(await x.set([':', i(2, 0)], 1).toNested(), [
    [1, 0, 1],
    [1, 0, 1],
  ]);
  assert.deepEqual(
    await zeros([3])
      .set([i(1, 1, 1)], asarray([7, 8, 9]))
      .toNested(),
    [0, 9, 0],
  );
  await assert.rejects(x.set([i(2)], 1).data(), { code: 'ERR_SHEAF_INDEX' });
});
