import { bitsOf } from './constants.ts';
import type { Lanes, Value } from './lanes.ts';
import { SINES } from './sines.table.ts';

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

/*
 * Of sine and cosine alone, near 0: x = n pi/64 + r with |r| <= pi/128, and sin(a + r) = sin a + cos a sin r + sin a (cos r - 1), sin a out of a
 * table (as S. Gal and B. Bachelis do it, "An accurate elementary mathematical library for the IEEE floating point standard", 1991). Both
 * polynomials are short then, and nothing is rounded but what is small beside the result, and the result itself. n modulo 64 is the row,
 * a from -pi/2 up to pi/2, and the next bit the sign. pi/64 is in three parts, too.
 */
const PER_STEP = 20.371832715762604;
const STEP = [0.049087385210441425, 1.8990939082199894e-12, 6.319582027487346e-23] as const;
const ROWS = 64;
/** Below, n times each of the first two parts is exact. */
const NEAR = 2 ** 15;

/** sin a, 1 - cos a, and minus what is left of the first. The first zero is -0, so that what is added to it keeps its sign. */
const TABLE = new BigUint64Array(
  Array.from({ length: ROWS }, (_, row) => (row < ROWS / 2 ? row : row - ROWS)).flatMap((k) => {
    const [sine, rest] = SINES[Math.abs(k)] as readonly [number, number];
    const [cosine, cosineRest] = SINES[ROWS / 2 - Math.abs(k)] as readonly [number, number];
    const [signed, less] = k < 0 ? [-sine, rest] : [sine, -rest];
    return [bitsOf(k === 0 ? -0 : signed), bitsOf(1 - cosine - cosineRest), bitsOf(k === 0 ? 0 : less), 0n];
  }),
);

/** sin(x + ahead pi/64) */
function near(m: Lanes, x: Value, ahead: number): Value {
  const shifted = m.addf(m.mulf(x, PER_STEP), SHIFT);
  const n = m.subf(shifted, SHIFT);
  const first = m.sub(x, m.mulf(n, STEP[0]));
  const second = m.mulf(n, STEP[1]);
  const r = m.sub(first, second);
  const turn = ahead === 0 ? shifted : m.iadd(shifted, m.bits(BigInt(ahead)));
  const row = m.shl(m.and(turn, m.bits(BigInt(ROWS - 1))), 5);
  const [sine, lessCosine] = m.pair(TABLE, row);
  const rest = m.entry(TABLE, row, 16);

  const z = m.square(r);
  // r + what has been lost of it - sin r, and 1 - cos r, by their series.
  const inner = m.add(m.mul(m.sub(m.mulf(z, 1 / 5040), m.f(1 / 120)), z), m.f(1 / 6));
  const lessSine = m.add(m.mul(m.mul(r, z), inner), m.mulf(n, STEP[2]));
  const bend = m.mul(z, m.sub(m.f(0.5), m.mul(z, m.sub(m.f(1 / 24), m.mulf(z, 1 / 720)))));

  const sum = m.add(sine, r);
  // What both r and the sum have lost.
  const lost = m.sub(m.add(m.sub(sine, sum), first), second);
  const turned = m.add(m.mul(lessCosine, m.sub(r, lessSine)), lessSine);
  // Subtracted, and never -0, so that a zero keeps its sign.
  const less = m.sub(m.add(m.add(turned, m.mul(sine, bend)), rest), lost);
  const sign = m.shl(m.iadd(turn, m.bits(BigInt(ROWS / 2))), 57);
  return m.xor(m.sub(sum, less), m.and(sign, m.f(-0)));
}

/** The near ones, and beyond what `far` makes of the quadrant, up to where the reference is asked. */
function nearOrFar(m: Lanes, x: Value, usual: Value, reference: Reference, far: () => Value): Value {
  const size = m.abs(x);
  const beyond = m.ge(size, m.f(NEAR));
  const [result] = m.rarely(m.any(beyond), [usual], () => {
    return [m.through(reference, m.ge(size, m.f(LARGE)), [x], m.select(beyond, far(), usual))];
  });
  return result;
}

export function sin(m: Lanes, x: Value, reference: Reference): Value {
  return nearOrFar(m, x, near(m, x, 0), reference, () => {
    const { quadrant, sine, cosine } = sineAndCosine(m, x);
    const size = m.select(isOdd(m, quadrant), cosine, sine);
    // The second bit of the quadrant is the sign.
    return m.xor(size, m.shl(m.and(quadrant, m.bits(2n)), 62));
  });
}

export function cos(m: Lanes, x: Value, reference: Reference): Value {
  return nearOrFar(m, x, near(m, x, ROWS / 2), reference, () => {
    const { quadrant, sine, cosine } = sineAndCosine(m, x);
    const size = m.select(isOdd(m, quadrant), sine, cosine);
    const next = m.iadd(quadrant, m.bits(1n));
    return m.xor(size, m.shl(m.and(next, m.bits(2n)), 62));
  });
}

export function tan(m: Lanes, x: Value, reference: Reference): Value {
  const { quadrant, sine, cosine } = sineAndCosine(m, x);
  const odd = isOdd(m, quadrant);
  const quotient = m.div(m.select(odd, cosine, sine), m.select(odd, sine, cosine));
  return orReference(m, x, m.xor(quotient, m.and(odd, m.f(-0))), reference);
}
