/** Branches and loops: what is known after them of variables that they assign. */

import type { ScriptError } from '../../base/index.ts';
import type { Instruction, Variable } from '../program/program.ts';
import type { Span } from '../source.ts';
import type { Block, DoWhile, Expression, For, If, Statement, While } from '../syntax/index.ts';
import { scalar, type Type } from '../types.ts';
import { assignedIn } from './assigned.ts';
import type { Body } from './body.ts';
import type { Builder } from './builder.ts';
import { evaluateOne } from './expressions.ts';
import { generalised, joined, typeKey, widest } from './join.ts';
import { type Known, UNKNOWN } from './known.ts';
import type { Binding } from './names.ts';

/** From here on, loops in loops are looked at without shapes at once. */
const DEEP = 2;
const ROUNDS = 3;

/** So many of a chain of branches are within each other. */
const MOST_WITHIN = 64;

/** One of the ways that a script may take, and what it makes of variables. */
interface Way {
  readonly instructions: Instruction[];
  readonly changes: ReadonlyMap<Binding, Known>;
  /** Whether it never reaches the end. */
  readonly returns: boolean;
  /** It has an error, and nobody ever takes it. */
  readonly isDropped: boolean;
}

interface Branch extends Way {
  /** What computes the condition. */
  readonly head: readonly Instruction[];
  readonly condition: Variable;
}

/** Whether no way ever reaches the end. All of them begin with what variables were before: conditions change nothing. */
export function branches(body: Body, statement: If): boolean {
  const { builder, compilation } = body;
  const all: Branch[] = [];
  /** Whether one before is always taken. */
  let isOver = false;
  for (const branch of statement.branches) {
    const before = compilation.failure;
    builder.open();
    const condition = body.condition(evaluateOne(body, branch.condition), branch.condition);
    const head = builder.close();
    const isNever = isOver || condition.constant === false;
    const way = wayThrough(body, branch.body, isNever, isOver ? before : compilation.failure);
    // Who never asks for it does not compute the condition either.
    all.push({ head: isOver && way.isDropped ? [] : head, condition: condition.variable, ...way });
    isOver ||= condition.constant === true;
  }
  const ways: readonly Way[] = [...all, wayThrough(body, statement.otherwise, isOver, compilation.failure)];
  const places = statement.branches.map(({ condition }) => condition);
  const through = ways.flatMap((way, i) =>
    way.returns || way.isDropped ? [] : { ...way, at: places[i] ?? (places.at(-1) as Span) },
  );
  for (const binding of new Set(through.flatMap(({ changes }) => [...changes.keys()]))) {
    body.names.set(binding, merged(body, binding, through));
  }
  const taken = all.filter(({ head, isDropped }) => !isDropped || head.length > 0);
  chain(builder, taken, ways.at(-1)?.instructions ?? []);
  return ways.every(({ returns }) => returns);
}

/** `before`: what was wrong before it. */
function wayThrough(body: Body, block: Block | undefined, isNever: boolean, before: ScriptError | undefined): Way {
  const { builder, names } = body;
  names.record();
  builder.open();
  const returns = block !== undefined && body.block(block);
  const instructions = builder.close();
  const isDropped = body.dropsFailure(isNever, before);
  return { instructions: isDropped ? [] : instructions, changes: names.takeBack(), returns, isDropped };
}

/** What a variable is where several ways come together, into which it is put there. */
function merged(body: Body, binding: Binding, ways: readonly (Way & { readonly at: Span })[]): Known {
  const values = ways.map(({ changes }) => changes.get(binding) ?? binding.value);
  const [first] = values as [Known];
  if (values.includes(UNKNOWN)) return hopeful(body, values);
  if (values.every(({ variable }) => variable === first.variable)) return first;
  let { type } = values.at(-1) as Known;
  for (let i = values.length - 2; i >= 0; i--) {
    const own = (values[i] as Known).type;
    type = joined(own, type) ?? body.changedData((ways[i] as { at: Span }).at, binding.name, own, type);
  }
  const { builder } = body;
  const variable = builder.variable(type, binding.name);
  for (const [i, { instructions, at }] of ways.entries()) {
    builder.into(instructions, () => builder.move(values[i] as Known, variable, at));
  }
  const constant = values.every((each) => same(each, first)) ? first.constant : undefined;
  return { variable, type, constant };
}

/** What is wrong may be so of a loop's first turn alone: the other ways tell what it comes to be. */
function hopeful(body: Body, values: readonly Known[]): Known {
  const [first, ...others] = values.filter((each) => each !== UNKNOWN);
  if (first === undefined || body.loops === 0 || body.compilation.failure === undefined) return UNKNOWN;
  const type = others.reduce<Type | undefined>((all, each) => all && joined(all, each.type), first.type);
  return type === undefined ? UNKNOWN : body.builder.fresh(type);
}

const same = (a: Known, b: Known): boolean => Object.is(a.constant, b.constant) && typeKey(a.type) === typeKey(b.type);

/**
 * Branches within each other. Of many of them only so many are, and whether one of these was taken, those that follow ask: neither what walks down
 * programs nor JavaScript likes them any deeper.
 */
function chain(builder: Builder, all: readonly Branch[], otherwise: Instruction[]): void {
  if (all.length <= MOST_WITHIN) {
    nest(builder, all, otherwise);
    return;
  }
  const taken = builder.variable(scalar('bool'));
  const taking = (value: boolean): Instruction => ({ kind: 'constant', to: taken, value });
  builder.emit(taking(false));
  for (let at = 0; at < all.length; at += MOST_WITHIN) {
    const isLast = at + MOST_WITHIN >= all.length;
    const whenFalse: Instruction[] = [taking(true)];
    builder.into(whenFalse, () => nest(builder, all.slice(at, at + MOST_WITHIN), isLast ? otherwise : [taking(false)]));
    builder.emit({ kind: 'if', condition: taken, whenTrue: [], whenFalse });
  }
}

function nest(builder: Builder, all: readonly Branch[], otherwise: Instruction[]): void {
  let rest = otherwise;
  for (const { head, condition, instructions } of all.toReversed()) {
    rest = [...head, { kind: 'if', condition, whenTrue: instructions, whenFalse: rest }];
  }
  for (const each of rest) builder.emit(each);
}

interface Carried {
  readonly binding: Binding;
  readonly before: Known;
  type: Type;
}

/**
 * Looks at a loop's body until what is known of the variables that it assigns is the same before and after it. `turn` is given anew in each round;
 * it leaves the body's instructions in the builder's open block.
 */
function carried<T>(body: Body, statement: Statement, at: Span, written: readonly string[], turn: () => T) {
  const { names, builder, compilation } = body;
  const memory = body.widened.get(statement) ?? new Map<string, Type>();
  body.widened.set(statement, memory);
  const all: Carried[] = [];
  for (const name of written) {
    const binding = names.find(name);
    if (binding === undefined || binding.fixed !== undefined || binding.value === UNKNOWN) continue;
    const before = binding.value;
    const known = memory.get(name);
    const start = known === undefined ? before.type : (joined(known, before.type) ?? before.type);
    all.push({ binding, before, type: body.loops >= DEEP ? generalised(start) : start });
  }
  const failure = compilation.failure;
  for (let round = 0; ; round++) {
    const count = builder.variables.length;
    const returned = body.returns.length;
    const loopVariables = all.map(({ binding, type }) => builder.variable(type, binding.name));
    names.record();
    for (const [i, { binding, type }] of all.entries())
      names.set(binding, { variable: loopVariables[i] as Variable, type, constant: undefined });
    builder.open();
    body.loops++;
    const result = turn();
    body.loops--;
    const after = names.takeBack();
    let isDone = true;
    for (const each of all) {
      const end = after.get(each.binding) ?? each.before;
      if (end === UNKNOWN) continue;
      const type = joined(each.type, end.type) ?? body.changedData(at, each.binding.name, each.before.type, end.type);
      if (typeKey(type) === typeKey(each.type)) continue;
      isDone = false;
      each.type = round >= ROUNDS - 1 ? widest(type) : type;
      memory.set(each.binding.name, each.type);
    }
    if (!isDone) {
      builder.close();
      builder.variables.length = count;
      body.returns.length = returned;
      compilation.failure = failure;
      continue;
    }
    moveAll(body, all, after, loopVariables, at);
    const block = builder.close();
    for (const [i, { before }] of all.entries()) builder.move(before, loopVariables[i] as Variable, at);
    for (const [i, { binding, type }] of all.entries()) {
      const end = after.get(binding);
      const isUnknown = end === UNKNOWN;
      names.set(binding, isUnknown ? UNKNOWN : { variable: loopVariables[i] as Variable, type, constant: undefined });
    }
    return { block, result };
  }
}

/** All at once: what one variable becomes may be what another one was. */
function moveAll(
  body: Body,
  all: readonly Carried[],
  after: ReadonlyMap<Binding, Known>,
  to: readonly Variable[],
  at: Span,
): void {
  const { builder } = body;
  const targets = new Set(to);
  const moves = all.flatMap(({ binding }, i) => {
    const from = after.get(binding);
    const target = to[i] as Variable;
    return from === undefined || from === UNKNOWN || from.variable === target ? [] : [{ from, target }];
  });
  const saved = moves.map(({ from, target }) => {
    if (moves.length === 1 || !targets.has(from.variable)) return { from, target };
    const copy = builder.fresh(from.type);
    builder.move(from, copy.variable, at);
    return { from: copy, target };
  });
  for (const { from, target } of saved) builder.move(from, target, at);
}

export function loop(body: Body, statement: While | DoWhile): void {
  const { builder } = body;
  const { condition: asked, body: inner, kind } = statement;
  const written = assignedIn(inner);
  let head: Instruction[] = [];
  const ask = (): Known => {
    builder.open();
    const condition = body.condition(evaluateOne(body, asked), asked);
    head = builder.close();
    return condition;
  };
  const { block, result } = carried(body, statement, asked, written, () => {
    if (kind === 'while') {
      const condition = ask();
      body.block(inner);
      return condition;
    }
    body.block(inner);
    return undefined;
  });
  // At the end of a turn, names are what they are at its beginning.
  const condition = result ?? ask();
  builder.emit({ kind: 'while', head, condition: condition.variable, body: block, first: kind === 'do' });
}

export function countingLoop(body: Body, statement: For): void {
  const { builder, names } = body;
  const bound = (expression: Expression, what: string): Known =>
    body.scalarOf(evaluateOne(body, expression), 'si64', expression, what);
  const from = bound(statement.from, 'where a loop begins');
  const to = bound(statement.to, 'where a loop ends');
  const step = statement.step === undefined ? undefined : bound(statement.step, 'the step of a loop');
  const { variable: name } = statement;
  const { block, result } = carried(body, statement, name, assignedIn(statement.body), () => {
    names.open();
    const counter = builder.fresh(scalar('si64'), name.name);
    names.declare(name.name, counter, name, 'the variable of a loop');
    body.recordType(name, counter);
    body.block(statement.body);
    names.close();
    return counter.variable;
  });
  builder.emit({
    kind: 'for',
    variable: result,
    from: from.variable,
    to: to.variable,
    step: step?.variable,
    body: block,
    source: body.module.source,
    span: { start: statement.start, end: statement.end },
  });
}
