import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scaled, scaledShort } from './decimal.ts';

/** How often there was no answer. */
function compare(digits: string, exponent: number): boolean {
  const expected = Number(`${digits}e${exponent}`);
  const tailDigits = Math.max(0, digits.length - 15);
  const head = Number(digits.slice(0, digits.length - tailDigits));
  const tail = Number(digits.slice(digits.length - tailDigits));
  const got = tailDigits === 0 ? scaledShort(head, exponent) : scaled(head, tail, tailDigits, exponent);
  if (!Number.isNaN(got)) assert.equal(got, expected, `${digits}e${exponent}`);
  return Number.isNaN(got);
}

const digits = fc
  .tuple(fc.integer({ min: 1, max: 19 }), fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }))
  .map(([n, value]) => String(value).slice(0, n));

test('is the nearest double, or no answer', () => {
  let [runs, doubts] = [0, 0];
  fc.assert(
    fc.property(digits, fc.integer({ min: -270, max: 270 }), (text, exponent) => {
      runs++;
      if (Math.abs(exponent) <= 255 && compare(text, exponent)) doubts++;
      else compare(text, exponent);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(runs === 20_000 && doubts < 20, `${doubts} doubts`);
});

test('of the texts of doubles themselves, none is in doubt', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-230, max: 1e230, noNaN: true }), (value) => {
      // The shortest text of these may be half way between two of them.
      fc.pre(value < 2 ** 53 || value > 1e30);
      for (const text of [String(value), value.toExponential(16), value.toExponential(18)]) {
        const [mantissa, power = '0'] = text.split('e') as [string, string?];
        const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
        const all = (whole + fraction).replace(/^0+(?=\d)/, '');
        if (all.length <= 19) assert.equal(compare(all, Number(power) - fraction.length), false, text);
      }
    }),
    { numRuns: 5000 },
  );
});

test('what lies half way between two doubles, or next to it, is never rounded the wrong way', () => {
  // Odd multiples of half a unit: whole numbers of 17 to 19 digits, and fractions with few bits.
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }), fc.integer({ min: -1, max: 1 }), (n, aside) => {
      const bits = n.toString(2).length - 53;
      const tie = bits <= 0 ? n : ((n >> BigInt(bits)) << BigInt(bits)) + (1n << BigInt(bits - 1));
      compare(String(tie + BigInt(aside)).slice(0, 19), 0);
    }),
    { numRuns: 5000 },
  );
  assert.equal(compare('9007199254740993', 0), true, 'exactly half way: somebody else decides');
  assert.equal(compare('9007199254740992', 0), false);
  assert.equal(compare('5', -1), false);
});
