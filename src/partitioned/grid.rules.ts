import { shown, UsageError } from '../base/index.ts';
import { type Box, intersection } from './boxes.rules.ts';

/** A place in a grid of partitions: one number for each axis. */
export type Position = readonly number[];

/**
 * How an axis is cut: into so many parts of the same length, where the first ones are one longer if it does not come out even; into
 * tiles of so many elements, of which the last may be shorter; or where each part starts, the first one at 0.
 */
export type Cut = { readonly parts: number } | { readonly tile: number } | { readonly starts: readonly number[] };

/** One axis of a grid. Nothing is kept for each part where a formula does. */
export interface Axis {
  /** In elements. */
  readonly length: number;
  /** How many parts. */
  readonly count: number;
  /** Where part `i` starts; for `count`, where the axis ends. */
  start(i: number): number;
  /** The part that an element lies in. */
  find(element: number): number;
}

/** `3,0`: a position as a key of `partitions`. The one of a scalar is the empty text. */
export const keyOf = (position: Position): string => position.join(',');

/** The position that a key names; undefined where it is none in its canonical form. */
export function positionOf(key: string): number[] | undefined {
  if (key === '') return [];
  const position = key.split(',').map(Number);
  return position.every((n) => Number.isSafeInteger(n) && n >= 0) && keyOf(position) === key ? position : undefined;
}

/** An axis of `length` elements that is cut like that. `what` begins the message of the UsageError (ERR_SHEAF_SHAPE) where it can't be. */
export function axisOf(length: number, cut: Cut, what: string): Axis {
  if (!Number.isSafeInteger(length) || length < 0)
    throw wrong(what, `the length ${shown(length)} is no whole number below 2**53`);
  if ('starts' in cut) return listed(length, cut.starts, what);
  const [name, n] = 'parts' in cut ? (['parts', cut.parts] as const) : (['tile', cut.tile] as const);
  if (!Number.isSafeInteger(n) || n < 1) throw wrong(what, `${name} is ${shown(n)}; give a whole number from 1 on`);
  return 'parts' in cut ? even(length, n) : tiled(length, n);
}

function even(length: number, count: number): Axis {
  const least = Math.floor(length / count);
  const longer = length - least * count;
  const bound = longer * (least + 1);
  return {
    length,
    count,
    start: (i) => i * least + Math.min(i, longer),
    find: (x) => (x < bound ? Math.floor(x / (least + 1)) : longer + Math.floor((x - bound) / least)),
  };
}

function tiled(length: number, tile: number): Axis {
  const count = Math.max(1, Math.ceil(length / tile));
  return { length, count, start: (i) => Math.min(i * tile, length), find: (x) => Math.floor(x / tile) };
}

function listed(length: number, starts: readonly number[], what: string): Axis {
  const sorted = starts.every(
    (from, i) => Number.isSafeInteger(from) && from >= (i === 0 ? 0 : (starts[i - 1] as number)),
  );
  if (starts[0] !== 0 || !sorted || (starts.at(-1) as number) > length) {
    throw wrong(
      what,
      `parts can't start at ${starts.slice(0, 10).join(', ')}; give 0 first, then ascending numbers up to ${length}`,
    );
  }
  return {
    length,
    count: starts.length,
    start: (i) => starts[i] ?? length,
    find(x) {
      let [low, high] = [0, starts.length - 1];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] as number) <= x) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}

const wrong = (what: string, text: string): UsageError =>
  new UsageError(`${what}: ${text}`, { code: 'ERR_SHEAF_SHAPE' });

/** A rectangular grid of partitions over a container: partition after partition, without gaps, without overlaps. */
export class Grid {
  /** How each axis is cut. */
  readonly axes: readonly Axis[];
  /** Of the container, in elements. */
  readonly shape: readonly number[];
  /** How many partitions along each axis. */
  readonly tiling: readonly number[];
  /** How many partitions. */
  readonly count: number;

  constructor(axes: readonly Axis[]) {
    this.axes = axes;
    this.shape = axes.map(({ length }) => length);
    this.tiling = axes.map(({ count }) => count);
    this.count = this.tiling.reduce((product, n) => product * n, 1);
    if (!Number.isSafeInteger(this.count)) {
      throw wrong(
        'a grid of partitions',
        `${this.tiling.join(' x ')} are more than 2**53 partitions; make larger ones`,
      );
    }
  }

  /** Whether there is a partition at that position. */
  has(position: Position): boolean {
    return (
      position.length === this.axes.length &&
      position.every((n, axis) => Number.isSafeInteger(n) && n >= 0 && n < (this.tiling[axis] as number))
    );
  }

  /** Which elements a partition has. The position has to be one of the grid. */
  box(position: Position): Box {
    const start = position.map((n, axis) => (this.axes[axis] as Axis).start(n));
    const shape = position.map((n, axis) => (this.axes[axis] as Axis).start(n + 1) - (start[axis] as number));
    return { start, shape };
  }

  /** All positions, the last axis first. */
  *positions(): IterableIterator<number[]> {
    yield* product(this.tiling.map((count) => [0, count]));
  }

  /** The partitions that have elements of a box, and which: in coordinates of the container. */
  *meeting(box: Box): IterableIterator<{ readonly position: number[]; readonly part: Box }> {
    if (box.shape.includes(0)) return;
    const ranges = this.axes.map((axis, i): [number, number] => {
      const from = box.start[i] as number;
      return [axis.find(from), axis.find(from + (box.shape[i] as number) - 1) + 1];
    });
    for (const position of product(ranges)) {
      // Parts without elements may lie between those that have some.
      const part = intersection(this.box(position), box);
      if (part !== undefined) yield { position, part };
    }
  }
}

/** The grid of a container of that shape, cut like that. Throws a UsageError (ERR_SHEAF_SHAPE), which begins with `what`. */
export function gridOf(shape: readonly number[], cuts: readonly Cut[], what = 'a grid of partitions'): Grid {
  if (shape.length !== cuts.length) {
    throw wrong(what, `a shape of ${shape.length} axes is cut along ${cuts.length}; give one cut for each axis`);
  }
  return new Grid(shape.map((length, axis) => axisOf(length, cuts[axis] as Cut, `${what}: axis ${axis}`)));
}

/** Every combination of numbers of half-open ranges, the last one runs first. */
function* product(ranges: readonly (readonly [number, number])[]): IterableIterator<number[]> {
  if (ranges.some(([from, to]) => from >= to)) return;
  const at = ranges.map(([from]) => from);
  for (;;) {
    yield [...at];
    let axis = at.length - 1;
    while (axis >= 0 && (at[axis] as number) + 1 === (ranges[axis] as readonly [number, number])[1]) {
      at[axis] = (ranges[axis] as readonly [number, number])[0];
      axis--;
    }
    if (axis < 0) return;
    at[axis] = (at[axis] as number) + 1;
  }
}
