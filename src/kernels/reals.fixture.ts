/**
 * Real numbers as `mantissa * 2^exponent` with a mantissa of 320 bits or so, for what is compared with them. Each operation is right to
 * the last few of these bits.
 */
export interface Real {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const PRECISION = 320;

const sizeOf = (x: bigint): bigint => (x < 0n ? -x : x);
/** The number of bits of a positive integer. */
function bitLength(x: bigint): number {
  const digits = x.toString(16);
  return 4 * (digits.length - 1) + (32 - Math.clz32(Number.parseInt(digits[0] as string, 16)));
}

function real(mantissa: bigint, exponent: number, precision = PRECISION): Real {
  if (mantissa === 0n) return ZERO;
  const beyond = bitLength(sizeOf(mantissa)) - precision;
  return beyond > 0 ? { mantissa: mantissa >> BigInt(beyond), exponent: exponent + beyond } : { mantissa, exponent };
}

export const ZERO: Real = { mantissa: 0n, exponent: 0 };
export const ONE: Real = { mantissa: 1n, exponent: 0 };

/** A finite double, as it is. */
export function exactly(x: number): Real {
  if (x === 0) return ZERO;
  let exponent = Math.max(-1074, Math.floor(Math.log2(Math.abs(x))) - 60);
  // In two steps, since the power itself may be out of range.
  let mantissa = x;
  const half = Math.trunc(exponent / 2);
  mantissa = mantissa / 2 ** half / 2 ** (exponent - half);
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent--;
  }
  return { mantissa: BigInt(mantissa), exponent };
}

export const neg = ({ mantissa, exponent }: Real): Real => ({ mantissa: -mantissa, exponent });
export const abs = ({ mantissa, exponent }: Real): Real => ({ mantissa: sizeOf(mantissa), exponent });
/** By a power of two. */
export const scale = ({ mantissa, exponent }: Real, by: number): Real => ({ mantissa, exponent: exponent + by });

/** The exponent of the leading bit: 0 for 1. */
export const magnitude = ({ mantissa, exponent }: Real): number =>
  mantissa === 0n ? Number.NEGATIVE_INFINITY : bitLength(sizeOf(mantissa)) - 1 + exponent;

export function add(x: Real, y: Real, precision = PRECISION): Real {
  if (x.mantissa === 0n) return y;
  if (y.mantissa === 0n) return x;
  const [low, high] = x.exponent < y.exponent ? [x, y] : [y, x];
  const apart = high.exponent - low.exponent;
  // What is so much less does not count.
  if (apart > 4 * precision && magnitude(high) - magnitude(low) > 2 * precision) return high;
  return real((high.mantissa << BigInt(apart)) + low.mantissa, low.exponent, precision);
}

export const sub = (x: Real, y: Real, precision = PRECISION): Real => add(x, neg(y), precision);
export const mul = (x: Real, y: Real, precision = PRECISION): Real =>
  real(x.mantissa * y.mantissa, x.exponent + y.exponent, precision);

export function div(x: Real, y: Real, precision = PRECISION): Real {
  const more = Math.max(0, precision + bitLength(sizeOf(y.mantissa)) - bitLength(sizeOf(x.mantissa)) + 8);
  return real((x.mantissa << BigInt(more)) / y.mantissa, x.exponent - more - y.exponent, precision);
}

export function sqrt(x: Real): Real {
  if (x.mantissa === 0n) return ZERO;
  let more = 2 * PRECISION - bitLength(x.mantissa) + 2;
  if (more < 0) more = 0;
  if ((x.exponent - more) % 2 !== 0) more++;
  const n = x.mantissa << BigInt(more);
  let root = 1n << BigInt(Math.ceil(bitLength(n) / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return real(root, (x.exponent - more) / 2);
    root = next;
  }
}

export const compare = (x: Real, y: Real): number => Number(sub(x, y).mantissa > 0n) - Number(sub(x, y).mantissa < 0n);

/** The nearest double (or float of 32 bits), of two the even one. */
export function nearest(x: Real, dtype: 'f64' | 'f32' = 'f64'): number {
  if (x.mantissa === 0n) return 0;
  const [bits, least, most] = dtype === 'f64' ? [53, -1074, 1024] : [24, -149, 128];
  const unit = Math.max(magnitude(x) - bits + 1, least);
  const shift = unit - x.exponent;
  const size = sizeOf(x.mantissa);
  let whole: bigint;
  if (shift <= 0) whole = size << BigInt(-shift);
  else {
    whole = size >> BigInt(shift);
    const rest = size - (whole << BigInt(shift));
    const half = 1n << BigInt(shift - 1);
    if (rest > half || (rest === half && whole % 2n === 1n)) whole++;
  }
  if (bitLength(whole === 0n ? 1n : whole) + unit > most) return x.mantissa < 0n ? -Infinity : Infinity;
  // A number of 53 bits times a power of two, in two steps, the first of which is exact.
  const result = Number(whole) * 2 ** Math.max(unit, -1000) * 2 ** Math.min(0, unit + 1000);
  return x.mantissa < 0n ? -result : result;
}

/** How far a double (or float of 32 bits) is from a number, in units of the last place that it has there. Infinite: the power after the greatest. */
export function ulpsFrom(got: number, x: Real, dtype: 'f64' | 'f32' = 'f64', scaleOf: Real = x): number {
  const [bits, least, most] = dtype === 'f64' ? [53, -1074, 1024] : [24, -149, 128];
  if (Number.isNaN(got)) return Number.POSITIVE_INFINITY;
  const unit = Math.min(Math.max(magnitude(scaleOf) - bits + 1, least), most - bits);
  const beyond = scale(ONE, most);
  const value = Number.isFinite(got) ? exactly(got) : got > 0 ? beyond : neg(beyond);
  // Beyond the range there is nothing nearer than infinity.
  const bounded = compare(abs(x), beyond) > 0 ? (x.mantissa > 0n ? beyond : neg(beyond)) : x;
  return nearest(scale(abs(sub(value, bounded)), -unit));
}
