import { bitsOf } from './constants.ts';
import { exponential, scaled, together } from './exponential.ts';
import type { Lanes, Value } from './lanes.ts';
import { LOGARITHMS } from './logarithms.table.ts';

/*
 * x^y = exp(y log x), the logarithm in two parts, 2^-68 of it or less from the exact one. log x = k log 2 + log c + log(1 + r) with
 * 1 / c out of a table, of so few bits that r comes out exactly (P. T. P. Tang, "Table-driven implementation of the logarithm
 * function in IEEE floating-point arithmetic", 1990).
 */
/** Minimax (Remez) for (log(1 + r) - r + r^2/2) / r^3, |r| up to 2^-7: 2^-72 of the logarithm. */
const Q = [
  0.3333333333333333, -0.2500000000000025, 0.2000000000000081, -0.16666666634067387, 0.14285714230675875,
  -0.1250106818702829, 0.11112359656000999,
] as const;
/** log 2, the first part of 42 bits behind the point, as those of the table are: sums of them are exact. */
const LN2 = [0.6931471805598903, 5.497923018708371e-14] as const;

/** Where the intervals of the table begin. */
const FIRST = 0x3fe6a00000000000n;
const ONE = 0x3ff0000000000000n;

/** 1 / c, log c, the rest of it, and a word that fills the row up. */
const TABLE = new BigUint64Array(
  LOGARITHMS.flatMap(([inverse, log, rest]) => [bitsOf(inverse), bitsOf(log), bitsOf(rest), 0n]),
);

/** The logarithm of positive normal numbers in two parts. */
function logarithm(m: Lanes, x: Value): [Value, Value] {
  const moved = m.iadd(x, m.bits(ONE - FIRST));
  const k = m.subf(m.or(m.shr(moved, 52), m.f(2 ** 52)), 2 ** 52 + 1023);
  const z = m.iadd(m.and(moved, m.bits((1n << 52n) - 1n)), m.bits(FIRST));
  // Seven bits behind the exponent, times the 32 bytes of a row.
  const row = m.and(m.shr(moved, 40), m.bits(127n << 5n));
  const [inverse, log] = m.pair(TABLE, row);
  const logRest = m.entry(TABLE, row, 16);

  // Of 21 bits, so that the product with the inverse, and the square of what is left, are exact; rounded, so that near 1 nothing is
  // left of it.
  const zHigh = m.and(m.iadd(z, m.bits(1n << 31n)), m.bits(-1n << 32n));
  const rHigh = m.subf(m.mul(zHigh, inverse), 1);
  const rLow = m.mul(m.sub(z, zHigh), inverse);
  const r = m.add(rHigh, rLow);

  // Exact: the bits of all three end far enough to the left.
  const whole = m.add(m.add(m.mulf(k, LN2[0]), log), rHigh);
  const [first, firstLost] = m.fastTwoSum(whole, rLow);
  // r - r^2 / 2 with r in its two parts.
  const halfHigh = m.mulf(rHigh, -0.5);
  const squareHigh = m.mul(rHigh, halfHigh);
  const [second, secondLost] = m.fastTwoSum(first, squareHigh);
  const squareLow = m.mul(rLow, m.add(m.mulf(r, -0.5), halfHigh));
  const rest = m.mul(m.mul(m.square(r), r), m.estrin(r, Q));

  const low = m.add(m.add(m.add(m.mulf(k, LN2[1]), logRest), m.add(firstLost, squareLow)), m.add(secondLost, rest));
  return m.fastTwoSum(second, low);
}

/** y log x of positive normal x, in two parts, out of halves whose products are exact. */
export function inParts(m: Lanes, x: Value, y: Value): { readonly product: Value; readonly tail: Value } {
  const [high, low] = logarithm(m, x);
  const mask = m.bits(-1n << 27n);
  const [yHigh, logHigh] = [m.and(y, mask), m.and(high, mask)];
  const logLow = m.add(m.sub(high, logHigh), low);
  return { product: m.mul(yHigh, logHigh), tail: m.fma(m.sub(y, yHigh), logHigh, m.mul(y, logLow)) };
}

const LARGE = 708;

export function pow(m: Lanes, x: Value, y: Value, reference: number): Value {
  const { product, tail } = inParts(m, m.abs(x), y);
  const usual = together(m, exponential(m, product, { tail }));

  const inRange = m.lt(m.abs(product), m.f(LARGE));
  const normal = m.and(m.ge(x, m.f(2 ** -1022)), m.lt(x, m.f(Number.POSITIVE_INFINITY)));
  const [result] = m.rarely(m.anyNot(m.and(normal, inRange)), [usual], () => {
    const ranged = m.select(inRange, usual, scaled(m, product, { tail }));
    return [ofAll(m, x, y, ranged, reference)];
  });
  return result;
}

/** Where bases are negative, or not even normal numbers; `ofSize` is the power of the size of those that are normal. */
function ofAll(m: Lanes, x: Value, y: Value, ofSize: Value, reference: number): Value {
  const [size, zero] = [m.abs(x), m.f(0)];
  const negative = m.lt(x, zero);
  const whole = m.eq(m.trunc(y), y);
  const half = m.mulf(y, 0.5);
  const odd = m.andNot(whole, m.eq(m.trunc(half), half));
  // All bits set are a NaN.
  const signed = m.or(m.xor(ofSize, m.and(m.and(odd, negative), m.f(-0))), m.andNot(negative, whole));
  const normal = m.and(m.ge(size, m.f(2 ** -1022)), m.lt(size, m.f(Number.POSITIVE_INFINITY)));
  const ordinary = m.and(normal, m.lt(m.abs(y), m.f(2 ** 64)));
  // That zero to some power is zero needs nobody to be asked, as long as there is no sign in it.
  const isZero = m.and(m.ieq(x, m.bits(0n)), m.gt(y, zero));
  return m.through(reference, m.not(m.or(ordinary, isZero)), [x, y], m.andNot(signed, isZero));
}
