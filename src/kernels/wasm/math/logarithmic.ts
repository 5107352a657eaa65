import { exp } from './exponential.ts';
import type { Lanes, Value } from './lanes.ts';

/*
 * log(x) = k log 2 + log(1 + f) with 1 + f between the roots of 1/2 and 2, and log(1 + f) = 2 atanh(s), s = f / (2 + f): an odd
 * polynomial in s, put together so that f itself, which is exact, carries most of the result (as in FDLIBM's e_log.c, Sun
 * Microsystems, 1993).
 */
/** Minimax (Remez) for (2 atanh(s) - 2 s) / s^3 in s^2: 2^-57 of the logarithm. */
const G = [
  0.666666666666667, 0.3999999999989726, 0.28571428626933343, 0.222222109858969, 0.18182899537463895,
  0.15331387407842884, 0.14620457352575894,
] as const;

/** log 2, the first part so short that an exponent times it is exact. */
const LN2_HIGH = 0.6931471806019545;
const LN2_LOW = -4.2009150726810846e-11;
/** 1 / log 2, and the same of 10, the first parts of 24 bits and less; then log10 2. */
const PER_LN2 = [1.4426950216293335, 1.9259629911266175e-8] as const;
const PER_LN10 = [0.4342944622039795, 1.9699272335463627e-8] as const;
const LOG10_2 = [0.3010299956640665, -8.532344317057107e-14] as const;

const ROOT_HALF = 0x3fe6a09e667f3bcdn;
const ONE = 0x3ff0000000000000n;

/** A positive number as 2^k (1 + f). */
interface Parts {
  readonly k: Value;
  readonly f: Value;
}

/** Of normal numbers; what comes from others is of no use. */
function parts(m: Lanes, x: Value): Parts {
  const moved = m.iadd(x, m.bits(ONE - ROOT_HALF));
  // An exponent in the low bits of 2^52 is added to it.
  const biased = m.or(m.shr(moved, 52), m.f(2 ** 52));
  const one = m.iadd(m.and(moved, m.bits((1n << 52n) - 1n)), m.bits(ROOT_HALF));
  return { k: m.subf(biased, 2 ** 52 + 1023), f: m.subf(one, 1) };
}

/** s = f / (2 + f), its square z, and the rest of the series: log(1 + f) = f - s (f - z g). */
function series(m: Lanes, f: Value): { s: Value; z: Value; g: Value } {
  const s = m.div(f, m.addf(f, 2));
  const z = m.square(s);
  return { s, z, g: m.estrin(z, G) };
}

/** k log 2 + log(1 + f) + extra, the latter tiny. */
function sum(m: Lanes, { k, f }: Parts, extra?: Value): Value {
  const { s, z, g } = series(m, f);
  const low = extra === undefined ? m.mulf(k, LN2_LOW) : m.fma(k, m.f(LN2_LOW), extra);
  return m.fma(k, m.f(LN2_HIGH), m.add(m.fnma(s, m.fnma(z, g, f), low), f));
}

/** Applies `of` to numbers that are normal, and what the logarithm is of others. */
function ofAll(m: Lanes, x: Value, of: (each: Parts) => Value): Value {
  const flag = m.anyNot(m.and(m.ge(x, m.f(2 ** -1022)), m.lt(x, m.f(Number.POSITIVE_INFINITY))));
  const [result] = m.rarely(flag, [of(parts(m, x))], () => {
    const zero = m.f(0);
    const subnormal = m.lt(x, m.f(2 ** -1022));
    const { k, f } = parts(m, m.select(subnormal, m.mulf(x, 2 ** 54), x));
    const usual = of({ k: m.sub(k, m.and(subnormal, m.f(54))), f });
    const atZero = m.select(m.eq(x, zero), m.f(Number.NEGATIVE_INFINITY), usual);
    const inDomain = m.select(m.ge(x, zero), atZero, m.f(Number.NaN));
    return [m.select(m.lt(x, m.f(Number.POSITIVE_INFINITY)), inDomain, m.mul(x, x))];
  });
  return result;
}

export const log = (m: Lanes, x: Value): Value => ofAll(m, x, (each) => sum(m, each));

/** The logarithm of 1 + f in two parts, the first of 21 bits or so. */
function inParts(m: Lanes, f: Value): [Value, Value] {
  const { s, z, g } = series(m, f);
  const half = m.mul(f, m.mulf(f, 0.5));
  const high = m.and(m.sub(f, half), m.bits(-1n << 32n));
  return [high, m.add(m.sub(m.sub(f, high), half), m.mul(s, m.fma(z, g, half)))];
}

export const log2 = (m: Lanes, x: Value): Value =>
  ofAll(m, x, ({ k, f }) => {
    const [high, low] = inParts(m, f);
    const rest = m.add(m.mulf(m.add(low, high), PER_LN2[1]), m.mulf(low, PER_LN2[0]));
    const [whole, lost] = m.twoSum(k, m.mulf(high, PER_LN2[0]));
    return m.add(whole, m.add(lost, rest));
  });

export const log10 = (m: Lanes, x: Value): Value =>
  ofAll(m, x, ({ k, f }) => {
    const [high, low] = inParts(m, f);
    const inverse = m.add(m.mulf(m.add(low, high), PER_LN10[1]), m.mulf(low, PER_LN10[0]));
    const rest = m.add(inverse, m.mulf(k, LOG10_2[1]));
    const [whole, lost] = m.twoSum(m.mulf(k, LOG10_2[0]), m.mulf(high, PER_LN10[0]));
    return m.add(whole, m.add(lost, rest));
  });

/** log(1 + x), with what 1 + x is rounded by. Where it is near 1, x itself is f. */
function ofOnePlus(m: Lanes, x: Value): Value {
  const [u, lost] = m.twoSum(m.f(1), x);
  const relative = m.div(lost, u);
  return ofAll(m, u, ({ k, f }) => {
    const near = m.eq(k, m.f(0));
    return sum(m, { k, f: m.select(near, x, f) }, m.andNot(relative, near));
  });
}

export const log1p = (m: Lanes, x: Value): Value => m.withSign(ofOnePlus(m, x), x);

/** From here on squares leave the range. */
const HUGE = 2 ** 500;

/** log(2 x) of a huge x. */
function ofTwice(m: Lanes, x: Value): Value {
  const { k, f } = parts(m, x);
  return m.select(m.lt(x, m.f(Number.POSITIVE_INFINITY)), sum(m, { k: m.addf(k, 1), f }), m.mul(x, x));
}

/** log(x + sqrt(x^2 + 1)) as log(1 + x + x^2 / (1 + sqrt(x^2 + 1))). */
export function asinh(m: Lanes, x: Value): Value {
  const size = m.abs(x);
  const square = m.square(size);
  const more = m.div(square, m.addf(m.sqrt(m.addf(square, 1)), 1));
  const usual = ofOnePlus(m, m.add(size, more));
  const huge = m.ge(size, m.f(HUGE));
  const [result] = m.rarely(m.any(huge), [usual], () => [m.select(huge, ofTwice(m, size), usual)]);
  return m.withSign(result, x);
}

/** log(x + sqrt(x^2 - 1)) as log(1 + t + sqrt(2 t + t^2)), t = x - 1. */
export function acosh(m: Lanes, x: Value): Value {
  const t = m.subf(x, 1);
  const usual = ofOnePlus(m, m.add(t, m.sqrt(m.add(m.add(t, t), m.square(t)))));
  const huge = m.ge(x, m.f(HUGE));
  const below = m.lt(x, m.f(1));
  const [result] = m.rarely(m.any(m.or(huge, below)), [usual], () => [
    m.or(m.select(huge, ofTwice(m, x), usual), below),
  ]);
  return result;
}

/** log((1 + x) / (1 - x)) / 2 as log(1 + 2 x / (1 - x)) / 2; of small ones the fraction is 2 x + 2 x x / (1 - x). */
export function atanh(m: Lanes, x: Value): Value {
  const size = m.abs(x);
  const twice = m.add(size, size);
  const small = m.lt(size, m.f(0.5));
  const quotient = m.div(m.select(small, m.mul(twice, size), twice), m.sub(m.f(1), size));
  return m.withSign(m.mulf(ofOnePlus(m, m.add(quotient, m.and(twice, small))), 0.5), x);
}

/** log(exp(x) + exp(y)) by way of the larger one. */
export function logaddexp(m: Lanes, x: Value, y: Value): Value {
  const more = m.pmax(x, y);
  // Of infinities of one sign, and of equal numbers, the difference is 0.
  const apart = m.andNot(m.neg(m.abs(m.sub(x, y))), m.eq(x, y));
  return m.add(more, ofOnePlus(m, exp(m, apart)));
}
