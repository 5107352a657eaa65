import { shown, UsageError } from '../base/index.ts';
import { DTYPES, type DType, rowMajor, type Shape, scalarAs } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { checkDType, checkShape } from './checks.ts';
import { wrap } from './lazy.ts';
import { apply, cast, checkKind, constantOf } from './operations.ts';
import type { D, Float } from './types.ts';

/** What `random` and `randomNormal` take. */
export interface RandomOptions<T extends Float = Float> {
  /** The same seed gives the same numbers, whatever computes them; left out: other ones each time. */
  seed?: number | bigint;
  /** `f64`, if nothing is said. */
  dtype?: T;
}

/** What `randomIntegers` takes. */
export interface RandomIntegersOptions<T extends D = D> {
  /** The same seed gives the same numbers, whatever computes them; left out: other ones each time. */
  seed?: number | bigint;
  /** `i64`, if nothing is said. */
  dtype?: T;
}

const u64 = (value: bigint): Node => constantOf(BigInt.asUintN(64, value), [], 'u64');
const times = (x: Node, y: Node): Node => apply('multiply', [x, y]);
const plus = (x: Node, y: Node): Node => apply('add', [x, y]);
const right = (x: Node, bits: number): Node => apply('bitwiseRightShift', [x, u64(BigInt(bits))]);
const left = (x: Node, bits: number): Node => apply('bitwiseLeftShift', [x, u64(BigInt(bits))]);
const swapped = (x: Node): Node => apply('bitwiseOr', [right(x, 32), left(x, 32)]);

/** One step of SplitMix64 (G. L. Steele et al., "Fast splittable pseudorandom number generators", 2014). */
function* mixed(seed: bigint): Generator<bigint, never> {
  let state = BigInt.asUintN(64, seed);
  for (;;) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    yield z ^ (z >> 31n);
  }
}

/** @internal
 * A key for Squares: hexadecimal digits that are not 0, none twice in a half, the last one odd, as its author asks. The seed decides
 * which.
 */
export function keyOf(seed: bigint): bigint {
  const chance = mixed(seed);
  let key = 0n;
  for (const half of [0, 1]) {
    const digits = Array.from({ length: 15 }, (_, i) => BigInt(i + 1));
    for (let place = 0; place < 8; place++) {
      const last = half === 1 && place === 7;
      const free = last ? digits.filter((digit) => digit % 2n === 1n) : digits;
      const digit = free[Number(chance.next().value % BigInt(free.length))] as bigint;
      digits.splice(digits.indexOf(digit), 1);
      key = key * 16n + digit;
    }
  }
  return key;
}

/** @internal 64 random bits for each counter: Squares (B. Widynski, "Squares: A Fast Counter-Based RNG", 2020, in five rounds). */
export function bitsOf(counters: Node, key: bigint): Node {
  const y = times(counters, u64(key));
  const z = plus(y, u64(key));
  let x = swapped(plus(times(y, y), y));
  x = swapped(plus(times(x, x), z));
  x = swapped(plus(times(x, x), y));
  const t = plus(times(x, x), z);
  x = swapped(t);
  return apply('bitwiseXor', [t, right(plus(times(x, x), y), 32)]);
}

/** How many elements come before each, row by row: what an element is does not depend on who computes it. */
function counters(shape: Shape): Node {
  const strides = rowMajor(shape);
  let all: Node = constantOf(0n, [], 'u64');
  for (const [axis, length] of shape.entries()) {
    const own = shape.map((_, i) => (i === axis ? length : 1));
    const at = cast(new Node({ kind: 'position', axis }, own, 'i64'), 'u64');
    all = plus(all, times(at, u64(BigInt(strides[axis] as number))));
  }
  return all;
}

const TWO_64 = 2n ** 64n;

function seedOf(operation: string, seed: number | bigint | undefined): bigint {
  if (seed === undefined) {
    const words = crypto.getRandomValues(new BigUint64Array(1));
    return words[0] as bigint;
  }
  if (typeof seed === 'bigint' ? seed >= 0n && seed < TWO_64 : Number.isSafeInteger(seed) && seed >= 0)
    return BigInt(seed);
  throw new UsageError(`${operation}: the seed is ${shown(seed)}; give an integer from 0 on, below 2**64`, {
    details: { operation },
  });
}

/** Uniform in [0, 1), in steps of 2**-53. */
const unit = (bits: Node): Node => times(cast(right(bits, 11), 'f64'), constantOf(2 ** -53, [], 'f64'));

/** In steps of 2**-24, which is what a float of 32 bits has room for. */
const unit32 = (bits: Node): Node => times(cast(right(bits, 40), 'f32'), constantOf(2 ** -24, [], 'f32'));

/**
 * Random numbers, uniform from 0 up to 1, which is left out. They depend on the seed and the place alone (Squares, a generator with a
 * counter), so that they are the same however the array is computed.
 */
export function random<const T extends Float>(shape: readonly number[], o: RandomOptions<T> & { dtype: T }): Arr<T>;
export function random(shape: readonly number[], o?: RandomOptions<'f64'>): Arr<'f64'>;
export function random(shape: readonly number[], o: RandomOptions = {}): Arr {
  const lengths = checkShape('random', shape);
  const dtype = floatIn('random', o.dtype);
  const bits = bitsOf(counters(lengths), keyOf(seedOf('random', o.seed)));
  return wrap(dtype === 'f32' ? unit32(bits) : unit(bits));
}

function floatIn(operation: string, dtype: Float | undefined): DType {
  const own = dtype === undefined ? 'f64' : checkDType(operation, dtype);
  checkKind(operation, own, ['float']);
  return own;
}

/** Random numbers of the normal distribution with mean 0 and variance 1, by the method of Box and Muller; as `random` otherwise. */
export function randomNormal<const T extends Float>(
  shape: readonly number[],
  o: RandomOptions<T> & { dtype: T },
): Arr<T>;
export function randomNormal(shape: readonly number[], o?: RandomOptions<'f64'>): Arr<'f64'>;
export function randomNormal(shape: readonly number[], o: RandomOptions = {}): Arr {
  const lengths = checkShape('randomNormal', shape);
  const dtype = floatIn('randomNormal', o.dtype);
  const key = keyOf(seedOf('randomNormal', o.seed));
  const twice = left(counters(lengths), 1);
  const [u, v] = [unit(bitsOf(twice, key)), unit(bitsOf(plus(twice, u64(1n)), key))];
  const number = (value: number): Node => constantOf(value, [], 'f64');
  // 1 - u is never 0, and has a logarithm.
  const radius = apply('sqrt', [times(number(-2), apply('log1p', [apply('negative', [u])]))]);
  const angle = apply('cos', [times(number(2 * Math.PI), v)]);
  return wrap(cast(times(radius, angle), dtype));
}

/** The upper 64 of the 128 bits of x * by. */
function upperHalf(x: Node, by: bigint): Node {
  const mask = u64(0xffff_ffffn);
  const [a, b] = [right(x, 32), apply('bitwiseAnd', [x, mask])];
  const [c, d] = [u64(by >> 32n), u64(by & 0xffff_ffffn)];
  const low = (y: Node): Node => apply('bitwiseAnd', [y, mask]);
  const [ad, bc] = [times(a, d), times(b, c)];
  const middle = plus(plus(low(ad), low(bc)), right(times(b, d), 32));
  return plus(plus(times(a, c), plus(right(ad, 32), right(bc, 32))), right(middle, 32));
}

/**
 * Random integers from `low` up to `high`, which is left out. Each is as probable as the others, up to (high - low) / 2**64.
 *
 * @throws UsageError when there is none between them, or the type does not hold them.
 */
export function randomIntegers<const T extends Exclude<D, 'bool' | Float>>(
  low: number | bigint,
  high: number | bigint,
  shape: readonly number[],
  o: RandomIntegersOptions<T> & { dtype: T },
): Arr<T>;
export function randomIntegers(
  low: number | bigint,
  high: number | bigint,
  shape: readonly number[],
  o?: RandomIntegersOptions<'i64'>,
): Arr<'i64'>;
export function randomIntegers(
  low: number | bigint,
  high: number | bigint,
  shape: readonly number[],
  o: RandomIntegersOptions = {},
): Arr {
  const operation = 'randomIntegers';
  const lengths = checkShape(operation, shape);
  const dtype = o.dtype === undefined ? 'i64' : checkDType(operation, o.dtype);
  checkKind(operation, dtype, ['int', 'uint']);
  const first = BigInt(scalarAs(operation, low, dtype));
  const end = integerOf(operation, high);
  if (end <= first || end - 1n > BigInt(DTYPES[dtype].max)) {
    const why = end <= first ? 'there is nothing between them' : `${dtype} holds up to ${DTYPES[dtype].max}`;
    throw new UsageError(`${operation}: from ${low} up to ${high}, which is left out: ${why}`, {
      details: { operation },
    });
  }
  const bits = bitsOf(counters(lengths), keyOf(seedOf(operation, o.seed)));
  const count = end - first;
  const chosen = count === TWO_64 ? bits : upperHalf(bits, count);
  // Modulo 2**64 a negative first one is a large one.
  return wrap(cast(plus(chosen, u64(first)), dtype));
}

function integerOf(operation: string, value: number | bigint): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) return BigInt(value);
  throw new UsageError(`${operation}: ${shown(value)} is no integer`, { details: { operation } });
}
