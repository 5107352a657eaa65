/** Columns of 64-bit integers as numbers, which are several times as fast as bigints wherever they are exact. */

import type { Elements } from '../../nd/index.ts';
import type { Integer } from './values.ts';

export const WORD = 2 ** 32;
/** High words of integers that a number has exactly: below 2^53, of either sign. */
export const HIGH = 2 ** 21;
/** Columns are shared by frames, and queries ask for the same ones again. */
const known = new WeakMap<object, Int32Array | Float64Array | false>();

export const isWideCells = (cells: Elements): cells is BigInt64Array | BigUint64Array =>
  cells instanceof BigInt64Array || cells instanceof BigUint64Array;

/** What `exactNumbers` gives, if somebody has asked before; false: they are none. */
export const knownNumbers = (cells: BigInt64Array | BigUint64Array): Int32Array | Float64Array | false | undefined =>
  known.get(cells);

/** All elements as numbers, if each of them is one exactly. The result belongs to nobody, and nobody changes it. */
export function exactNumbers(cells: BigInt64Array | BigUint64Array): Int32Array | Float64Array | undefined {
  const before = known.get(cells);
  if (before !== undefined) return before === false ? undefined : before;
  const numbers = narrow(cells) ?? converted(cells);
  known.set(cells, numbers ?? false);
  return numbers;
}

/** Mostly they are small: half as much memory has to be touched for them, and that is what takes time. */
function narrow(cells: BigInt64Array | BigUint64Array): Int32Array | undefined {
  const words = new Int32Array(cells.buffer, cells.byteOffset, cells.length * 2);
  const numbers = new Int32Array(cells.length);
  // Of an unsigned integer a high word of ones is no sign.
  const mask = cells instanceof BigInt64Array ? -1 : 0;
  for (let i = 0, at = 0; i < numbers.length; i++, at += 2) {
    const low = words[at]!;
    if (words[at + 1] !== ((low >> 31) & mask) || (low & ~mask) < 0) return undefined;
    numbers[i] = low;
  }
  return numbers;
}

function converted(cells: BigInt64Array | BigUint64Array): Float64Array | undefined {
  // Little endian, as every engine that this runs on is.
  const words = new Int32Array(cells.buffer, cells.byteOffset, cells.length * 2);
  const numbers = new Float64Array(cells.length);
  const least = cells instanceof BigInt64Array ? -HIGH : 0;
  for (let i = 0, at = 0; i < numbers.length; i++, at += 2) {
    const high = words[at + 1]!;
    if (high >= HIGH || high < least) return undefined;
    numbers[i] = high * WORD + (words[at]! >>> 0);
  }
  return numbers;
}

/** Safe integers as a column of 64 bits. */
export function wideCells<T extends BigInt64Array | BigUint64Array>(
  numbers: Float64Array | Int32Array | number[],
  cells: T,
): T {
  const words = new Int32Array(cells.buffer, cells.byteOffset, cells.length * 2);
  for (let i = 0, at = 0; i < numbers.length; i++, at += 2) {
    const value = numbers[i]!;
    const high = Math.floor(value / WORD);
    words[at] = value - high * WORD;
    words[at + 1] = high;
  }
  return cells;
}

/** An integer as values have it: a number where that is exact. */
export function integerOf(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
