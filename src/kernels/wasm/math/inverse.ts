import type { Lanes, Value } from './lanes.ts';

/** Minimax (Remez) for (asin(x) - x) / x^3 in x^2 up to 1/4: 2^-58 of the arc. */
const ASIN = [
  0.16666666666666669, 0.0749999999999823, 0.0446428571467441, 0.030381944109316293, 0.022372174076033688,
  0.017352366767832465, 0.013971589396092549, 0.011475584673483525, 0.010345682810037959, 0.005361385731454733,
  0.01765704057451028, -0.015243986749943522, 0.02902039406351889,
] as const;
/** The same for (atan(t) - t) / t^3, |t| up to tan(pi/8): 2^-62. */
const ATAN = [
  -0.3333333333333333, 0.19999999999999812, -0.14285714285661533, 0.11111111105302955, -0.09090908760031348,
  0.07692296543308387, -0.06666427581900956, 0.05878956658232672, -0.052306359504332385, 0.045523313692635826,
  -0.03458743596178579, 0.01630233026351478,
] as const;
const TAN_PI_8 = 0.41421356237309503;

const HALF_PI = [Math.PI / 2, 6.123233995736766e-17] as const;
/** pi/4 to 50 bits behind the point, so that small multiples of it are exact. */
const QUARTER_PI = [0.7853981633974483, 3.061616997868383e-17] as const;

/**
 * asin(x) = x + x^3 P(x^2) up to 1/2; from there on asin(x) = pi/2 - 2 asin(s), s = sqrt((1 - x) / 2). What the root is rounded by
 * counts (as in FDLIBM's e_asin.c).
 */
function halfArc(m: Lanes, x: Value) {
  const size = m.abs(x);
  const large = m.gt(size, m.f(0.5));
  const z = m.select(large, m.mulf(m.sub(m.f(1), size), 0.5), m.square(size));
  const s = m.select(large, m.sqrt(z), size);
  const more = m.mul(s, m.mul(z, m.estrin(z, ASIN)));
  // The root in two parts: the first of so few bits that its square is exact.
  const high = m.and(s, m.bits(-1n << 32n));
  const sum = m.add(s, high);
  const rest = m.div(m.sub(z, m.square(high)), m.select(m.eq(sum, m.f(0)), m.f(1), sum));
  return { large, s, more, high, rest };
}

export function asin(m: Lanes, x: Value): Value {
  const { large, s, more, high, rest } = halfArc(m, x);
  const small = m.add(s, more);
  const quarter = m.f(HALF_PI[0] / 2);
  const low = m.sub(m.f(HALF_PI[1]), m.add(m.add(more, more), m.add(rest, rest)));
  const complement = m.add(m.add(low, m.sub(quarter, m.add(high, high))), quarter);
  return m.withSign(m.select(large, complement, small), x);
}

export function acos(m: Lanes, x: Value): Value {
  const { large, s, more, high, rest } = halfArc(m, x);
  const sign = m.and(x, m.f(-0));
  const [half, low] = [m.f(HALF_PI[0]), m.f(HALF_PI[1])];
  const small = m.sub(half, m.sub(x, m.sub(low, m.xor(more, sign))));
  const above = m.add(high, m.add(more, rest));
  const below = m.sub(half, m.add(s, m.sub(more, low)));
  const each = m.select(m.lt(x, m.f(0)), below, above);
  return m.select(large, m.add(each, each), small);
}

/** atan(t) for |t| <= tan(pi/8), added to an angle in two parts. */
function arcTo(m: Lanes, t: Value, high: Value, low: Value): Value {
  const z = m.square(t);
  return m.add(high, m.add(t, m.add(m.mul(m.mul(t, z), m.estrin(z, ATAN)), low)));
}

/** atan(x) = pi/4 + atan((x - 1) / (x + 1)) = pi/2 + atan(-1 / x). */
export function atan(m: Lanes, x: Value): Value {
  const size = m.abs(x);
  const some = m.gt(size, m.f(TAN_PI_8));
  const large = m.gt(size, m.f(1 / TAN_PI_8));
  const one = m.f(1);
  const above = m.select(large, m.neg(one), m.sub(size, m.and(some, one)));
  const below = m.select(large, size, m.add(one, m.and(some, size)));
  const angle = (part: number): Value => m.add(m.and(some, m.f(part)), m.and(large, m.f(part)));
  return m.withSign(arcTo(m, m.div(above, below), angle(QUARTER_PI[0]), angle(QUARTER_PI[1])), x);
}

/** The angle of a point, from that of the smaller coordinate over the larger one. */
export function atan2(m: Lanes, y: Value, x: Value): Value {
  const [height, width] = [m.abs(y), m.abs(x)];
  const zero = m.f(0);
  // Neither too large for the sum of both, nor, where it matters, too small for their quotient.
  const wide = m.or(m.ge(height, m.f(2 ** 1000)), m.ge(width, m.f(2 ** 1000)));
  const [a, b] = m.rarely(m.any(wide), [height, width], () => {
    const infinity = m.f(Number.POSITIVE_INFINITY);
    const both = m.and(m.eq(height, infinity), m.eq(width, infinity));
    const by = m.select(wide, m.f(2 ** -30), m.f(1));
    return [m.select(both, m.f(1), m.mul(height, by)), m.select(both, m.f(1), m.mul(width, by))];
  });
  const steep = m.gt(a, b);
  const [less, more] = [m.select(steep, b, a), m.select(steep, a, b)];
  const some = m.gt(less, m.mulf(more, TAN_PI_8));
  const above = m.sub(less, m.and(some, more));
  const below = m.add(more, m.and(some, less));
  // Of the origin the quotient is 0.
  const t = m.div(above, m.or(below, m.and(m.eq(below, zero), m.f(1))));
  // The angle is a number of eighths of the circle plus that of the quotient, or minus it.
  const eighths = m.and(some, m.f(1));
  const turned = m.select(steep, m.sub(m.f(2), eighths), eighths);
  const back = m.and(x, m.f(-0));
  const isBack = m.isub(m.bits(0n), m.shr(x, 63));
  const whole = m.select(isBack, m.sub(m.f(4), turned), turned);
  const signed = m.xor(t, m.xor(back, m.and(steep, m.f(-0))));
  const angle = arcTo(m, signed, m.mulf(whole, QUARTER_PI[0]), m.mulf(whole, QUARTER_PI[1]));
  return m.withSign(angle, y);
}
