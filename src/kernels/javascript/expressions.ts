import { DTYPES, type DType, isBig, kindOf } from '../../nd/index.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from '../elementwise.ts';
import type { ReducerName } from '../reducers.ts';

/**
 * How values are written in generated JavaScript. Elements are numbers, of 64-bit integers bigints, of booleans 0 and 1. Helpers are
 * called as `h.name`; `helpers.ts` has them.
 */

/** Brings the exact result of an operation into the range of its type. */
export function wrap(expression: string, dtype: DType): string {
  switch (dtype) {
    case 'i8':
      return `(${expression}) << 24 >> 24`;
    case 'i16':
      return `(${expression}) << 16 >> 16`;
    case 'i32':
      return `(${expression}) | 0`;
    case 'u8':
      return `(${expression}) & 255`;
    case 'u16':
      return `(${expression}) & 65535`;
    case 'u32':
      return `(${expression}) >>> 0`;
    case 'i64':
      return `BigInt.asIntN(64, ${expression})`;
    case 'u64':
      return `BigInt.asUintN(64, ${expression})`;
    case 'f32':
      return `Math.fround(${expression})`;
    default:
      return expression;
  }
}

/** A literal of a value of that type. */
export function literal(value: number | bigint, dtype: DType): string {
  if (isBig(dtype)) return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

type Write = (x: string, y: string, z: string) => string;

const same: Write = (x) => x;
const compare =
  (operator: string): Write =>
  (x, y) =>
    `+(${x} ${operator} ${y})`;

/** Of floats, before rounding to 32 bits. */
const FLOATS: Partial<Record<ElementOpName, Write>> = {
  negative: (x) => `-${x}`,
  positive: same,
  sign: (x) => `h.sign(${x})`,
  square: (x) => `${x} * ${x}`,
  round: (x) => `h.roundToEven(${x})`,
  reciprocal: (x) => `1 / ${x}`,
  isFinite: (x) => `+(${x} - ${x} === 0)`,
  isInf: (x) => `+(Math.abs(${x}) === Infinity)`,
  isNaN: (x) => `+(${x} !== ${x})`,
  signbit: (x) => `+(${x} < 0 || Object.is(${x}, -0))`,
  add: (x, y) => `${x} + ${y}`,
  subtract: (x, y) => `${x} - ${y}`,
  multiply: (x, y) => `${x} * ${y}`,
  divide: (x, y) => `${x} / ${y}`,
  floorDivide: (x, y) => `h.floorDivide(${x}, ${y})`,
  remainder: (x, y) => `h.remainder(${x}, ${y})`,
  pow: (x, y) => `h.pow(${x}, ${y})`,
  maximum: (x, y) => `Math.max(${x}, ${y})`,
  minimum: (x, y) => `Math.min(${x}, ${y})`,
  copysign: (x, y) => `h.copysign(${x}, ${y})`,
  hypot: (x, y) => `Math.hypot(${x}, ${y})`,
  logaddexp: (x, y) => `h.logaddexp(${x}, ${y})`,
  nextafter: (x, y) => `h.nextAfter(${x}, ${y})`,
};

// Operators that are functions of `Math` by definition.
for (const name of Object.keys(ELEMENTWISE) as ElementOpName[]) {
  const { float, arity } = elementOp(name);
  if (float === undefined || Reflect.get(Math, name) !== float) continue;
  FLOATS[name] = (...operands) => `Math.${name}(${operands.slice(0, arity).join(', ')})`;
}

/** What is the same for every type. */
const ANY: Partial<Record<ElementOpName, Write>> = {
  equal: compare('==='),
  notEqual: compare('!=='),
  greater: compare('>'),
  greaterEqual: compare('>='),
  less: compare('<'),
  lessEqual: compare('<='),
  where: (c, x, y) => `${c} ? ${x} : ${y}`,
};

/** Of integers and booleans that are numbers, before wrapping. */
const INTEGERS: Partial<Record<ElementOpName, Write>> = {
  abs: (x) => `Math.abs(${x})`,
  negative: (x) => `-${x}`,
  positive: same,
  sign: (x) => `+(${x} > 0) - +(${x} < 0)`,
  square: (x) => `Math.imul(${x}, ${x})`,
  ceil: same,
  floor: same,
  round: same,
  trunc: same,
  isFinite: () => '1',
  isInf: () => '0',
  isNaN: () => '0',
  logicalNot: (x) => `1 - ${x}`,
  bitwiseInvert: (x) => `~${x}`,
  add: (x, y) => `${x} + ${y}`,
  subtract: (x, y) => `${x} - ${y}`,
  multiply: (x, y) => `Math.imul(${x}, ${y})`,
  // Both are less than 2**32, so that the quotient of doubles is never rounded up to a whole number.
  floorDivide: (x, y) => `${y} === 0 ? 0 : Math.floor(${x} / ${y})`,
  remainder: (x, y) => `${y} === 0 ? 0 : h.remainder(${x}, ${y})`,
  pow: (x, y) => `h.powOfIntegers(${x}, ${y})`,
  maximum: (x, y) => `${x} > ${y} ? ${x} : ${y}`,
  minimum: (x, y) => `${x} < ${y} ? ${x} : ${y}`,
  bitwiseAnd: (x, y) => `${x} & ${y}`,
  bitwiseOr: (x, y) => `${x} | ${y}`,
  bitwiseXor: (x, y) => `${x} ^ ${y}`,
  logicalAnd: (x, y) => `${x} & ${y}`,
  logicalOr: (x, y) => `${x} | ${y}`,
  logicalXor: (x, y) => `${x} ^ ${y}`,
};

/** Of 64-bit integers, where it differs. */
const BIG: Partial<Record<ElementOpName, Write>> = {
  abs: (x) => `${x} < 0n ? -${x} : ${x}`,
  sign: (x) => `BigInt(${x} > 0n) - BigInt(${x} < 0n)`,
  square: (x) => `${x} * ${x}`,
  multiply: (x, y) => `${x} * ${y}`,
  floorDivide: (x, y) => `h.floorDivideBig(${x}, ${y})`,
  remainder: (x, y) => `h.remainderBig(${x}, ${y})`,
  pow: (x, y) => `h.powBig(${x}, ${y})`,
  bitwiseLeftShift: (x, y) => `h.shiftLeft(${x}, ${y}, 64)`,
  bitwiseRightShift: (x, y) => `h.shiftRight(${x}, ${y}, 64)`,
};

/** An operator applied to operands of type `dtype`, all of them names. */
export function applyText(op: ElementOpName, dtype: DType, [x, y, z]: readonly string[]): string {
  const args = [x as string, y as string, z as string] as const;
  const any = ANY[op];
  if (any !== undefined) return any(...args);
  const { kind, bytes } = DTYPES[dtype];
  if (kind === 'float') {
    if (op === 'nextafter' && dtype === 'f32') return `h.nextAfter32(${x}, ${y})`;
    return rounded(op, (FLOATS[op] as Write)(...args), dtype);
  }
  if (kind === 'bool' && op === 'bitwiseInvert') return `1 - ${x}`;
  if (isBig(dtype)) return rounded(op, ((BIG[op] ?? INTEGERS[op]) as Write)(...args), dtype);
  const bits = 8 * bytes;
  if (op === 'bitwiseLeftShift') return wrap(`${y} < 0 || ${y} >= ${bits} ? 0 : ${x} << ${y}`, dtype);
  if (op === 'bitwiseRightShift') {
    const all = kind === 'int' ? `${x} >> 31` : '0';
    return wrap(`${y} < 0 || ${y} >= ${bits} ? ${all} : ${x} ${kind === 'int' ? '>>' : '>>>'} ${y}`, dtype);
  }
  return rounded(op, (INTEGERS[op] as Write)(...args), dtype);
}

const rounded = (op: ElementOpName, expression: string, dtype: DType): string =>
  elementOp(op).gives === 'bool' || dtype === 'bool' ? expression : wrap(expression, dtype);

/** A value in another type. */
export function castText(x: string, from: DType, to: DType): string {
  if (from === to) return x;
  const big = isBig(from);
  if (to === 'bool') return `+(${x} !== ${big ? '0n' : '0'})`;
  const toKind = kindOf(to);
  if (big && to === 'f32') return `h.nearest32(${x})`;
  if (toKind === 'float') return wrap(big ? `Number(${x})` : x, to);
  if (kindOf(from) === 'float') return `h.saturated(${x}, '${to}')`;
  if (isBig(to)) return wrap(big ? x : `BigInt(${x})`, to);
  return wrap(big ? `Number(BigInt.asIntN(32, ${x}))` : x, to);
}

/** `all` and one more element combined. */
export function combineText(reduce: ReducerName, all: string, x: string, dtype: DType): string {
  switch (reduce) {
    case 'sum':
      return applyText('add', dtype, [all, x]);
    case 'prod':
      return applyText('multiply', dtype, [all, x]);
    case 'min':
      return applyText('minimum', dtype, [all, x]);
    case 'max':
      return applyText('maximum', dtype, [all, x]);
    case 'any':
      return `${all} | ${x}`;
    case 'all':
      return `${all} & ${x}`;
  }
}
