/**
 * Decimal text to the nearest double, ties to even: what `Number` gives, from bytes and without making a string of them.
 *
 * A number of up to 15 digits and a small power of ten is one multiplication or division of exact doubles (Clinger's fast path). One of up to
 * 19 digits is multiplied by the power of ten as a sum of two doubles, which has about 104 good bits. Where these leave no doubt about the 53
 * that are wanted, as they nearly always do, they are the answer. What remains goes to `Number`.
 */

/** Powers of ten that are exact doubles. */
export const EXACT = Array.from({ length: 23 }, (_, e) => Number(`1e${e}`));

/** Beyond these, parts of the product could lose bits by being too small, or overflow. */
export const LEAST_POWER = -260;
export const GREATEST_POWER = 260;

/** 10**e as a sum of two doubles, off by no more than 2**-105 of it. Made on first use: most files never need it. */
let powers: Float64Array | undefined;

/** For `scaled` and its twin in WebAssembly: two doubles for each power, from the least one on. */
export const powersOfTen = (): Float64Array => (powers ??= madePowers());

function madePowers(): Float64Array {
  const made = new Float64Array(2 * (GREATEST_POWER - LEAST_POWER + 1));
  for (let e = LEAST_POWER; e <= GREATEST_POWER; e++) {
    const high = Number(`1e${e}`);
    const at = 2 * (e - LEAST_POWER);
    made[at] = high;
    made[at + 1] = e >= 0 ? Number(10n ** BigInt(e) - BigInt(high)) : restOfFraction(high, 10n ** BigInt(-e));
  }
  return made;
}

/** 1 / `divisor` - `high`: the bits that follow those of `high`. */
function restOfFraction(high: number, divisor: bigint): number {
  const SCALE = 1400;
  // Times 2**step `high` is a whole number.
  const step = 52 - Math.floor(Math.log2(high));
  const rest = (1n << BigInt(SCALE)) / divisor - (BigInt(high * 2 ** step) << BigInt(SCALE - step));
  // In two steps, since 2**1400 is no double.
  const shift = Math.max(0, rest.toString(2).length - 64);
  return Number(rest >> BigInt(shift)) * 2 ** (shift - SCALE);
}

/** Veltkamp's constant: splits a double into two halves of 26 bits. */
const SPLIT = 2 ** 27 + 1;

/**
 * The double nearest to (`head` * 10**`tailDigits` + `tail`) * 10**`exponent`; NaN where that is in doubt, and somebody else has to look.
 * `head` has at most 15 digits and `tail` at most 4, so that each step up to the power is exact.
 */
export function scaled(head: number, tail: number, tailDigits: number, exponent: number): number {
  if (exponent < LEAST_POWER || exponent > GREATEST_POWER) return Number.NaN;
  const table = powers ?? powersOfTen();
  // w = head * 10**tailDigits + tail, exactly, as wHigh + wLow.
  const step = EXACT[tailDigits] as number;
  let p = head * step;
  let c = SPLIT * head;
  let aHigh = c - (c - head);
  let aLow = head - aHigh;
  // Of the 14 bits of 10**4 there is no lower half.
  let rest = aHigh * step - p + aLow * step;
  const wSum = p + tail;
  const back = wSum - p;
  rest += p - (wSum - back) + (tail - back);
  const wHigh = wSum + rest;
  const wLow = rest - (wHigh - wSum);

  // The power, and the product of both.
  const at = 2 * (exponent - LEAST_POWER);
  const tHigh = table[at] as number;
  const tLow = table[at + 1] as number;
  p = wHigh * tHigh;
  c = SPLIT * wHigh;
  aHigh = c - (c - wHigh);
  aLow = wHigh - aHigh;
  c = SPLIT * tHigh;
  const bHigh = c - (c - tHigh);
  const bLow = tHigh - bHigh;
  const error = aHigh * bHigh - p + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const low = error + (wHigh * tLow + wLow * tHigh);
  const high = p + low;
  const remainder = low - (high - p);

  // All that was left out or rounded is below 2**-101 of the product: it decides only where the remainder is half a unit or next to it.
  const doubt = high * 2 ** -100;
  return high + (remainder + doubt) === high && high + (remainder - doubt) === high ? high : Number.NaN;
}

/** The same for numbers of up to 15 digits, which `digits` are: exactly rounded, or NaN. */
export function scaledShort(digits: number, exponent: number): number {
  if (exponent === 0) return digits;
  if (exponent < 0 && exponent >= -22) return digits / (EXACT[-exponent] as number);
  if (exponent > 0 && exponent <= 22) return digits * (EXACT[exponent] as number);
  if (digits === 0) return 0;
  return scaled(digits, 0, 0, exponent);
}
