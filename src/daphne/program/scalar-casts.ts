/** Scalars of one value type in another one. */

import { leadingFloat } from '../text/leading-number.ts';
import { fixedText } from '../text/numbers.ts';
import { isFloat, isInteger, isWide, type ValueType } from '../types.ts';
import type { Integer, Scalar } from '../values/values.ts';
import { truncated, wrapped } from './integers.ts';

type Cast = (value: Scalar) => Scalar;

const same: Cast = (value) => value;
const table = new Map<string, Cast>();

/** What makes a scalar of one type one of another: floats lose their fraction, texts are read as far as they are a number, bools are `!= 0`. */
export function scalarCast(from: ValueType, to: ValueType): Cast {
  const key = `${from} ${to}`;
  let cast = table.get(key);
  if (cast === undefined) {
    cast = castOf(from, to);
    table.set(key, cast);
  }
  return cast;
}

/** Whether a cast gives back what it is given. */
export const castIsIdentity = (from: ValueType, to: ValueType): boolean => scalarCast(from, to) === same;

function castOf(from: ValueType, to: ValueType): Cast {
  if (from === to || (from === 'f32' && to === 'f64')) return same;
  if (from === 'str') return castOfText(to);
  if (to === 'str')
    return isFloat(from) ? (x) => fixedText(x as number) : (x) => String(from === 'bool' ? Number(x) : x);
  if (to === 'bool') return (x) => Number(x) !== 0;
  if (from === 'bool') return Number;
  if (to === 'f64') return Number;
  if (to === 'f32') return (x) => Math.fround(Number(x));
  if (isFloat(from)) return (x) => truncated(to, x as number);
  if (isInteger(from) && fitsIn(from, to)) return same;
  return (x) => wrapped(to, x as Integer);
}

const BITS = { si8: 7, ui8: 8, si32: 31, ui32: 32, si64: 63, ui64: 64, size: 64 } as const;
type IntegerType = keyof typeof BITS;

const isSigned = (type: ValueType): boolean => type === 'si8' || type === 'si32' || type === 'si64';
const fitsIn = (from: ValueType, to: ValueType): boolean =>
  BITS[from as IntegerType] <= BITS[to as IntegerType] && (!isSigned(from) || isSigned(to));

function castOfText(to: ValueType): Cast {
  if (to === 'f64') return (x) => numberOfText(x as string);
  if (to === 'f32') return (x) => Math.fround(numberOfText(x as string));
  if (to === 'bool') return (x) => numberOfText(x as string) !== 0;
  return (x) => integerOfText(x as string, to);
}

/** As far as the text is an integer; 0 if it is none at all. What is too large is the largest of 64 bits, as in C. */
export function integerOfText(text: string, type: ValueType): Integer {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits);
  const unsigned = isWide(type) && !isSigned(type);
  const [least, most] = unsigned ? [-(2n ** 64n) + 1n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  // An unsigned number may have a sign, which is taken modulo 2^64.
  const bounded = value > most ? most : value < least ? (unsigned ? most : least) : value;
  return wrapped(type, bounded);
}

/** As far as the text is a number; 0 if it is none at all. */
export const numberOfText = (text: string): number => leadingFloat(text) ?? 0;
