import { UsageError } from '../base/index.ts';
import { type Base, type ColumnKind, columnNamed, dtOf, type Kind, kindOfDt } from './column-types.ts';
import { type Expression, printed } from './expression.ts';
import { literal, quoted, SQL_TYPES } from './sql-text.ts';

/** An expression whose columns and types are known. */
export interface Bound extends Kind {
  readonly sql: string;
}

const NUMBERS: readonly Base[] = ['i32', 'i64', 'decimal', 'f32', 'f64'];
const isNumber = (base: Base): boolean => NUMBERS.includes(base);

/** What two types of numbers have in common; undefined where they are not numbers. */
export function commonBase(a: Base, b: Base): Base | undefined {
  if (a === b) return a;
  if (!isNumber(a) || !isNumber(b)) return undefined;
  const both = [a, b];
  if (both.includes('f64') || both.includes('f32')) return 'f64';
  return both.includes('decimal') ? 'decimal' : 'i64';
}

/** Finds the columns of an expression and its type. `what` begins messages: the method and the expression. */
export function bind(expression: Expression, columns: readonly ColumnKind[], what: string): Bound {
  return new Binder(columns, `${what}: ${printed(expression)}`).bind(expression);
}

const COMPARISONS: Readonly<Record<string, string>> = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' };
const ARITHMETIC: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', mod: '%' };
const OF_DATES: readonly string[] = ['year', 'month', 'day', 'weekday'];
const OF_TIMES: readonly string[] = ['hour', 'minute'];
const OF_TEXTS: Readonly<Record<string, string>> = {
  contains: 'contains',
  startsWith: 'starts_with',
  endsWith: 'ends_with',
};

class Binder {
  readonly #columns: readonly ColumnKind[];
  readonly #what: string;

  constructor(columns: readonly ColumnKind[], what: string) {
    this.#columns = columns;
    this.#what = what;
  }

  bind(expression: Expression): Bound {
    switch (expression.op) {
      case 'column': {
        const { base, nullable, name } = columnNamed(this.#columns, expression.name, this.#what);
        return { base, nullable, sql: quoted(name) };
      }
      case 'value':
        return this.#value(expression.value, baseOfValue(expression.value));
      case 'cast': {
        const to = kindOfDt(expression.to, this.#what);
        if (expression.of.op === 'value') return { ...to, sql: literal(expression.of.value, to.base, this.#what) };
        const of = this.bind(expression.of);
        return { base: to.base, nullable: of.nullable || to.nullable, sql: cast(of, to.base) };
      }
      case 'in': {
        const of = this.bind(expression.of);
        const values = expression.values.map((value) => literal(value, of.base, this.#what));
        const sql = values.length === 0 ? `(${of.sql} IS NULL AND NULL)` : `(${of.sql} IN (${values.join(', ')}))`;
        return { base: 'bool', nullable: of.nullable, sql };
      }
      case 'call':
        return this.#call(expression.name, expression.of);
    }
  }

  #call(name: string, args: readonly Expression[]): Bound {
    const a = this.bind(args[0]!);
    const second = args[1];
    const of = (base: Base, sql: string, nullable = a.nullable): Bound => ({ base, sql, nullable });
    switch (name) {
      case 'isNull':
        return of('bool', `(${a.sql} IS NULL)`, false);
      case 'isNotNull':
        return of('bool', `(${a.sql} IS NOT NULL)`, false);
      case 'not':
        return of('bool', `(NOT ${this.#is('bool', a, name)})`);
      case 'neg':
      case 'abs': {
        this.#number(a, name);
        return of(a.base, name === 'neg' ? `(-${a.sql})` : `abs(${a.sql})`);
      }
      case 'lower':
      case 'upper':
        return of('str', `${name}(${this.#is('str', a, name)})`);
      case 'length':
        return of('i32', `CAST(length(${this.#is('str', a, name)}) AS INTEGER)`);
    }
    if (OF_DATES.includes(name) || OF_TIMES.includes(name)) {
      if (a.base !== 'timestamp' && (a.base !== 'date' || OF_TIMES.includes(name)))
        throw this.#wrong(
          `${name}() is for ${OF_TIMES.includes(name) ? '' : 'dates and '}timestamps, and this is ${dtOf(a)}`,
        );
      return of('i32', `CAST(${name === 'weekday' ? 'dayofweek' : name}(${a.sql}) AS INTEGER)`);
    }
    if (second === undefined) throw this.#wrong(`there is no ${name}()`);
    const [left, right, base] = this.#pair(a, second, name);
    const nullable = left.nullable || right.nullable;
    if (name in COMPARISONS) return of('bool', `(${left.sql} ${COMPARISONS[name]} ${right.sql})`, nullable);
    if (name in OF_TEXTS) return of('bool', `${OF_TEXTS[name]}(${left.sql}, ${right.sql})`, nullable);
    if (name in ARITHMETIC) {
      this.#number(left, name);
      const isInteger = base === 'i32' || base === 'i64' || base === 'decimal';
      return of(base, `(${left.sql} ${ARITHMETIC[name]} ${right.sql})`, nullable || (name === 'mod' && isInteger));
    }
    switch (name) {
      case 'and':
      case 'or':
        return of('bool', `(${left.sql} ${name.toUpperCase()} ${right.sql})`, nullable);
      case 'div':
        return of('f64', `(${cast(left, 'f64')} / ${cast(right, 'f64')})`, nullable);
      case 'fillNull':
        return of(base, `coalesce(${left.sql}, ${right.sql})`, right.nullable);
      default:
        return of('str', `(${left.sql} || ${right.sql})`, nullable);
    }
  }

  /** Both operands in the type that they have in common, and that type. */
  #pair(a: Bound, second: Expression, name: string): [Bound, Bound, Base] {
    const wanted = name === 'and' || name === 'or' ? 'bool' : name === 'concat' || name in OF_TEXTS ? 'str' : undefined;
    if (wanted !== undefined) this.#is(wanted, a, name);
    if (name === 'div') this.#number(a, name);
    if (second.op === 'value') {
      if (name === 'div') return [a, this.#value(Number(second.value), 'f64'), 'f64'];
      return [a, this.#value(second.value, a.base), a.base];
    }
    const b = this.bind(second);
    if (wanted !== undefined) this.#is(wanted, b, name);
    if (name === 'div') this.#number(b, name);
    const base = commonBase(a.base, b.base);
    if (base === undefined)
      throw this.#wrong(`${name}() is given ${dtOf(a)} and ${dtOf(b)}, which have no type in common; cast one of them`);
    const as = (side: Bound): Bound =>
      side.base === base || base === 'decimal' ? side : { ...side, base, sql: cast(side, base) };
    return [as(a), as(b), base];
  }

  #value(value: unknown, base: Base | undefined): Bound {
    if (base === undefined) throw this.#wrong('a value by itself has no type here; use lit(value, type)');
    return { base, nullable: false, sql: literal(value, base, this.#what) };
  }

  #is(base: Base, bound: Bound, name: string): string {
    if (bound.base !== base) throw this.#wrong(`${name}() is for ${base}, and this is ${dtOf(bound)}`);
    return bound.sql;
  }

  #number(bound: Bound, name: string): void {
    if (!isNumber(bound.base)) throw this.#wrong(`${name}() is for numbers, and this is ${dtOf(bound)}`);
  }

  #wrong(text: string): UsageError {
    return new UsageError(`${this.#what}: ${text}`, { code: 'ERR_SHEAF_FRAME_TYPE' });
  }
}

const cast = (of: Bound, to: Base): string =>
  of.base === to && to !== 'decimal' ? of.sql : `CAST(${of.sql} AS ${SQL_TYPES[to]})`;

function baseOfValue(value: unknown): Base | undefined {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') return 'f64';
  if (typeof value === 'bigint') return 'i64';
  return value instanceof Date ? 'timestamp' : undefined;
}
