import { UsageError } from '../base/index.ts';
import { type Box, seenFrom } from './boxes.rules.ts';
import { type Grid, keyOf, type Position } from './grid.rules.ts';

/** A rectangle of one partition that becomes a part of one partition of another grid. */
export interface Move {
  /** The partition that has it. */
  readonly from: Position;
  /** Where it is there. */
  readonly source: Box;
  /** The partition that gets it. */
  readonly to: Position;
  /** Where it goes there. */
  readonly target: Box;
}

/** What makes one partition of the target: rectangles that cover it exactly, in the order of the source's positions. */
export function* movesInto(source: Grid, target: Grid, to: Position): IterableIterator<Move> {
  const box = target.box(to);
  for (const { position, part } of source.meeting(box)) {
    yield { from: position, source: seenFrom(part, source.box(position).start), to, target: seenFrom(part, box.start) };
  }
}

/** All of it, target by target. Nothing is kept: a plan of any size takes no memory until it is walked. */
export function* repartitionPlan(source: Grid, target: Grid): IterableIterator<Move> {
  checkSame(source, target);
  for (const to of target.positions()) yield* movesInto(source, target, to);
}

export function checkSame(source: Grid, target: Grid): void {
  if (keyOf(source.shape) === keyOf(target.shape)) return;
  throw new UsageError(
    `repartition: the shapes (${source.shape.join(', ')}) and (${target.shape.join(', ')}) differ; another grid has to be of the same container`,
    { code: 'ERR_SHEAF_SHAPE' },
  );
}

/**
 * How many elements have to travel: those that a place gets and does not have. `have` says where a partition of the source is, `want` where
 * one of the target goes; each several places for what is replicated. No plan can move less, since places share nothing.
 */
export function elementsMoved(
  source: Grid,
  target: Grid,
  have: (from: Position) => readonly string[],
  want: (to: Position) => readonly string[],
): number {
  let moved = 0;
  for (const { from, to, source: part } of repartitionPlan(source, target)) {
    const elements = part.shape.reduce((product, n) => product * n, 1);
    const there = new Set(have(from));
    for (const place of new Set(want(to))) if (!there.has(place)) moved += elements;
  }
  return moved;
}
