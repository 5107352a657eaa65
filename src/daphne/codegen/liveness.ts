/**
 * Which data objects somebody will want later. Variables of the others let go of them, since they may be large; and of matrices that are not computed
 * yet, those that are wanted later are better computed together with what they share work with.
 */

import type { Block, Instruction, ProgramFunction, Variable } from '../program/program.ts';
import { operandsOf, targetsOf, type Uses } from './uses.ts';

export interface LiveAt {
  /** By built-ins: matrices that are there before and wanted after them. */
  readonly after: ReadonlyMap<Instruction, readonly Variable[]>;
  /** By loops: matrices that a turn makes and the next one, or who comes after the loop, may want. */
  readonly carried: ReadonlyMap<Instruction, readonly Variable[]>;
  /** Data objects that nobody wants any more after an instruction. */
  readonly dead: ReadonlyMap<Instruction, readonly Variable[]>;
}

/** More are not worth looking at. */
const MOST = 32;
/** A loop in a loop doubles the work. Deeper ones keep what they have. */
const MOST_NESTED = 6;

const NOTHING: LiveAt = { after: new Map(), carried: new Map(), dead: new Map() };

/** @param isLazy whether it is of interest what is wanted together. */
export function liveObjects(of: ProgramFunction, results: readonly Variable[], uses: Uses, isLazy: boolean): LiveAt {
  if (of.variables.every(({ type }) => type.data === 'scalar') || loopDepth(of.body, MOST_NESTED) > MOST_NESTED)
    return NOTHING;
  const after = new Map<Instruction, readonly Variable[]>();
  const carried = new Map<Instruction, readonly Variable[]>();
  const dead = new Map<Instruction, readonly Variable[]>();
  const dataOf = (variable: Variable): string => of.variables[variable]!.type.data;
  const isMatrix = (variable: Variable): boolean => dataOf(variable) === 'matrix';
  const objectsIn = (variables: Iterable<Variable>): Variable[] =>
    [...new Set(variables)].filter((variable) => dataOf(variable) !== 'scalar');
  const missing = (live: ReadonlySet<Variable>, from: Iterable<Variable>): Variable[] =>
    [...from].filter((variable) => !live.has(variable));

  /** Until a turn adds nothing to what is live. What it notes in the last round is true. */
  const loop = (
    each: Extract<Instruction, { kind: 'for' | 'while' }>,
    live: Set<Variable>,
    made: Set<Variable>,
  ): void => {
    const wanted = new Set(live);
    const own = new Set<Variable>();
    for (let before = -1; before !== live.size; ) {
      before = live.size;
      const turn = new Set(live);
      if (each.kind === 'for') walk(each.body, turn, own);
      else if (each.first) for (const part of [each.head, each.body]) walk(part, turn, own);
      else {
        walk(each.body, turn, own);
        // The condition is what ends the loop, and before what comes after it.
        for (const variable of wanted) turn.add(variable);
        walk(each.head, turn, own);
      }
      for (const variable of turn) live.add(variable);
    }
    for (const variable of own) made.add(variable);
    dead.set(each, missing(wanted, live));
    if (isLazy)
      carried.set(each, [...own].filter((variable) => live.has(variable) && isMatrix(variable)).slice(0, MOST));
  };

  /** Changes what is live after a block to what is live before it, and adds the variables that it makes. */
  const walk = (block: Block, live: Set<Variable>, made: Set<Variable>): void => {
    for (let i = block.length - 1; i >= 0; i--) {
      const each = block[i] as Instruction;
      if (!uses.keeps(each)) continue;
      const targets = targetsOf(each);
      for (const to of targets) made.add(to);
      if (each.kind === 'return') live.clear();
      if (each.kind === 'if') {
        const other = new Set(live);
        walk(each.whenTrue, live, made);
        walk(each.whenFalse, other, made);
        for (const variable of other) live.add(variable);
      } else if (each.kind === 'for' || each.kind === 'while') loop(each, live, made);
      else {
        const operands = objectsIn(operandsOf(each));
        if (each.kind !== 'return')
          dead.set(
            each,
            missing(live, operands).filter((v) => !targets.includes(v)),
          );
        for (const to of targets) live.delete(to);
        if (isLazy && each.kind === 'builtin') after.set(each, [...live].filter(isMatrix).slice(-MOST));
        for (const variable of operands) live.add(variable);
      }
    }
  };
  walk(of.body, new Set(objectsIn(results)), new Set());
  return { after, carried, dead };
}

/** How deep loops are within loops, as far as `most` and one more. */
function loopDepth(block: Block, most: number): number {
  let deepest = 0;
  const open: [Block, number][] = [[block, 0]];
  for (let part = open.pop(); part !== undefined && deepest <= most; part = open.pop()) {
    const [inner, depth] = part;
    deepest = Math.max(deepest, depth);
    for (const each of inner) {
      if (each.kind === 'if') open.push([each.whenTrue, depth], [each.whenFalse, depth]);
      else if (each.kind === 'for') open.push([each.body, depth + 1]);
      else if (each.kind === 'while') open.push([each.head, depth + 1], [each.body, depth + 1]);
    }
  }
  return deepest;
}
