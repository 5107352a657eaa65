import type { ElementOpName } from './elementwise.ts';
import {
  abs,
  add,
  compare,
  div,
  exactly,
  magnitude,
  mul,
  neg,
  ONE,
  type Real,
  scale,
  sqrt,
  sub,
  ZERO,
} from './reals.fixture.ts';

/**
 * The elementwise functions of finite doubles in their domains, as real numbers to some 300 bits: by power series after the plainest
 * reductions. Nothing is shared with what is compared with them.
 */

const whole = (n: number): Real => exactly(n);

/** atan(1 / n) by its series, in units of 2^-bits. */
function arcOfInverse(n: bigint, bits: number): bigint {
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let i = 3n; power !== 0n; i += 2n) {
    power /= -n * n;
    sum += power / i;
  }
  return sum;
}

/** Enough for what is left of 2^1024 after all multiples of pi. */
const PI_BITS = 1700;
/** J. Machin: pi/4 = 4 atan(1/5) - atan(1/239). */
export const PI: Real = {
  mantissa: 4n * (4n * arcOfInverse(5n, PI_BITS) - arcOfInverse(239n, PI_BITS)),
  exponent: -PI_BITS,
};
const HALF_PI = scale(PI, -1);

/** The sum of `first`, and of terms each made from the last, until they don't count. */
function series(first: Real, next: (term: Real, i: number) => Real): Real {
  let sum = first;
  let term = first;
  for (let i = 1; ; i++) {
    term = next(term, i);
    if (term.mantissa === 0n || magnitude(term) < magnitude(sum) - 330) return sum;
    sum = add(sum, term);
  }
}

/** 2 atanh(s) of a small s. */
function twiceAtanh(s: Real): Real {
  const square = mul(s, s);
  let power = s;
  let sum = s;
  for (let i = 3; ; i += 2) {
    power = mul(power, square);
    const term = div(power, whole(i));
    if (term.mantissa === 0n || magnitude(term) < magnitude(sum) - 330) return scale(sum, 1);
    sum = add(sum, term);
  }
}

/** log 2 = 2 atanh(1/3) */
export const LN2 = twiceAtanh(div(ONE, whole(3)));

/** Where exp leaves the range of any type, and of what is added to anything. */
const LARGEST_POWER = 4000;

/** exp(x) - 1 */
export function expm1(x: Real): Real {
  if (x.mantissa === 0n) return ZERO;
  if (magnitude(x) < -8) return series(x, (term, i) => div(mul(term, x), whole(i + 1)));
  return sub(exp(x), ONE);
}

export function exp(x: Real): Real {
  if (compare(abs(x), whole(LARGEST_POWER)) > 0) return scale(ONE, x.mantissa > 0n ? 5800 : -5800);
  const k = Math.round(approximately(x) / Math.LN2);
  const r = scale(sub(x, mul(whole(k), LN2)), -8);
  let power = r.mantissa === 0n ? ONE : series(ONE, (term, i) => div(mul(term, r), whole(i)));
  for (let i = 0; i < 8; i++) power = mul(power, power);
  return scale(power, k);
}

/** As a double, cut off. */
function approximately({ mantissa, exponent }: Real): number {
  const bits = Math.max(0, mantissa.toString(16).length * 4 - 64);
  return Number(mantissa >> BigInt(bits)) * 2 ** (exponent + bits);
}

/** Of a positive number: that of a double near it, and of what is left. */
export function log(x: Real): Real {
  const k = magnitude(x);
  const one = scale(x, -k);
  // Between 2/3 and 4/3, so that nothing is lost where the logarithm is small.
  const [mantissa, exponent] = compare(one, whole(4 / 3)) > 0 ? [scale(one, -1), k + 1] : [one, k];
  const guess = Math.log(approximately(mantissa));
  const left = guess === 0 ? mantissa : mul(mantissa, exp(exactly(-guess)));
  const rest = twiceAtanh(div(sub(left, ONE), add(left, ONE)));
  return add(add(exactly(guess), rest), mul(whole(exponent), LN2));
}

/** log(1 + x) */
export function log1p(x: Real): Real {
  if (magnitude(x) < -8) return x.mantissa === 0n ? ZERO : twiceAtanh(div(x, add(x, whole(2))));
  return log(add(x, ONE));
}

/** x less the nearest multiple of pi/2, and the number of that multiple modulo 4. */
function reduced(x: Real): { r: Real; quadrant: number } {
  const ratio = div(x, HALF_PI, 2000);
  const bits = BigInt(Math.max(0, 1 - ratio.exponent));
  const n =
    ratio.exponent >= 0 ? ratio.mantissa << BigInt(ratio.exponent) : ((ratio.mantissa >> (bits - 2n)) + 1n) >> 1n;
  const r = sub(x, mul({ mantissa: n, exponent: 0 }, HALF_PI, 4000), 4000);
  return { r: add(r, ZERO), quadrant: Number(((n % 4n) + 4n) % 4n) };
}

export function sineAndCosine(x: Real): { sine: Real; cosine: Real } {
  const { r: long, quadrant } = reduced(x);
  const r = mul(long, ONE);
  const square = neg(mul(r, r));
  const sine = r.mantissa === 0n ? ZERO : series(r, (term, i) => div(mul(term, square), whole(2 * i * (2 * i + 1))));
  const cosine = r.mantissa === 0n ? ONE : series(ONE, (term, i) => div(mul(term, square), whole((2 * i - 1) * 2 * i)));
  switch (quadrant) {
    case 0:
      return { sine, cosine };
    case 1:
      return { sine: cosine, cosine: neg(sine) };
    case 2:
      return { sine: neg(sine), cosine: neg(cosine) };
    default:
      return { sine: neg(cosine), cosine: sine };
  }
}

/** That of a double near it, and of the angle between both. */
export function atan(x: Real): Real {
  if (x.mantissa === 0n) return ZERO;
  if (compare(abs(x), ONE) > 0) {
    const quarter = x.mantissa > 0n ? HALF_PI : neg(HALF_PI);
    return sub(mul(quarter, ONE), atan(div(ONE, x)));
  }
  const guess = magnitude(x) < -40 ? ZERO : exactly(Math.atan(approximately(x)));
  const { sine, cosine } = sineAndCosine(guess);
  const left = div(sub(mul(x, cosine), sine), add(cosine, mul(x, sine)));
  if (left.mantissa === 0n) return guess;
  const square = neg(mul(left, left));
  let power = left;
  let sum = left;
  for (let i = 3; ; i += 2) {
    power = mul(power, square);
    const term = div(power, whole(i));
    if (term.mantissa === 0n || magnitude(term) < magnitude(sum) - 330) return add(guess, sum);
    sum = add(sum, term);
  }
}

/** The angle of a point that is not the origin. */
function angle(y: Real, x: Real): Real {
  if (x.mantissa === 0n) return y.mantissa > 0n ? HALF_PI : neg(HALF_PI);
  const arc = atan(div(y, x));
  if (x.mantissa > 0n) return arc;
  return y.mantissa < 0n ? sub(arc, mul(PI, ONE)) : add(arc, mul(PI, ONE));
}

const half = (x: Real): Real => scale(x, -1);
const square = (x: Real): Real => mul(x, x);
const two = whole(2);
const LN10 = log(whole(10));

/** Exactly, for a small whole power. */
function power(x: number, y: number): Real {
  const size = exactly(Math.abs(x));
  const sign = (all: Real): Real => (x < 0 && Math.abs(y % 2) === 1 ? neg(all) : all);
  if (Number.isInteger(y) && y >= 0 && y <= 64)
    return sign({ mantissa: size.mantissa ** BigInt(y), exponent: size.exponent * y });
  return sign(exp(mul(exactly(y), log(size))));
}

type Function = (x: number, y?: number) => Real;
const of =
  (f: (x: Real) => Real): Function =>
  (x) =>
    f(exactly(x));

const of2 =
  (f: (x: number, y: number) => Real): Function =>
  (x, y = 0) =>
    f(x, y);

/** Of finite operands where the result is finite; or larger than any float. */
export const ORACLE = {
  acos: of((x) => angle(sqrt(mul(sub(ONE, x), add(ONE, x))), x)),
  acosh: of((x) => log1p(add(sub(x, ONE), sqrt(mul(sub(x, ONE), add(x, ONE)))))),
  asin: of((x) => angle(x, sqrt(mul(sub(ONE, x), add(ONE, x))))),
  asinh: of((x) => {
    const size = abs(x);
    const arc = log1p(add(size, div(square(size), add(ONE, sqrt(add(ONE, square(size)))))));
    return x.mantissa < 0n ? neg(arc) : arc;
  }),
  atan: of(atan),
  atan2: of2((y, x) => angle(exactly(y), exactly(x))),
  atanh: of((x) => half(log1p(div(scale(x, 1), sub(ONE, x))))),
  cos: of((x) => sineAndCosine(x).cosine),
  cosh: of((x) => half(add(exp(x), div(ONE, exp(x))))),
  exp: of(exp),
  expm1: of(expm1),
  hypot: of2((x, y) => sqrt(add(square(exactly(x)), square(exactly(y))))),
  log: of(log),
  log10: of((x) => div(log(x), LN10)),
  log1p: of(log1p),
  log2: of((x) => div(log(x), LN2)),
  logaddexp: of2((x, y) => {
    const more = exactly(Math.max(x, y));
    return add(more, log1p(exp(sub(exactly(Math.min(x, y)), more))));
  }),
  pow: of2(power),
  sin: of((x) => sineAndCosine(x).sine),
  sinh: of((x) => half(mul(expm1(x), add(ONE, div(ONE, exp(x)))))),
  tan: of((x) => div(sineAndCosine(x).sine, sineAndCosine(x).cosine)),
  tanh: of((x) => div(expm1(scale(x, 1)), add(expm1(scale(x, 1)), two))),
} satisfies Partial<Record<ElementOpName, Function>>;
