/**
 * Functions of doubles that `Math` lacks, or gives other answers for than the array API standard asks in its special cases. All of
 * them define what every kernel must return.
 */

const TWO_52 = 2 ** 52;

/** 1 with the sign of `x`, that of a zero included. Of a NaN: positive. */
export const signOf = (x: number): 1 | -1 => (x < 0 || Object.is(x, -0) ? -1 : 1);

/** The magnitude of `x` with the sign of `y`. */
export const copysign = (x: number, y: number): number => (signOf(y) < 0 ? -Math.abs(x) : Math.abs(x));

/** The nearest integer, of two the even one; zeros keep the sign. */
export function roundToEven(x: number): number {
  const size = Math.abs(x);
  // Adding 2**52 leaves no room for a fraction, so that the processor rounds it away, to even.
  return size < TWO_52 ? copysign(size + TWO_52 - TWO_52, x) : x;
}

/** What is left of a division that is rounded down; has the sign of `y`. */
export function remainder(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return copysign(0, y);
  return rest < 0 !== y < 0 ? rest + y : rest;
}

/** The quotient rounded down, as exact as the remainder is: `floorDivide(1, 0.1)` is 9, since 0.1 is slightly more than a tenth. */
export function floorDivide(x: number, y: number): number {
  const rest = x % y;
  // Not finite, or a division by zero.
  if (Number.isNaN(rest)) return Math.floor(x / y);
  if (rest === 0) return copysign(Math.abs(roundToEven(x / y)), signOf(x) * signOf(y));
  let quotient = (x - rest) / y;
  if (rest < 0 !== y < 0) quotient -= 1;
  const floor = Math.floor(quotient);
  const down = quotient - floor > 0.5 ? floor + 1 : floor;
  return down === 0 ? copysign(0, signOf(x) * signOf(y)) : down;
}

/** `Math.pow`, but 1 to any power is 1, and -1 to an infinite one as well (IEEE 754-2019, 9.2.1). */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY))) return 1;
  return x ** y;
}

/** log(exp(x) + exp(y)) without leaving the range. */
export function logaddexp(x: number, y: number): number {
  if (x === y) return x + Math.LN2;
  const [less, more] = x < y ? [x, y] : [y, x];
  const apart = less - more;
  return Number.isNaN(apart) ? x + y : more + Math.log1p(Math.exp(apart));
}

/** -1, 0, 1, or NaN. Of a zero: 0. */
export const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : Number.NaN);

const bits = new DataView(new ArrayBuffer(8));

/** The double next to `x` on the way to `y`. */
export function nextAfter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE;
  bits.setFloat64(0, x);
  bits.setBigInt64(0, bits.getBigInt64(0) + (y > x === x > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

const LEAST_F32 = 2 ** -149;

/** The same among floats of 32 bits, of which both are. */
export function nextAfter32(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? LEAST_F32 : -LEAST_F32;
  bits.setFloat32(0, x);
  bits.setInt32(0, bits.getInt32(0) + (y > x === x > 0 ? 1 : -1));
  return bits.getFloat32(0);
}
