/** Texts as numbers, as C's `strtod` reads them: what is at the beginning counts, and the rest does not. */

const FLOAT =
  /^[ \t\n\v\f\r]*([+-]?)(?:(inf)|(nan)|0x(?=\.?[0-9a-f])([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?|((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))/i;

/** Undefined: there is no number. */
export function leadingFloat(text: string): number | undefined {
  const found = FLOAT.exec(text);
  if (found === null) return undefined;
  const [, sign, infinite, nan, whole, fraction = '', power = '0', digits] = found;
  if (nan !== undefined) return Number.NaN;
  let size = Number.POSITIVE_INFINITY;
  if (whole !== undefined) size = scaled(Number(BigInt(`0x${whole}${fraction}`)), Number(power) - 4 * fraction.length);
  else if (infinite === undefined) size = Number(digits);
  return sign === '-' ? -size : size;
}

/** In two steps, since a power of two may be none that a number has where the product is. */
function scaled(value: number, power: number): number {
  const half = Math.trunc(power / 2);
  return value * 2 ** half * 2 ** (power - half);
}
