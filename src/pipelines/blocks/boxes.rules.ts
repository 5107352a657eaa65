import { type Shape, sizeOf } from '../../nd/index.ts';

/** From a place of an axis up to another, which is left out. */
export type Range = readonly [from: number, to: number];

/** A part of an array: a range of each axis. */
export type Box = readonly Range[];

export const wholeOf = (shape: Shape): Box => shape.map((length) => [0, length] as const);
export const shapeOf = (box: Box): number[] => box.map(([from, to]) => to - from);
export const volumeOf = (box: Box): number => sizeOf(shapeOf(box));

export const contains = (outer: Box, inner: Box): boolean =>
  outer.every(([from, to], axis) => from <= (inner[axis] as Range)[0] && (inner[axis] as Range)[1] <= to);

/** The smallest box that has both in it. */
export const hullOf = (a: Box, b: Box): Box =>
  a.map(([from, to], axis) => [Math.min(from, (b[axis] as Range)[0]), Math.max(to, (b[axis] as Range)[1])] as const);

/**
 * All of an array in boxes of `most` elements or fewer, each of which lies in one line, row by row: single places of the axes in front, a range of one
 * axis, all of those behind. Ranges are as long as a power of two, so that arrays that are cut with other numbers of elements have cuts in common.
 */
export function* tilesOf(shape: Shape, most: number): Generator<Box> {
  let cut = shape.length;
  let inner = 1;
  while (cut > 0 && inner * (shape[cut - 1] as number) <= most) inner *= shape[--cut] as number;
  if (cut === 0 || sizeOf(shape) === 0) {
    yield wholeOf(shape);
    return;
  }
  const behind = wholeOf(shape.slice(cut));
  const length = shape[cut - 1] as number;
  const step = 2 ** Math.floor(Math.log2(Math.max(1, most / inner)));
  for (const place of placesOf(shape.slice(0, cut - 1))) {
    const before = place.map((at) => [at, at + 1] as const);
    for (let from = 0; from < length; from += step) yield [...before, [from, Math.min(length, from + step)], ...behind];
  }
}

function* placesOf(shape: Shape): Generator<number[]> {
  const place = shape.map(() => 0);
  for (let left = sizeOf(shape); left > 0; left--) {
    yield [...place];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] as number) + 1;
      if ((place[axis] as number) < (shape[axis] as number)) break;
      place[axis] = 0;
    }
  }
}

/** The box with more of it, so that its elements lie in one line, row by row. */
export function inLine(box: Box, shape: Shape): Box {
  const first = box.findIndex(([from, to]) => to - from > 1);
  return box.map((range, axis) => (first >= 0 && axis > first ? [0, shape[axis] as number] : range));
}

/** Which elements, row by row, those of a box in one line are. */
export function lineOf(box: Box, shape: Shape): Range {
  let first = 0;
  for (const [axis, [from]] of box.entries()) first = first * (shape[axis] as number) + from;
  return [first, first + volumeOf(box)];
}

/** The boxes, in order, that have the elements of a range, row by row, and no others. */
export function boxesOf(shape: Shape, [from, to]: Range): Box[] {
  if (from >= to) return [];
  const [length, ...rest] = shape;
  if (length === undefined) return [[]];
  const inner = sizeOf(rest);
  const single = (at: number, own: Range): Box[] => boxesOf(rest, own).map((box) => [[at, at + 1], ...box]);
  const [first, last] = [Math.floor(from / inner), Math.floor((to - 1) / inner)];
  const [head, tail] = [from - first * inner, to - last * inner];
  if (first === last) return single(first, [head, tail]);
  const start = head === 0 ? first : first + 1;
  const end = tail === inner ? last + 1 : last;
  return [
    ...(head === 0 ? [] : single(first, [head, inner])),
    ...(start < end ? [[[start, end] as const, ...wholeOf(rest)]] : []),
    ...(tail === inner ? [] : single(last, [0, tail])),
  ];
}

/** Blocks of both sides of a product, so large that none has more elements than `most`; those of one place one after the other. */
export function* productTilesOf(
  outer: readonly number[],
  m: number,
  k: number,
  n: number,
  most: number,
): Generator<{ box: Box; inner: Range }> {
  const steps = [m, k, n] as [number, number, number];
  const halve = (a: 0 | 1 | 2, b: 0 | 1 | 2): boolean => {
    if (steps[a] * steps[b] <= most) return false;
    const larger = steps[a] >= steps[b] ? a : b;
    // Halves of powers of two have cuts in common with other blocks.
    steps[larger] = 2 ** (Math.ceil(Math.log2(steps[larger])) - 1);
    return true;
  };
  while (halve(0, 1) || halve(1, 2) || halve(0, 2));
  const ranges = (length: number, step: number): Range[] =>
    Array.from({ length: Math.ceil(length / step) }, (_, i) => [i * step, Math.min(length, (i + 1) * step)]);
  for (const before of tilesOf(outer, 1)) {
    for (const rows of ranges(m, steps[0])) {
      for (const columns of ranges(n, steps[2])) {
        for (const inner of ranges(k, steps[1])) yield { box: [...before, rows, columns], inner };
      }
    }
  }
}
