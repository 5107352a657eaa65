import type { Constant } from './ast.ts';

const TWO_63 = 2n ** 63n;
const TWO_64 = 2n ** 64n;

/** An integer as it is written; a text that says why it is none. */
export function integerValue(text: string): Constant | string {
  const [, digits, suffix] = /^([0-9_']+)([a-z]*)$/.exec(text) as unknown as [string, string, string];
  const value = BigInt(digits.replace(/[_']/g, ''));
  if (suffix === '' || suffix === 'l') {
    if (value > TWO_63)
      return 'the integer does not fit into 64 bits with a sign: write it with the suffix u, or as a float';
    // There is no sign in the token: so -9223372036854775808 works.
    return { type: 'si64', value: BigInt.asIntN(64, value) };
  }
  if (value >= TWO_64) return 'the integer does not fit into 64 bits: write it as a float';
  return { type: suffix === 'z' ? 'size' : 'ui64', value };
}

/** A float as it is written; a text that says why it is none. */
export function floatValue(text: string): Constant | string {
  if (text.startsWith('nan')) return { type: 'f64', value: Number.NaN };
  if (text.startsWith('inf')) return { type: 'f64', value: Number.POSITIVE_INFINITY };
  const digits = text.replace(/[_']/g, '');
  if (!digits.endsWith('f')) return { type: 'f64', value: Number(digits) };
  const value = nearestFloat(digits.slice(0, -1));
  if (value === Number.POSITIVE_INFINITY) return 'the number is beyond what 32 bits hold: leave the f out';
  return { type: 'f32', value };
}

/** The float of 32 bits nearest to a decimal number: by way of a double it would be rounded twice. */
function nearestFloat(text: string): number {
  const double = Number(text);
  const float = Math.fround(double);
  if (double === float || !Number.isFinite(double)) return float;
  const other = neighbour(float, double > float);
  // Only where the double lies half way between two floats does its own rounding decide.
  if (Number.isFinite(other) && Math.abs(double - float) !== Math.abs(other - double)) return float;
  const order = compareDecimal(text, double);
  if (order === 0) return float;
  return order > 0 === other > float ? other : float;
}

/** The next float above, or below; numbers here are never negative. */
function neighbour(float: number, above: boolean): number {
  const floats = Float32Array.of(float);
  const bits = new Uint32Array(floats.buffer);
  bits[0] = bits[0]! + (above ? 1 : -1);
  return floats[0]!;
}

/** The sign of what a decimal text says minus a positive double. */
function compareDecimal(text: string, double: number): number {
  const [mantissa, exponent = '0'] = text.toLowerCase().split('e') as [string, string?];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  const power = Number(exponent) - fraction.length;
  // double = significand * 2**binary, both integers.
  const bits = new BigUint64Array(Float64Array.of(double).buffer)[0]!;
  const field = Number(bits >> 52n);
  const significand = (bits & (2n ** 52n - 1n)) + (field === 0 ? 0n : 2n ** 52n);
  const binary = Math.max(field, 1) - 1075;
  let left = BigInt(whole + fraction);
  let right = significand;
  if (power < 0) right *= 10n ** BigInt(-power);
  else left *= 10n ** BigInt(power);
  if (binary < 0) left <<= BigInt(-binary);
  else right <<= BigInt(binary);
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * What a string literal says. Escapes are replaced one kind after the other in the whole string, the backslash itself last; so `\\n` is a
 * backslash and a line end.
 */
export function stringValue(text: string): string {
  const inner = text.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  return inner
    .replaceAll('\\b', '\b')
    .replaceAll('\\f', '\f')
    .replaceAll('\\n', '\n')
    .replaceAll('\\r', '\r')
    .replaceAll('\\t', '\t')
    .replaceAll('\\"', '"')
    .replaceAll('\\\\', '\\');
}
