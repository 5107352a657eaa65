/** Expressions become JavaScript, in loops over the rows of columns. */

import { RunError } from '../builtins/builtin.ts';
import { fixedText } from '../text/numbers.ts';
import { isFloat, isWide, type ValueType } from '../types.ts';
import { HIGH, isWideCells, knownNumbers, WORD } from '../values/integers.ts';
import { compareTexts, Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';
import { ARITHMETIC, type Typed } from './expressions.ts';
import type { Operator } from './parser.ts';

type Binary = Extract<Typed, { kind: 'binary' }>;

/** What the code of expressions refers to. */
interface Tools {
  readonly exact: (value: number) => number;
  readonly inexact: Inexact;
  readonly divided: (a: number, b: number) => number;
  readonly dividedWide: (a: bigint, b: bigint) => bigint;
  readonly order: (a: string, b: string) => number;
  readonly text: (value: number | bigint) => string;
  readonly fixed: (value: number) => string;
}

/** Numbers have not all of the integers that are there. */
class Inexact extends Error {}

/** Integers in a column have more than 32 bits, which is known from now on. */
class Large extends Error {}

const large = new WeakSet<object>();

const TOOLS: Tools = {
  exact(value) {
    if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) throw new Inexact();
    return value;
  },
  inexact: new Inexact(),
  divided(a, b) {
    if (b === 0) throw new RunError('integers are not divided by 0');
    return Math.trunc(a / b);
  },
  dividedWide(a, b) {
    if (b === 0n) throw new RunError('integers are not divided by 0');
    return a / b;
  },
  order: compareTexts,
  text: String,
  fixed: fixedText,
};

type Loop = (arrays: readonly unknown[], constants: readonly unknown[], tools: Tools, rows: number) => number;

/** The last few loops: queries run again and again, and what is known of the code is worth something. */
const known = new Map<string, Loop>();
const MOST_KNOWN = 64;

/** Rows that are filtered at a time. */
const BLOCK = 1024;

/** Of arrays of other kinds the engine would have to learn again what it knows. */
const kindOf = (array: unknown): string => (array as object).constructor.name;

/** Writes JavaScript for row `i`; `wide`: with bigints for types of 64 bits, which is always exact, and slow. */
export class Writer {
  readonly wide: boolean;
  readonly #columns: readonly Column[];
  readonly #constants: (number | bigint | string)[] = [];
  /** What the code refers to as a0, a1, ... */
  readonly #arrays: unknown[] = [];
  readonly #names = new Map<unknown, string>();
  /** Columns of 64 bits whose elements are taken out once in each row, and where that is still to be written. */
  readonly #loaded = new Set<number>();
  #loads = '';
  #filter = '';

  constructor(columns: readonly Column[], wide: boolean) {
    this.#columns = columns;
    this.wide = wide;
  }

  /** The name of an array. */
  array(array: object): string {
    let name = this.#names.get(array);
    if (name === undefined) {
      name = `a${this.#arrays.push(array) - 1}`;
      this.#names.set(array, name);
    }
    return name;
  }

  constant(constant: number | bigint | string): string {
    return `k${this.#constants.push(constant) - 1}`;
  }

  /** What has to stand in front of the code that was written since it was asked for last. */
  loads(): string {
    const loads = this.#loads;
    this.#loads = '';
    return loads;
  }

  /** Only rows for which this holds are looked at by what is written from now on. */
  filter(of: Typed): void {
    const truth = this.truth(of);
    this.#filter = `${this.loads()}chosen[q] = i;\nq = q + (${truth} | 0) | 0;`;
    // In a loop of their own, columns are loaded again.
    this.#loaded.clear();
  }

  /** Runs statements for each row; gives `m`, which begins with 0. */
  run(statements: string, rows: number): number {
    const names = this.#arrays.map((_, i) => `a${i} = a[${i}]`);
    const constants = this.#constants.map((_, i) => `k${i} = k[${i}]`);
    const all = [...names, ...constants, 'm = 0'].join(', ');
    const code = `"use strict"; // ${this.#arrays.map(kindOf).join(' ')}\nlet ${all};\n${this.#loop(statements)}\nreturn m;`;
    let loop = known.get(code);
    if (loop === undefined) {
      loop = new Function('a', 'k', 't', 'n', code) as Loop;
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(code, loop);
    }
    try {
      return loop(this.#arrays, this.#constants, TOOLS, rows);
    } catch (error) {
      // Columns are thrown as they are: a call takes time even where it is never made.
      if (!ArrayBuffer.isView(error)) throw error;
      large.add(error);
      throw new Large();
    }
  }

  /**
   * Which rows are chosen is no branch, which the processor would foresee wrongly again and again: their numbers are written one over the other
   * until one stays. A block of them stays near to it.
   */
  #loop(statements: string): string {
    if (this.#filter === '') return `for (let i = 0; i < n; i++) {\n${statements}\n}`;
    return `const chosen = new Int32Array(${BLOCK});
for (let begin = 0; begin < n; begin += ${BLOCK}) {
const end = Math.min(begin + ${BLOCK}, n);
let q = 0;
for (let i = begin; i < end; i++) {\n${this.#filter}\n}
for (let j = 0; j < q; j++) {\nconst i = chosen[j];\n${statements}\n}
}`;
  }

  /** The value, in a type. */
  value(of: Typed, as: ValueType): string {
    return this.#cast(this.#own(of), of.value, as);
  }

  /** An element of a column: of texts their code. */
  element(index: number): string {
    const { cells } = this.#columns[index]!;
    if (cells instanceof Texts) return `${this.array(cells.codes)}[i]`;
    if (this.wide || !ArrayBuffer.isView(cells) || !isWideCells(cells)) return `${this.array(cells)}[i]`;
    const numbers = knownNumbers(cells);
    if (numbers === false) throw new Inexact();
    if (numbers !== undefined) return `${this.array(numbers)}[i]`;
    if (!this.#loaded.has(index)) {
      this.#loaded.add(index);
      this.#loads += this.#load(cells, `h${index}`, `x${index}`);
    }
    return `x${index}`;
  }

  /** Mostly they are small, and numbers of 32 bits take half as long. */
  #load(cells: BigInt64Array | BigUint64Array, high: string, number: string): string {
    const words = this.array(wordsOf(cells));
    const isSigned = cells instanceof BigInt64Array;
    if (large.has(cells))
      return `const ${high} = ${words}[2 * i + 1];
if (${high} >= ${HIGH} || ${high} < ${isSigned ? -HIGH : 0}) throw t.inexact;
const ${number} = ${high} * ${WORD} + (${words}[2 * i] >>> 0);\n`;
    const isLarge = isSigned ? `${high} !== ${number} >> 31` : `${high} !== 0 || ${number} < 0`;
    return `const ${number} = ${words}[2 * i], ${high} = ${words}[2 * i + 1];
if (${isLarge}) throw ${this.array(cells)};\n`;
  }

  #own(of: Typed): string {
    if (of.kind === 'constant') return this.#constant(of.constant, of.value);
    if (of.kind === 'column') {
      const { cells } = this.#columns[of.index]!;
      const element = this.element(of.index);
      return cells instanceof Texts ? `${this.array(cells.words)}[${element}]` : element;
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
    if (of.operator === 'and' || of.operator === 'or') {
      const operator = of.operator === 'and' ? '&' : '|';
      // What takes long, or may fail, is left out where nobody has to know it.
      return `(${this.truth(of.left)} ${this.#isSimple(of.right) ? operator : operator.repeat(2)} ${this.truth(of.right)})`;
    }
    if (of.operands === 'str') return this.#textTruth(of);
    const [a, b] = [this.value(of.left, of.operands), this.value(of.right, of.operands)];
    return `(${a} ${comparison(of.operator)} ${b})`;
  }

  /** Nothing but comparisons of what is there. */
  #isSimple(of: Typed): boolean {
    if (of.kind !== 'binary') return of.value !== 'str';
    if (ARITHMETIC.has(of.operator)) return false;
    if (of.operands !== 'str') return this.#isSimple(of.left) && this.#isSimple(of.right);
    return [of.left, of.right].every((each) => isText(each) || this.#texts(each) !== undefined);
  }

  #textTruth(of: Binary): string {
    const [left, right] = [this.#texts(of.left), this.#texts(of.right)];
    if (left !== undefined && right !== undefined && left.words === right.words)
      return `(${this.array(left.codes)}[i] ${comparison(of.operator)} ${this.array(right.codes)}[i])`;
    if (left !== undefined && isText(of.right)) return this.#codeTruth(left, of.operator, of.right.constant);
    if (right !== undefined && isText(of.left))
      return this.#codeTruth(right, TURNED[of.operator] ?? of.operator, of.left.constant);
    const [a, b] = [this.value(of.left, 'str'), this.value(of.right, 'str')];
    const isEquality = of.operator === '=' || of.operator === '<>';
    return isEquality ? `(${a} ${comparison(of.operator)} ${b})` : `(t.order(${a}, ${b}) ${of.operator} 0)`;
  }

  #texts(of: Typed): Texts | undefined {
    const cells = of.kind === 'column' ? this.#columns[of.index]!.cells : undefined;
    return cells instanceof Texts ? cells : undefined;
  }

  /** Words are in order: a text is compared by where it is among them, or would be. */
  #codeTruth({ codes, words }: Texts, operator: Operator, text: string): string {
    let [from, to] = [0, words.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareTexts(words[middle]!, text) < 0) from = middle + 1;
      else to = middle;
    }
    const isThere = words[from] === text;
    const code = `${this.array(codes)}[i]`;
    if (operator === '=' || operator === '<>')
      return `(${code} ${comparison(operator)} ${this.constant(isThere ? from : -1)})`;
    const isBelow = operator === '<' || operator === '<=';
    const limit = from + Number(isThere && (operator === '<=' || operator === '>'));
    return `(${code} ${isBelow ? '<' : '>='} ${this.constant(limit)})`;
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
    return this.constant(constant);
  }

  #one = (value: ValueType): string => (this.wide && isWide(value) ? '1n' : '1');
  #zero = (value: ValueType): string => (this.wide && isWide(value) ? '0n' : '0');
}

const isText = (of: Typed): of is Extract<Typed, { kind: 'constant' }> & { constant: string } =>
  of.kind === 'constant' && of.value === 'str';

const comparison = (operator: Operator): string => (operator === '=' ? '===' : operator === '<>' ? '!==' : operator);

const TURNED: Partial<Record<Operator, Operator>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Integers of 64 bits as halves, the lower one first. */
const wordsOf = (cells: BigInt64Array | BigUint64Array): Int32Array =>
  new Int32Array(cells.buffer, cells.byteOffset, cells.length * 2);

/** With numbers; undefined: these are not exact. */
export function withNumbers<T>(columns: readonly Column[], work: (writer: Writer) => T): T | undefined {
  for (;;) {
    try {
      return work(new Writer(columns, false));
    } catch (error) {
      if (error instanceof Inexact) return undefined;
      // Of each column that is known once.
      if (!(error instanceof Large)) throw error;
    }
  }
}

/** With numbers first; where these are not exact, with bigints. */
export const attempt = <T extends object>(columns: readonly Column[], work: (writer: Writer) => T): T =>
  withNumbers(columns, work) ?? work(new Writer(columns, true));
