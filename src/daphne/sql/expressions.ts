/** Expressions, with types. */

import { mostGeneral, type ValueType } from '../types.ts';
import { type Expression, type Operator, SqlError } from './parser.ts';

/** What expressions see: each of their columns and aggregates as a column. */
export type Resolve = (expression: Expression) => { readonly value: ValueType; readonly index: number };

export type Typed =
  | { readonly kind: 'constant'; readonly value: ValueType; readonly constant: number | bigint | string }
  | { readonly kind: 'column'; readonly value: ValueType; readonly index: number }
  | {
      readonly kind: 'binary';
      readonly value: ValueType;
      readonly operator: Operator;
      /** What operands are brought to. */
      readonly operands: ValueType;
      readonly left: Typed;
      readonly right: Typed;
    };

export const ARITHMETIC: ReadonlySet<Operator> = new Set(['*', '/', '+', '-']);

export function typed(expression: Expression, resolve: Resolve): Typed {
  switch (expression.kind) {
    case 'integer':
      return { kind: 'constant', value: 'si64', constant: expression.value };
    case 'float':
      return { kind: 'constant', value: 'f64', constant: expression.value };
    case 'string':
      return { kind: 'constant', value: 'str', constant: expression.value };
    case 'column':
    case 'aggregate':
      return { kind: 'column', ...resolve(expression) };
    case 'star':
      throw new SqlError(`${expression.text} is no value`);
    case 'between': {
      // Its bounds may come in either order.
      const [of, low, high] = [expression.of, expression.low, expression.high].map((each) => typed(each, resolve)) as [
        Typed,
        Typed,
        Typed,
      ];
      const within = (a: Typed, b: Typed): Typed => binary('and', binary('>=', of, a), binary('<=', of, b));
      return binary('or', within(low, high), within(high, low));
    }
    case 'binary':
      return binary(expression.operator, typed(expression.left, resolve), typed(expression.right, resolve));
  }
}

function binary(operator: Operator, left: Typed, right: Typed): Typed {
  const common = mostGeneral(left.value, right.value);
  if (operator === 'and' || operator === 'or') {
    if (common === 'str') throw new SqlError(`strings are no operands of ${operator.toUpperCase()}`);
    return { kind: 'binary', value: 'si64', operands: common, operator, left, right };
  }
  if (common === 'str' && ARITHMETIC.has(operator) && operator !== '+')
    throw new SqlError(`strings have no ${operator}`);
  const value = common === 'str' && !ARITHMETIC.has(operator) ? 'si64' : common;
  return { kind: 'binary', value, operands: common, operator, left, right };
}
