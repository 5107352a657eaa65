import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asArr, at, build, type Element, type Plain, plainOf, same, withSession } from './arrays.fixture.ts';
import {
  type Arr,
  asarray,
  bincount,
  crosstab,
  cumulativeMax,
  digitize,
  eye,
  factorize,
  histogram,
  lexsort,
  lstsq,
  random,
  randomNormal,
  segmentCount,
  segmentMean,
  topK,
  zeros,
} from './index.ts';

withSession();

const dtypes = fc.constantFrom<'f64' | 'f32' | 'i32' | 'u8' | 'i64' | 'u64'>('f64', 'f32', 'i32', 'u8', 'i64', 'u64');
const matrices = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 4 }), dtypes)
  .chain(([m, n, dtype]) => plainOf([m, n], dtype));
const ints = (values: readonly number[]): Arr<'i64'> =>
  asarray([...values, 0])
    .astype('i64')
    .at(`:${values.length}`);
const summed = { f64: 'f64', f32: 'f32', i32: 'i64', u8: 'u64', i64: 'i64', u64: 'u64' } as const;

test('segments are what their places come to', () =>
  fc.assert(
    fc.asyncProperty(
      matrices,
      fc.array(fc.integer({ min: -2, max: 4 }), { minLength: 6, maxLength: 6 }),
      async (x, all) => {
        const [m, n] = x.shape as [number, number];
        const groups = all.slice(0, m);
        const count = 4;
        const dtype = x.dtype as keyof typeof summed;
        const of = (group: number, column: number): Element[] =>
          groups.flatMap((own, row) => (own === group ? [at(x, [row, column])] : []));
        const each = (to: Plain['dtype'], combine: (own: Element[]) => Element): Plain =>
          build([count, n], to, ([group, column]) => combine(of(group!, column!)));
        const total = (own: Element[]): number => own.reduce((sum: number, one) => sum + Number(one), 0);
        const sums = each(summed[dtype], (own) =>
          summed[dtype].endsWith('64') && summed[dtype] !== 'f64' ? BigInt(total(own)) : total(own),
        );
        await same(asArr(x).segmentSum(ints(groups), count), sums);
        await same(
          segmentCount(ints(groups), count),
          build([count], 'i64', ([group]) => BigInt(groups.filter((own) => own === group).length)),
        );
        const y = asArr(x);
        for (const [by, extreme] of [
          ['segmentMin', (own: Element[]) => own.reduce((a, b) => (b < a ? b : a))],
          ['segmentMax', (own: Element[]) => own.reduce((a, b) => (b > a ? b : a))],
        ] as const) {
          const found = await y[by](ints(groups), count).data();
          for (let i = 0; i < count * n; i++) {
            const own = of(Math.floor(i / n), i % n);
            if (own.length > 0) assert.equal(found[i], extreme(own));
          }
        }
      },
    ),
    { numRuns: 60 },
  ));

test('sums of 64 bits carry and wrap, empty groups have nothing, and NaN wins', async () => {
  const big = asarray([2n ** 32n - 1n, 1n, 2n ** 63n - 1n, 1n, -5n]);
  const groups = asarray([0, 0, 1, 1, 3]).astype('i32');
  assert.deepEqual([...(await big.segmentSum(groups, 4).data())], [2n ** 32n, -(2n ** 63n), 0n, -5n]);
  assert.deepEqual([...(await big.segmentMax(groups, 3).data())], [2n ** 32n - 1n, 2n ** 63n - 1n, -(2n ** 63n)]);
  const floats = asarray([1, Number.NaN, 3]);
  const two = asarray([0, 1, 1]).astype('u8');
  assert.deepEqual(await floats.segmentMin(two, 3).toNested(), [1, Number.NaN, Number.POSITIVE_INFINITY]);
  assert.deepEqual(
    await segmentMean(
      asarray([
        [1, 2],
        [3, 5],
      ]),
      asarray([0, 0]).astype('i64'),
      2,
    ).toNested(),
    [
      [2, 3.5],
      [Number.NaN, Number.NaN],
    ],
  );
  assert.throws(() => floats.segmentSum(asarray([0, 1]).astype('i64'), 2), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^segmentSum: the groups have the shape 2, and not one axis of 3/,
  });
  assert.throws(() => floats.segmentSum(floats, 2), { code: 'ERR_SHEAF_DTYPE' });
});

test('bincount is as long as it has to be', async () => {
  const x = ints([1, 3, 1]);
  assert.deepEqual(await (await bincount(x)).toNested(), [0n, 2n, 0n, 1n]);
  assert.deepEqual(
    await (await bincount(x, { weights: asarray([0.5, 2, 1]), minlength: 6 })).toNested(),
    [0, 1.5, 0, 2, 0, 0],
  );
  assert.deepEqual((await bincount(ints([]), { minlength: 2 })).shape, [2]);
  await assert.rejects(bincount(ints([0, -1])), { code: 'ERR_SHEAF_INDEX', message: /there is -1 among/ });
  assert.deepEqual(await ints([2, 0, -1]).oneHot(3, { dtype: 'u8' }).toNested(), [
    [0, 0, 1],
    [1, 0, 0],
    [0, 0, 0],
  ]);
});

test('crosstab counts pairs, or sums weights at them; what is beyond the shape counts nowhere', async () => {
  const [rows, columns] = [ints([0, 1, 1, 0, -1, 2, 1]), ints([2, 0, 0, 2, 0, 0, 3])];
  assert.deepEqual(await crosstab(rows, columns, [2, 3]).toNested(), [
    [0n, 0n, 2n],
    [2n, 0n, 0n],
  ]);
  const weights = asarray([1, 2, 4, 8, 16, 32, 64]);
  assert.deepEqual(await rows.crosstab(columns, [2, 3], { weights }).toNested(), [
    [0, 0, 9],
    [6, 0, 0],
  ]);
  assert.deepEqual(crosstab(rows, columns, [0, 3]).shape, [0, 3]);
  assert.throws(() => crosstab(rows, ints([1]), [2, 2]), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^crosstab: the groups /,
  });
  assert.throws(() => crosstab(rows, columns, [2]), { code: 'ERR_SHEAF_SHAPE', message: /one of columns$/ });
});

test('factorize has values in the order in which they come', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 20 }), async (list) => {
      const { codes, values } = await factorize(ints(list));
      const different = [...new Set(list)];
      assert.deepEqual(await values.toNested(), different.map(BigInt));
      assert.deepEqual(
        await codes.toNested(),
        list.map((each) => BigInt(different.indexOf(each))),
      );
    }),
    { numRuns: 30 },
  ));

test('digitize tells between which edges elements lie, and diag makes a matrix of a diagonal', async () => {
  const edges = asarray([0, 1, 2.5]);
  const x = asarray([-1, 0, 0.5, 1, 2.5, 3, Number.NaN]);
  assert.deepEqual(await digitize(x, edges).toNested(), [0n, 1n, 1n, 2n, 3n, 3n, 3n]);
  assert.deepEqual(await x.digitize(edges, { right: true }).toNested(), [0n, 0n, 1n, 1n, 2n, 3n, 3n]);
  for (const k of [-2, 0, 1]) {
    const m = edges.diag({ k });
    assert.deepEqual(m.shape, [3 + Math.abs(k), 3 + Math.abs(k)]);
    assert.deepEqual(await m.diagonal({ offset: k }).toNested(), [0, 1, 2.5]);
    assert.equal(await m.countNonzero().item(), 2n);
  }
  assert.deepEqual(await zeros([0], { dtype: 'i64' }).diag({ k: 1 }).toNested(), [[0n]]);
  assert.throws(() => eye(2).diag(), { code: 'ERR_SHEAF_SHAPE', message: /^diag: it takes a vector/ });
});

test('topK is the beginning of what sort gives', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(1, 2, 3, -4, 0, -0, Number.NaN, Number.POSITIVE_INFINITY), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.nat(12),
      fc.boolean(),
      async (values, k, largest) => {
        const x = asarray([values, values.toReversed()]);
        for (const [y, axis] of [
          [x, 1],
          [x.T, 0],
        ] as const) {
          const { values: first, indices } = topK(y, k, { axis, largest });
          const order = y
            .argsort({ axis, descending: largest })
            .at(...((axis === 1 ? [':', `:${k}`] : [`:${k}`]) as [':', ':1']));
          assert.deepEqual(await indices.toNested(), await order.toNested());
          assert.deepEqual(await first.toNested(), await y.takeAlongAxis(order, { axis }).toNested());
        }
      },
    ),
    { numRuns: 60 },
  ));

test('lexsort sorts by the last key first', async () => {
  const [names, ages] = [asarray([2, 1, 2, 1]), asarray([30, 20, 10, 40])];
  assert.deepEqual(await lexsort([ages, names]).toNested(), [1n, 3n, 2n, 0n]);
  assert.deepEqual(await lexsort([ages, names], { descending: [true, false] }).toNested(), [3n, 1n, 0n, 2n]);
  assert.throws(() => lexsort([ages, zeros([3])]), { code: 'ERR_SHEAF_SHAPE' });
});

test('quantiles lie between the elements that NumPy takes', async () => {
  const x = asarray([
    [3, 1, 2, 4],
    [10, 30, 20, Number.POSITIVE_INFINITY],
  ]);
  assert.deepEqual(await x.quantile([0, 0.25, 1], { axis: 1 }).toNested(), [
    [1, 10],
    [1.75, 17.5],
    [4, Number.POSITIVE_INFINITY],
  ]);
  assert.deepEqual(await x.median({ axis: 0 }).toNested(), [6.5, 15.5, 11, Number.POSITIVE_INFINITY]);
  assert.equal(await x.median().item(), 7);
  assert.deepEqual(x.median({ axis: 1, keepdims: true }).shape, [2, 1]);
  assert.deepEqual(
    await asarray([
      [1, Number.NaN],
      [1, 2],
    ])
      .median({ axis: 1 })
      .toNested(),
    [Number.NaN, 1.5],
  );
  assert.throws(() => x.quantile(2), { code: 'ERR_SHEAF_USAGE', message: /q is 2; give a share/ });
  assert.throws(() => zeros([0]).median(), { code: 'ERR_SHEAF_SHAPE' });
});

test('quantiles of many elements are those of the sorted ones', async () => {
  // Whole numbers, of which many are equal, and others; more than are taken a sample of.
  for (const x of [
    random([2, 3001], { seed: 5 }),
    random([2, 3001], { seed: 6 }).mul(9).floor(),
    random([2, 3001], { seed: 7 }).mul(0),
  ]) {
    const shares = [0.9, 0, 0.1, 0.5, 1, 0.5];
    const sorted = x.sort({ axis: 1 });
    const want = shares.map((q) => sorted.at(':', q * 3000));
    for (const [i, own] of want.entries()) {
      assert.deepEqual(await x.quantile(shares, { axis: 1 }).at(i).toNested(), await own.toNested());
    }
  }
});

test('the least and the greatest so far', async () => {
  const x = asarray([
    [3, 5],
    [1, Number.NaN],
    [2, 7],
  ]);
  assert.deepEqual(await x.cumulativeMin({ axis: 0 }).toNested(), [
    [3, 5],
    [1, Number.NaN],
    [1, Number.NaN],
  ]);
  assert.deepEqual(await cumulativeMax(asarray([-(2n ** 60n), 4n, 3n])).toNested(), [-(2n ** 60n), 4n, 4n]);
  assert.deepEqual(await cumulativeMax(zeros([2, 0, 3]), { axis: 1 }).toNested(), [[], []]);
});

test('histograms count each element between its edges', async () => {
  const x = random([5000], { seed: 3 }).mul(7).sub(2);
  const values = await x.data();
  // Edges that are sums of roundings, and elements that lie on them.
  const { counts, edges } = histogram(x, { bins: 70, range: [-2, 5] });
  const onEdges = histogram(edges, { bins: 70, range: [-2, 5] }).counts;
  assert.deepEqual(await onEdges.toNested(), [...Array(69).fill(1n), 2n]);
  const at = await edges.data();
  const slowly = Array.from({ length: 70 }, (_, i) => values.filter((v) => v >= at[i]! && v < at[i + 1]!).length);
  assert.deepEqual([...(await counts.data())].map(Number), slowly);
  const same = histogram(x, { bins: edges }).counts;
  assert.deepEqual(await same.toNested(), await counts.toNested());
  const whole = histogram(asarray([1, 2, 2, 5]).astype('i32'), { bins: 4 });
  assert.deepEqual(await whole.counts.toNested(), [1n, 2n, 0n, 1n]);
  assert.deepEqual(await whole.edges.toNested(), [1, 2, 3, 4, 5]);
  assert.deepEqual(await histogram(asarray([3, 3]), { bins: 2 }).edges.toNested(), [2.5, 3, 3.5]);
  assert.deepEqual(await histogram(asarray([Number.NaN, 0.5, 9]), { bins: 1, range: [0, 1] }).counts.toNested(), [1n]);
  assert.throws(() => histogram(x, { range: [1, 1] }), { code: 'ERR_SHEAF_USAGE' });
});

test('covariances and correlations of rows', async () => {
  const x = asarray([
    [1, 2, 4],
    [2, 4, 8],
    [3, 1, 0],
  ]);
  const close = async (a: Arr, b: readonly number[][]): Promise<void> => {
    const apart = (await a
      .sub(asarray(b as number[][]) as never)
      .abs()
      .max()
      .item()) as number;
    assert.ok(apart < 1e-14, String(apart));
  };
  await close(x.cov(), [
    [7 / 3, 14 / 3, -13 / 6],
    [14 / 3, 28 / 3, -13 / 3],
    [-13 / 6, -13 / 3, 7 / 3],
  ]);
  const r = -13 / 14;
  await close(x.corrcoef(), [
    [1, 1, r],
    [1, 1, r],
    [r, r, 1],
  ]);
  await close(x.cov({ correction: 0 }).at(':1', ':1'), [[14 / 9]]);
});

test('least squares', async () => {
  const a = randomNormal([30, 4], { seed: 1 });
  const want = asarray([
    [1, -2],
    [0.5, 3],
    [4, 0],
    [0, 1],
  ]);
  const noise = randomNormal([30, 2], { seed: 2 });
  const y = a.matmul(want).add(noise);
  const { solution, residuals, rank, s } = lstsq(a, y);
  // What is left is at right angles to all columns.
  const left = y.sub(a.matmul(solution));
  assert.ok(((await a.T.matmul(left).abs().max().item()) as number) < 1e-12);
  assert.ok(((await left.square().sum({ axis: 0 }).sub(residuals).abs().max().item()) as number) < 1e-12);
  assert.equal(await rank.item(), 4n);
  assert.ok(((await s.sub(a.svdvals()).abs().max().item()) as number) < 1e-12);
  // Without full rank the shortest one; here what pinv gives.
  const flat = a.at(':', asarray([0, 1, 1]).astype('i64'));
  const short = lstsq(flat, y.at(':', 0));
  assert.equal(await short.rank.item(), 2n);
  assert.ok(
    ((await short.solution
      .sub(flat.pinv().matmul(y.at(':', 0)))
      .abs()
      .max()
      .item()) as number) < 1e-12,
  );
  assert.deepEqual(
    await eye(2)
      .lstsq(asarray([5, 6]))
      .solution.toNested(),
    [5, 6],
  );
  assert.throws(() => lstsq(a, zeros([4])), { code: 'ERR_SHEAF_SHAPE', message: /30 equations, and 4 right sides/ });
});
