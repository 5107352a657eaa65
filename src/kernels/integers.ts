import { DTYPES, type DType, isBig } from '../nd/index.ts';

/** Exact integers, brought into the range of an element type: modulo 2 to the number of its bits. */
export function wrapped(x: bigint, dtype: DType): bigint {
  const { kind, bytes } = DTYPES[dtype];
  return kind === 'int' ? BigInt.asIntN(8 * bytes, x) : BigInt.asUintN(8 * bytes, x);
}

/** The quotient rounded down. By zero: 0. */
export function floorDivide(x: bigint, y: bigint): bigint {
  if (y === 0n) return 0n;
  const quotient = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient;
}

/** What is left of a division that is rounded down; has the sign of `y`. By zero: 0. */
export function remainder(x: bigint, y: bigint): bigint {
  if (y === 0n) return 0n;
  const rest = x % y;
  return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest;
}

/** Modulo 2**64, which every integer type is a part of. A negative power is what is left of the fraction when it is cut off. */
export function pow(x: bigint, y: bigint): bigint {
  if (y < 0n) return x === 1n ? 1n : x === -1n ? (y % 2n === 0n ? 1n : -1n) : 0n;
  let result = 1n;
  let base = BigInt.asUintN(64, x);
  for (let left = y; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = BigInt.asUintN(64, result * base);
    base = BigInt.asUintN(64, base * base);
  }
  return result;
}

/** By as many bits as the type has, or more, nothing is left, whatever the processor makes of it. A negative number counts as many. */
export const shiftLeft = (x: bigint, y: bigint, bits: number): bigint => (y < 0n || y >= bits ? 0n : x << y);

/** The same to the right: a negative number fills up with ones. */
export const shiftRight = (x: bigint, y: bigint, bits: number): bigint =>
  y < 0n || y >= bits ? (x < 0n ? -1n : 0n) : x >> y;

/**
 * A number as an element of an integer type: cut off towards zero, and what is out of range becomes the nearest that there is, NaN 0.
 * The standard leaves the latter open; this is what WebAssembly's `trunc_sat` does.
 */
export function saturated(x: number, dtype: DType): number | bigint {
  const { min, max } = DTYPES[dtype];
  if (Number.isNaN(x)) return isBig(dtype) ? 0n : 0;
  if (x <= Number(min)) return min;
  if (x >= Number(max)) return max;
  return isBig(dtype) ? BigInt(Math.trunc(x)) : Math.trunc(x) + 0;
}

/** The nearest float of 32 bits, rounded once: by way of a double it would be twice. */
export function nearest32(x: bigint): number {
  const size = x < 0n ? -x : x;
  if (size < 2n ** 53n) return Math.fround(Number(x));
  // Of the bits that a double has no room for, it is enough to know whether there are any (rounding "to odd").
  const kept = size - (size & 0xfffn) + ((size & 0xfffn) === 0n ? 0n : 0x800n);
  return Math.fround(x < 0n ? -Number(kept) : Number(kept));
}
