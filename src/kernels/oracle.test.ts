import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from './accuracy.fixture.ts';
import { exp, expm1, LN2, log, log1p, ORACLE, PI } from './oracle.fixture.ts';
import {
  abs,
  add,
  compare,
  div,
  exactly,
  magnitude,
  mul,
  nearest,
  ONE,
  type Real,
  sqrt,
  sub,
  ulpsFrom,
} from './reals.fixture.ts';

/** The first decimals of a number below 10, cut off. */
function decimals(x: Real, places: number): string {
  const scaled = mul(x, { mantissa: 10n ** BigInt(places), exponent: 0 });
  return (scaled.mantissa >> BigInt(-scaled.exponent)).toString();
}

test('its constants are the well-known ones', () => {
  assert.equal(decimals(PI, 50), '314159265358979323846264338327950288419716939937510');
  assert.equal(decimals(exp(ONE), 50), '271828182845904523536028747135266249775724709369995');
  assert.equal(decimals(LN2, 50), '69314718055994530941723212145817656807550013436025');
  assert.equal(decimals(sqrt(exactly(2)), 50), '141421356237309504880168872420969807856967187537694');
});

test('it knows values that are hard to compute', () => {
  // Of large arguments: K. C. Ng, "Argument reduction for huge arguments: good to the last bit", 1992.
  assert.equal(nearest(ORACLE.sin(1e22)), -0.8522008497671888);
  assert.equal(nearest(ORACLE.cos(1e22)), 0.523214785395139);
  // The double nearest to a multiple of pi/2, and 2^-60 and less from it (J.-M. Muller, "Elementary Functions", 11.2).
  const hardest = 6381956970095103 * 2 ** 797;
  assert.equal(magnitude(ORACLE.cos(hardest)), -61);
  assert.equal(nearest(ORACLE.sin(hardest)), 1);
  assert.equal(nearest(ORACLE.tan(Math.PI / 2)), 16331239353195370);
  assert.equal(nearest(ORACLE.exp(-745)), 5e-324);
  assert.equal(nearest(ORACLE.exp(709.782712893384)), 1.7976931348622732e308);
  assert.equal(nearest(ORACLE.exp(709.7827128933841)), Number.POSITIVE_INFINITY);
  assert.equal(nearest(ORACLE.log(5e-324)), -744.4400719213812);
  assert.equal(nearest(ORACLE.log10(1e22)), 22);
  assert.equal(nearest(ORACLE.pow(1.1, 10)), 2.5937424601000023);
  assert.equal(nearest(ORACLE.atan2(-1, -1)), (-3 * Math.PI) / 4);
});

/** As good as equal: to 280 bits. */
function assertEqual(x: Real, y: Real, what: string): void {
  const apart = abs(sub(x, y));
  assert.ok(apart.mantissa === 0n || magnitude(apart) < magnitude(y) - 280, what);
}

test('its functions are inverse to each other, and satisfy their theorems', () => {
  const random = generator(1);
  for (let i = 0; i < 60; i++) {
    const x = (random() - 0.5) * 2 ** Math.round(12 * (random() - 0.5));
    const size = Math.abs(x);
    const real = exactly(x);
    const [sine, cosine] = [ORACLE.sin(x), ORACLE.cos(x)];
    assertEqual(add(mul(sine, sine), mul(cosine, cosine)), ONE, `sin(${x})^2 + cos(${x})^2`);
    assertEqual(exp(log(exactly(size))), exactly(size), `exp(log(${size}))`);
    assertEqual(log1p(expm1(real)), real, `log1p(expm1(${x}))`);
    assertEqual(mul(exp(real), exp(exactly(-x))), ONE, `exp(${x}) exp(${-x})`);
    const [sinh, cosh] = [ORACLE.sinh(x), ORACLE.cosh(x)];
    assertEqual(add(ONE, mul(sinh, sinh)), mul(cosh, cosh), `1 + sinh(${x})^2`);
    assertEqual(div(sinh, cosh), ORACLE.tanh(x), `tanh(${x})`);
    const inside = 2 * random() - 1;
    assertEqual(add(ORACLE.asin(inside), ORACLE.acos(inside)), div(PI, exactly(2)), `asin and acos of ${inside}`);
    const turn = ORACLE.atan(size);
    assertEqual(add(turn, ORACLE.atan2(1, size)), div(PI, exactly(2)), `atan of ${size} and of its inverse`);
  }
});

test('it rounds to the nearest, of two to the even one', () => {
  const half = (x: number): Real => div(exactly(x), exactly(2));
  assert.equal(nearest(half(2 ** 54 + 2)), 2 ** 53);
  assert.equal(nearest(half(2 ** 54 + 6)), 2 ** 53 + 4);
  assert.equal(nearest(exactly(-0.1)), -0.1);
  assert.equal(nearest(half(5e-324)), 0);
  assert.equal(nearest(mul(exactly(5e-324), exactly(1.5))), 1e-323);
  assert.equal(nearest(mul(exactly(Number.MAX_VALUE), exactly(1.5))), Number.POSITIVE_INFINITY);
  assert.equal(nearest(exactly(0.1), 'f32'), Math.fround(0.1));
  assert.equal(nearest(exactly(1e-40), 'f32'), Math.fround(1e-40));
  const random = generator(2);
  for (let i = 0; i < 1000; i++) {
    const x = (random() - 0.5) * 2 ** Math.round(2000 * (random() - 0.5));
    assert.equal(nearest(exactly(x)), x);
    assert.equal(nearest(exactly(x), 'f32'), Math.fround(x));
    // Quotients are rounded once by the processor.
    const y = random() + 1;
    assert.equal(nearest(div(exactly(x), exactly(y))), x / y);
  }
});

test('distances are in units of the last place', () => {
  assert.equal(ulpsFrom(1, exactly(1)), 0);
  assert.equal(ulpsFrom(1 + 2 ** -52, exactly(1)), 1);
  assert.equal(ulpsFrom(1, add(ONE, exactly(2 ** -54))), 0.25);
  assert.equal(ulpsFrom(1, exactly(1 + 2 ** -23), 'f32'), 1);
  assert.equal(ulpsFrom(0, exactly(1e-323)), 2);
  assert.equal(ulpsFrom(Number.POSITIVE_INFINITY, exactly(Number.MAX_VALUE)), 1);
  assert.equal(ulpsFrom(Number.POSITIVE_INFINITY, mul(exactly(Number.MAX_VALUE), exactly(4))), 0);
  assert.equal(ulpsFrom(Number.NaN, ONE), Number.POSITIVE_INFINITY);
  assert.ok(compare(exactly(-1), ONE) < 0);
});
