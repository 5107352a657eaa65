import type { DType, Elements } from '../../nd/index.ts';

/**
 * Elements as unsigned numbers of one or two words, least significant first, in whose order they are sorted: NaNs come last in either
 * order, and zeros of both signs are equal. (For floats see M. Herf, "Radix Tricks", 2001.)
 */

const SIGN = 0x8000_0000;
const NAN_HIGH = 0x7ff0_0000;
const NAN_32 = 0x7f80_0000;

export const keyWords = (dtype: DType): 1 | 2 => (dtype === 'f64' || dtype === 'i64' || dtype === 'u64' ? 2 : 1);

/** What was seen on the way. */
export interface Seen {
  readonly negativeZero: boolean;
}

/** Writes the keys of the elements, one every `stride` words. */
export function writeKeys(
  dtype: DType,
  elements: Elements,
  descending: boolean,
  into: Uint32Array,
  stride: number,
): Seen {
  const flip = descending ? 0xffff_ffff : 0;
  const n = elements.length;
  switch (dtype) {
    case 'f64':
      return doubleKeys(wordsOf(elements), n, flip, into, stride);
    case 'f32':
      return floatKeys(wordsOf(elements), n, flip, into, stride);
    case 'i64':
    case 'u64': {
      const words = wordsOf(elements);
      const high = dtype === 'i64' ? flip ^ SIGN : flip;
      for (let i = 0, at = 0; i < n; i++, at += stride) {
        into[at] = (words[2 * i] as number) ^ flip;
        into[at + 1] = (words[2 * i + 1] as number) ^ high;
      }
      return { negativeZero: false };
    }
    default: {
      // Narrow ones stay small numbers, so that their upper digits are all the same and need no sorting.
      const least = dtype === 'i8' ? 0x80 : dtype === 'i16' ? 0x8000 : dtype === 'i32' ? SIGN : 0;
      const ones = flip >>> (32 - 8 * elements.BYTES_PER_ELEMENT);
      for (let i = 0, at = 0; i < n; i++, at += stride) into[at] = ((elements[i] as number) + least) ^ ones;
      return { negativeZero: false };
    }
  }
}

function doubleKeys(words: Uint32Array, n: number, flip: number, into: Uint32Array, stride: number): Seen {
  let negativeZero = false;
  for (let i = 0, at = 0; i < n; i++, at += stride) {
    let low = words[2 * i] as number;
    let high = words[2 * i + 1] as number;
    const size = high & ~SIGN;
    if (size > NAN_HIGH || (size === NAN_HIGH && low !== 0)) {
      into[at] = 0xffff_ffff;
      into[at + 1] = 0xffff_ffff;
      continue;
    }
    if (high >= SIGN) {
      if (size === 0 && low === 0) {
        negativeZero = true;
        high = SIGN;
      } else {
        low = ~low;
        high = ~high;
      }
    } else high ^= SIGN;
    into[at] = low ^ flip;
    into[at + 1] = high ^ flip;
  }
  return { negativeZero };
}

function floatKeys(words: Uint32Array, n: number, flip: number, into: Uint32Array, stride: number): Seen {
  let negativeZero = false;
  for (let i = 0, at = 0; i < n; i++, at += stride) {
    const bits = words[i] as number;
    const size = bits & ~SIGN;
    if (size > NAN_32) into[at] = 0xffff_ffff;
    else if (bits < SIGN) into[at] = bits ^ SIGN ^ flip;
    else if (size !== 0) into[at] = ~bits ^ flip;
    else {
      negativeZero = true;
      into[at] = SIGN ^ flip;
    }
  }
  return { negativeZero };
}

/** The elements that keys were made of; zeros are positive, and NaNs the usual one. */
export function readKeys(dtype: DType, keys: Uint32Array, descending: boolean, into: Elements): void {
  const flip = descending ? 0xffff_ffff : 0;
  const n = into.length;
  switch (dtype) {
    case 'f64': {
      const words = wordsOf(into);
      for (let i = 0; i < 2 * n; i += 2) {
        const low = keys[i] as number;
        const high = keys[i + 1] as number;
        if (low === 0xffff_ffff && high === 0xffff_ffff) {
          words[i] = 0;
          words[i + 1] = 0x7ff8_0000;
          continue;
        }
        const own = high ^ flip;
        // Positive ones have the sign bit set, as keys.
        const negative = own >= 0 ? 0xffff_ffff : 0;
        words[i] = low ^ flip ^ negative;
        words[i + 1] = own ^ (negative | SIGN);
      }
      return;
    }
    case 'f32': {
      const words = wordsOf(into);
      for (let i = 0; i < n; i++) {
        const key = keys[i] as number;
        const own = key ^ flip;
        words[i] = key === 0xffff_ffff ? 0x7fc0_0000 : own >= 0 ? ~own : own ^ SIGN;
      }
      return;
    }
    case 'i64':
    case 'u64': {
      const words = wordsOf(into);
      const high = dtype === 'i64' ? flip ^ SIGN : flip;
      for (let i = 0; i < 2 * n; i += 2) {
        words[i] = (keys[i] as number) ^ flip;
        words[i + 1] = (keys[i + 1] as number) ^ high;
      }
      return;
    }
    default: {
      const least = dtype === 'i8' ? 0x80 : dtype === 'i16' ? 0x8000 : dtype === 'i32' ? SIGN : 0;
      const ones = flip >>> (32 - 8 * into.BYTES_PER_ELEMENT);
      for (let i = 0; i < n; i++) into[i] = (((keys[i] as number) ^ ones) - least) as never;
    }
  }
}

const wordsOf = ({ buffer, byteOffset, byteLength }: Elements): Uint32Array =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);
