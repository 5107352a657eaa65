/** Expressions become loops over columns, in JavaScript. */

import { RunError } from '../builtins/builtin.ts';
import { fixedText } from '../text/numbers.ts';
import { isFloat, isWide, mostGeneral, type ValueType } from '../types.ts';
import { roomFor } from '../values/frames.ts';
import { exactNumbers, isWideCells, wideCells } from '../values/integers.ts';
import type { Column } from '../values/values.ts';
import { type Cells, compareKeys } from './keys.ts';
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

const ARITHMETIC: ReadonlySet<Operator> = new Set(['*', '/', '+', '-']);

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

/** What the code of expressions refers to. */
interface Tools {
  readonly exact: (value: number) => number;
  readonly divided: (a: number, b: number) => number;
  readonly dividedWide: (a: bigint, b: bigint) => bigint;
  readonly order: (a: string, b: string) => number;
  readonly text: (value: number | bigint) => string;
  readonly fixed: (value: number) => string;
}

class Inexact extends Error {}

const TOOLS: Tools = {
  exact(value) {
    if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) throw new Inexact();
    return value;
  },
  divided(a, b) {
    if (b === 0) throw new RunError('integers are not divided by 0');
    return Math.trunc(a / b);
  },
  dividedWide(a, b) {
    if (b === 0n) throw new RunError('integers are not divided by 0');
    return a / b;
  },
  order: compareKeys,
  text: String,
  fixed: fixedText,
};

/** Writes JavaScript for row `i`; `wide`: with bigints for types of 64 bits, which is always exact, and slow. */
class Writer {
  readonly columns = new Set<number>();
  readonly constants: (number | bigint | string)[] = [];
  readonly wide: boolean;

  constructor(wide: boolean) {
    this.wide = wide;
  }

  /** The value, in a type. */
  value(of: Typed, as: ValueType): string {
    return this.#cast(this.#own(of), of.value, as);
  }

  #own(of: Typed): string {
    if (of.kind === 'constant') return this.#constant(of.constant, of.value);
    if (of.kind === 'column') {
      this.columns.add(of.index);
      return `c${of.index}[i]`;
    }
    if (!ARITHMETIC.has(of.operator)) return `(${this.truth(of)} ? ${this.#one(of.value)} : ${this.#zero(of.value)})`;
    const [a, b] = [this.value(of.left, of.value), this.value(of.right, of.value)];
    return this.#arithmetic(of.operator, a, b, of.value);
  }

  /** Whether it is not 0. */
  truth(of: Typed): string {
    if (of.kind !== 'binary' || ARITHMETIC.has(of.operator)) {
      const value = this.#own(of);
      // As an integer, which what lies between -1 and 1 is 0 as.
      return isFloat(of.value) ? `!(Math.abs(${value}) < 1)` : `(${value} != 0)`;
    }
    if (of.operator === 'and' || of.operator === 'or')
      return `(${this.truth(of.left)} ${of.operator === 'and' ? '&&' : '||'} ${this.truth(of.right)})`;
    const [a, b] = [this.value(of.left, of.operands), this.value(of.right, of.operands)];
    const operator = of.operator === '=' ? '===' : of.operator === '<>' ? '!==' : of.operator;
    if (of.operands === 'str' && operator !== '===' && operator !== '!==') return `(t.order(${a}, ${b}) ${operator} 0)`;
    return `(${a} ${operator} ${b})`;
  }

  #arithmetic(operator: Operator, a: string, b: string, value: ValueType): string {
    const plain = `(${a} ${operator} ${b})`;
    if (value === 'str' || value === 'f64') return plain;
    if (value === 'f32') return `Math.fround${plain}`;
    if (isWide(value)) {
      if (!this.wide) return operator === '/' ? `t.divided(${a}, ${b})` : `t.exact${plain}`;
      const exact = operator === '/' ? `t.dividedWide(${a}, ${b})` : plain;
      return value === 'si64' ? `BigInt.asIntN(64, ${exact})` : `BigInt.asUintN(64, ${exact})`;
    }
    const result = operator === '/' ? `t.divided(${a}, ${b})` : operator === '*' ? `Math.imul(${a}, ${b})` : plain;
    switch (value) {
      case 'si8':
        return `(${result} << 24 >> 24)`;
      case 'ui8':
        return `(${result} & 255)`;
      case 'ui32':
        return `(${result} >>> 0)`;
      case 'bool':
        return `(${result} ? 1 : 0)`;
      default:
        return `(${result} | 0)`;
    }
  }

  #cast(code: string, from: ValueType, to: ValueType): string {
    if (from === to) return code;
    if (to === 'str') return isFloat(from) ? `t.fixed(${code})` : `t.text(${code})`;
    if (!this.wide) {
      // A negative number has no place among unsigned ones: bigints wrap it around.
      return (to === 'ui64' || to === 'size') && from.startsWith('si')
        ? `t.exact(${code} < 0 ? Infinity : ${code})`
        : code;
    }
    if (isWide(to)) {
      const big = isWide(from) ? code : `BigInt(${code})`;
      return to === 'si64' ? big : `BigInt.asUintN(64, ${big})`;
    }
    return isWide(from) ? `Number(${code})` : code;
  }

  #constant(value: number | bigint | string, type: ValueType): string {
    const constant = isWide(type) && this.wide ? BigInt(value) : value;
    if (typeof constant === 'bigint' && !this.wide) throw new Inexact();
    this.constants.push(constant);
    return `k${this.constants.length - 1}`;
  }

  #one = (value: ValueType): string => (this.wide && isWide(value) ? '1n' : '1');
  #zero = (value: ValueType): string => (this.wide && isWide(value) ? '0n' : '0');
}

type Loop = (
  columns: readonly unknown[],
  constants: readonly unknown[],
  tools: Tools,
  rows: number,
  out: unknown,
) => number;

function compiled(writer: Writer, statement: string): Loop {
  const columns = [...writer.columns].map((index) => `const c${index} = c[${index}];`);
  const constants = writer.constants.map((_, i) => `const k${i} = k[${i}];`);
  return new Function(
    'c',
    'k',
    't',
    'n',
    'out',
    `"use strict";\n${columns.join('\n')}\n${constants.join('\n')}\nlet m = 0;\nfor (let i = 0; i < n; i++) ${statement}\nreturn m;`,
  ) as Loop;
}

/** With numbers first; where these are not exact, with bigints. */
function attempt<T>(columns: readonly Column[], work: (writer: Writer, cells: readonly unknown[]) => T): T {
  const cells = columns.map(({ cells: each }) => {
    if (!ArrayBuffer.isView(each) || !isWideCells(each)) return () => each as unknown;
    return () => exactNumbers(each);
  });
  try {
    // Only columns that the expression uses are asked for.
    const lazily = new Proxy(cells, {
      get(all, index) {
        const made = all[Number(index)]!();
        if (made === undefined) throw new Inexact();
        return made;
      },
    });
    return work(new Writer(false), lazily as unknown as readonly unknown[]);
  } catch (error) {
    if (!(error instanceof Inexact)) throw error;
  }
  return work(
    new Writer(true),
    columns.map(({ cells: each }) => each),
  );
}

/** The values of an expression for all rows. */
export function evaluated(of: Typed, columns: readonly Column[], rows: number): Cells {
  if (of.kind === 'column') return columns[of.index]!.cells;
  return attempt(columns, (writer, cells): Cells => {
    const loop = compiled(writer, `out[i] = ${writer.value(of, of.value)};`);
    if (of.value === 'str') {
      const out: string[] = new Array(rows);
      loop(cells, writer.constants, TOOLS, rows, out);
      return out;
    }
    if (isWide(of.value) && !writer.wide) {
      const numbers = new Float64Array(rows);
      loop(cells, writer.constants, TOOLS, rows, numbers);
      return wideCells(numbers, roomFor(of.value, rows) as BigInt64Array);
    }
    const out = roomFor(of.value, rows);
    loop(cells, writer.constants, TOOLS, rows, out);
    return out;
  });
}

/** The rows for which an expression holds. */
export function chosenRows(of: Typed, columns: readonly Column[], rows: number): Int32Array {
  return attempt(columns, (writer, cells) => {
    const condition = writer.truth(of);
    const loop = compiled(writer, `if (${condition}) out[m++] = i;`);
    const out = new Int32Array(rows);
    return out.subarray(0, loop(cells, writer.constants, TOOLS, rows, out));
  });
}
