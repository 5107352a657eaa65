/** Branches and loops: what is known after them of variables that they assign. */

import type { Instruction, Variable } from '../program/program.ts';
import type { Span } from '../source.ts';
import type { DoWhile, Expression, For, If, Statement, While } from '../syntax/index.ts';
import { scalar, type Type } from '../types.ts';
import { assignedIn } from './assigned.ts';
import type { Body } from './body.ts';
import { evaluateOne } from './expressions.ts';
import { generalised, joined, typeKey, widest } from './join.ts';
import { type Known, UNKNOWN } from './known.ts';
import type { Binding } from './names.ts';

/** From here on, loops in loops are looked at without shapes at once. */
const DEEP = 2;
const ROUNDS = 3;

/** The branches from `first` on. Whether none of them ever reaches the end. */
export function branches(body: Body, statement: If, first: number): boolean {
  const branch = statement.branches[first];
  if (branch === undefined) return statement.otherwise !== undefined && body.block(statement.otherwise);
  const { builder, names } = body;
  const condition = body.condition(evaluateOne(body, branch.condition), branch.condition);
  const look = (all: () => boolean, isNever: boolean) => {
    names.record();
    builder.open();
    const before = body.compilation.failure;
    const returns = all();
    const block = builder.close();
    const after = names.takeBack();
    return { returns, block, after, isDropped: body.dropsFailure(isNever, before) };
  };
  const yes = look(() => body.block(branch.body), condition.constant === false);
  const no = look(() => branches(body, statement, first + 1), condition.constant === true);
  const [whenTrue, whenFalse] = [yes, no].map(({ block, isDropped }) => (isDropped ? [] : block)) as [
    Instruction[],
    Instruction[],
  ];
  for (const binding of new Set([...yes.after.keys(), ...no.after.keys()])) {
    const [a, b] = [yes.after.get(binding) ?? binding.value, no.after.get(binding) ?? binding.value];
    if (yes.returns && no.returns) continue;
    if (yes.returns || yes.isDropped) names.set(binding, b);
    else if (no.returns || no.isDropped) names.set(binding, a);
    else names.set(binding, merged(body, binding, a, b, whenTrue, whenFalse, branch.condition));
  }
  builder.emit({ kind: 'if', condition: condition.variable, whenTrue, whenFalse });
  return yes.returns && no.returns;
}

function merged(
  body: Body,
  binding: Binding,
  a: Known,
  b: Known,
  whenTrue: Instruction[],
  whenFalse: Instruction[],
  at: Span,
): Known {
  if (a === UNKNOWN || b === UNKNOWN) {
    // What is wrong may be so of a loop's first turn alone: the other side tells what it comes to be.
    const known = a === UNKNOWN ? b : a;
    const isHopeful = body.loops > 0 && body.compilation.failure !== undefined && known !== UNKNOWN;
    return isHopeful ? body.builder.fresh(known.type) : UNKNOWN;
  }
  if (a.variable === b.variable) return a;
  const type = joined(a.type, b.type) ?? body.changedData(at, binding.name, a.type, b.type);
  const { builder } = body;
  const variable = builder.variable(type, binding.name);
  builder.into(whenTrue, () => builder.move(a, variable, at));
  builder.into(whenFalse, () => builder.move(b, variable, at));
  const constant = a.constant !== undefined && same(a, b) ? a.constant : undefined;
  return { variable, type, constant };
}

const same = (a: Known, b: Known): boolean => Object.is(a.constant, b.constant) && typeKey(a.type) === typeKey(b.type);

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
