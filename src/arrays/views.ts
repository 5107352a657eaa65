import { UsageError } from '../base/index.ts';
import { axisOf, type Shape, shapeText, sizeOf } from '../nd/index.ts';
import { type AxisMap, type GivenIndices, Node, type Op } from '../pipelines/index.ts';

/** Views of nodes: the same elements in another order. */
export const viewOf = (node: Node, maps: readonly AxisMap[], shape: Shape): Node =>
  new Node({ kind: 'view', maps }, shape, node.dtype, [node]);

/** An axis as it is. */
export const whole = (axis: number): AxisMap => ({ start: 0, step: 1, axis });
/** One place of an axis, which is gone. */
export const only = (start: number): AxisMap => ({ start, step: 1, axis: undefined });

/** The elements row by row in another shape of the same size. */
export function reshaped(node: Node, shape: Shape): Node {
  if (node.shape.length === shape.length && shape.every((length, axis) => length === node.shape[axis])) return node;
  return new Node({ kind: 'reshape' }, shape, node.dtype, [node]);
}

export const flat = (node: Node): Node => reshaped(node, [sizeOf(node.shape)]);

/** The axes in another order: axis `axes[i]` becomes axis i. */
export function permuted(node: Node, axes: readonly number[]): Node {
  if (axes.every((axis, i) => axis === i)) return node;
  const to = new Array<number>(axes.length);
  for (const [i, axis] of axes.entries()) to[axis] = i;
  return viewOf(
    node,
    to.map(whole),
    axes.map((axis) => node.shape[axis] as number),
  );
}

/** One axis moved to another place. */
export function moved(node: Node, from: number, to: number): Node {
  const axes = node.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  axes.splice(to, 0, from);
  return permuted(node, axes);
}

/** Stretched to a larger shape, as arrays beside larger ones are. */
export function broadcast(operation: string, node: Node, shape: Shape): Node {
  const skipped = shape.length - node.shape.length;
  const fits = skipped >= 0 && node.shape.every((length, axis) => length === shape[skipped + axis] || length === 1);
  if (!fits) {
    throw new UsageError(
      `${operation}: an array of the shape ${shapeText(node.shape)} can't be stretched to ${shapeText(shape)}: axes, counted from ` +
        'the last one, have to be equal, or 1 in the array',
      { code: 'ERR_SHEAF_SHAPE', details: { operation, shapes: [[...node.shape], [...shape]] } },
    );
  }
  if (skipped === 0 && node.shape.every((length, axis) => length === shape[axis])) return node;
  const maps = node.shape.map((length, axis) =>
    length === 1 && shape[skipped + axis] !== 1 ? only(0) : whole(skipped + axis),
  );
  return viewOf(node, maps, [...shape]);
}

/** A new axis of length 1. */
export function expanded(node: Node, axis: number): Node {
  const shape = [...node.shape];
  shape.splice(axis, 0, 1);
  return viewOf(
    node,
    node.shape.map((_, i) => whole(i < axis ? i : i + 1)),
    shape,
  );
}

/** Without axes of length 1. */
export function dropped(node: Node, axes: readonly number[]): Node {
  let next = 0;
  const maps = node.shape.map((_, axis) => (axes.includes(axis) ? only(0) : whole(next++)));
  return viewOf(
    node,
    maps,
    node.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

/** A part along one axis: `length` places from `start` on, `step` apart. */
export function part(node: Node, axis: number, start: number, length: number, step = 1): Node {
  const shape = [...node.shape];
  shape[axis] = length;
  return viewOf(
    node,
    node.shape.map((_, i) => (i === axis ? { start, step, axis } : whole(i))),
    shape,
  );
}

/** One place of an axis, which is gone. */
export function placeOf(node: Node, axis: number, at: number): Node {
  const maps = node.shape.map((_, i) => (i === axis ? only(at) : whole(i < axis ? i : i - 1)));
  return viewOf(
    node,
    maps,
    node.shape.filter((_, i) => i !== axis),
  );
}

/** The last two axes in the other order. */
export function matrixTransposed(operation: string, node: Node): Node {
  const rank = node.shape.length;
  if (rank < 2) throw notMatrices(operation, node.shape);
  const axes = node.shape.map((_, axis) => axis);
  [axes[rank - 2], axes[rank - 1]] = [rank - 1, rank - 2];
  return permuted(node, axes);
}

export const notMatrices = (operation: string, shape: Shape): UsageError =>
  new UsageError(
    `${operation} takes matrices, arrays of two axes or more, and not one of the shape ${shapeText(shape)}`,
    { code: 'ERR_SHEAF_SHAPE', details: { operation, shapes: [[...shape]] } },
  );

/** Nodes one after the other along an axis, all else being equal. */
export function joined(nodes: readonly Node[], axis: number): Node {
  const first = nodes[0] as Node;
  if (nodes.length === 1) return first;
  const shape = [...first.shape];
  let start = 0;
  const at = nodes.map((node) => {
    const maps = shape.map((_, i) => (i === axis ? { start, step: 1, axis: i } : whole(i)));
    start += node.shape[axis] as number;
    return maps;
  });
  shape[axis] = start;
  return new Node({ kind: 'assemble', at }, shape, first.dtype, nodes);
}

/** Some elements along an axis; `indices` has one axis, and counts from the front. `of`: whose indices they are. */
export function takenAlong(node: Node, indices: Node, axis: number, of?: GivenIndices): Node {
  const shape = [...node.shape];
  shape[axis] = indices.shape[0] as number;
  const op: Op = of === undefined ? { kind: 'take', axis } : { kind: 'take', axis, of };
  return new Node(op, shape, node.dtype, [node, indices]);
}

/** The axis that an option names; the only one, if it is left out. */
export function soleAxis(operation: string, axis: number | undefined, shape: Shape): number {
  if (axis !== undefined) return axisOf(operation, axis, shape);
  if (shape.length === 1) return 0;
  throw new UsageError(
    shape.length === 0
      ? `${operation} goes along an axis, and a scalar has none; reshape([1]) makes it an array that has one`
      : `${operation}: an array of the shape ${shapeText(shape)} has several axes; name one with { axis }`,
    { code: 'ERR_SHEAF_AXIS', details: { operation, shape: [...shape] } },
  );
}
