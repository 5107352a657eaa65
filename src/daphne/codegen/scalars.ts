/** Operations on scalars as JavaScript: the usual case in the code itself, the rest by the functions that say what they mean. */

import { castIsIdentity } from '../program/scalar-casts.ts';
import { FALLIBLE } from '../program/scalar-functions.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import type { ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';

/** An operand: a variable's name, or a literal. */
export interface Operand {
  readonly text: string;
  /** Whether it is known to be no bigint. */
  readonly isNumber: boolean;
}

/** What the code of an operation may refer to: names of the functions that say what operations mean, and places for errors. */
export interface Helpers {
  operation(operation: ScalarOperation, value: ValueType): string;
  cast(from: ValueType, to: ValueType): string;
  /** A number for the place of this operation. */
  place(): number;
}

/** A scalar as a literal. */
export function literal(value: Scalar): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return value < 0n ? `(${value}n)` : `${value}n`;
  if (typeof value === 'boolean') return String(value);
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0' : value})` : String(value);
}

const COMPARISONS: Partial<Record<ScalarOperation, string>> = {
  eq: '===',
  neq: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

/** A comparison as a condition; undefined of what is none. */
export function conditionText(operation: ScalarOperation, [a, b]: readonly Operand[]): string | undefined {
  const compare = COMPARISONS[operation];
  return compare && `${a?.text} ${compare} ${b?.text}`;
}

const ARITHMETIC: Partial<Record<ScalarOperation, string>> = { add: '+', sub: '-', mul: '*', div: '/' };
const OF_MATH = new Set<ScalarOperation>([
  'abs',
  'exp',
  'sin',
  'cos',
  'tan',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'floor',
  'ceil',
]);

/** The largest integer that numbers have exactly: between it and its negative all are exact. */
const MOST = Number.MAX_SAFE_INTEGER;
/** `T` is a variable of every function. */
const exactOr = (sum: string, result: string, otherwise: string): string =>
  `(T = ${sum}) <= ${MOST} && T >= -${MOST} ? ${result} : ${otherwise}`;

export function operationText(
  operation: ScalarOperation,
  value: ValueType,
  args: readonly Operand[],
  helpers: Helpers,
  isHot: boolean,
): string {
  const condition = conditionText(operation, args);
  if (condition !== undefined) return value === 'bool' ? condition : `${condition} ? 1 : 0`;
  const [a, b] = args.map(({ text }) => text) as [string, string];
  const byFunction = (): string => {
    const called = helpers.operation(operation, value);
    const list = args.map(({ text }) => text).join(', ');
    return FALLIBLE.has(operation) ? `at(${helpers.place()}, ${called}, ${list})` : `${called}(${list})`;
  };
  if (operation === 'concat') return `${a} + ${b}`;
  if (value === 'f64' || value === 'f32') {
    const infix = ARITHMETIC[operation];
    if (infix !== undefined) return value === 'f64' ? `${a} ${infix} ${b}` : `Math.fround(${a} ${infix} ${b})`;
    if (operation === 'minus') return `-${a}`;
    if (operation === 'min') return `${b} < ${a} ? ${b} : ${a}`;
    if (operation === 'max') return `${a} < ${b} ? ${b} : ${a}`;
    if (value === 'f32') return byFunction();
    if (operation === 'mod') return `${a} % ${b}`;
    if (operation === 'sqrt') return `${a} < 0 ? ${byFunction()} : Math.sqrt(${a})`;
    return OF_MATH.has(operation) ? `Math.${operation}(${a})` : byFunction();
  }
  if (value === 'bool' && operation === 'and') return `${a} && ${b}`;
  if (value === 'bool' && operation === 'or') return `${a} || ${b}`;
  // What is run once is better short.
  return value === 'si64' && isHot ? integerText(operation, args, byFunction) : byFunction();
}

function integerText(operation: ScalarOperation, args: readonly Operand[], byFunction: () => string): string {
  const checks = args.filter(({ isNumber }) => !isNumber).map(({ text }) => `typeof ${text} === "number"`);
  const [a, b] = args.map(({ text }) => text) as [string, string];
  const guarded = (more: string): string => [...checks, more].join(' && ');
  switch (operation) {
    case 'add':
    case 'sub':
      return guarded(exactOr(`${a} ${ARITHMETIC[operation]} ${b}`, 'T', byFunction()));
    case 'mul':
      // Without a negative zero.
      return guarded(exactOr(`${a} * ${b}`, 'T + 0', byFunction()));
    case 'div':
      return `${guarded(`${b} !== 0`)} ? Math.trunc(${a} / ${b}) + 0 : ${byFunction()}`;
    case 'mod':
      return `${guarded(`${b} !== 0`)} ? ${a} % ${b} + 0 : ${byFunction()}`;
    case 'min':
      return `${b} < ${a} ? ${b} : ${a}`;
    case 'max':
      return `${a} < ${b} ? ${b} : ${a}`;
    case 'minus':
      return checks.length > 0 ? `${checks[0]} ? 0 - ${a} : ${byFunction()}` : `0 - ${a}`;
    case 'and':
      return `${a} !== 0 && ${b} !== 0 ? 1 : 0`;
    case 'or':
      return `${a} !== 0 || ${b} !== 0 ? 1 : 0`;
    default:
      return byFunction();
  }
}

export function castText(from: ValueType, to: ValueType, { text }: Operand, helpers: Pick<Helpers, 'cast'>): string {
  if (castIsIdentity(from, to)) return text;
  if (to === 'bool' && from !== 'str') return `${text} !== 0`;
  if (from === 'bool' && to !== 'str') return `+${text}`;
  if (to === 'f64' && from !== 'str') return `Number(${text})`;
  const called = `${helpers.cast(from, to)}(${text})`;
  if (to === 'si64' && from === 'f64') return exactOr(`Math.trunc(${text})`, 'T + 0', called);
  return called;
}
