/**
 * Numbers as C++ prints them: `generalText` as a stream with its defaults does (`%g`, six significant digits), `fixedText` as `to_string`
 * does (`%f`, six decimals). JavaScript rounds what lies exactly half way up, and C to the even digit; elsewhere both are exact.
 */

const DIGITS = 6;

/** What is not finite, and undefined for the rest. */
function special(value: number): string | undefined {
  if (Number.isFinite(value)) return undefined;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** A number as `print` shows it, floats of 32 bits too: `1.41421`, `1e+06`, `-0`, `nan`. */
export function generalText(value: number): string {
  // Small integers are most of what is printed.
  if (value === Math.trunc(value) && value > -1e6 && value < 1e6) return Object.is(value, -0) ? '-0' : String(value);
  return quick(value) ?? thorough(value);
}

/** Powers of ten up to the last one that multiplies a number with one rounding. */
const TENS = Array.from({ length: 16 }, (_, i) => 10 ** i);

/** Numbers from 0.0001 to a million, by arithmetic: undefined of others, and of those so near a tie that its rounding might tell. */
function quick(value: number): string | undefined {
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e6)) return undefined;
  // How many digits stand before the point, less 1.
  let exponent = -4;
  while (size >= (exponent < -1 ? TENTHS[-exponent - 1]! : TENS[exponent + 1]!)) exponent++;
  const places = DIGITS - 1 - exponent;
  const scaled = size * TENS[places]!;
  let digits = Math.floor(scaled);
  const rest = scaled - digits;
  if (Math.abs(rest - 0.5) < NEAR_TIE) return undefined;
  if (rest > 0.5) digits++;
  // It became the next power of ten, which has another exponent.
  if (digits >= 1e6 || digits < 1e5) return undefined;
  const unit = TENS[places]!;
  const whole = Math.floor(digits / unit);
  let fraction = digits - whole * unit;
  let length = places;
  if (fraction === 0) return `${value < 0 ? '-' : ''}${whole}`;
  while (fraction % 10 === 0) {
    fraction /= 10;
    length--;
  }
  const text = String(fraction);
  return `${value < 0 ? '-' : ''}${whole}.${text.length < length ? text.padStart(length, '0') : text}`;
}

const TENTHS = [1, 0.1, 0.01, 0.001, 0.0001];
/** Scaled numbers of six digits are exact to a few units of 1e-10. */
const NEAR_TIE = 1e-6;

function thorough(value: number): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const sign = value < 0 ? '-' : '';
  const [mantissa, power] = significant(Math.abs(value)).split('e') as [string, string];
  const exponent = Number(power);
  const digits = mantissa.replace('.', '').replace(/0+$/, '');
  if (exponent < -4 || exponent >= DIGITS) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** Six digits and an exponent, ties to even. */
function significant(value: number): string {
  const rounded = value.toExponential(DIGITS - 1);
  // A tie is a number of seven digits, exactly, the last of which is 5; then the digits before it are cut off and not rounded.
  const seven = value.toExponential(DIGITS);
  const at = seven.indexOf('e');
  if (seven[at - 1] !== '5' || (seven.charCodeAt(at - 2) & 1) === 1) return rounded;
  // Sixty more digits tell a tie from its neighbours: a double that is none differs from it long before.
  if (!/^0*$/.test(value.toExponential(60).slice(DIGITS + 2, 62))) return rounded;
  return seven.slice(0, at - 1) + seven.slice(at);
}

/** Six decimals, all digits before the point: `1.500000`, as `to_string` and files of CSV have it. */
export function fixedText(value: number): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  // From here on there are no fractions, and JavaScript has its own notation.
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  const text = size.toFixed(DIGITS);
  // A tie is an odd multiple of 1/128, and no other number.
  if (!isOdd(size * 128)) return sign + text;
  const last = text.charCodeAt(text.length - 1) - 48;
  // It was rounded up, to an odd digit: the even one is below. 1/128 of something ends in 5, so the digit is no 0.
  return last & 1 ? `${sign}${text.slice(0, -1)}${last - 1}` : sign + text;
}

const isOdd = (value: number): boolean => Number.isInteger(value) && Math.abs(value % 2) === 1;
