import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPE_NAMES, DTYPES, type DType, isBig, kindOf } from '../nd/index.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from './elementwise.ts';
import { applied, cast } from './reference.ts';
import { SPECIAL_CASES } from './special-cases.ts';

const names = Object.keys(ELEMENTWISE) as ElementOpName[];
const on = (name: ElementOpName, dtype: DType, ...args: (number | bigint)[]): number | bigint =>
  applied(elementOp(name), dtype, args);

test('special cases of floats are those of the standard', () => {
  for (const name of names.filter(
    (each) => elementOp(each).float !== undefined && each !== 'where' && each !== 'positive',
  )) {
    const cases = SPECIAL_CASES[name];
    assert.ok(cases !== undefined, `${name} has no special cases`);
    for (const each of cases) {
      const args = each.slice(0, -1);
      assert.equal(args.length, elementOp(name).arity, `${name}(${args})`);
      const [expected] = each.slice(-1) as [number];
      for (const dtype of ['f64', 'f32'] as const) {
        const want = dtype === 'f32' && elementOp(name).gives === 'same' ? Math.fround(expected) : expected;
        const got = on(name, dtype, ...args) as number;
        assert.ok(
          Object.is(got, want),
          `${name}(${args.map((x) => (Object.is(x, -0) ? '-0' : x))}) of ${dtype} is ${got}, not ${want}`,
        );
      }
    }
  }
});

test('every operator has a definition for each kind that it takes', () => {
  for (const name of names) {
    const op = elementOp(name);
    for (const kind of op.takes) {
      assert.notEqual(kind === 'float' ? op.float : op.exact, undefined, `${name} of ${kind}`);
    }
  }
});

const integerTypes = DTYPE_NAMES.filter((name) => ['int', 'uint'].includes(kindOf(name)));

test('integers are exact, and wrap', () => {
  const pair = fc.constantFrom(...integerTypes).chain((dtype) => {
    const { min, max } = DTYPES[dtype];
    const edges = [min, max, 0, 1].map(BigInt);
    const each = fc.oneof(fc.bigInt(BigInt(min), BigInt(max)), fc.constantFrom(...edges));
    return fc.tuple(fc.constant(dtype), each, each);
  });
  fc.assert(
    fc.property(pair, ([dtype, x, y]) => {
      const value = (n: bigint) => (isBig(dtype) ? n : Number(n));
      const range = 1n << BigInt(8 * DTYPES[dtype].bytes);
      const congruent = (got: number | bigint, want: bigint, what: string) => {
        assert.equal((((BigInt(got) - want) % range) + range) % range, 0n, `${what} of ${x} and ${y} as ${dtype}`);
        assert.ok(got >= DTYPES[dtype].min && got <= DTYPES[dtype].max, `${what} leaves the range of ${dtype}`);
      };
      congruent(on('add', dtype, value(x), value(y)), x + y, 'add');
      congruent(on('subtract', dtype, value(x), value(y)), x - y, 'subtract');
      congruent(on('multiply', dtype, value(x), value(y)), x * y, 'multiply');
      congruent(on('negative', dtype, value(x)), -x, 'negative');
      congruent(on('bitwiseInvert', dtype, value(x)), -x - 1n, 'bitwiseInvert');
      congruent(on('pow', dtype, value(x), value(3n)), x ** 3n, 'pow');
      if (y !== 0n) {
        const quotient = on('floorDivide', dtype, value(x), value(y));
        const rest = on('remainder', dtype, value(x), value(y));
        assert.equal((BigInt(quotient) * y + BigInt(rest) - x) % range, 0n, `${x} divided by ${y} as ${dtype}`);
        assert.ok(BigInt(rest) === 0n || BigInt(rest) > 0n === y > 0n, 'the remainder has the sign of the divisor');
      } else {
        assert.equal(BigInt(on('floorDivide', dtype, value(x), value(0n))), 0n);
        assert.equal(BigInt(on('remainder', dtype, value(x), value(0n))), 0n);
      }
      if (y >= 0n && y < 64n) congruent(on('bitwiseLeftShift', dtype, value(x), value(y)), x << y, 'shift');
    }),
    { numRuns: 2000 },
  );
});

test('floats are divided down like integers, where they are', () => {
  const whole = fc.integer({ min: -1000, max: 1000 });
  const divisor = whole.filter((y) => y !== 0);
  fc.assert(
    fc.property(whole, divisor, (x, y) => {
      // Adding 0 makes of -0 a 0.
      assert.equal((on('floorDivide', 'f64', x, y) as number) + 0, Math.floor(x / y) + 0);
      assert.equal((on('remainder', 'f64', x, y) as number) + 0, x - y * Math.floor(x / y) + 0);
    }),
  );
  assert.equal(on('floorDivide', 'f64', 1, 0.1), 9, '0.1 is a little more than a tenth');
});

test('the next float is next', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const next = on('nextafter', 'f64', x, Number.POSITIVE_INFINITY) as number;
      assert.ok(next > x);
      // Whatever lies between two neighbours is rounded to one of them.
      const between = x / 2 + next / 2;
      assert.ok(between === x || between === next || !Number.isFinite(next));
      const narrow = Math.fround(x);
      if (!Number.isFinite(narrow)) return;
      const after = on('nextafter', 'f32', narrow, Number.POSITIVE_INFINITY) as number;
      assert.ok(after > narrow && Math.fround(after) === after);
    }),
  );
});

test('rounding goes to even, and cutting off to zero', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (x) => {
      const round = on('round', 'f64', x) as number;
      assert.ok(Number.isInteger(round) || !Number.isFinite(x));
      if (!Number.isFinite(x)) return;
      assert.ok(Math.abs(round - x) <= 0.5);
      if (Math.abs(round - x) === 0.5) assert.equal(Math.abs(round % 2), 0);
    }),
  );
});

test('values are cast: wrapped, cut off and saturated, or true', () => {
  assert.equal(cast(300, 'i32', 'u8'), 44);
  assert.equal(cast(-1, 'i8', 'u64'), 2n ** 64n - 1n);
  assert.equal(cast(2n ** 63n, 'u64', 'i64'), -(2n ** 63n));
  assert.equal(cast(-3.9, 'f64', 'i32'), -3);
  assert.ok(Object.is(cast(-0.5, 'f64', 'i32'), 0), 'integers have one zero');
  assert.equal(cast(1e30, 'f64', 'i64'), 2n ** 63n - 1n);
  assert.equal(cast(-5, 'f32', 'u16'), 0);
  assert.equal(cast(Number.NaN, 'f64', 'i16'), 0);
  assert.equal(cast(Number.NaN, 'f64', 'bool'), 1);
  assert.equal(cast(-0, 'f64', 'bool'), 0);
  assert.equal(cast(0n, 'i64', 'bool'), 0);
  assert.equal(cast(2n ** 53n + 1n, 'i64', 'f64'), 2 ** 53);
  assert.equal(cast(0.1, 'f64', 'f32'), Math.fround(0.1));
  // The double in between is the middle of two floats, from which rounding to even goes down.
  const above = 2n ** 60n + 2n ** 36n + 1n;
  assert.equal(cast(above, 'i64', 'f32'), 2 ** 60 + 2 ** 37);
  assert.equal(cast(-above, 'i64', 'f32'), -(2 ** 60) - 2 ** 37);
  assert.equal(cast(1, 'bool', 'i64'), 1n);
});
