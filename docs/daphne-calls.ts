/** What built-ins of DaphneDSL take and give, as they say themselves: from the calls in src/daphne/cases, and by asking about other arguments. */

import { ScriptError } from '../src/base/index.ts';
import { analyse } from '../src/daphne/analysis/index.ts';
import type { Argument, Builtin, CallToInfer } from '../src/daphne/builtins/index.ts';
import { BUILTINS } from '../src/daphne/builtins/index.ts';
import { wrongValue } from '../src/daphne/builtins/rules.ts';
import { CASES, type Case } from '../src/daphne/cases/index.ts';
import { Source } from '../src/daphne/source.ts';
import {
  bodies,
  type Expression,
  type FunctionDefinition,
  parse,
  parts,
  type Script,
  type Statement,
  scriptArguments,
  sideParts,
} from '../src/daphne/syntax/index.ts';
import { list, matrix, scalar, type Type } from '../src/daphne/types.ts';

/** What people tell types of arguments apart by. */
export const KINDS = ['number', 'string', 'numbers', 'strings', 'frame', 'list', 'function'] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf(type: Type): Kind | 'matrix' {
  if (type.data === 'scalar') return type.value === 'str' ? 'string' : 'number';
  if (type.data !== 'matrix') return type.data;
  if (type.value === undefined) return 'matrix';
  return type.value === 'str' ? 'strings' : 'numbers';
}

/** A case, and where it is. */
export interface Place {
  /** `builtins: sums and the like`: the file in src/daphne/cases, and what it is about there. */
  readonly name: string;
  readonly example: Case;
}

export const PLACES: readonly Place[] = Object.entries(CASES).flatMap(([file, cases]) =>
  Object.entries(cases).flatMap(([about, examples]) =>
    examples.map((example): Place => ({ name: `${file}: ${about}`, example })),
  ),
);

/** The tree of a case's script; undefined of one that is none. */
export function treeOf({ script }: Case): Script | undefined {
  try {
    return parse(new Source('main.daphne', script));
  } catch {
    return undefined;
  }
}

/** A call that the compiler took. */
interface Taken {
  readonly call: CallToInfer;
  readonly results: readonly Type[];
}

/** Calls of each built-in that the compiler takes, in all scripts. */
export function takenCalls(): ReadonlyMap<string, readonly Taken[]> {
  const taken = new Map<string, Taken[]>();
  const watched = new Map(
    [...BUILTINS].map(([name, builtin]): [string, Builtin] => [
      name,
      {
        ...builtin,
        infer(call) {
          const results = builtin.infer(call);
          taken.set(name, [...(taken.get(name) ?? []), { call, results }]);
          return results;
        },
      },
    ]),
  );
  for (const { example } of PLACES) {
    const tree = treeOf(example);
    if (tree === undefined) continue;
    const { files = {}, args = [] } = example;
    const read = (path: string): string | undefined => files[path.replace('$DIR/', '')];
    try {
      analyse(tree, {
        arguments: scriptArguments([], args),
        files: { read, list: () => undefined, realPath: (path) => path },
        builtins: watched,
        libraries: new Map(),
        sparseBelow: 0,
      });
    } catch (error) {
      // Many are there to be wrong.
      if (!(error instanceof ScriptError)) throw error;
    }
  }
  return taken;
}

class Refused extends Error {}

/** What a call gives; undefined: it does not take these arguments, whatever shapes and values they have. */
function givenBy(builtin: Builtin, args: readonly Argument[], like: CallToInfer): readonly Type[] | undefined {
  if (builtin.scalar !== undefined && args.every(({ type }) => type.data === 'scalar')) {
    const { scalar: operation } = builtin;
    const values = args.map(({ type }) => (type as { value: 'str' }).value);
    const wrong = operation === 'concat' ? undefined : values.map((value) => wrongValue(operation, value));
    if (wrong?.some((each) => each !== undefined)) return undefined;
    const isText = operation === 'lower' || operation === 'upper' || operation === 'concat';
    return [scalar(isText ? 'str' : 'f64')];
  }
  try {
    return builtin.infer({
      ...like,
      args,
      views: new Map(like.views),
      fail(phase) {
        throw new Refused(phase);
      },
    });
  } catch (error) {
    // A function of the script may not take what it is given.
    if (error instanceof ScriptError) return undefined;
    if (!(error instanceof Refused)) throw error;
    return error.message === 'parser' ? undefined : [];
  }
}

const unknown = (type: Type): Argument => ({ type, constant: undefined });

/** An argument of another kind in the place of one. */
const OTHERS: Readonly<Record<Exclude<Kind, 'function'>, readonly Argument[]>> = {
  number: [unknown(scalar('f64')), unknown(scalar('si64'))],
  string: [unknown(scalar('str'))],
  numbers: [unknown(matrix('f64')), unknown(matrix('si64'))],
  strings: [unknown(matrix('str'))],
  frame: [unknown({ data: 'frame', columns: undefined })],
  list: [unknown(list('f64'))],
};

/** What a built-in takes and gives. */
export interface Signature {
  /** For each parameter the kinds that it takes, in the order of KINDS. */
  readonly takes: readonly (readonly Kind[])[];
  /** For each result the kinds that it may have. */
  readonly gives: readonly (readonly string[])[];
}

const asKinds = (found: ReadonlySet<string>): Kind[] =>
  KINDS.filter((kind) => found.has(kind) || (found.has('matrix') && (kind === 'numbers' || kind === 'strings')));

/**
 * As calls in the cases have it, and what is taken in the place of each of their arguments.
 *
 * @throws Error where no case calls it, or none with one of its parameters.
 */
export function signatureOf(builtin: Builtin, taken: readonly Taken[]): Signature {
  const bases = [...taken];
  if (builtin.scalar !== undefined) {
    const like = { fixed: {}, views: new Map(), sparseBelow: 0, describe: () => undefined } as unknown as CallToInfer;
    for (const value of ['f64', 'str'] as const) {
      const args = builtin.parameters.map(() => unknown(scalar(value)));
      const results = givenBy(builtin, args, like);
      if (results !== undefined) bases.push({ call: { ...like, args }, results });
    }
  }
  const count = Math.max(0, ...bases.map(({ call }) => call.args.length));
  const wanted = builtin.most === Number.POSITIVE_INFINITY ? builtin.least : builtin.most;
  if (bases.length === 0 || count < wanted) throw new Error(`no case calls ${builtin.name} with ${wanted} arguments`);
  const takes = Array.from({ length: count }, () => new Set<string>());
  const gives: Set<string>[] = [];
  const noted = (results: readonly Type[]): void => {
    for (const [i, type] of results.entries()) {
      gives[i] ??= new Set();
      gives[i].add(kindOf(type));
    }
  };
  for (const { call, results } of bases) {
    noted(results);
    for (const [at, own] of call.args.entries()) {
      if (builtin.functions?.includes(at)) {
        takes[at]!.add('function');
        continue;
      }
      takes[at]!.add(kindOf(own.type));
      for (const [kind, others] of Object.entries(OTHERS)) {
        for (const other of others) {
          const made = givenBy(builtin, call.args.with(at, other), call);
          if (made === undefined) continue;
          takes[at]!.add(kind);
          noted(made);
        }
      }
    }
  }
  return { takes: takes.map(asKinds), gives: gives.map(asKinds) };
}

/** All expressions of a script, the parts of each behind it; and all statements. */
export function nodesOf(script: Script): { expressions: readonly Expression[]; statements: readonly Statement[] } {
  const statements: Statement[] = [];
  const expressions: Expression[] = [];
  const visit = (expression: Expression): void => {
    expressions.push(expression);
    for (const part of parts(expression)) visit(part);
  };
  const enter = (statement: Statement): void => {
    statements.push(statement);
    for (const each of expressionsOf(statement)) visit(each);
    for (const each of bodies(statement)) enter(each);
  };
  for (const each of script.statements) enter(each);
  return { expressions, statements };
}

function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'expression':
      return [statement.expression];
    case 'assignment':
      return [
        ...statement.targets.flatMap(({ index }) => [...sideParts(index?.rows), ...sideParts(index?.columns)]),
        statement.value,
      ];
    case 'if':
      return statement.branches.map(({ condition }) => condition);
    case 'while':
    case 'do':
      return [statement.condition];
    case 'for':
      return [statement.from, statement.to, ...(statement.step === undefined ? [] : [statement.step])];
    case 'return':
      return statement.values;
    case 'block':
    case 'function':
    case 'import':
      return [];
  }
}

/** Calls of built-ins by name, those of functions of the script left out. */
export function builtinCalls(script: Script): readonly Extract<Expression, { kind: 'call' }>[] {
  const { expressions, statements } = nodesOf(script);
  const own = new Set(
    statements.filter((each): each is FunctionDefinition => each.kind === 'function').map(({ name }) => name.name),
  );
  return expressions.filter((each) => each.kind === 'call').filter(({ name }) => BUILTINS.has(name) && !own.has(name));
}
