import { kindOf, shown, UsageError } from '../base/index.ts';
import type { Col, DT, Js } from './types.ts';

/** What a column expression says. Names and types are looked at when the columns are known. */
export type Expression =
  | { readonly op: 'column'; readonly name: string }
  | { readonly op: 'value'; readonly value: unknown }
  | { readonly op: 'cast'; readonly of: Expression; readonly to: DT }
  | { readonly op: 'in'; readonly of: Expression; readonly values: readonly unknown[] }
  | { readonly op: 'call'; readonly name: string; readonly of: readonly Expression[] };

const expressions = new WeakMap<object, Expression>();

/** The expression behind a `Col`. */
export function expressionOf(col: unknown, what: string): Expression {
  const found = typeof col === 'object' && col !== null ? expressions.get(col) : undefined;
  if (found !== undefined) return found;
  throw new UsageError(
    `${what} gave ${shown(col)} of kind ${kindOf(col)}; give an expression made of its columns, such as c.x.gt(1)`,
    {
      code: 'ERR_SHEAF_FRAME_TYPE',
    },
  );
}

class Column {
  constructor(expression: Expression) {
    expressions.set(this, expression);
  }

  cast(to: DT): Column {
    return new Column({ op: 'cast', of: expressions.get(this)!, to });
  }

  isIn(values: readonly unknown[]): Column {
    if (!Array.isArray(values))
      throw new UsageError(`isIn takes a list of values, not ${kindOf(values)}`, { code: 'ERR_SHEAF_FRAME_TYPE' });
    for (const value of values) notMissing('isIn', value);
    return new Column({ op: 'in', of: expressions.get(this)!, values: [...values] });
  }
}

/** Comparisons with what is missing are missing themselves, which nobody means. */
function notMissing(name: string, value: unknown): void {
  if (value !== null && value !== undefined) return;
  throw new UsageError(`${name}(${value}) can't be true for anything; isNull() finds missing values`, {
    code: 'ERR_SHEAF_FRAME_TYPE',
  });
}

const BINARY = [
  'eq',
  'ne',
  'gt',
  'ge',
  'lt',
  'le',
  'fillNull',
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'and',
  'or',
  'contains',
  'startsWith',
  'endsWith',
  'concat',
];
const UNARY = [
  'isNull',
  'isNotNull',
  'neg',
  'abs',
  'not',
  'year',
  'month',
  'day',
  'weekday',
  'hour',
  'minute',
  'lower',
  'upper',
  'length',
];

for (const name of BINARY) {
  define(name, function (this: Column, x: unknown) {
    notMissing(name, x);
    const other: Expression = (typeof x === 'object' && x !== null && expressions.get(x)) || { op: 'value', value: x };
    return new Column({ op: 'call', name, of: [expressions.get(this)!, other] });
  });
}
for (const name of UNARY) {
  define(name, function (this: Column) {
    return new Column({ op: 'call', name, of: [expressions.get(this)!] });
  });
}

function define(name: string, value: unknown): void {
  Object.defineProperty(Column.prototype, name, { value, configurable: true, writable: true });
}

/** A column by its name. */
export const column = (name: string): Col => new Column({ op: 'column', name }) as unknown as Col;

/** A value as an expression, the same in every row. */
export function lit<const T extends Exclude<DT, `${string}?`>>(value: Js<T>, type: T): Col<T> {
  if (value === null || value === undefined)
    throw new UsageError(`lit(${value}): give a value`, { code: 'ERR_SHEAF_FRAME_TYPE' });
  return new Column({ op: 'cast', of: { op: 'value', value }, to: type }) as unknown as Col<T>;
}

/** Whatever name is asked for is taken for a column; whether there is one is seen when the columns are known. */
export function columnsByName(
  known: readonly string[] | undefined,
  check: (name: string) => void,
): Record<string, Col> {
  return new Proxy(Object.create(null) as Record<string, Col>, {
    get(_target, name) {
      if (typeof name !== 'string') return undefined;
      if (known !== undefined) check(name);
      return column(name);
    },
    has: (_target, name) => typeof name === 'string' && (known?.includes(name) ?? true),
    ownKeys: () => [...(known ?? [])],
    getOwnPropertyDescriptor: (_target, name) =>
      typeof name === 'string' && known?.includes(name)
        ? { configurable: true, enumerable: true, value: column(name) }
        : undefined,
  });
}

const INFIX: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  and: 'and',
  or: 'or',
};

/** For people. */
export function printed(expression: Expression, within = false): string {
  switch (expression.op) {
    case 'column':
      return /^[A-Za-z_]\w*$/.test(expression.name) ? expression.name : JSON.stringify(expression.name);
    case 'value':
      return expression.value instanceof Date ? expression.value.toISOString() : shown(expression.value);
    case 'cast':
      return `${printed(expression.of, true)} as ${expression.to}`;
    case 'in':
      return `${printed(expression.of, true)} in (${expression.values.map((value) => printed({ op: 'value', value })).join(', ')})`;
    case 'call': {
      const [a, b] = expression.of;
      const infix = INFIX[expression.name];
      if (infix !== undefined && b !== undefined) {
        const both = `${printed(a!, true)} ${infix} ${printed(b, true)}`;
        return within ? `(${both})` : both;
      }
      return `${expression.name}(${expression.of.map((each) => printed(each)).join(', ')})`;
    }
  }
}
