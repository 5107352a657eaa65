import type { Lanes, Value } from './lanes.ts';

/*
 * x is brought to r = x - n pi/2 with |r| <= pi/4, pi/2 in three parts so that n times each of the first two is exact (W. Cody, W.
 * Waite); what the last subtraction has lost goes into the results. There sine and cosine are polynomials, and n says which of
 * them it is and with which sign.
 */
const PER_HALF_PI = 0.6366197723675814;
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;
/** From here on the first parts are not exact any more, and the reference is asked. */
const LARGE = 2 ** 20;

/** Minimax (Remez) for (r - sin(r)) / r^3 in r^2: 2^-56 of the sine. */
const S = [
  0.16666666666666666, -0.008333333333330927, 0.00019841269836724896, -2.755731608493974e-6, 2.5051128151935537e-8,
  -1.5917861994093035e-10,
] as const;
/** For (cos(r) - 1 + r^2/2) / r^4: 2^-60 of the cosine. */
const C = [
  0.041666666666666664, -0.0013888888888887382, 2.480158729874445e-5, -2.7557317260634037e-7, 2.087614394372393e-9,
  -1.1382464276181985e-11,
] as const;

const SHIFT = 1.5 * 2 ** 52;

/** A function of doubles that lanes go through one by one, and the values it is asked for. */
type Reference = number;

function sineAndCosine(m: Lanes, x: Value): { quadrant: Value; sine: Value; cosine: Value } {
  const quadrant = m.addf(m.mulf(x, PER_HALF_PI), SHIFT);
  const n = m.subf(quadrant, SHIFT);
  const [u, lost] = m.fastTwoSum(m.sub(x, m.mulf(n, HALF_PI[0])), m.mulf(n, -HALF_PI[1]));
  const low = m.sub(lost, m.mulf(n, HALF_PI[2]));
  const r = m.add(u, low);
  // By so much r is too large.
  const over = m.sub(m.sub(r, u), low);

  const z = m.square(r);
  const half = m.mulf(z, 0.5);
  const w = m.sub(m.f(1), half);
  // Subtracted, so that a zero keeps its sign.
  const sine = m.sub(r, m.add(m.mul(m.mul(r, z), m.estrin(z, S)), m.mul(over, w)));
  const correction = m.add(m.mul(m.square(z), m.estrin(z, C)), m.mul(r, over));
  const cosine = m.add(w, m.add(m.sub(m.sub(m.f(1), w), half), correction));
  return { quadrant, sine, cosine };
}

/** All bits where the quadrant is an odd one. */
const isOdd = (m: Lanes, quadrant: Value): Value => m.isub(m.bits(0n), m.and(quadrant, m.bits(1n)));

const orReference = (m: Lanes, x: Value, usual: Value, reference: Reference): Value => {
  const large = m.ge(m.abs(x), m.f(LARGE));
  const [result] = m.rarely(m.any(large), [usual], () => [m.through(reference, large, [x], usual)]);
  return result;
};

export function sin(m: Lanes, x: Value, reference: Reference): Value {
  const { quadrant, sine, cosine } = sineAndCosine(m, x);
  const size = m.select(isOdd(m, quadrant), cosine, sine);
  // The second bit of the quadrant is the sign.
  return orReference(m, x, m.xor(size, m.shl(m.and(quadrant, m.bits(2n)), 62)), reference);
}

export function cos(m: Lanes, x: Value, reference: Reference): Value {
  const { quadrant, sine, cosine } = sineAndCosine(m, x);
  const size = m.select(isOdd(m, quadrant), sine, cosine);
  const next = m.iadd(quadrant, m.bits(1n));
  return orReference(m, x, m.xor(size, m.shl(m.and(next, m.bits(2n)), 62)), reference);
}

export function tan(m: Lanes, x: Value, reference: Reference): Value {
  const { quadrant, sine, cosine } = sineAndCosine(m, x);
  const odd = isOdd(m, quadrant);
  const quotient = m.div(m.select(odd, cosine, sine), m.select(odd, sine, cosine));
  return orReference(m, x, m.xor(quotient, m.and(odd, m.f(-0))), reference);
}
