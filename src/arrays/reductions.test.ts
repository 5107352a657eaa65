import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DType, kindOf } from '../nd/index.ts';
import {
  anyPlain,
  anyShape,
  asArr,
  at,
  build,
  type Element,
  type Plain,
  type Point,
  plainOf,
  points,
  same,
  withSession,
} from './arrays.fixture.ts';
import * as sf from './index.ts';
import {
  all,
  any,
  arange,
  argmax,
  argmin,
  asarray,
  countNonzero,
  diff,
  max,
  mean,
  min,
  prod,
  std,
  sum,
  zeros,
} from './index.ts';

withSession();

/** What is combined into each place, along some axes. */
function groups(x: Plain, axes: readonly number[], keepdims: boolean): { shape: number[]; of(p: Point): Element[] } {
  const shape = x.shape.flatMap((length, axis) => (axes.includes(axis) ? (keepdims ? [1] : []) : [length]));
  const inner = axes.map((axis) => x.shape[axis] as number);
  return {
    shape,
    of: (p) =>
      [...points(inner)].map((i) => {
        let next = 0;
        return at(
          x,
          x.shape.map((_, axis) => {
            const place = axes.indexOf(axis);
            if (place >= 0) {
              if (keepdims) next++;
              return i[place] as number;
            }
            return p[next++] as number;
          }),
        );
      }),
  };
}

const along = anyPlain.chain((x) =>
  fc.record({
    x: fc.constant(x),
    axes: fc.subarray(x.shape.map((_, axis) => axis)),
    keepdims: fc.boolean(),
    negative: fc.boolean(),
  }),
);

test('sums, products and questions along any axes', () =>
  fc.assert(
    fc.asyncProperty(along, async ({ x, axes, keepdims, negative }) => {
      const { shape, of } = groups(x, axes, keepdims);
      const o = { axis: negative ? axes.map((axis) => axis - x.shape.length) : axes, keepdims };
      const arr = asArr(x);
      const numbers = (p: Point): number[] => of(p).map(Number);
      await same(
        sum(arr, o),
        build(shape, 'f64', (p) => numbers(p).reduce((a, b) => a + b, 0)),
      );
      await same(
        prod(arr.sign(), o),
        build(shape, 'f64', (p) => numbers(p).reduce((a, b) => a * Math.sign(b), 1)),
      );
      await same(
        any(arr, o),
        build(shape, 'bool', (p) => Number(numbers(p).some((value) => value !== 0))),
      );
      await same(
        all(arr, o),
        build(shape, 'bool', (p) => Number(numbers(p).every((value) => value !== 0))),
      );
      await same(
        countNonzero(arr, o),
        build(shape, 'i64', (p) => BigInt(numbers(p).filter((value) => value !== 0).length)),
      );
      if (axes.some((axis) => x.shape[axis] === 0)) {
        assert.throws(() => min(arr, o), { code: 'ERR_SHEAF_SHAPE', message: /^min: axis \d .* is empty/ });
        return;
      }
      await same(
        min(arr, o),
        build(shape, 'f64', (p) => Math.min(...numbers(p))),
      );
      await same(
        max(arr, o),
        build(shape, 'f64', (p) => Math.max(...numbers(p))),
      );
      const average = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
      await same(
        mean(arr.astype('f64'), o),
        build(shape, 'f64', (p) => average(numbers(p))),
      );
    }),
    { numRuns: 150 },
  ));

test('the place of the least and of the greatest', () =>
  fc.assert(
    fc.asyncProperty(
      anyShape
        .filter((shape) => shape.length > 0 && !shape.includes(0))
        .chain((shape) => fc.tuple(plainOf(shape), fc.nat(shape.length - 1), fc.boolean())),
      async ([x, axis, keepdims]) => {
        const { shape, of } = groups(x, [axis], keepdims);
        const place = (p: Point, pick: (...values: number[]) => number): bigint => {
          const values = of(p).map(Number);
          return BigInt(values.indexOf(pick(...values)));
        };
        const arr = asArr(x);
        await same(
          argmin(arr, { axis, keepdims }),
          build(shape, 'i64', (p) => place(p, Math.min)),
        );
        await same(
          argmax(arr, { axis: axis - x.shape.length, keepdims }),
          build(shape, 'i64', (p) => place(p, Math.max)),
        );
        const values = x.values.map(Number);
        const whole = keepdims ? x.shape.map(() => 1) : [];
        await same(
          argmax(arr, { keepdims }),
          build(whole, 'i64', () => BigInt(values.indexOf(Math.max(...values)))),
        );
      },
    ),
  ));

test('NaN wins', async () => {
  const x = asarray([1, Number.NaN, -1, Number.NaN]);
  assert.equal(await argmin(x).item(), 1n);
  assert.equal(await argmax(x).item(), 1n);
  for (const y of [min(x), max(x), sum(x), prod(x), mean(x), std(x)]) assert.ok(Number.isNaN(await y.item()));
});

test('the first NaN of a row is its place, or the first of what is equal, in rows of any length and number', async () => {
  const choices = [3, -0, 0, 7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3];
  for (const dtype of ['f64', 'f32'] as const) {
    for (const columns of [1, 2, 10, 31, 32, 45]) {
      const rows = Array.from({ length: 19 }, (_, i) =>
        // Not every row has a NaN, or an infinity.
        Array.from({ length: columns }, (_, j) => choices[(Math.imul(i * 45 + j, 0x2c1b3c6d) >>> 8) % (4 + (i % 5))]),
      ) as number[][];
      const x = asarray(rows, { dtype });
      const first = (pick: (...values: number[]) => number): bigint[] =>
        rows.map((row) => {
          const nan = row.findIndex(Number.isNaN);
          return BigInt(nan >= 0 ? nan : row.indexOf(pick(...row)));
        });
      assert.deepEqual([...(await argmin(x, { axis: 1 }).data())], first(Math.min));
      assert.deepEqual([...(await argmax(x, { axis: 1 }).data())], first(Math.max));
      assert.deepEqual(
        [...(await min(x, { axis: 1 }).data())],
        rows.map((row) => Math.min(...row)),
      );
    }
  }
});

test('sums of integers are those of 64 bits, floats stay, and a type may be asked for', async () => {
  const types: readonly [DType, DType][] = [
    ['i8', 'i64'],
    ['i64', 'i64'],
    ['u8', 'u64'],
    ['u32', 'u64'],
    ['f32', 'f32'],
    ['f64', 'f64'],
  ];
  for (const [from, to] of types) {
    const x = sf.ones([300], { dtype: from });
    assert.equal(sum(x).dtype, to);
    assert.equal(prod(x).dtype, to);
    assert.equal(Number(await sum(x).item()), 300);
    assert.equal(sum(x, { dtype: 'i16' }).dtype, 'i16');
    if (kindOf(from) !== 'float')
      assert.throws(() => mean(x as never), {
        code: 'ERR_SHEAF_DTYPE',
        message: /^mean takes floats.*astype\('f64'\)/,
      });
  }
  assert.throws(() => sum(sf.ones([2], { dtype: 'bool' })), {
    code: 'ERR_SHEAF_DTYPE',
    message: /^sum takes integers and floats, and not bool/,
  });
  assert.equal(await sum(sf.ones([2], { dtype: 'bool' }), { dtype: 'i32' }).item(), 2);
  assert.equal(await sum(sf.full([3], 2n ** 62n)).item(), BigInt.asIntN(64, 3n * 2n ** 62n));
});

test('variances divide by the number of elements less the correction', async () => {
  const x = asarray([
    [1, 2, 4],
    [8, 8, 8],
  ]);
  const of = (values: number[], correction: number): number => {
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    return values.reduce((all, value) => all + (value - average) ** 2, 0) / (values.length - correction);
  };
  const close = (found: unknown, expected: number): void =>
    assert.ok(Math.abs(Number(found) - expected) < 1e-12, `${found} ${expected}`);
  close(await sf.var(x).item(), of([1, 2, 4, 8, 8, 8], 0));
  close(await sf.var(x, { axis: 1, correction: 1 }).at(0).item(), of([1, 2, 4], 1));
  close(await x.std({ axis: 1, correction: 1, keepdims: true }).at(0, 0).item(), Math.sqrt(of([1, 2, 4], 1)));
  assert.ok(Number.isNaN(await sf.var(asarray([3]), { correction: 1 }).item()));
  assert.ok(Number.isNaN(await mean(zeros([0])).item()));
});

test('differences of neighbours, several times, with ends', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -99, max: 99 }), { maxLength: 6 }), fc.nat(3), async (values, n) => {
      let expected = values;
      for (let i = 0; i < n; i++) expected = expected.slice(1).map((value, at) => value - expected[at]!);
      assert.deepEqual(await diff(asarray(values), { n }).toNested(), expected);
    }),
  ));

test('diff along an axis, and what it refuses', async () => {
  const x = arange(6).reshape([2, 3]).square();
  assert.deepEqual(await diff(x, { axis: 0 }).toNested(), [[9, 15, 21]]);
  assert.deepEqual(await diff(x, { prepend: zeros([2, 1]), append: zeros([2, 1]) }).toNested(), [
    [0, 1, 3, -4],
    [9, 7, 9, -25],
  ]);
  assert.deepEqual(await diff(x, { n: 0, prepend: zeros([2, 1]) }).toNested(), await x.toNested());
  assert.throws(() => diff(x, { prepend: zeros([1, 1]) }), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => diff(zeros([])), { code: 'ERR_SHEAF_AXIS' });
});

test('axes that there are not are refused', () => {
  const x = zeros([2, 3]);
  assert.throws(() => sum(x, { axis: 2 }), {
    code: 'ERR_SHEAF_AXIS',
    message: /^sum: there is no axis 2 in the shape 2 x 3/,
  });
  assert.throws(() => x.max({ axis: [0, -2] }), { code: 'ERR_SHEAF_AXIS', message: /named twice/ });
  assert.throws(() => argmin(x, { axis: -3 }), { code: 'ERR_SHEAF_AXIS' });
});
