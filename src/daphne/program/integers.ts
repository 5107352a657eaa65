/** Integers of the language's types: numbers where a number has them exactly, bigints where it has not. */

import type { ValueType } from '../types.ts';
import type { Integer } from '../values/values.ts';

export const LEAST_SI64 = -(2n ** 63n);
const MOST = Number.MAX_SAFE_INTEGER;

/** A bigint as values have it: a number if that is exact. */
export const canonical = (value: bigint): Integer => (value >= -MOST && value <= MOST ? Number(value) : value);

/** The integer of the type that has the same lowest bits. Numbers have to be integers that are exact. */
export function wrapped(type: ValueType, value: Integer): Integer {
  if (typeof value === 'bigint') {
    switch (type) {
      case 'si64':
        return canonical(BigInt.asIntN(64, value));
      case 'ui64':
      case 'size':
        return canonical(BigInt.asUintN(64, value));
      default:
        return wrapped(type, Number(BigInt.asIntN(32, value)));
    }
  }
  switch (type) {
    case 'si64':
      return value;
    case 'ui64':
    case 'size':
      return value >= 0 ? value : canonical(BigInt.asUintN(64, BigInt(value)));
    case 'si32':
      return value | 0;
    case 'ui32':
      return value >>> 0;
    case 'si8':
      return (value << 24) >> 24;
    default:
      return value & 255;
  }
}

/** A float without its fraction, as x86 converts it: what does not fit is the least si64, of the low bits of which narrow types take theirs. */
export function truncated(type: ValueType, value: number): Integer {
  const whole = Math.trunc(value) + 0;
  if (whole >= -MOST && whole <= MOST) return narrowed(type, whole);
  const unsigned = type === 'ui64' || type === 'size';
  if (unsigned && whole >= 2 ** 63 && whole < 2 ** 64) return canonical(BigInt(whole));
  if (whole >= -(2 ** 63) && whole < 2 ** 63) return narrowed(type, BigInt(whole));
  return narrowed(type, LEAST_SI64);
}

/** Of 32 bits or less: by way of 32 bits, where what does not fit is the least of these. */
function narrowed(type: ValueType, whole: Integer): Integer {
  if (type !== 'si32' && type !== 'si8' && type !== 'ui8') return wrapped(type, whole);
  return wrapped(type, whole >= -(2 ** 31) && whole < 2 ** 31 ? whole : -(2 ** 31));
}

/** The same power as by doubles: exact as long as a double has it, and rounded beyond. */
export function integerPower(base: Integer, exponent: Integer): number {
  const [x, n] = [Number(base), Number(exponent)];
  if (n < 0 || n > 64 || n * Math.log2(Math.abs(x) + 1) > 1000) return x ** n;
  return Number(BigInt(x) ** BigInt(n));
}
