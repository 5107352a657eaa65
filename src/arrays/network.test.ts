import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asArr, at, build, type Plain, plainOf, points, same, withSession } from './arrays.fixture.ts';
import {
  type Arr,
  asarray,
  avgPool2d,
  batchNorm2d,
  biasAdd,
  conv2d,
  maxPool2d,
  ones,
  random,
  softmax,
  zeros,
} from './index.ts';

withSession();

const RUNS = { numRuns: 40 };

type Pair = readonly [number, number];

interface Moving {
  readonly stride: Pair;
  readonly padding: Pair;
}

const pairs = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Images, and a window that fits. */
const cases = fc
  .record({
    dtype: fc.constantFrom<'f64' | 'f32'>('f64', 'f32'),
    images: fc.integer({ min: 0, max: 2 }),
    channels: fc.integer({ min: 1, max: 3 }),
    filters: fc.integer({ min: 1, max: 3 }),
    size: pairs(1, 3),
    extra: pairs(0, 4),
    stride: pairs(1, 3),
    padding: pairs(0, 2),
  })
  .map((c) => ({ ...c, padding: c.padding.map((each, i) => Math.min(each, c.size[i]! - 1)) as unknown as Pair }))
  .chain((c) => {
    const extent = [c.size[0] + c.extra[0], c.size[1] + c.extra[1]];
    const x = plainOf([c.images, c.channels, ...extent], c.dtype);
    const filters = plainOf([c.filters, c.channels, ...c.size], c.dtype);
    return fc.record({
      ...{ x, filters, dtype: fc.constant(c.dtype), size: fc.constant(c.size) },
      o: fc.constant({ stride: c.stride, padding: c.padding }),
    });
  });

const lengthOf = (length: number, size: number, stride: number, padding: number): number =>
  Math.floor((length + 2 * padding - size) / stride) + 1;

const placesOf = (x: Plain, size: Pair, { stride, padding }: Moving): Pair => [
  lengthOf(x.shape[2]!, size[0], stride[0], padding[0]),
  lengthOf(x.shape[3]!, size[1], stride[1], padding[1]),
];

/** The element of an image under the element (r, s) of the window at place (p, q); undefined beyond it. */
function under(x: Plain, n: number, c: number, [p, q]: Pair, [r, s]: Pair, { stride, padding }: Moving) {
  const [i, j] = [p * stride[0] - padding[0] + r, q * stride[1] - padding[1] + s];
  const isThere = i >= 0 && j >= 0 && i < x.shape[2]! && j < x.shape[3]!;
  return isThere ? (at(x, [n, c, i, j]) as number) : undefined;
}

test('a convolution is, for each filter, the sum of its products with what is under it', () =>
  fc.assert(
    fc.asyncProperty(cases, async ({ x, filters, dtype, size, o }) => {
      const [count, channels] = filters.shape as [number, number];
      const bias = build([count], dtype, ([f]) => f! - 1);
      const expected = build([x.shape[0]!, count, ...placesOf(x, size, o)], dtype, ([n, f, p, q]) => {
        let sum = at(bias, [f!]) as number;
        for (const [c, r, s] of points([channels, ...size]) as Iterable<[number, number, number]>)
          sum += (under(x, n!, c, [p!, q!], [r, s], o) ?? 0) * (at(filters, [f!, c, r, s]) as number);
        return sum;
      });
      const [images, own] = [asArr(x), asArr(filters)] as Arr<'f64'>[];
      await same(images!.conv2d(own!, { ...o, bias: asArr(bias) as Arr<'f64'> }), expected);
    }),
    RUNS,
  ));

test('pools have the greatest element of what is there, or the mean', () =>
  fc.assert(
    fc.asyncProperty(cases, fc.boolean(), async ({ x, size, o }, countPadding) => {
      const shape = [...x.shape.slice(0, 2), ...placesOf(x, size, o)];
      const pooled = (of: (there: readonly number[]) => number): Plain =>
        build(shape, 'f64', ([n, c, p, q]) =>
          of([...points(size)].flatMap(([r, s]) => under(x, n!, c!, [p!, q!], [r!, s!], o) ?? [])),
        );
      const images = asArr({ ...x, dtype: 'f64' }) as Arr<'f64'>;
      await same(
        maxPool2d(images, size, o),
        pooled((there) => Math.max(...there)),
      );
      const mean = (there: readonly number[]): number =>
        there.reduce((a, b) => a + b, 0) / (countPadding ? size[0] * size[1] : there.length);
      await same(avgPool2d(images, size, { ...o, countPadding }), pooled(mean));
    }),
    RUNS,
  ));

/**
 * That `gradient` is that of the sum of `weights` times what `f` makes of `x`: in two directions, the difference of that sum is what it says. (A
 * gradient that is wrong anywhere is wrong in almost every direction.)
 */
async function isGradient(
  gradient: Arr<'f64'>,
  x: Arr<'f64'>,
  f: (x: Arr<'f64'>) => Arr<'f64'>,
  weights: Arr<'f64'>,
): Promise<void> {
  const STEP = 2 ** -16;
  assert.deepEqual(gradient.shape, x.shape);
  for (const seed of [100, 101]) {
    const direction = random(x.shape, { seed }).sub(0.5);
    const loss = (by: number): Arr<'f64'> =>
      f(x.add(direction.mul(by)))
        .mul(weights)
        .sum() as Arr<'f64'>;
    const slope = loss(STEP)
      .sub(loss(-STEP))
      .div(2 * STEP);
    const [expected, own] = await Promise.all([slope.item(), gradient.mul(direction).sum().item()]);
    assert.ok(Math.abs(expected - own) < 1e-6 * (1 + Math.abs(own)), `${own} is not ${expected}`);
  }
}

async function near(x: Arr<'f64'>, expected: readonly number[], shape: readonly number[]): Promise<void> {
  assert.deepEqual(x.shape, shape);
  const own = await x.data();
  assert.equal(own.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(own[i]! - value) < 1e-5, `${i}: ${own[i]} is not ${value}`);
}

test('gradients of convolutions and pools are what differences say', async () => {
  const x = random([2, 2, 5, 4], { seed: 1 });
  const filters = random([3, 2, 3, 2], { seed: 2 });
  const o = { stride: [2, 1], padding: [1, 1] } as const;
  const dy = random(conv2d(x, filters, o).shape, { seed: 3 });
  await isGradient(dy.conv2dBackwardData(filters, [5, 4], o), x, (own) => conv2d(own, filters, o), dy);
  await isGradient(dy.conv2dBackwardFilter(x, [3, 2], o), filters, (own) => conv2d(x, own, o), dy);
  const pool = { stride: [2, 1], padding: [1, 0] } as const;
  const weights = random(maxPool2d(x, [3, 2], pool).shape, { seed: 4 });
  await isGradient(weights.maxPool2dBackward(x, [3, 2], pool), x, (own) => maxPool2d(own, [3, 2], pool), weights);
  for (const countPadding of [true, false]) {
    const own = { ...pool, countPadding };
    await isGradient(weights.avgPool2dBackward(x, [3, 2], own), x, (each) => avgPool2d(each, [3, 2], own), weights);
  }
  // Of equal ones the first.
  const first = ones([1, 1, 1, 1]).maxPool2dBackward(zeros([1, 1, 2, 2]), 2);
  assert.deepEqual([...(await first.data())], [1, 0, 0, 0]);
});

test('images of more columns than a block are computed band by band', async () => {
  const x = random([1, 4, 120, 100], { seed: 5 });
  const filters = random([2, 4, 5, 5], { seed: 6 });
  const whole = conv2d(x, filters, { padding: 2 });
  // A part of the images gives that part of the result.
  const part = conv2d(x.at(0, ':', '60:90', '10:70').expandDims({ axis: 0 }), filters);
  await near(part, [...(await whole.at(0, ':', '62:88', '12:68').data())], [1, 2, 26, 56]);
  const dy = random(whole.shape, { seed: 7 });
  // Both gradients have the same product with what was changed as the result has.
  const [dx, dfilters] = [
    dy.conv2dBackwardData(filters, [120, 100], { padding: 2 }),
    dy.conv2dBackwardFilter(x, 5, { padding: 2 }),
  ];
  const [loss, byImages, byFilters] = await Promise.all(
    [whole.mul(dy), dx.mul(x), dfilters.mul(filters)].map((each) => each.sum().item()),
  );
  assert.ok(Math.abs(byImages! / loss! - 1) < 1e-10);
  assert.ok(Math.abs(byFilters! / loss! - 1) < 1e-10);
});

test('layers: a bias for each channel, relu, softmax, and their gradients', async () => {
  const x = random([2, 3, 2, 2], { seed: 8 }).sub(0.5);
  const bias = asarray([1, 2, 3]);
  assert.deepEqual(await biasAdd(x, bias).data(), await x.add(bias.reshape([3, 1, 1])).data());
  assert.deepEqual([...(await asarray([-1, 0, 2, Number.NaN]).relu().data())], [0, 0, 2, Number.NaN]);
  assert.deepEqual(
    [
      ...(await ones([3])
        .reluBackward(asarray([-1, 0, 2]))
        .data()),
    ],
    [0, 0, 1],
  );
  assert.deepEqual(
    await softmax(
      asarray([
        [1000, 1000],
        [0, Number.NEGATIVE_INFINITY],
      ]),
    ).toNested(),
    [
      [0.5, 0.5],
      [1, 0],
    ],
  );
  for (const axis of [1, -1]) {
    const y = x.softmax({ axis });
    await near(y.sum({ axis }).reshape([-1]), new Array(axis === 1 ? 8 : 12).fill(1), [axis === 1 ? 8 : 12]);
    const dy = random(x.shape, { seed: 9 });
    await isGradient(dy.softmaxBackward(y, { axis }), x, (own) => own.softmax({ axis }), dy);
  }
});

test('batches are normalized channel by channel, by themselves or by what is known', async () => {
  const x = random([3, 2, 2, 2], { seed: 10 });
  const [gamma, beta] = [asarray([2, 3]), asarray([-1, 4])];
  const o = {
    training: true,
    mean: asarray([1, 2]),
    variance: asarray([3, 4]),
    epsilon: 0.01,
    momentum: 0.25,
  } as const;
  const { y, mean, variance, batchMean, batchScale } = batchNorm2d(x, gamma, beta, o);
  const own = { axis: [0, 2, 3] };
  await near(batchMean, [...(await x.mean(own).data())], [2]);
  await near(batchScale, [...(await x.var(own).add(0.01).sqrt().reciprocal().data())], [2]);
  await near(
    mean,
    [
      ...(await x
        .mean(own)
        .mul(0.25)
        .add(asarray([0.75, 1.5]))
        .data()),
    ],
    [2],
  );
  await near(
    variance,
    [
      ...(await x
        .var(own)
        .mul(0.25)
        .add(asarray([2.25, 3]))
        .data()),
    ],
    [2],
  );
  await near(y.mean(own), [-1, 4], [2]);
  const known = { mean: batchMean, variance: x.var(own), epsilon: 0.01 };
  await near(batchNorm2d(x, gamma, beta, known), [...(await y.data())], y.shape);
  await near(
    batchNorm2d(x, gamma, beta, { epsilon: 0 }),
    [
      ...(await x
        .mul(gamma.reshape([2, 1, 1]))
        .add(beta.reshape([2, 1, 1]))
        .data()),
    ],
    y.shape,
  );
  const dy = random(x.shape, { seed: 11 });
  const { dx, dgamma, dbeta } = dy.batchNorm2dBackward(x, gamma, { batchMean, batchScale });
  await isGradient(dx, x, (each) => batchNorm2d(each, gamma, beta, o).y, dy);
  await isGradient(dgamma, gamma, (each) => batchNorm2d(x, each, beta, o).y, dy);
  await isGradient(dbeta, beta, (each) => batchNorm2d(x, gamma, each, o).y, dy);
});

test('what does not fit is said with the shapes', () => {
  const x = ones([1, 2, 4, 4]);
  const shape = { code: 'ERR_SHEAF_SHAPE' };
  assert.throws(() => conv2d(ones([4, 4]), x), {
    ...shape,
    message: /^conv2d: the images have the shape 4 x 4, and not four axes: images, /,
  });
  assert.throws(() => conv2d(x, ones([1, 3, 2, 2])), { ...shape, message: /images have 2 channels, and filters 3$/ });
  assert.throws(() => conv2d(x, ones([1, 2, 5, 2])), {
    ...shape,
    message: /a window of 5 x 2 does not fit into images of 4 x 4$/,
  });
  assert.throws(() => conv2d(x, ones([3, 2, 2, 2]), { bias: ones([2]) }), { ...shape, message: /not one axis of 3/ });
  assert.throws(() => maxPool2d(x, 2, { padding: 2 }), { ...shape, message: /pad by less than its size$/ });
  assert.throws(() => maxPool2d(x, 2, { stride: 0 }), {
    code: 'ERR_SHEAF_USAGE',
    message: /the stride is 0; give an integer from 1 on/,
  });
  assert.throws(() => x.maxPool2dBackward(x, 2), {
    ...shape,
    message: /the gradient has the shape 1 x 2 x 4 x 4, and the result it belongs to 1 x 2 x 2 x 2$/,
  });
  assert.throws(() => biasAdd(x, ones([4])), {
    ...shape,
    message: /^biasAdd: the shape of the bias is 4, and not one axis of 2/,
  });
  assert.throws(() => (ones([2], { dtype: 'i32' }) as never as Arr<'f64'>).relu(), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => batchNorm2d(x, ones([2]), ones([2]), { training: 1 } as never), { code: 'ERR_SHEAF_USAGE' });
});
