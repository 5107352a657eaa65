import { type Shape, sizeOf } from '../nd/index.ts';
import type { AxisMap } from './graph.ts';
import { rowMajorOf } from './simplify.rules.ts';
import type { Value, Values } from './values.rules.ts';

/**
 * A reduction as that of its argument with the axes in the order in which most of its elements lie in memory, the furthest apart first: a
 * transposed matrix is walked by its own rows, and not line of the cache after line for one element each. `arg` is used by nobody else: who walks it in
 * another order cannot share a kernel with this.
 */
export function orderedReduction(
  values: Values,
  { op, shape, dtype }: Value & { readonly op: { readonly kind: 'reduce' } },
  arg: number,
): number {
  const from = values.at(arg).shape;
  const order = orderOf(from, largestLoad(values, arg, from));
  if (order === undefined) return values.reduce(op, shape, dtype, arg);
  const walked = order.map((axis) => from[axis] as number);
  const maps = from.map((_, axis) => ({ start: 0, step: 1, axis: order.indexOf(axis) }));
  const turned = values.view(maps, walked, arg);
  const axes = order.flatMap((axis, place) => (op.axes.includes(axis) ? [place] : []));
  // What is left has its own order, which is then turned back.
  const left = order.filter((axis) => !op.axes.includes(axis));
  const reduced = values.reduce(
    { ...op, axes },
    left.map((axis) => from[axis] as number),
    dtype,
    turned,
  );
  const back: AxisMap[] = left.map((axis) => ({
    start: 0,
    step: 1,
    axis: [...left].sort((a, b) => a - b).indexOf(axis),
  }));
  return values.view(back, shape, reduced);
}

/** The strides, along the axes of a space, of what most elements are read of to compute a value there. */
function largestLoad(values: Values, id: number, space: Shape): readonly number[] {
  let largest: readonly number[] = [];
  let most = 0;
  const visit = (at: number, depth: number): void => {
    const { op, args, shape } = values.at(at);
    if (shape.length !== space.length || depth > DEEPEST) return;
    if (op.kind === 'element' || op.kind === 'cast') {
      for (const arg of args) visit(arg, depth + 1);
      return;
    }
    const strides = op.kind === 'source' ? op.strides : op.kind === 'view' ? seenBy(values, at) : rowMajorOf(shape);
    let size = 1;
    for (const [axis, length] of shape.entries()) if (strides[axis] !== 0) size *= length;
    if (op.kind === 'scalar' || op.kind === 'position' || size <= most) return;
    most = size;
    largest = strides;
  };
  visit(id, 0);
  return largest;
}

/** No deeper is looked for what is read. */
const DEEPEST = 8;

/** The strides of a view, as far as they follow from it: of something that lies row by row. */
function seenBy(values: Values, id: number): number[] {
  const { op, args, shape } = values.at(id);
  const own = rowMajorOf(values.at(args[0] as number).shape);
  const strides = new Array<number>(shape.length).fill(0);
  for (const [axis, map] of (op as { maps: readonly AxisMap[] }).maps.entries()) {
    if (map.axis !== undefined) (strides[map.axis] as number) += map.step * (own[axis] as number);
  }
  return strides;
}

/** The axes with those along which something lies in descending order; undefined where they are. */
function orderOf(shape: Shape, strides: readonly number[]): number[] | undefined {
  if (sizeOf(shape) === 0) return undefined;
  const counts = (axis: number): boolean => shape[axis] !== 1 && (strides[axis] ?? 0) !== 0;
  const along = shape.map((_, axis) => axis).filter(counts);
  const reach = (axis: number): number => Math.abs(strides[axis] as number);
  const sorted = [...along].sort((a, b) => reach(b) - reach(a) || a - b);
  if (sorted.every((axis, i) => axis === along[i])) return undefined;
  return shape.map((_, axis) => (counts(axis) ? (sorted.shift() as number) : axis));
}
