import type { ElementOpName } from '../../kernels/index.ts';
import { constant, type Expression, element, fround } from './expression.ts';

/** `Math`, as far as arrays have it. */

/** Functions that are an operator of arrays, with the same answers. */
const SAME: Readonly<Record<string, ElementOpName>> = {
  abs: 'abs',
  acos: 'acos',
  acosh: 'acosh',
  asin: 'asin',
  asinh: 'asinh',
  atan: 'atan',
  atan2: 'atan2',
  atanh: 'atanh',
  ceil: 'ceil',
  cos: 'cos',
  cosh: 'cosh',
  exp: 'exp',
  expm1: 'expm1',
  floor: 'floor',
  log: 'log',
  log10: 'log10',
  log1p: 'log1p',
  log2: 'log2',
  pow: 'pow',
  sin: 'sin',
  sinh: 'sinh',
  sqrt: 'sqrt',
  tan: 'tan',
  tanh: 'tanh',
  trunc: 'trunc',
};

const ARITY: Readonly<Record<string, number>> = { atan2: 2, pow: 2 };

type Arguments = readonly Expression[];

const chain =
  (op: ElementOpName, none: number) =>
  (args: Arguments): Expression =>
    args.length === 0 ? constant(none) : args.reduce((all, arg) => element(op, all, arg));

/** The nearest integer, of two the greater one; its zeros have the sign of the number. */
function round([x]: Arguments): Expression {
  const down = element('floor', x as Expression);
  const half = element('greaterEqual', element('subtract', x as Expression, down), constant(0.5));
  return element('copysign', element('where', half, element('add', down, constant(1)), down), x as Expression);
}

/** A zero is its own sign, -0 included. */
function sign([x]: Arguments): Expression {
  const zero = element('equal', x as Expression, constant(0));
  return element('where', zero, x as Expression, element('sign', x as Expression));
}

/** What is left of a division that is cut off: it has the sign of x. */
export function cutRemainder(x: Expression, y: Expression): Expression {
  return element('copysign', element('remainder', element('abs', x), element('abs', y)), x);
}

const OTHERS: Readonly<Record<string, { readonly arity: number | undefined; make(args: Arguments): Expression }>> = {
  fround: { arity: 1, make: ([x]) => fround(x as Expression) },
  hypot: {
    arity: undefined,
    make: (args) => (args.length === 1 ? element('abs', args[0] as Expression) : chain('hypot', 0)(args)),
  },
  max: { arity: undefined, make: chain('maximum', Number.NEGATIVE_INFINITY) },
  min: { arity: undefined, make: chain('minimum', Number.POSITIVE_INFINITY) },
  round: { arity: 1, make: round },
  sign: { arity: 1, make: sign },
};

/** A function of `Math`: how many arguments it takes (undefined: any number), and what it makes of them. */
export function mathFunction(
  name: string,
): { readonly arity: number | undefined; make(args: Arguments): Expression } | undefined {
  if (Object.hasOwn(OTHERS, name)) return OTHERS[name];
  if (!Object.hasOwn(SAME, name)) return undefined;
  const op = SAME[name] as ElementOpName;
  return { arity: ARITY[name] ?? 1, make: (args) => element(op, ...args) };
}

/** Its functions and those of numbers that can be used. */
export const mathNames = (): string[] => [...Object.keys(SAME), ...Object.keys(OTHERS)].sort();
