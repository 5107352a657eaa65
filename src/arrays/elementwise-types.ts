import type { Arr } from './arr.ts';
import type { Common, D, Float, Value, With } from './types.ts';

/** A function of one array, element by element. */
export type Unary = <T extends D>(x: Arr<T>) => Arr<T>;

/** A function of one array of floats, element by element. */
export type FloatUnary = <T extends Float>(x: Arr<T>) => Arr<T>;

/** A function of two arrays of floats that broadcast to each other, or of an array and a number. */
export interface FloatBinary {
  <T extends Float>(x: Arr<T>, y: Arr<NoInfer<T>> | number | bigint): Arr<T>;
  <T extends Float>(x: number | bigint, y: Arr<T>): Arr<T>;
  <T extends Float, U extends Float>(x: Arr<T>, y: Arr<U>): Arr<Common<T, U>>;
}

/** A function of booleans. */
export interface Logical {
  (x: Arr<'bool'>, y: Arr<'bool'> | boolean): Arr<'bool'>;
  (x: boolean, y: Arr<'bool'>): Arr<'bool'>;
}

/** `logicalNot`. */
export type LogicalNot = (x: Arr<'bool'>) => Arr<'bool'>;

/** A question to each element. */
export type Test = (x: Arr) => Arr<'bool'>;

/** A function of two arrays that broadcast to each other, or of an array and a value. */
export interface Binary {
  <T extends D>(x: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<T>;
  <T extends D>(x: Value, y: Arr<T>): Arr<T>;
  <T extends D, U extends D>(x: Arr<T>, y: Arr<U> & With<T, U>): Arr<Common<T, U>>;
}

/** A question to each two elements of arrays that broadcast to each other, or of an array and a value. */
export interface Comparison {
  <T extends D>(x: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<'bool'>;
  <T extends D>(x: Value, y: Arr<T>): Arr<'bool'>;
  <T extends D, U extends D>(x: Arr<T>, y: Arr<U> & With<T, U>): Arr<'bool'>;
}

/** The same as a method. */
export type UnaryMethod = <T extends D>(this: Arr<T>) => Arr<T>;

/** The same as a method. */
export type FloatUnaryMethod = <T extends Float>(this: Arr<T>) => Arr<T>;

/** The same as a method; the first array is the one whose method it is. */
export interface FloatBinaryMethod {
  <T extends Float>(this: Arr<T>, y: Arr<NoInfer<T>> | number | bigint): Arr<T>;
  <T extends Float, U extends Float>(this: Arr<T>, y: Arr<U>): Arr<Common<T, U>>;
}

/** The same as a method; the first array is the one whose method it is. */
export type LogicalMethod = (this: Arr<'bool'>, y: Arr<'bool'> | boolean) => Arr<'bool'>;

/** `logicalNot` as a method. */
export type LogicalNotMethod = (this: Arr<'bool'>) => Arr<'bool'>;

/** The same as a method. */
export type TestMethod = (this: Arr) => Arr<'bool'>;

/** The same as a method; the first array is the one whose method it is. */
export interface BinaryMethod {
  <T extends D>(this: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<T>;
  <T extends D, U extends D>(this: Arr<T>, y: Arr<U> & With<T, U>): Arr<Common<T, U>>;
}

/** The same as a method; the first array is the one whose method it is. */
export interface ComparisonMethod {
  <T extends D>(this: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<'bool'>;
  <T extends D, U extends D>(this: Arr<T>, y: Arr<U> & With<T, U>): Arr<'bool'>;
}

/** What is computed element by element, as methods. */
export interface ElementwiseMethods {
  /** The absolute values. Of the least integer: itself, as integers wrap. */
  readonly abs: UnaryMethod;
  /** The inverse cosine, in radians. Takes floats. */
  readonly acos: FloatUnaryMethod;
  /** The inverse hyperbolic cosine. Takes floats. */
  readonly acosh: FloatUnaryMethod;
  /** x + y. */
  readonly add: BinaryMethod;
  /** The inverse sine, in radians. Takes floats. */
  readonly asin: FloatUnaryMethod;
  /** The inverse hyperbolic sine. Takes floats. */
  readonly asinh: FloatUnaryMethod;
  /** The inverse tangent, in radians. Takes floats. */
  readonly atan: FloatUnaryMethod;
  /** The angle of the point (y, x) in radians, with x the ordinate as everywhere. Takes floats. */
  readonly atan2: FloatBinaryMethod;
  /** The inverse hyperbolic tangent. Takes floats. */
  readonly atanh: FloatUnaryMethod;
  /** The bits that both have. Takes integers and booleans. */
  readonly bitwiseAnd: BinaryMethod;
  /** Every bit inverted; of booleans, the opposite. Takes integers and booleans. */
  readonly bitwiseInvert: UnaryMethod;
  /** The bits of x, y places to the left; beyond the number of bits, 0. Takes integers. */
  readonly bitwiseLeftShift: BinaryMethod;
  /** The bits that one of them has. Takes integers and booleans. */
  readonly bitwiseOr: BinaryMethod;
  /** The bits of x, y places to the right; negative numbers fill up with ones. Takes integers. */
  readonly bitwiseRightShift: BinaryMethod;
  /** The bits that exactly one of them has. Takes integers and booleans. */
  readonly bitwiseXor: BinaryMethod;
  /** The least integer that is not less, in the same type. */
  readonly ceil: UnaryMethod;
  /** The complex conjugate, which a real number is itself. Takes numbers. */
  readonly conj: UnaryMethod;
  /** The magnitude of x with the sign of y. Takes floats. */
  readonly copysign: FloatBinaryMethod;
  /** The cosine of radians. Takes floats. */
  readonly cos: FloatUnaryMethod;
  /** The hyperbolic cosine. Takes floats. */
  readonly cosh: FloatUnaryMethod;
  /** `divide` in short. */
  readonly div: FloatBinaryMethod;
  /** x / y. Takes floats: convert integers first, or use `floorDivide`. `div` in short. */
  readonly divide: FloatBinaryMethod;
  /** Whether x = y. NaN equals nothing. */
  readonly equal: ComparisonMethod;
  /** e to the power of each. Takes floats. */
  readonly exp: FloatUnaryMethod;
  /** exp(x) - 1, exact for small x. Takes floats. */
  readonly expm1: FloatUnaryMethod;
  /** The greatest integer that is not greater, in the same type. */
  readonly floor: UnaryMethod;
  /** The quotient rounded down; of an integer by 0: 0. */
  readonly floorDivide: BinaryMethod;
  /** Whether x > y. */
  readonly greater: ComparisonMethod;
  /** Whether x >= y. */
  readonly greaterEqual: ComparisonMethod;
  /** The square root of x² + y², without leaving the range. Takes floats. */
  readonly hypot: FloatBinaryMethod;
  /** Whether it is neither infinite nor NaN. */
  readonly isFinite: TestMethod;
  /** Whether it is an infinity. */
  readonly isInf: TestMethod;
  /** Whether it is NaN. */
  readonly isNaN: TestMethod;
  /** Whether x < y. */
  readonly less: ComparisonMethod;
  /** Whether x <= y. */
  readonly lessEqual: ComparisonMethod;
  /** The natural logarithm. Takes floats. */
  readonly log: FloatUnaryMethod;
  /** The logarithm to base 10. Takes floats. */
  readonly log10: FloatUnaryMethod;
  /** log(1 + x), exact for small x. Takes floats. */
  readonly log1p: FloatUnaryMethod;
  /** The logarithm to base 2. Takes floats. */
  readonly log2: FloatUnaryMethod;
  /** log(exp(x) + exp(y)), without leaving the range. Takes floats. */
  readonly logaddexp: FloatBinaryMethod;
  /** Whether both are. Takes booleans. */
  readonly logicalAnd: LogicalMethod;
  /** The opposite. Takes booleans. */
  readonly logicalNot: LogicalNotMethod;
  /** Whether one of them is. Takes booleans. */
  readonly logicalOr: LogicalMethod;
  /** Whether exactly one of them is. Takes booleans. */
  readonly logicalXor: LogicalMethod;
  /** The greater of the two; NaN wins. */
  readonly maximum: BinaryMethod;
  /** The less of the two; NaN wins. */
  readonly minimum: BinaryMethod;
  /** `multiply` in short. */
  readonly mul: BinaryMethod;
  /** x * y. `mul` in short. */
  readonly multiply: BinaryMethod;
  /** `negative` in short. */
  readonly neg: UnaryMethod;
  /** Each with the other sign; of unsigned integers, modulo 2 to the number of their bits. `neg` in short. */
  readonly negative: UnaryMethod;
  /** The float next to x on the way to y. Takes floats. */
  readonly nextafter: FloatBinaryMethod;
  /** Whether x and y differ. NaN differs from everything. */
  readonly notEqual: ComparisonMethod;
  /** Each as it is. */
  readonly positive: UnaryMethod;
  /** x to the power of y. A negative power of an integer is cut off to an integer. */
  readonly pow: BinaryMethod;
  /** 1 / x. Takes floats. */
  readonly reciprocal: FloatUnaryMethod;
  /** What is left of the division that is rounded down: it has the sign of y. Of an integer by 0: 0. */
  readonly remainder: BinaryMethod;
  /** The nearest integer, of two the even one, in the same type. */
  readonly round: UnaryMethod;
  /** -1, 0 or 1; NaN stays. */
  readonly sign: UnaryMethod;
  /** Whether the sign is negative, that of -0 included. Takes floats. */
  readonly signbit: TestMethod;
  /** The sine of radians. Takes floats. */
  readonly sin: FloatUnaryMethod;
  /** The hyperbolic sine. Takes floats. */
  readonly sinh: FloatUnaryMethod;
  /** The square root. Takes floats. */
  readonly sqrt: FloatUnaryMethod;
  /** x * x. */
  readonly square: UnaryMethod;
  /** `subtract` in short. */
  readonly sub: BinaryMethod;
  /** x - y. `sub` in short. */
  readonly subtract: BinaryMethod;
  /** The tangent of radians. Takes floats. */
  readonly tan: FloatUnaryMethod;
  /** The hyperbolic tangent. Takes floats. */
  readonly tanh: FloatUnaryMethod;
  /** The integer next to it towards zero, in the same type. */
  readonly trunc: UnaryMethod;
  /** Each element in another type: integers wrap, floats are cut off and saturate, and whatever is not 0 is true. */
  readonly astype: AstypeMethod;
  /** Each element within the bounds; one that is undefined does not bind. */
  readonly clip: ClipMethod;
}

/** `astype` as a method. */
export type AstypeMethod = <const U extends D>(this: Arr, dtype: U) => Arr<U>;

/** `clip` as a method. */
export type ClipMethod = <T extends D>(
  this: Arr<T>,
  min?: Arr<NoInfer<T>> | Value,
  max?: Arr<NoInfer<T>> | Value,
) => Arr<T>;
