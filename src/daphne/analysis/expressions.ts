/** Expressions become instructions on variables. They may be as deep as scripts are long, so that what is still to be done is on a stack of its own. */

import type { Fixed, SideForm } from '../builtins/builtin.ts';
import { OPERATORS } from '../builtins/index.ts';
import { canonical } from '../program/integers.ts';
import type { Span } from '../source.ts';
import { argumentValue, type Cast, type Constant, type Expression, parts, type Selection } from '../syntax/index.ts';
import type { Type, ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';
import type { Body } from './body.ts';
import { callBuiltin } from './builtins.ts';
import { calleeOf, callFunction, functionPlaces } from './calls.ts';
import { joined } from './join.ts';
import { type Known, type Results, UNKNOWN } from './known.ts';

interface Made {
  readonly results: Results;
  readonly at: Expression;
}

type Task = Expression | (() => void);

/** What the expression gives: one value, or as many as the function that it calls. */
export function evaluate(body: Body, root: Expression): Results {
  const made: Made[] = [];
  const tasks: Task[] = [root];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    if (typeof task === 'function') task();
    else visit(body, task, tasks, made);
  }
  return made.pop()?.results;
}

/** The value of an expression in a place that takes one. */
export const evaluateOne = (body: Body, expression: Expression): Known =>
  one(body, evaluate(body, expression), expression);

function one(body: Body, results: Results, at: Expression): Known {
  if (results === undefined) return UNKNOWN;
  if (results.length === 1) return results[0] as Known;
  return body.wrong(
    at,
    results.length === 0
      ? 'this gives no value, and one is needed here'
      : `this gives ${results.length} values, and one is needed here: assign them first, as in \`a, b = f();\``,
  );
}

function visit(body: Body, at: Expression, tasks: Task[], made: Made[]): void {
  const push = (results: Results): void => {
    made.push({ results, at });
    if (results?.length === 1) body.recordType(at, results[0] as Known);
  };
  const take = (count: number): Known[] =>
    made.splice(made.length - count, count).map((each) => one(body, each.results, each.at));
  /** Looks at the parts from the left, then goes on. */
  const after = (operands: readonly Expression[], then: (args: Known[]) => Results): void => {
    tasks.push(() => push(then(take(operands.length))));
    for (let i = operands.length - 1; i >= 0; i--) tasks.push(operands[i] as Expression);
  };
  switch (at.kind) {
    case 'literal':
      push([constantOf(body, at.constant)]);
      return;
    case 'argument': {
      const text = body.compilation.options.arguments.get(at.name);
      if (text === undefined)
        body.wrong(at, `the script needs the argument \`${at.name}\`: give it as ${at.name}=value`);
      push([constantOf(body, argumentValue(at.name, text))]);
      return;
    }
    case 'name':
      push([body.valueOf(at.name, at)]);
      return;
    case 'conditional':
      conditional(body, at, tasks, made, push);
      return;
    case 'call': {
      const callee = calleeOf(body, at);
      const places = functionPlaces(callee);
      const given = at.arguments.filter((each, i) => !places(i, each)).map(({ value }) => value);
      after(given, (args) => callFunction(body, at, callee, args, places));
      return;
    }
    default: {
      const operands = parts(at);
      after(operands, (args) => combine(body, at, args, operands));
    }
  }
}

export function constantOf(body: Body, constant: Constant): Known {
  const value: Scalar = typeof constant.value === 'bigint' ? canonical(constant.value) : constant.value;
  return body.builder.constant(constant.type === 'f32' ? Math.fround(value as number) : value, constant.type);
}

function combine(
  body: Body,
  at: Exclude<Expression, { kind: 'literal' | 'argument' | 'name' | 'conditional' | 'call' }>,
  args: Known[],
  spans: readonly Span[],
): Results {
  const internal = (name: string, fixed: Fixed): Results => callBuiltin(body, name, args, fixed, at, spans);
  switch (at.kind) {
    case 'unary':
      return at.operator === '+' ? args : internal('minus', {});
    case 'binary': {
      const fixed = at.kernel === undefined ? {} : { kernel: at.kernel };
      const joins = at.operator === '+' && args.some(hasStrings);
      if (!joins) return internal(OPERATORS[at.operator], fixed);
      if (args.every(({ type }) => type.data === 'scalar')) {
        const texts = args.map((each) => body.builder.cast(each, 'str'));
        return callBuiltin(body, 'concat', texts, fixed, at, spans);
      }
      return internal('concat', fixed);
    }
    case 'cast':
      return cast(body, at, args[0] as Known, spans);
    case 'index':
      return internal('$index', { sides: sidesOf(at) });
    case 'filter':
      return internal('$filter', { sides: [at.rows ? 'position' : 'all', at.columns ? 'position' : 'all'] });
    case 'matrix': {
      const { shape } = at;
      if (shape === undefined) return internal('$matrix', {});
      return internal('$matrix', {
        shape: { rows: shape.rows !== undefined, columns: shape.columns !== undefined },
      });
    }
    case 'columns':
      return internal('$columns', {});
    case 'rows':
      return internal('$rows', { width: at.labels.length });
  }
}

const hasStrings = ({ type }: Known): boolean =>
  (type.data === 'scalar' || type.data === 'matrix') && type.value === 'str';

const formOf = (side: Selection['rows']): SideForm => {
  if (side === undefined) return 'all';
  if (side.kind === 'position') return 'position';
  if (side.from !== undefined) return side.to === undefined ? 'from' : 'range';
  return side.to === undefined ? 'all' : 'to';
};

export const sidesOf = ({ rows, columns }: Selection): [SideForm, SideForm] => [formOf(rows), formOf(columns)];

function cast(body: Body, at: Cast, from: Known, spans: readonly Span[]): Results {
  if (from === UNKNOWN) return undefined;
  const { data, value } = at;
  if (from.type.data === 'scalar' && (data === undefined || data === 'scalar'))
    return [body.builder.cast(from, value ?? from.type.value)];
  return callBuiltin(body, '$cast', [from], { to: { data, value } }, at, spans);
}

/** By a scalar: only the side that is wanted is computed. By a matrix: both are. */
function conditional(
  body: Body,
  at: Extract<Expression, { kind: 'conditional' }>,
  tasks: Task[],
  made: Made[],
  push: (results: Results) => void,
): void {
  const { builder } = body;
  const pop = (): Known => {
    const { results, at: of } = made.pop() as Made;
    return one(body, results, of);
  };
  const eager = (condition: Known): void => {
    tasks.push(
      () => {
        const [whenFalse, whenTrue] = [pop(), pop()];
        const spans = [at.condition, at.whenTrue, at.whenFalse];
        push(callBuiltin(body, '$conditional', [condition, whenTrue, whenFalse], {}, at, spans));
      },
      at.whenFalse,
      at.whenTrue,
    );
  };
  const lazy = (condition: Known): void => {
    const bool = body.condition(condition, at.condition);
    let yes = UNKNOWN;
    let isYesDropped = false;
    let { failure } = body.compilation;
    const both = (no: Known): void => {
      // Of a matrix, which an unknown condition may be, one side may be a matrix and the other one a scalar.
      if (condition === UNKNOWN || yes === UNKNOWN || no === UNKNOWN) {
        builder.close();
        builder.close();
        push(undefined);
        return;
      }
      const type = joined(yes.type, no.type);
      const same = type !== undefined && sameElements(yes.type, no.type);
      if (type === undefined || !same) throw body.wrong(at, 'both sides of a conditional have one type');
      const result = builder.fresh(type);
      builder.move(no, result.variable, at);
      const whenFalse = builder.close();
      builder.move(yes, result.variable, at);
      const whenTrue = builder.close();
      builder.emit({ kind: 'if', condition: bool.variable, whenTrue, whenFalse });
      push([result]);
    };
    /** The one side that is ever computed. */
    const only = (side: Known): void => {
      const [whenFalse, whenTrue] = [builder.close(), builder.close()];
      for (const each of side === yes ? whenTrue : whenFalse) builder.emit(each);
      push(side === UNKNOWN ? undefined : [side]);
    };
    const finish = (): void => {
      const no = pop();
      if (isYesDropped) only(no);
      else if (body.dropsFailure(bool.constant === true, failure)) only(yes);
      else both(no);
    };
    const between = (): void => {
      yes = pop();
      isYesDropped = body.dropsFailure(bool.constant === false, failure);
      failure = body.compilation.failure;
      // The block of the first side stays open below, until the type of the result is known.
      builder.open();
    };
    builder.open();
    tasks.push(finish, at.whenFalse, between, at.whenTrue);
  };
  tasks.push(() => {
    const condition = pop();
    if (condition.type.data === 'matrix' && condition !== UNKNOWN) eager(condition);
    else lazy(condition);
  }, at.condition);
}

/** Whether both have elements of the same types, frames column by column, as far as these are known. Labels may differ. */
function sameElements(a: Type, b: Type): boolean {
  const same = (one: ValueType | undefined, other: ValueType | undefined): boolean =>
    one === other || one === undefined || other === undefined;
  if (a.data !== 'frame' || b.data !== 'frame')
    return same((a as { value?: ValueType }).value, (b as { value?: ValueType }).value);
  const [first, second] = [a.columns, b.columns];
  if (first === undefined || second === undefined) return true;
  return first.length === second.length && first.every(({ value }, i) => same(value, second[i]?.value));
}
