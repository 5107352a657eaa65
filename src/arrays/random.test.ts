import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DTYPES, type DType } from '../nd/index.ts';
import { withSession } from './arrays.fixture.ts';
import { asarray, random, randomIntegers, randomNormal } from './index.ts';
import { nodeOf, wrap } from './lazy.ts';
import { bitsOf, keyOf } from './random.ts';

withSession();

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const swapped = (x: bigint): bigint => u64((x >> 32n) | (x << 32n));

/** Squares as its author writes it, one number at a time. */
function squares64(counter: bigint, key: bigint): bigint {
  const y = u64(counter * key);
  const z = u64(y + key);
  let x = swapped(u64(y * y + y));
  x = swapped(u64(x * x + z));
  x = swapped(u64(x * x + y));
  const t = u64(x * x + z);
  x = swapped(t);
  return t ^ (u64(x * x + y) >> 32n);
}

test('the operators on counters are Squares', async () => {
  const key = 0x548c9decbce65297n;
  const counters = [0n, 1n, 2n, 12345n, 2n ** 40n + 7n, 2n ** 64n - 1n];
  const bits = bitsOf(nodeOf('test', asarray(counters, { dtype: 'u64' })), key);
  assert.deepEqual(
    await wrap(bits).toNested(),
    counters.map((counter) => squares64(counter, key)),
  );
});

test('keys have digits as Squares wants them', () => {
  const keys = new Set<bigint>();
  for (let seed = 0n; seed < 500n; seed++) {
    const key = keyOf(seed);
    keys.add(key);
    const digits = key.toString(16).padStart(16, '0');
    for (const half of [digits.slice(0, 8), digits.slice(8)]) {
      assert.equal(new Set(half).size, 8, digits);
      assert.ok(!half.includes('0'), digits);
    }
    assert.equal(key % 2n, 1n, digits);
  }
  assert.equal(keys.size, 500);
});

test('an element depends on the seed and its place, and not on what is computed beside it', async () => {
  const x = random([20, 30], { seed: 5 });
  const whole = (await x.toNested()) as number[][];
  assert.deepEqual(
    await random([20, 30], { seed: 5 }).at('3:5', '::7').toNested(),
    whole.slice(3, 5).map((row) => row.filter((_, i) => i % 7 === 0)),
  );
  assert.deepEqual(await random([600], { seed: 5 }).toNested(), whole.flat());
  assert.notDeepEqual(await random([20, 30], { seed: 6 }).toNested(), whole);
  assert.notDeepEqual(await random([5]).toNested(), await random([5]).toNested());
  assert.deepEqual(
    await random([3], { seed: 2n ** 64n - 1n }).toNested(),
    await random([3], { seed: 2n ** 64n - 1n }).toNested(),
  );
  for (const seed of [-1, 0.5, 2n ** 64n, 'x' as never])
    assert.throws(() => random([2], { seed }), { code: 'ERR_SHEAF_USAGE', message: /the seed is/ });
});

/** The sum of squares of what differs from the expected number in each bin, in units of its deviation. */
function chiSquared(bins: readonly number[], expected: number): number {
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function binned(values: ArrayLike<number>, count: number, place: (value: number) => number): number[] {
  const bins = new Array<number>(count).fill(0);
  for (const value of Array.from(values))
    bins[Math.min(count - 1, Math.max(0, Math.floor(place(value) * count)))]! += 1;
  return bins;
}

/** Seeds are fixed, so these tests give the same in every run; a good generator is beyond five deviations once in a million. */
const N = 40_000;
const within = (value: number, expected: number, deviation: number, what: string): void =>
  assert.ok(Math.abs(value - expected) < 5 * deviation, `${what}: ${value}, expected ${expected} ± ${deviation}`);

test('uniform numbers are uniform, alone, in pairs, and in their bits', async () => {
  for (const dtype of ['f64', 'f32'] as const) {
    for (const seed of [1, 2, 123456789]) {
      const values = Array.from(await random([N], { seed, dtype }).data());
      assert.ok(values.every((value) => value >= 0 && value < 1));
      const mean = values.reduce((a, b) => a + b, 0) / N;
      within(mean, 0.5, Math.sqrt(1 / 12 / N), 'mean');
      // A chi-squared of k degrees has the mean k and the variance 2k.
      within(
        chiSquared(
          binned(values, 100, (x) => x),
          N / 100,
        ),
        99,
        Math.sqrt(198),
        'bins',
      );
      const pairs = Array.from(
        { length: N / 2 },
        (_, i) => (Math.floor(values[2 * i]! * 10) + values[2 * i + 1]!) / 10,
      );
      within(
        chiSquared(
          binned(pairs, 100, (x) => x),
          N / 200,
        ),
        99,
        Math.sqrt(198),
        'pairs',
      );
      const product = values.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * (values[i]! - 0.5), 0) / (N - 1);
      within(product, 0, 1 / 12 / Math.sqrt(N), 'correlation of neighbours');
    }
  }
  // Seeds that follow each other have nothing to do with each other.
  const [a, b] = await Promise.all([1, 2].map((seed) => random([N], { seed }).data()));
  within(
    a!.reduce((sum, value, i) => sum + (value - 0.5) * (b![i]! - 0.5), 0) / N,
    0,
    1 / 12 / Math.sqrt(N),
    'correlation of seeds',
  );
});

/** The normal distribution's share below x (Abramowitz and Stegun 26.2.17, exact to 7.5e-8). */
function share(x: number): number {
  if (x < 0) return 1 - share(-x);
  const t = 1 / (1 + 0.2316419 * x);
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}

test('normal numbers are normal', async () => {
  for (const seed of [1, 77]) {
    const values = await randomNormal([N], { seed }).data();
    const moment = (k: number): number => values.reduce((sum, value) => sum + value ** k, 0) / N;
    within(moment(1), 0, 1 / Math.sqrt(N), 'mean');
    within(moment(2), 1, Math.sqrt(2 / N), 'variance');
    within(moment(3), 0, Math.sqrt(15 / N), 'skewness');
    within(moment(4), 3, Math.sqrt(96 / N), 'kurtosis');
    within(chiSquared(binned(values, 50, share), N / 50), 49, Math.sqrt(98), 'bins');
  }
  assert.equal(randomNormal([2, 2], { dtype: 'f32' }).dtype, 'f32');
});

test('integers are between their bounds, each as often as the others', async () => {
  const values = await randomIntegers(-3, 7, [N], { seed: 3, dtype: 'i8' }).data();
  assert.ok(values instanceof Int8Array && values.every((value) => value >= -3 && value < 7));
  within(
    chiSquared(
      binned(values, 10, (value) => (value + 3.5) / 10),
      N / 10,
    ),
    9,
    Math.sqrt(18),
    'bins',
  );
  const large = await randomIntegers(0, 2n ** 40n, [N], { seed: 3 }).data();
  within(
    chiSquared(
      binned(Array.from(large, Number), 64, (value) => value / 2 ** 40),
      N / 64,
    ),
    63,
    Math.sqrt(126),
    'large ones',
  );
});

test('integers of a whole type, and bounds that have none', async () => {
  for (const dtype of ['i8', 'u16', 'i64', 'u64'] as const) {
    const { min, max } = DTYPES[dtype as DType];
    const values = await randomIntegers(min, BigInt(max) + 1n, [2000], { seed: 1, dtype }).data();
    const half = values.filter((value: number | bigint) => value < (BigInt(min) + BigInt(max)) / 2n).length;
    within(half, 1000, Math.sqrt(500), dtype);
  }
  // The upper 64 bits of the product with the number of choices: of one choice, always that.
  assert.deepEqual(await randomIntegers(5, 6, [3]).toNested(), [5n, 5n, 5n]);
  assert.throws(() => randomIntegers(3, 3, [2]), { code: 'ERR_SHEAF_USAGE', message: /nothing between them/ });
  assert.throws(() => randomIntegers(0, 300, [2], { dtype: 'u8' }), {
    code: 'ERR_SHEAF_USAGE',
    message: /u8 holds up to 255/,
  });
  assert.throws(() => randomIntegers(-1, 3, [2], { dtype: 'u8' }), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => randomIntegers(0.5, 3, [2]), { code: 'ERR_SHEAF_DTYPE' });
});
