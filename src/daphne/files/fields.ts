/** Fields of CSV as numbers, as C reads them: what is at the beginning counts, and the rest does not. */

import { elementOf } from '../builtins/wanted.ts';
import { leadingFloat } from '../text/leading-number.ts';
import { isFloat, type ValueType } from '../types.ts';

const INTEGER = /^\s*([+-]?\d+)/;

/** `strtod`; NaN where there is no number. */
export function floatOf(field: string): number {
  // Most fields are plain, and Number is faster than a pattern. It takes more than C does in what begins with 0b and 0o.
  const plain = Number(field);
  if (!Number.isNaN(plain) && field !== '' && !/^\s*(?:$|[+-]?0[bo])/i.test(field)) return plain;
  return leadingFloat(field) ?? Number.NaN;
}

/** `atoi`; 0 where there is no number. */
export function integerOf(field: string): number | bigint {
  const found = INTEGER.exec(field);
  if (found === null) return 0;
  const plain = Number(found[1]);
  return Number.isSafeInteger(plain) ? plain : BigInt(found[1]!.replace(/^\+/, ''));
}

/** A field as an element of a value type. */
export const elementOfField = (value: Exclude<ValueType, 'str'>, field: string): number | bigint =>
  isFloat(value) ? floatOf(field) : elementOf(value, integerOf(field));
