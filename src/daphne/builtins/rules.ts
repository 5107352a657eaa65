/**
 * Value types of elementwise operations, on scalars and on matrices: operands of several types are cast to one of them first, by a rule that belongs to
 * the operation, and the operation is computed in that type. So `7 / 2` is 3, and `1 + 0.5` is 1.5.
 */

import type { ScalarOperation } from '../program/scalars.ts';
import { isFloat, mostGeneral, type ValueType } from '../types.ts';

const FLOATING: ReadonlySet<ScalarOperation> = new Set([
  'exp',
  'ln',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
]);

export const COMPARISONS: ReadonlySet<ScalarOperation> = new Set(['eq', 'neq', 'lt', 'le', 'gt', 'ge']);

const OF_STRINGS: ReadonlySet<ScalarOperation> = new Set([...COMPARISONS, 'concat', 'lower', 'upper']);

/**
 * The type that all operands are cast to, of an operation whose operands are of these types; its result has it, too, but for comparisons of strings
 * (`givenValue`). Strings come out as `str` whatever the operation is; `wrongValue` says whether it has them.
 */
export function resultValue(operation: ScalarOperation, values: readonly ValueType[]): ValueType {
  if (operation === 'concat') return 'str';
  const general = values.reduce(mostGeneral);
  if (general === 'str') return 'str';
  if (FLOATING.has(operation)) return isFloat(general) ? general : 'f64';
  if (operation === 'and' || operation === 'or') return isFloat(general) ? 'ui64' : general;
  return general;
}

/** The type of the result where operands are of the type `operand`. */
export const givenValue = (operation: ScalarOperation, operand: ValueType): ValueType =>
  operand === 'str' && COMPARISONS.has(operation) ? 'si64' : operand;

/** What is wrong about the operation with operands of the type, undefined: nothing. */
export function wrongValue(operation: ScalarOperation, operand: ValueType): string | undefined {
  if (operand === 'str' && !OF_STRINGS.has(operation)) return `'${operation}' takes numbers, and this is a string`;
  if (operand !== 'str' && (operation === 'lower' || operation === 'upper'))
    return `'${operation}' takes strings, and this is of the type ${operand}`;
  return undefined;
}
