/** Which variables of a function somebody wants: what only makes others, without effects, is left out of the code. */

import type { Block, Instruction, ProgramFunction, Variable } from '../program/program.ts';
import { FALLIBLE } from '../program/scalar-functions.ts';
import type { Scalar } from '../values/values.ts';

export interface Uses {
  /** Whether the instruction is compiled. */
  keeps(instruction: Instruction): boolean;
  /** The value of a variable that is a constant for all of its life. */
  constant(variable: Variable): Scalar | undefined;
  /** How many operands it is, in instructions that are compiled. */
  count(variable: Variable): number;
  /** Variables that are assigned and wanted, constants left out. */
  readonly wanted: readonly Variable[];
}

/** All instructions of a block and of the blocks within, each before what is in it. */
export function* instructionsOf(block: Block): Generator<Instruction> {
  const stack: { block: Block; at: number }[] = [{ block, at: 0 }];
  for (let part = stack.at(-1); part !== undefined; part = stack.at(-1)) {
    const each = part.block[part.at++];
    if (each === undefined) {
      stack.pop();
      continue;
    }
    yield each;
    for (const inner of blocksOf(each).reverse()) stack.push({ block: inner, at: 0 });
  }
}

function blocksOf(each: Instruction): Block[] {
  switch (each.kind) {
    case 'if':
      return [each.whenTrue, each.whenFalse];
    case 'while':
      return each.first ? [each.body, each.head] : [each.head, each.body];
    case 'for':
      return [each.body];
    default:
      return [];
  }
}

export function targetsOf(each: Instruction): readonly Variable[] {
  switch (each.kind) {
    case 'builtin':
    case 'call':
      return each.to;
    case 'for':
      return [each.variable];
    case 'if':
    case 'while':
    case 'return':
      return [];
    default:
      return [each.to];
  }
}

export function operandsOf(each: Instruction): readonly Variable[] {
  switch (each.kind) {
    case 'constant':
      return [];
    case 'copy':
    case 'cast':
      return [each.from];
    case 'builtin':
      return each.args.filter((arg): arg is Variable => typeof arg === 'number');
    case 'if':
    case 'while':
      return [each.condition];
    case 'for':
      return each.step === undefined ? [each.from, each.to] : [each.from, each.to, each.step];
    case 'return':
      return each.values;
    default:
      return each.args;
  }
}

/**
 * Whether it is there for more than its results. A function of the script may do anything; and what may fail, fails whether somebody wants the result
 * or not, since nobody would find the mistake otherwise.
 */
function hasEffects(each: Instruction): boolean {
  switch (each.kind) {
    case 'constant':
    case 'copy':
    case 'cast':
      return false;
    case 'scalar':
      return FALLIBLE.has(each.operation);
    default:
      return true;
  }
}

/** @param results that somebody wants at the end. */
export function usesOf({ body, variables, parameters }: ProgramFunction, results: readonly Variable[]): Uses {
  const makers: Instruction[][] = variables.map(() => []);
  const wanted = new Uint8Array(variables.length);
  const counts = new Uint32Array(variables.length);
  const queue: Variable[] = [];
  const want = (list: readonly Variable[]): void => {
    for (const variable of list) {
      counts[variable]!++;
      if (wanted[variable] === 1) continue;
      wanted[variable] = 1;
      queue.push(variable);
    }
  };
  const kept = new Set<Instruction>();
  const keep = (each: Instruction): void => {
    if (kept.has(each)) return;
    kept.add(each);
    want(operandsOf(each));
  };
  for (const each of instructionsOf(body)) {
    for (const to of targetsOf(each)) makers[to]!.push(each);
    if (hasEffects(each)) keep(each);
  }
  want(results);
  for (let variable = queue.pop(); variable !== undefined; variable = queue.pop()) makers[variable]!.forEach(keep);

  const given = new Set(parameters);
  const constants = new Map<Variable, Scalar>();
  for (const [variable, by] of makers.entries()) {
    const only = by.length === 1 ? by[0] : undefined;
    if (only?.kind === 'constant' && !given.has(variable)) constants.set(variable, only.value);
  }
  const assigned = makers.flatMap((by, variable) =>
    wanted[variable] === 1 && by.length > 0 && !given.has(variable) && !constants.has(variable) ? [variable] : [],
  );
  return {
    keeps: (each) => kept.has(each) && !(each.kind === 'constant' && constants.has(each.to)),
    constant: (variable) => constants.get(variable),
    count: (variable) => counts[variable] as number,
    wanted: assigned,
  };
}
