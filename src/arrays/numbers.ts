import { type DType, kindOf } from '../nd/index.ts';

/** How numbers in one text are written, so that they stand under each other: as NumPy does it, with at most 8 digits behind the point. */
type Format = (x: number | bigint) => string;

const MOST_DIGITS = 8;
/** From here on, and for numbers that are very different, powers of ten are written. */
const LARGE = { f32: 1e6, f64: 1e8 } as const;
const SMALL = 1e-4;
const APART = 1000;

export function formatterOf(shown: readonly (number | bigint)[], dtype: DType, single: boolean): Format {
  switch (kindOf(dtype)) {
    case 'bool':
      return (x) => (x === 0 ? 'False' : single ? 'True' : ' True');
    case 'float':
      return single
        ? (x) => alone(x as number, dtype as 'f32' | 'f64')
        : floats(shown as number[], dtype as 'f32' | 'f64');
    default: {
      const width = Math.max(0, ...shown.map((x) => String(x).length));
      return (x) => String(x).padStart(width);
    }
  }
}

/** The fewest decimal digits that give the float again, as d.ddde±x. */
function shortest(x: number, dtype: 'f32' | 'f64'): string {
  if (dtype === 'f64') return x.toExponential();
  for (let digits = 0; digits < MOST_DIGITS; digits++) {
    const text = x.toExponential(digits);
    if (Math.fround(Number(text)) === x) return text;
  }
  return x.toExponential(MOST_DIGITS);
}

/** Sign, digits and power of ten of a finite float. */
interface Decimal {
  readonly sign: string;
  /** The first one stands before the point. */
  readonly digits: string;
  readonly power: number;
}

function decimalOf(x: number, dtype: 'f32' | 'f64'): Decimal {
  const [mantissa, power] = shortest(Math.abs(x), dtype).split('e') as [string, string];
  return { sign: x < 0 || Object.is(x, -0) ? '-' : '', digits: mantissa.replace('.', ''), power: Number(power) };
}

/** A number with as many of its exact digits as there are, for rounding. */
const exactly = (x: number, power: number, places: number): string => {
  const text = Math.abs(x).toExponential(Math.min(100, Math.max(0, places + power + 30)));
  return text.split('e')[0]!.replace('.', '');
};

/** At most so many digits behind the point that follows digit `point`; of two that are equally near, the even one. */
function rounded(x: number, { sign, digits, power }: Decimal, point: number): Decimal {
  const kept = point + MOST_DIGITS;
  if (digits.length <= kept) return { sign, digits, power };
  if (kept < 0) return { sign, digits: '0', power: 0 };
  const exact = exactly(x, power, MOST_DIGITS);
  const head = BigInt(`0${exact.slice(0, kept)}`);
  const rest = exact.slice(kept);
  const half = /^50*$/.test(rest);
  const up = half ? head % 2n === 1n : rest >= '5';
  const next = String(up ? head + 1n : head).padStart(kept, '0');
  // A nine that was rounded up has made it longer.
  return { sign, digits: next, power: power + (next.length > kept ? 1 : 0) };
}

/** `ddd`, `ddd`: before the point and behind it, without zeros at the end. */
function positional(x: number, dtype: 'f32' | 'f64'): [string, string] {
  const own = decimalOf(x, dtype);
  const { sign, digits, power } = rounded(x, own, own.power + 1);
  const padded = power < 0 ? '0'.repeat(-power) + digits : digits.padEnd(power + 1, '0');
  const point = Math.max(0, power) + 1;
  return [sign + padded.slice(0, point), padded.slice(point).replace(/0+$/, '')];
}

function scientific(x: number, dtype: 'f32' | 'f64'): { whole: string; part: string; power: number } {
  const { sign, digits, power } = rounded(x, decimalOf(x, dtype), 1);
  return { whole: sign + digits[0]!, part: digits.slice(1).replace(/0+$/, ''), power };
}

const exponent = (power: number, size: number): string =>
  `e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(size, '0')}`;

const notFinite = (x: number): string => (Number.isNaN(x) ? 'nan' : x < 0 ? '-inf' : 'inf');

function floats(shown: readonly number[], dtype: 'f32' | 'f64'): Format {
  const finite = shown.filter(Number.isFinite);
  const sizes = finite.filter((x) => x !== 0).map(Math.abs);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const powers = sizes.length > 0 && (most >= LARGE[dtype] || least < SMALL || most / least > APART);
  return powers ? withPowers(shown, finite, dtype) : withPoints(shown, finite, dtype);
}

/** How wide a number is before the point, when there may be others that are not finite. */
function widened(left: number, right: number, shown: readonly number[]): number {
  if (shown.every(Number.isFinite)) return left;
  const longest = shown.includes(Number.NEGATIVE_INFINITY) ? 4 : 3;
  return Math.max(left, longest - right - 1);
}

function withPoints(shown: readonly number[], finite: readonly number[], dtype: 'f32' | 'f64'): Format {
  const parts = finite.map((x) => positional(x, dtype));
  const right = Math.max(0, ...parts.map(([, behind]) => behind.length));
  const left = widened(Math.max(0, ...parts.map(([before]) => before.length)), right, shown);
  return (x) => {
    if (!Number.isFinite(x)) return notFinite(x as number).padStart(left + right + 1);
    const [before, behind] = positional(x as number, dtype);
    return `${before.padStart(left)}.${behind.padEnd(right)}`;
  };
}

function withPowers(shown: readonly number[], finite: readonly number[], dtype: 'f32' | 'f64'): Format {
  const parts = finite.map((x) => scientific(x, dtype));
  const digits = Math.max(0, ...parts.map(({ part }) => part.length));
  const size = Math.max(2, ...parts.map(({ power }) => String(Math.abs(power)).length));
  const right = size + 2 + digits;
  const left = widened(Math.max(0, ...parts.map(({ whole }) => whole.length)), right, shown);
  return (x) => {
    if (!Number.isFinite(x)) return notFinite(x as number).padStart(left + right + 1);
    const { whole, part, power } = scientific(x as number, dtype);
    return `${whole.padStart(left)}.${part.padEnd(digits, '0')}${exponent(power, size)}`;
  };
}

/** A float by itself, with all the digits that it has. */
function alone(x: number, dtype: 'f32' | 'f64'): string {
  if (!Number.isFinite(x)) return notFinite(x);
  const { sign, digits, power } = decimalOf(x, dtype);
  if (x !== 0 && (power < -4 || power >= 16)) {
    const part = digits.slice(1).replace(/0+$/, '');
    return `${sign}${digits[0]}${part === '' ? '' : `.${part}`}${exponent(power, 2)}`;
  }
  const padded = power < 0 ? '0'.repeat(-power) + digits : digits.padEnd(power + 2, '0');
  const point = Math.max(0, power) + 1;
  return `${sign}${padded.slice(0, point)}.${padded.slice(point) || '0'}`;
}
