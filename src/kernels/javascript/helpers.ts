import * as F from '../floats.ts';
import * as I from '../integers.ts';

/** Modulo 2**32, which the smaller types are a part of. A negative power is what is left of the fraction when it is cut off. */
function powOfIntegers(x: number, y: number): number {
  if (y < 0) return x === 1 ? 1 : x === -1 ? (y % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  let base = x;
  for (let left = y; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** What generated code calls as `h.name`. */
export const helpers = {
  sign: F.sign,
  roundToEven: F.roundToEven,
  floorDivide: F.floorDivide,
  remainder: F.remainder,
  pow: F.pow,
  copysign: F.copysign,
  logaddexp: F.logaddexp,
  nextAfter: F.nextAfter,
  nextAfter32: F.nextAfter32,
  floorDivideBig: I.floorDivide,
  remainderBig: I.remainder,
  powBig: I.pow,
  powOfIntegers,
  shiftLeft: I.shiftLeft,
  shiftRight: I.shiftRight,
  saturated: I.saturated,
  nearest32: I.nearest32,
} as const;
