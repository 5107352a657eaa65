import { bitsOf } from './constants.ts';
import type { Lanes, Value } from './lanes.ts';
import { POWERS_OF_TWO } from './powers.table.ts';

/*
 * exp(x) = 2^(k/256) exp(r), with k the nearest integer to 256 x / log 2: the power of two out of a table and by its exponent, and
 * exp(r) - 1 by a polynomial on |r| <= log(2) / 512 (P. T. P. Tang, "Table-driven implementation of the exponential function in IEEE
 * floating-point arithmetic", 1989). log(2) / 256 is in two parts, the first so short that k times it is exact (W. Cody, W. Waite).
 */
const STEP_HIGH = 0.002707606173999011;
const STEP_LOW = 6.327543041662719e-14;
const STEPS = 369.3299304675746;
/** Minimax (Remez) for (exp(r) - 1 - r) / r^2: 2^-56 of exp(r). */
const C = [0.49999999999999883, 0.16666667814448086, 0.041666669854948366] as const;
/** The same to 2^-69, for what is left when 1 is subtracted. */
const C_CLOSE = [0.4999999999999994, 0.16666666666666632, 0.04166666921729202, 0.008333333879895908] as const;

/** Added to a double, it leaves the nearest integer in the low bits, since there is no room for a fraction. */
const SHIFT = 1.5 * 2 ** 52;

/** What is left of the power, then the bits of the power less those that come from the exponent of k. */
const TABLE = new BigUint64Array(
  POWERS_OF_TWO.flatMap(([nearest, rest], j) => [bitsOf(rest), bitsOf(nearest) - (BigInt(j) << 44n)]),
);

/** exp(x) as `scale + scale * rest`; `scale` times 2^`exponent`, where that is given, is the power. */
export interface Exponential {
  readonly scale: Value;
  readonly rest: Value;
}

interface Options {
  /** A power of two that `x` is multiplied with first. */
  readonly by?: number;
  /** Added to `x`, and tiny beside it. */
  readonly tail?: Value;
  /** Bits that are subtracted from those of the scale. */
  readonly lower?: Value;
  /** `rest` is exact enough to be a result of its own. */
  readonly close?: boolean;
}

/** The core, in a range where the power has a normal exponent. */
export function exponential(m: Lanes, x: Value, { by = 1, tail, lower, close = false }: Options = {}): Exponential {
  const shifted = m.fma(x, m.f(STEPS * by), m.f(SHIFT));
  const k = m.subf(shifted, SHIFT);
  let r = m.fnma(k, m.f(STEP_LOW / by), m.fnma(k, m.f(STEP_HIGH / by), x));
  if (tail !== undefined) r = m.add(r, tail);
  const [lost, power] = m.pair(TABLE, m.shl(m.and(shifted, m.bits(255n)), 4));
  let scale = m.iadd(power, m.shl(shifted, 44));
  if (lower !== undefined) scale = m.isub(scale, lower);
  const square = m.square(r);
  const c = (close ? C_CLOSE : C).map((each, i) => each * by ** (i + 2));
  const small = m.fma(square, m.estrin(r, c, square), lost);
  return { scale, rest: by === 1 ? m.add(r, small) : m.fma(r, m.f(by), small) };
}

/** What it is, in one. */
export const together = (m: Lanes, { scale, rest }: Exponential): Value => m.fma(scale, rest, scale);

/** Of exp: beyond it results are subnormal or infinite. */
const LARGE = 708;

export function exp(m: Lanes, x: Value): Value {
  const usual = together(m, exponential(m, x));
  return whereLarge(m, m.abs(x), usual, () => scaled(m, x));
}

/** The usual values unless there are large ones. */
function whereLarge(m: Lanes, size: Value, usual: Value, body: () => Value): Value {
  const large = m.ge(size, m.f(LARGE));
  const [result] = m.rarely(m.any(large), [usual], () => [m.select(large, body(), usual)]);
  return result;
}

/**
 * exp(x + tail) times `factor` where its exponent leaves the range on the way: a power 2^1000 less or more, and then times that.
 */
export function scaled(m: Lanes, x: Value, { tail, factor = 1 }: { tail?: Value; factor?: number } = {}): Value {
  const up = m.gt(x, m.f(0));
  // There is nothing beyond.
  const inRange = m.pmax(m.pmin(x, m.f(711)), m.f(-746));
  const lower = m.select(up, m.bits(1000n << 52n), m.bits(-1000n << 52n));
  const own = tail === undefined ? undefined : m.and(tail, m.eq(inRange, x));
  const power = together(m, exponential(m, inRange, own === undefined ? { lower } : { lower, tail: own }));
  return m.mul(power, m.select(up, m.f(2 ** 1000 * factor), m.f(2 ** -1000 * factor)));
}

/** exp(by x) - 1 where that has a normal exponent. */
function lessOne(m: Lanes, x: Value, by = 1): Value {
  const { scale, rest } = exponential(m, x, { by, close: true });
  return m.fma(scale, rest, m.subf(scale, 1));
}

export function expm1(m: Lanes, x: Value): Value {
  // Before it is -1 to the last bit.
  const usual = lessOne(m, m.pmax(x, m.f(-40)));
  return m.withSign(
    whereLarge(m, x, usual, () => scaled(m, x)),
    x,
  );
}

export function sinh(m: Lanes, x: Value): Value {
  const size = m.abs(x);
  const e = lessOne(m, size);
  const usual = m.mulf(m.add(e, m.div(e, m.addf(e, 1))), 0.5);
  return m.withSign(
    whereLarge(m, size, usual, () => scaled(m, size, { factor: 0.5 })),
    x,
  );
}

export function cosh(m: Lanes, x: Value): Value {
  const size = m.abs(x);
  const e = together(m, exponential(m, size));
  const usual = m.add(m.mulf(e, 0.5), m.div(m.f(0.5), e));
  return whereLarge(m, size, usual, () => scaled(m, size, { factor: 0.5 }));
}

export function tanh(m: Lanes, x: Value): Value {
  // From here on it is 1 to the last bit.
  const size = m.pmin(m.abs(x), m.f(20));
  const e = lessOne(m, size, 2);
  return m.withSign(m.div(e, m.addf(e, 2)), x);
}
