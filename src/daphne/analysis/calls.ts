/** Calls by name: of functions of the script, which win, and of built-ins. */

import { closest } from '../../base/index.ts';
import type { Builtin } from '../builtins/builtin.ts';
import type { Span } from '../source.ts';
import type { Call, CallArgument, Expression } from '../syntax/index.ts';
import type { Type } from '../types.ts';
import type { Body } from './body.ts';
import { applyBuiltin, type GivenFunction } from './builtins.ts';
import type { Definition } from './compilation.ts';
import { callDefinition, chosen, instanceFor } from './functions.ts';
import type { Known, Results } from './known.ts';

export type Callee =
  | { readonly kind: 'function'; readonly definitions: readonly Definition[] }
  | { readonly kind: 'builtin'; readonly builtin: Builtin };

export function calleeOf(body: Body, call: Call): Callee {
  const definitions = body.module.functions.get(call.name);
  if (definitions !== undefined) {
    const name = definitions.at(-1);
    if (name !== undefined) body.recordUse(call, { source: name.module.source, span: name.node.name });
    return { kind: 'function', definitions };
  }
  const { builtins } = body.compilation.options;
  const builtin = call.name.startsWith('$') ? undefined : builtins.get(call.name);
  if (builtin !== undefined) return { kind: 'builtin', builtin };
  const names = [...body.module.functions.keys(), ...[...builtins.keys()].filter((each) => !each.startsWith('$'))];
  const similar = call.name.length === 1 ? undefined : closest(call.name, names);
  return body.wrong(
    call,
    `there is no function \`${call.name}\`${similar === undefined ? '' : `: is it \`${similar}\`?`}`,
  );
}

type IsFunction = (position: number, argument: CallArgument) => boolean;

/** Which arguments are names of functions, and no values. */
export function functionPlaces(callee: Callee): IsFunction {
  if (callee.kind === 'function' || callee.builtin.functions === undefined) return () => false;
  const { functions, parameters } = callee.builtin;
  return (position, { name }) => functions.includes(name === undefined ? position : parameters.indexOf(name));
}

/** `args` are the values of those arguments that are no names of functions. */
export function callFunction(body: Body, at: Call, callee: Callee, args: Known[], isFunction: IsFunction): Results {
  if (callee.kind === 'function') return callDefinition(body, at, callee.definitions, args);
  const { builtin } = callee;
  let next = 0;
  const given = at.arguments.map((each, i) => {
    if (isFunction(i, each)) return givenFunction(body, each.value);
    return args[next++] as Known;
  });
  const slots = inOrder(body, at, parametersOf(builtin, at));
  if (slots.length < builtin.least || slots.length > builtin.most) wrongCount(body, at, builtin, slots.length);
  const ordered = slots.map((place) => given[place] as Known | GivenFunction);
  const spans = slots.map((place) => (at.arguments[place] as CallArgument).value);
  const fixed = at.kernel === undefined ? {} : { kernel: at.kernel };
  return applyBuiltin(body, builtin, ordered, fixed, at, spans);
}

/** A built-in with two forms has the other one where all names that are given are of that. */
const parametersOf = ({ parameters, otherParameters }: Builtin, { arguments: given }: Call): readonly string[] =>
  otherParameters !== undefined && given.every(({ name }) => name === undefined || otherParameters.includes(name))
    ? otherParameters
    : parameters;

function wrongCount(body: Body, at: Call, { name, least, most }: Builtin, given: number): never {
  const wanted =
    least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  return body.wrong(at, `\`${name}\` takes ${wanted} ${wanted === '1' ? 'argument' : 'arguments'}, and not ${given}`);
}

/** For each parameter, which argument it gets. */
export function inOrder(body: Body, at: Call, parameters: readonly string[]): number[] {
  const slots: (number | undefined)[] = [];
  for (const [i, { name, value }] of at.arguments.entries()) {
    const place = name === undefined ? i : parameters.indexOf(name);
    if (place < 0) {
      const similar = closest(name as string, parameters);
      body.wrong(
        value,
        `\`${at.name}\` has no parameter \`${name}\`${similar === undefined ? '' : `: is it \`${similar}\`?`}`,
      );
    }
    if (slots[place] !== undefined) body.wrong(value, `the parameter \`${name}\` of \`${at.name}\` is given twice`);
    slots[place] = i;
  }
  // What is left out in an array is not there for `entries` alone.
  for (let place = 0; place < slots.length; place++) {
    if (slots[place] === undefined)
      body.wrong(at, `\`${at.name}\` is given what comes after \`${parameters[place]}\`, but not that`);
  }
  return slots as number[];
}

function givenFunction(body: Body, at: Expression): GivenFunction {
  if (at.kind !== 'name') return body.wrong(at, 'this takes the bare name of a function of the script');
  const definitions = body.module.functions.get(at.name);
  if (definitions === undefined) {
    const similar = closest(at.name, [...body.module.functions.keys()]);
    return body.wrong(
      at,
      `the script has no function \`${at.name}\`${similar === undefined ? '' : `: is it \`${similar}\`?`}`,
    );
  }
  let index: number | undefined;
  return {
    name: at.name,
    index: () => index,
    resultOf(types: readonly Type[]): Type {
      const args = types.map((type): Known => ({ variable: 0, type, constant: undefined }));
      const definition = chosen(body, at, at.name, definitions, args);
      for (const [i, { type: wanted, name }] of definition.node.parameters.entries()) {
        const type = types[i];
        if (wanted?.data === 'scalar' && type?.data === 'scalar' && type.value !== wanted.value)
          body.wrong(at, `the parameter \`${name.name}\` of \`${at.name}\` is ${wanted.value}, and not ${type.value}`);
      }
      const instance = instanceFor(body, at, definition, args);
      index = instance?.index;
      const results = instance?.results;
      if (results === undefined) return types[0] as Type;
      if (results.length !== 1) body.wrong(at, `\`${at.name}\` gives ${results.length} values, and one is needed here`);
      return results[0] as Type;
    },
  };
}

export const unknownName = (body: Body, name: string, at: Span, names: readonly string[]): never => {
  // Of one letter, any other one would be similar.
  const similar = name.length === 1 ? undefined : closest(name, names);
  return body.wrong(at, `there is no variable \`${name}\`${similar === undefined ? '' : `: is it \`${similar}\`?`}`);
};
