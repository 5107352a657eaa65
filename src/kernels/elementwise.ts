import type { Kind } from '../nd/index.ts';
import * as F from './floats.ts';
import * as I from './integers.ts';

const NUMBERS: readonly Kind[] = ['int', 'uint', 'float'];
const FLOATS: readonly Kind[] = ['float'];
const INTEGERS: readonly Kind[] = ['int', 'uint'];
const BITS: readonly Kind[] = ['bool', 'int', 'uint'];
const BOOLEANS: readonly Kind[] = ['bool'];
const ALL: readonly Kind[] = ['bool', 'int', 'uint', 'float'];

/**
 * One operator that is applied element by element. Its operands have one type, that of the result unless `gives` says otherwise.
 *
 * The functions define the answer, for whatever computes it: `float` with doubles (those of 32 bits are computed as doubles and
 * rounded once, which for + - * / and the square root is the exact result rounded), `exact` with integers without limit, which
 * are then wrapped. Booleans are the integers 0 and 1.
 */
export interface ElementOp {
  readonly arity: 1 | 2 | 3;
  /** The kinds of element types that it takes. */
  readonly takes: readonly Kind[];
  readonly gives: 'same' | 'bool';
  /** The first operand is a boolean, whatever the others are. */
  readonly chooses?: true;
  readonly float?: (x: number, y: number, z: number) => number;
  /** Where the nearest float of 32 bits is not that of the result in doubles. */
  readonly float32?: (x: number, y: number, z: number) => number;
  readonly exact?: (x: bigint, y: bigint, z: bigint | number) => bigint;
  /** `exact` gets the number of bits of the type behind its operands. */
  readonly needsBits?: true;
  /** Operands may change places. */
  readonly commutes?: true;
}

type Float1 = (x: number) => number;
type Float2 = (x: number, y: number) => number;

const floats = (float: Float1): ElementOp => ({ arity: 1, takes: FLOATS, gives: 'same', float });
const floats2 = (float: Float2, more: Partial<ElementOp> = {}): ElementOp => ({
  arity: 2,
  takes: FLOATS,
  gives: 'same',
  float,
  ...more,
});
const numbers = (float: Float1, exact: (x: bigint) => bigint): ElementOp => ({
  arity: 1,
  takes: NUMBERS,
  gives: 'same',
  float,
  exact,
});
const numbers2 = (
  float: Float2,
  exact: (x: bigint, y: bigint) => bigint,
  more: Partial<ElementOp> = {},
): ElementOp => ({
  arity: 2,
  takes: NUMBERS,
  gives: 'same',
  float,
  exact,
  ...more,
});
const bits2 = (exact: (x: bigint, y: bigint) => bigint): ElementOp => ({
  arity: 2,
  takes: BITS,
  gives: 'same',
  exact,
  commutes: true,
});
const logic2 = (exact: (x: bigint, y: bigint) => bigint): ElementOp => ({ ...bits2(exact), takes: BOOLEANS });
const test = (takes: readonly Kind[], float: (x: number) => boolean, ofIntegers: boolean): ElementOp => ({
  arity: 1,
  takes,
  gives: 'bool',
  float: (x) => Number(float(x)),
  exact: () => (ofIntegers ? 1n : 0n),
});
const comparison = (
  takes: readonly Kind[],
  compare: <T extends number | bigint>(x: T, y: T) => boolean,
  more: Partial<ElementOp> = {},
): ElementOp => ({
  arity: 2,
  takes,
  gives: 'bool',
  float: (x, y) => Number(compare(x, y)),
  exact: (x, y) => BigInt(compare(x, y)),
  ...more,
});

const same = <T>(x: T): T => x;
const COMMUTES = { commutes: true } as const;

/**
 * Every elementwise operator, by the name that the Python array API standard (2024.12) has for it, in camelCase. Where the standard
 * leaves an answer open, it is here:
 *
 * - Integers wrap. A division by zero gives 0, its remainder as well; so does a negative power, except of 1 and -1.
 * - Shifts by as many bits as there are, or more, or a negative number of them, leave nothing (a negative number: -1 to the right).
 * - `maximum` and `minimum` of two zeros order them by their signs; NaN wins.
 */
export const ELEMENTWISE = {
  // One operand, numbers.
  abs: numbers(Math.abs, (x) => (x < 0n ? -x : x)),
  negative: numbers(
    (x) => -x,
    (x) => -x,
  ),
  positive: numbers(same, same),
  sign: numbers(F.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  square: numbers(
    (x) => x * x,
    (x) => x * x,
  ),
  ceil: numbers(Math.ceil, same),
  floor: numbers(Math.floor, same),
  round: numbers(F.roundToEven, same),
  trunc: numbers(Math.trunc, same),

  // One operand, floats.
  acos: floats(Math.acos),
  acosh: floats(Math.acosh),
  asin: floats(Math.asin),
  asinh: floats(Math.asinh),
  atan: floats(Math.atan),
  atanh: floats(Math.atanh),
  cos: floats(Math.cos),
  cosh: floats(Math.cosh),
  exp: floats(Math.exp),
  expm1: floats(Math.expm1),
  log: floats(Math.log),
  log10: floats(Math.log10),
  log1p: floats(Math.log1p),
  log2: floats(Math.log2),
  reciprocal: floats((x) => 1 / x),
  sin: floats(Math.sin),
  sinh: floats(Math.sinh),
  sqrt: floats(Math.sqrt),
  tan: floats(Math.tan),
  tanh: floats(Math.tanh),

  // One operand, yes or no.
  isFinite: test(NUMBERS, Number.isFinite, true),
  isInf: test(NUMBERS, (x) => Math.abs(x) === Number.POSITIVE_INFINITY, false),
  isNaN: test(NUMBERS, Number.isNaN, false),
  signbit: test(FLOATS, (x) => F.signOf(x) < 0, false),
  logicalNot: { arity: 1, takes: BOOLEANS, gives: 'same', exact: (x) => 1n - x },
  // A boolean has one bit.
  bitwiseInvert: {
    arity: 1,
    takes: BITS,
    gives: 'same',
    needsBits: true,
    exact: (x, bits) => (bits === 1n ? 1n - x : ~x),
  },

  // Two operands, numbers.
  add: numbers2(
    (x, y) => x + y,
    (x, y) => x + y,
    COMMUTES,
  ),
  subtract: numbers2(
    (x, y) => x - y,
    (x, y) => x - y,
  ),
  multiply: numbers2(
    (x, y) => x * y,
    (x, y) => x * y,
    COMMUTES,
  ),
  floorDivide: numbers2(F.floorDivide, I.floorDivide),
  remainder: numbers2(F.remainder, I.remainder),
  pow: numbers2(F.pow, I.pow),
  maximum: numbers2(
    (x, y) => Math.max(x, y),
    (x, y) => (x > y ? x : y),
    COMMUTES,
  ),
  minimum: numbers2(
    (x, y) => Math.min(x, y),
    (x, y) => (x < y ? x : y),
    COMMUTES,
  ),

  // Two operands, floats.
  atan2: floats2(Math.atan2),
  copysign: floats2(F.copysign),
  divide: floats2((x, y) => x / y),
  hypot: floats2((x, y) => Math.hypot(x, y), COMMUTES),
  logaddexp: floats2(F.logaddexp, COMMUTES),
  nextafter: floats2(F.nextAfter, { float32: F.nextAfter32 }),

  // Two operands, bits.
  bitwiseAnd: bits2((x, y) => x & y),
  bitwiseOr: bits2((x, y) => x | y),
  bitwiseXor: bits2((x, y) => x ^ y),
  bitwiseLeftShift: {
    arity: 2,
    takes: INTEGERS,
    gives: 'same',
    needsBits: true,
    exact: (x, y, n) => I.shiftLeft(x, y, Number(n)),
  },
  bitwiseRightShift: {
    arity: 2,
    takes: INTEGERS,
    gives: 'same',
    needsBits: true,
    exact: (x, y, n) => I.shiftRight(x, y, Number(n)),
  },
  logicalAnd: logic2((x, y) => x & y),
  logicalOr: logic2((x, y) => x | y),
  logicalXor: logic2((x, y) => x ^ y),

  // Two operands, yes or no.
  equal: comparison(ALL, (x, y) => x === y, COMMUTES),
  notEqual: comparison(ALL, (x, y) => x !== y, COMMUTES),
  greater: comparison(NUMBERS, (x, y) => x > y),
  greaterEqual: comparison(NUMBERS, (x, y) => x >= y),
  less: comparison(NUMBERS, (x, y) => x < y),
  lessEqual: comparison(NUMBERS, (x, y) => x <= y),

  // A boolean and two operands.
  where: {
    arity: 3,
    takes: ALL,
    gives: 'same',
    chooses: true,
    float: (c, x, y) => (c !== 0 ? x : y),
    exact: (c, x, y) => (c !== 0n ? x : (y as bigint)),
  },
} as const satisfies Record<string, ElementOp>;

export type ElementOpName = keyof typeof ELEMENTWISE;

export const elementOp = (name: ElementOpName): ElementOp => ELEMENTWISE[name];
