/** Elementwise operations on arrays, as the language means them: its types, C's division, minimum and rounding. All of it is lazy and fuses. */

import {
  type Arr,
  abs,
  acos,
  add,
  asin,
  astype,
  atan,
  ceil,
  copysign,
  cos,
  cosh,
  divide,
  equal,
  exp,
  floor,
  floorDivide,
  greater,
  greaterEqual,
  isNaN as isNaNOf,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  multiply,
  negative,
  notEqual,
  pow,
  remainder,
  round,
  sign,
  sin,
  sinh,
  sqrt,
  subtract,
  tan,
  tanh,
  trunc,
  where,
} from '../../arrays/index.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { ELEMENT_TYPES, isFloat, isInteger } from '../types.ts';
import type { NumericType } from './operands.ts';

/** A side of an operation: an array, or a scalar of its element type. */
export type Operand = Arr | number | bigint | boolean;
type Loose = (...args: readonly Operand[]) => Arr;

// Element types are known when a script runs, and not to the type checker.
const loose = (of: unknown): Loose => of as Loose;
const [plus, minus, times, over] = [add, subtract, multiply, divide].map(loose) as [Loose, Loose, Loose, Loose];
const [both, either, apart] = [logicalAnd, logicalOr, logicalXor].map(loose) as [Loose, Loose, Loose];
const [is, isNot, isLess, isMore] = [equal, notEqual, less, greater].map(loose) as [Loose, Loose, Loose, Loose];
const [choose, lower, size, root] = [where, floorDivide, abs, trunc].map(loose) as [Loose, Loose, Loose, Loose];
const [rest, signed] = [remainder, copysign].map(loose) as [Loose, Loose];

const isArray = (x: Operand): x is Arr => typeof x === 'object';
const isUnsigned = (value: NumericType): boolean =>
  value === 'ui8' || value === 'ui32' || value === 'ui64' || value === 'size';
const isBig = (value: NumericType): boolean => ['i64', 'u64'].includes(ELEMENT_TYPES[value]);

/** A number beside arrays of the type. */
const constant = (value: NumericType, x: number): number | bigint => (isBig(value) ? BigInt(x) : x);

/** Elements in another type, as C converts them on x86: a float that no integer of the type is becomes the least one. */
export function converted(x: Arr, from: NumericType, to: NumericType): Arr {
  if (ELEMENT_TYPES[from] === ELEMENT_TYPES[to]) return x;
  if (!isFloat(from) || !isInteger(to)) return astype(x, ELEMENT_TYPES[to]);
  const wide = from === 'f32' ? astype(x, 'f64') : x;
  const bits = to === 'si8' || to === 'ui8' || to === 'si32' ? 32 : 64;
  const within = isLess(size(root(wide)), 2 ** (bits - 1));
  const least = bits === 32 ? -(2 ** 31) : -(2n ** 63n);
  const whole = choose(within, astype(wide, bits === 32 ? 'i32' : 'i64'), least);
  if (to === 'ui64' || to === 'size') {
    const upper = both(loose(greaterEqual)(wide, 2 ** 63), isLess(wide, 2 ** 64));
    return choose(upper, astype(wide, 'u64'), astype(whole, 'u64'));
  }
  return astype(whole, ELEMENT_TYPES[to]);
}

/** What holds for operands of some operations; what it says is wrong where it does not. */
export interface Computed {
  readonly array: Arr;
  /** Where operands are no good. */
  readonly bad?: Arr;
  readonly message?: string;
}

const same = (x: Arr): Arr => x;

/** Halves go away from zero; all others are as they are where halves go to even. */
function rounded(x: Arr): Arr {
  const whole = root(x);
  const fraction = minus(x, whole);
  return choose(is(size(fraction), 0.5), plus(whole, plus(fraction, fraction)), round(x));
}

type Unary = (x: Arr, value: NumericType) => Arr;
const simple =
  (of: unknown): Unary =>
  (x) =>
    loose(of)(x);
const UNARY: Partial<Record<ScalarOperation, Unary>> = {
  minus: simple(negative),
  abs: (x, value) => (isUnsigned(value) ? x : abs(x)),
  sign: simple(sign),
  exp: simple(exp),
  ln: simple(log),
  sqrt: simple(sqrt),
  sin: simple(sin),
  cos: simple(cos),
  tan: simple(tan),
  asin: simple(asin),
  acos: simple(acos),
  atan: simple(atan),
  sinh: simple(sinh),
  cosh: simple(cosh),
  tanh: simple(tanh),
  round: (x, value) => (isFloat(value) ? rounded(x) : x),
  floor: (x, value) => (isFloat(value) ? floor(x) : x),
  ceil: (x, value) => (isFloat(value) ? ceil(x) : x),
  isNan: (x, value) => astype(isNot(x, x), ELEMENT_TYPES[value]),
};

/** Of elements that have the type already. */
export function unaryOf(operation: ScalarOperation, x: Arr, value: NumericType): Computed {
  // Of bools, integers in between: -true is true.
  if (value === 'bool') return { array: operation === 'isNan' ? apart(x, x) : same(x) };
  const array = (UNARY[operation] as Unary)(x, value);
  switch (operation) {
    case 'sqrt':
    case 'ln':
      return {
        array,
        bad: isLess(x, 0),
        message: `${operation} is defined for numbers from 0 on, and a negative one is in the matrix`,
      };
    case 'asin':
    case 'acos':
      return {
        array,
        bad: isMore(size(x), 1),
        message: `${operation} is defined for numbers from -1 to 1, and another one is in the matrix`,
      };
    default:
      return { array };
  }
}

/** The quotient without its fraction; `floorDivide` goes down, which is one too low between operands of different signs. */
function quotient(a: Operand, b: Operand, value: NumericType): Arr {
  const down = lower(a, b);
  if (isUnsigned(value)) return down;
  const zero = constant(value, 0);
  const negativeOf = (x: Operand): Operand =>
    isArray(x) ? isLess(x, zero) : (x as number) < (zero as unknown as number);
  const differ = differing(negativeOf(a), negativeOf(b));
  const inexact = isNot(times(down, b), a);
  return plus(down, astype(both(inexact, differ), ELEMENT_TYPES[value]));
}

/** Whether one of the two holds; one of them may be known. */
function differing(a: Operand, b: Operand): Operand {
  return isArray(a) || isArray(b) ? apart(a, b) : a !== b;
}

/** As C's `fmod`: exact, with the sign of `a`. */
const remains = (a: Operand, b: Operand): Arr =>
  signed(rest(isArray(a) ? size(a) : Math.abs(Number(a)), isArray(b) ? size(b) : Math.abs(Number(b))), a);

const COMPARE: Partial<Record<ScalarOperation, Loose>> = {
  eq: is,
  neq: isNot,
  lt: isLess,
  le: loose(lessEqual),
  gt: isMore,
  ge: loose(greaterEqual),
};

/** By doubles, as C has it for integers. */
function byDoubles(of: (a: Operand, b: Operand) => Arr, a: Operand, b: Operand, value: NumericType): Arr {
  const float = (x: Operand): Operand => (isArray(x) ? converted(x, value, 'f64') : Number(x));
  return converted(of(float(a), float(b)), 'f64', value);
}

const truth = (x: Operand): Operand => (isArray(x) ? (x.dtype === 'bool' ? x : isNot(x, constantLike(x))) : Boolean(x));
const constantLike = (x: Arr): number | bigint => (x.dtype === 'i64' || x.dtype === 'u64' ? 0n : 0);

/** Of two operands of the type, one of which is an array at least. */
export function binaryOf(operation: ScalarOperation, a: Operand, b: Operand, value: NumericType): Computed {
  const compare = COMPARE[operation];
  if (compare !== undefined)
    return { array: astype(comparison(operation, compare, a, b, value), ELEMENT_TYPES[value]) };
  if (operation === 'and' || operation === 'or') {
    const array = (operation === 'and' ? both : either)(truth(a), truth(b));
    return { array: astype(array, ELEMENT_TYPES[value]) };
  }
  if (value === 'bool') {
    const integer = (x: Operand): Operand => (isArray(x) ? astype(x, 'i32') : Number(x));
    const { array, ...rest } = binaryOf(operation, integer(a), integer(b), 'si32');
    return { array: astype(array, 'bool'), ...rest };
  }
  if (operation === 'div' && !isFloat(value)) {
    const zero = constant(value, 0);
    const bad = isArray(b) ? is(b, zero) : Number(b) === 0 ? is(a, a) : undefined;
    const array = quotient(a, b, value);
    return bad === undefined ? { array } : { array, bad, message: 'an integer is divided by zero' };
  }
  return { array: arithmetic(operation, a, b, value) };
}

/** Bools have an order, too, which arrays of them have not. */
function comparison(operation: ScalarOperation, compare: Loose, a: Operand, b: Operand, value: NumericType): Arr {
  if (value !== 'bool' || operation === 'eq' || operation === 'neq') return compare(a, b);
  const integer = (x: Operand): Operand => (isArray(x) ? astype(x, 'u8') : Number(x));
  return compare(integer(a), integer(b));
}

function arithmetic(operation: ScalarOperation, a: Operand, b: Operand, value: NumericType): Arr {
  const float = isFloat(value);
  switch (operation) {
    case 'add':
      return plus(a, b);
    case 'sub':
      return minus(a, b);
    case 'mul':
      return times(a, b);
    case 'div':
      return over(a, b);
    case 'pow':
      return float ? loose(pow)(a, b) : byDoubles(loose(pow), a, b, value);
    case 'mod':
      return float ? remains(a, b) : byDoubles(remains, a, b, value);
    // NaN is neither less nor greater, so that the first one stays.
    case 'min':
      return float ? choose(isLess(b, a), b, a) : loose(minimum)(a, b);
    case 'max':
      return float ? choose(isLess(a, b), b, a) : loose(maximum)(a, b);
    case 'log':
      return over(logarithm(a), logarithm(b));
    default:
      throw new TypeError(`there is no ${operation} of arrays`);
  }
}

const logarithm = (x: Operand): Operand => (isArray(x) ? loose(log)(x) : Math.log(x as number));

export { choose, either, isLess, isMore, isNaNOf as isNan, loose, plus };
