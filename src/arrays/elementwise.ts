import type {
  Binary,
  Comparison,
  FloatBinary,
  FloatUnary,
  Logical,
  LogicalNot,
  Test,
  Unary,
} from './elementwise-types.ts';
import { isArr } from './lazy.ts';
import { elementOf } from './operations.ts';

/** The absolute values. Of the least integer: itself, as integers wrap. */
export const abs: Unary = elementOf('abs');

/** The inverse cosine, in radians. Takes floats. */
export const acos: FloatUnary = elementOf('acos');

/** The inverse hyperbolic cosine. Takes floats. */
export const acosh: FloatUnary = elementOf('acosh');

/** x + y. */
export const add: Binary = elementOf('add');

/** The inverse sine, in radians. Takes floats. */
export const asin: FloatUnary = elementOf('asin');

/** The inverse hyperbolic sine. Takes floats. */
export const asinh: FloatUnary = elementOf('asinh');

/** The inverse tangent, in radians. Takes floats. */
export const atan: FloatUnary = elementOf('atan');

/** The angle of the point (y, x) in radians, with x the ordinate as everywhere. Takes floats. */
export const atan2: FloatBinary = elementOf('atan2');

/** The inverse hyperbolic tangent. Takes floats. */
export const atanh: FloatUnary = elementOf('atanh');

/** The bits that both have. Takes integers and booleans. */
export const bitwiseAnd: Binary = elementOf('bitwiseAnd');

/** Every bit inverted; of booleans, the opposite. Takes integers and booleans. */
export const bitwiseInvert: Unary = elementOf('bitwiseInvert');

/** The bits of x, y places to the left; beyond the number of bits, 0. Takes integers. */
export const bitwiseLeftShift: Binary = elementOf('bitwiseLeftShift');

/** The bits that one of them has. Takes integers and booleans. */
export const bitwiseOr: Binary = elementOf('bitwiseOr');

/** The bits of x, y places to the right; negative numbers fill up with ones. Takes integers. */
export const bitwiseRightShift: Binary = elementOf('bitwiseRightShift');

/** The bits that exactly one of them has. Takes integers and booleans. */
export const bitwiseXor: Binary = elementOf('bitwiseXor');

/** The least integer that is not less, in the same type. */
export const ceil: Unary = elementOf('ceil');

/** The complex conjugate, which a real number is itself. Takes numbers. */
export const conj: Unary = elementOf('positive', 'conj');

/** The magnitude of x with the sign of y. Takes floats. */
export const copysign: FloatBinary = elementOf('copysign');

/** The cosine of radians. Takes floats. */
export const cos: FloatUnary = elementOf('cos');

/** The hyperbolic cosine. Takes floats. */
export const cosh: FloatUnary = elementOf('cosh');

/** x / y. Takes floats: convert integers first, or use `floorDivide`. `div` in short. */
export const divide: FloatBinary = elementOf('divide');

/** Whether x = y. NaN equals nothing. */
export const equal: Comparison = elementOf('equal');

/** e to the power of each. Takes floats. */
export const exp: FloatUnary = elementOf('exp');

/** exp(x) - 1, exact for small x. Takes floats. */
export const expm1: FloatUnary = elementOf('expm1');

/** The greatest integer that is not greater, in the same type. */
export const floor: Unary = elementOf('floor');

/** The quotient rounded down; of an integer by 0: 0. */
export const floorDivide: Binary = elementOf('floorDivide');

/** Whether x > y. */
export const greater: Comparison = elementOf('greater');

/** Whether x >= y. */
export const greaterEqual: Comparison = elementOf('greaterEqual');

/** The square root of x² + y², without leaving the range. Takes floats. */
export const hypot: FloatBinary = elementOf('hypot');

/** Whether it is neither infinite nor NaN. */
const isFiniteOf: Test = elementOf('isFinite');

/** Whether it is an infinity. */
export const isInf: Test = elementOf('isInf');

/** Whether it is NaN. */
const isNaNOf: Test = elementOf('isNaN');

/** Whether x < y. */
export const less: Comparison = elementOf('less');

/** Whether x <= y. */
export const lessEqual: Comparison = elementOf('lessEqual');

/** The natural logarithm. Takes floats. */
export const log: FloatUnary = elementOf('log');

/** The logarithm to base 10. Takes floats. */
export const log10: FloatUnary = elementOf('log10');

/** log(1 + x), exact for small x. Takes floats. */
export const log1p: FloatUnary = elementOf('log1p');

/** The logarithm to base 2. Takes floats. */
export const log2: FloatUnary = elementOf('log2');

/** log(exp(x) + exp(y)), without leaving the range. Takes floats. */
export const logaddexp: FloatBinary = elementOf('logaddexp');

/** Whether both are. Takes booleans. */
export const logicalAnd: Logical = elementOf('logicalAnd');

/** The opposite. Takes booleans. */
export const logicalNot: LogicalNot = elementOf('logicalNot');

/** Whether one of them is. Takes booleans. */
export const logicalOr: Logical = elementOf('logicalOr');

/** Whether exactly one of them is. Takes booleans. */
export const logicalXor: Logical = elementOf('logicalXor');

/** The greater of the two; NaN wins. */
export const maximum: Binary = elementOf('maximum');

/** The less of the two; NaN wins. */
export const minimum: Binary = elementOf('minimum');

/** x * y. `mul` in short. */
export const multiply: Binary = elementOf('multiply');

/** Each with the other sign; of unsigned integers, modulo 2 to the number of their bits. `neg` in short. */
export const negative: Unary = elementOf('negative');

/** The float next to x on the way to y. Takes floats. */
export const nextafter: FloatBinary = elementOf('nextafter');

/** Whether x and y differ. NaN differs from everything. */
export const notEqual: Comparison = elementOf('notEqual');

/** Each as it is. */
export const positive: Unary = elementOf('positive');

const power: Binary = elementOf('pow');
const squared = elementOf('square', 'pow');
const inverted = elementOf('reciprocal', 'pow');

/**
 * x to the power of y. A negative power of an integer is cut off to an integer. The powers 2 and, of floats, -1 are the operations that they are:
 * several times as fast, with the same special cases, and rounded once. A number as the power is twice as fast as an array of them.
 */
export const pow: Binary = ((x: unknown, y: unknown) => {
  if (isArr(x) && y === 2 && x.dtype !== 'bool') return squared(x);
  if (isArr(x) && y === -1 && (x.dtype === 'f64' || x.dtype === 'f32')) return inverted(x);
  return power(x as never, y as never);
}) as Binary;

/** 1 / x. Takes floats. */
export const reciprocal: FloatUnary = elementOf('reciprocal');

/** What is left of the division that is rounded down: it has the sign of y. Of an integer by 0: 0. */
export const remainder: Binary = elementOf('remainder');

/** The nearest integer, of two the even one, in the same type. */
export const round: Unary = elementOf('round');

/** -1, 0 or 1; NaN stays. */
export const sign: Unary = elementOf('sign');

/** Whether the sign is negative, that of -0 included. Takes floats. */
export const signbit: Test = elementOf('signbit');

/** The sine of radians. Takes floats. */
export const sin: FloatUnary = elementOf('sin');

/** The hyperbolic sine. Takes floats. */
export const sinh: FloatUnary = elementOf('sinh');

/** The square root. Takes floats. */
export const sqrt: FloatUnary = elementOf('sqrt');

/** x * x. */
export const square: Unary = elementOf('square');

/** x - y. `sub` in short. */
export const subtract: Binary = elementOf('subtract');

/** The tangent of radians. Takes floats. */
export const tan: FloatUnary = elementOf('tan');

/** The hyperbolic tangent. Takes floats. */
export const tanh: FloatUnary = elementOf('tanh');

/** The integer next to it towards zero, in the same type. */
export const trunc: Unary = elementOf('trunc');

/** `divide` in short. */
export const div: FloatBinary = divide;

/** `multiply` in short. */
export const mul: Binary = multiply;

/** `negative` in short. */
export const neg: Unary = negative;

/** `subtract` in short. */
export const sub: Binary = subtract;

// Under their own names inside of this file they would hide the globals.
export { isFiniteOf as isFinite, isNaNOf as isNaN };
