/** Which matrices somebody will want later: those that are not computed yet are better computed together with what they share work with. */

import type { Block, Instruction, ProgramFunction, Variable } from '../program/program.ts';
import { operandsOf, targetsOf, type Uses } from './uses.ts';

export interface LiveAt {
  /** By built-ins: matrices that are there before and wanted after them. */
  readonly after: ReadonlyMap<Instruction, readonly Variable[]>;
  /** By loops: matrices that a turn makes and the next one may want. */
  readonly carried: ReadonlyMap<Instruction, readonly Variable[]>;
}

/** More are not worth looking at. */
const MOST = 32;
/** Loops within loops are walked so often until nothing changes. */
const MOST_ROUNDS = 8;

export function liveMatrices(of: ProgramFunction, results: readonly Variable[], uses: Uses): LiveAt {
  const after = new Map<Instruction, readonly Variable[]>();
  const carried = new Map<Instruction, readonly Variable[]>();
  const isMatrix = (variable: Variable): boolean => of.variables[variable]!.type.data === 'matrix';
  const add = (live: Set<Variable>, variables: readonly Variable[]): void => {
    for (const each of variables) if (isMatrix(each)) live.add(each);
  };

  /** Changes what is live after a block to what is live before it. Gives the variables that it makes. */
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
        add(live, [...other]);
      } else if (each.kind === 'for' || each.kind === 'while') {
        const own = new Set<Variable>();
        for (let round = 0; round < MOST_ROUNDS; round++) {
          const before = live.size;
          const turn = new Set(live);
          if (each.kind === 'for') walk(each.body, turn, own);
          else for (const part of each.first ? [each.head, each.body] : [each.body, each.head]) walk(part, turn, own);
          add(live, [...turn]);
          if (live.size === before) break;
        }
        for (const variable of own) made.add(variable);
        carried.set(each, [...own].filter((variable) => live.has(variable)).slice(0, MOST));
      } else {
        for (const to of targets) live.delete(to);
        if (each.kind === 'builtin') after.set(each, [...live].slice(-MOST));
      }
      add(live, operandsOf(each));
    }
  };
  walk(of.body, new Set(results.filter(isMatrix)), new Set());
  return { after, carried };
}
