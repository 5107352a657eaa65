/** Calls of built-ins: their arguments are looked at, and what they give is inferred. */

import type { Argument, Builtin, CallToInfer, Fixed, FunctionArgument } from '../builtins/builtin.ts';
import { givenValue, resultValue, wrongValue } from '../builtins/rules.ts';
import { scalarFunction } from '../program/scalar-functions.ts';
import type { Span } from '../source.ts';
import { matrix, scalar, type Type, type ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';
import type { Body } from './body.ts';
import { Noted } from './compilation.ts';
import { hasUnknown, type Known, type Results } from './known.ts';

/** A function that is given to a built-in, and the one of the program that it becomes. */
export interface GivenFunction extends FunctionArgument {
  index(): number | undefined;
}

export function callBuiltin(
  body: Body,
  name: string,
  args: readonly Known[],
  fixed: Fixed,
  at: Span,
  spans: readonly Span[],
): Results {
  const builtin = body.compilation.options.builtins.get(name);
  if (builtin === undefined) return body.wrong(at, `there is no \`${name.replace('$', '')}\` yet`);
  return applyBuiltin(body, builtin, args, fixed, at, spans);
}

export function applyBuiltin(
  body: Body,
  builtin: Builtin,
  args: readonly (Known | GivenFunction)[],
  fixed: Fixed,
  at: Span,
  spans: readonly Span[],
): Results {
  const values = args.filter((each): each is Known => 'variable' in each);
  if (hasUnknown(values)) return undefined;
  if (builtin.scalar !== undefined && values.length === args.length && values.every(isScalar)) {
    return [scalarOperation(body, builtin, values, at, spans)];
  }
  const { options, views } = body.compilation;
  const call: CallToInfer = {
    args: args.map((each): Argument => {
      if ('variable' in each) return { type: each.type, constant: each.constant };
      return { type: matrix(undefined), constant: undefined, function: each };
    }),
    fixed,
    views,
    sparseBelow: options.sparseBelow,
    fail(phase, message, argument) {
      const span = (argument === undefined ? undefined : spans[argument]) ?? at;
      if (phase === 'parser') return body.wrong(span, message);
      body.note(span, message);
      throw new Noted();
    },
    describe: (path) => options.files.read(path),
  };
  try {
    const results = builtin.infer(call);
    // Who calls the function later will know: a name of a file, for instance, by which the types are found.
    if (body.isUncalled && results.some(isOpen)) return undefined;
    const constant = results.length === 1 && builtin.effects !== true ? builtin.fold?.(call) : undefined;
    const [first] = results;
    if (constant !== undefined && first?.data === 'scalar') return [body.builder.constant(constant, first.value)];
    return emit(body, builtin, args, results, fixed, at);
  } catch (error) {
    if (error instanceof Noted) return undefined;
    throw error;
  }
}

function emit(
  body: Body,
  builtin: Builtin,
  args: readonly (Known | GivenFunction)[],
  results: readonly Type[],
  fixed: Fixed,
  at: Span,
): Known[] {
  const { builder } = body;
  const made = results.map((type) => builder.fresh(type));
  const site = {
    builtin,
    source: body.module.source,
    span: { start: at.start, end: at.end },
    args: args.map((each) => ('variable' in each ? each.type : matrix(undefined))),
    results,
    fixed,
  };
  builder.emit({
    kind: 'builtin',
    site,
    to: made.map(({ variable }) => variable),
    args: args.map((each) => {
      if ('variable' in each) return each.variable;
      const index = each.index();
      if (index === undefined) return body.wrong(at, `the types that \`${each.name}\` is called with are not known`);
      return { function: index };
    }),
  });
  return made;
}

/** Whether types of elements are not known. */
const isOpen = (type: Type): boolean =>
  (type.data === 'matrix' && type.value === undefined) || (type.data === 'frame' && type.columns === undefined);

const isScalar = ({ type }: Known): boolean => type.data === 'scalar';

function scalarOperation(
  body: Body,
  builtin: Builtin,
  args: readonly Known[],
  at: Span,
  spans: readonly Span[],
): Known {
  const operation = builtin.scalar as NonNullable<Builtin['scalar']>;
  const types = args.map(({ type }) => (type as { value: ValueType }).value);
  for (const [i, type] of types.entries()) {
    const wrong = operation === 'concat' ? undefined : wrongValue(operation, type);
    if (wrong !== undefined) body.wrong(spans[i] ?? at, wrong);
  }
  const value = resultValue(operation, types);
  const { builder } = body;
  const operands = args.map((each) => builder.cast(each, value));
  const result = givenValue(operation, value);
  const constants = operands.map(({ constant }) => constant);
  if (!constants.includes(undefined)) {
    try {
      return builder.constant(scalarFunction(operation, value)(...(constants as Scalar[])), result);
    } catch {
      // What is wrong with the values is an error of the run, if it comes that far.
    }
  }
  const made = builder.fresh(scalar(result));
  builder.emit({
    kind: 'scalar',
    operation,
    value,
    to: made.variable,
    args: operands.map(({ variable }) => variable),
    source: body.module.source,
    span: { start: at.start, end: at.end },
  });
  return made;
}
