/**
 * What operations on scalars mean, for each type: for the compiler, which computes what it knows, and for what is compiled, which calls them where its
 * own code for the usual case does not do. Operands and results are as `Scalar` says.
 */

import { RunError } from '../builtins/builtin.ts';
import { generalText } from '../text/numbers.ts';
import { isFloat, isInteger, type ValueType } from '../types.ts';
import type { Integer, Scalar } from '../values/values.ts';
import { integerPower, truncated, wrapped } from './integers.ts';
import { scalarCast } from './scalar-casts.ts';
import type { ScalarOperation } from './scalars.ts';

export type ScalarFunction = (...args: Scalar[]) => Scalar;

/** Operations that may fail, for values that are no good. */
export const FALLIBLE: ReadonlySet<ScalarOperation> = new Set(['div', 'sqrt', 'ln', 'asin', 'acos']);

const known = new Map<string, ScalarFunction>();

/** @throws RunError, when it is called: a division of integers by zero, a root of what is negative. */
export function scalarFunction(operation: ScalarOperation, value: ValueType): ScalarFunction {
  const key = `${operation} ${value}`;
  let made = known.get(key);
  if (made === undefined) {
    made = make(operation, value);
    known.set(key, made);
  }
  return made;
}

function make(operation: ScalarOperation, value: ValueType): ScalarFunction {
  const found =
    value === 'str'
      ? TEXTS[operation]
      : (COMPARISONS[operation]?.(value) ??
        (isFloat(value)
          ? floatFunction(operation, value)
          : value === 'bool'
            ? boolFunction(operation)
            : integerFunction(operation, value)));
  if (found === undefined) throw new TypeError(`there is no ${operation} of ${value}`);
  return found as ScalarFunction;
}

type Compare = (a: Scalar, b: Scalar) => boolean;
const COMPARE: Partial<Record<ScalarOperation, Compare>> = {
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

const COMPARISONS = Object.fromEntries(
  Object.entries(COMPARE).map(([name, compare]) => [
    name,
    (value: ValueType) =>
      value === 'bool' ? compare : (a: Scalar, b: Scalar): Scalar => ((compare as Compare)(a, b) ? 1 : 0),
  ]),
) as unknown as Partial<Record<ScalarOperation, (value: ValueType) => ScalarFunction>>;

const lower = (x: Scalar): string => (x as string).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upper = (x: Scalar): string => (x as string).replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** Characters beyond ASCII have no case, as in C. */
const TEXTS: Partial<Record<ScalarOperation, ScalarFunction>> = {
  ...(Object.fromEntries(
    Object.entries(COMPARE).map(([name, compare]) => [name, (a: Scalar, b: Scalar) => (compare(a, b) ? 1 : 0)]),
  ) as Partial<Record<ScalarOperation, ScalarFunction>>),
  concat: ((a: string, b: string) => a + b) as ScalarFunction,
  lower: lower as ScalarFunction,
  upper: upper as ScalarFunction,
};

const outside = (name: string, domain: string, value: Scalar): RunError =>
  new RunError(
    `${name} is defined for ${domain}, and not for ${typeof value === 'number' ? generalText(value) : value}`,
  );

const roundAway = (x: number): number => {
  const size = Math.abs(x);
  // Half of an odd last bit is not added to what has no room for it.
  const whole = Math.trunc(size);
  return (x < 0 || Object.is(x, -0) ? -1 : 1) * (size - whole >= 0.5 ? whole + 1 : whole);
};

/** As in C: 1 to any power is 1, and so is -1 to an infinite one. */
const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

type OfFloats = (a: number, b: number) => number;
const FLOATS: Partial<Record<ScalarOperation, OfFloats>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: power,
  mod: (a, b) => a % b,
  // NaN is neither less nor greater, so that the first one stays.
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (a < b ? b : a),
  log: (a, b) => Math.log(a) / Math.log(b),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  minus: (a) => -a,
  abs: Math.abs,
  sign: (a) => (a === 0 ? 0 : a < 0 ? -1 : a > 0 ? 1 : Number.NaN),
  exp: Math.exp,
  ln: (a) => {
    if (a < 0) throw outside('ln', 'numbers from 0 on', a);
    return Math.log(a);
  },
  sqrt: (a) => {
    if (a < 0) throw outside('sqrt', 'numbers from 0 on', a);
    return Math.sqrt(a);
  },
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: (a) => {
    if (Math.abs(a) > 1) throw outside('asin', 'numbers from -1 to 1', a);
    return Math.asin(a);
  },
  acos: (a) => {
    if (Math.abs(a) > 1) throw outside('acos', 'numbers from -1 to 1', a);
    return Math.acos(a);
  },
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  round: roundAway,
  floor: Math.floor,
  ceil: Math.ceil,
  isNan: (a) => (Number.isNaN(a) ? 1 : 0),
};

function floatFunction(operation: ScalarOperation, value: ValueType): ScalarFunction | undefined {
  const made = FLOATS[operation];
  if (made === undefined || value === 'f64') return made as ScalarFunction | undefined;
  return ((a: number, b: number) => Math.fround(made(a, b))) as ScalarFunction;
}

type OfBigints = (a: bigint, b: bigint) => bigint;
/** Exact, before they are cut to the type. */
const EXACT: Partial<Record<ScalarOperation, OfBigints>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  minus: (a) => -a,
  abs: (a) => (a < 0n ? -a : a),
};

type OfIntegers = (a: Integer, b: Integer) => Integer;
/** Results that are of the type whatever the operands are. */
const WITHIN: Partial<Record<ScalarOperation, OfIntegers>> = {
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (a < b ? b : a),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  round: (a) => a,
  floor: (a) => a,
  ceil: (a) => a,
  isNan: () => 0,
};

function integerFunction(operation: ScalarOperation, value: ValueType): ScalarFunction | undefined {
  const within = WITHIN[operation];
  if (within !== undefined) return within as ScalarFunction;
  if (operation === 'sign') return ((a: Integer) => (a > 0 ? 1 : a < 0 ? wrapped(value, -1) : 0)) as ScalarFunction;
  if (operation === 'pow') return ((a: Integer, b: Integer) => truncated(value, integerPower(a, b))) as ScalarFunction;
  const exact = EXACT[operation];
  if (exact === undefined) {
    // All others are computed by doubles, as C converts their operands.
    const made = FLOATS[operation];
    if (made === undefined) return undefined;
    return ((a: Integer, b: Integer) => truncated(value, made(Number(a), Number(b)))) as ScalarFunction;
  }
  const big = (a: Integer, b: Integer): Integer => wrapped(value, exact(BigInt(a), BigInt(b ?? 0)));
  if (operation === 'div') {
    return ((a: Integer, b: Integer) => {
      if (b === 0) throw new RunError('an integer is divided by zero');
      return typeof a === 'number' && typeof b === 'number' ? wrapped(value, Math.trunc(a / b) + 0) : big(a, b);
    }) as ScalarFunction;
  }
  const quick = FLOATS[operation] as OfFloats;
  return ((a: Integer, b: Integer) => {
    if (typeof a === 'number' && (b === undefined || typeof b === 'number')) {
      const result = quick(a, b as number) + 0;
      if (Number.isSafeInteger(result)) return wrapped(value, result);
    }
    return big(a, b);
  }) as ScalarFunction;
}

/** Bools are integers in between. */
function boolFunction(operation: ScalarOperation): ScalarFunction | undefined {
  const made = integerFunction(operation, 'si32');
  const toBool = scalarCast('si32', 'bool');
  return made && ((...args: Scalar[]) => toBool(made(...args.map(Number))));
}
