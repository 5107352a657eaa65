import { UsageError } from '../base/index.ts';
import { axesOf, axisList, axisOf, type DType, promoted, type Shape, shapeText, sizeOf } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkIntegers, checkOptions, checkShape } from './checks.ts';
import { isArr, nodeOf, wrap } from './lazy.ts';
import type { FlipOptions, OneAxisOptions, RepeatOptions, RollOptions } from './manipulation-types.ts';
import { cast } from './operations.ts';
import { pipelinesFor, sourceOf } from './place.ts';
import { isSparse, sparseOf, wrapSparse } from './sparse/sparse.ts';
import { stacked } from './sparse/stack.ts';
import type { Sparse } from './sparse/types.ts';
import type { Common, D } from './types.ts';
import {
  broadcast,
  dropped,
  expanded,
  flat,
  joined,
  matrixTransposed,
  only,
  part,
  permuted,
  placeOf,
  reshaped,
  soleAxis,
  takenAlong,
  viewOf,
  whole,
} from './views.ts';

/** The same elements again and again along axes of length 1, and along new ones in front. */
export function broadcastTo<T extends D>(x: Arr<T>, shape: readonly number[]): Arr<T> {
  return wrap(broadcast('broadcastTo', nodeOf('broadcastTo', x), checkShape('broadcastTo', shape)));
}

/** What `concat` takes. */
export interface ConcatOptions {
  /** 0, if nothing is said; null: all arrays row by row. */
  axis?: number | null;
}

/** The type that all arrays of a list have in common. */
export type CommonOf<A extends readonly Arr[]> = A extends readonly [Arr<infer T>]
  ? T
  : A extends readonly [Arr<infer T>, ...infer R extends readonly Arr[]]
    ? Common<T, CommonOf<R>>
    : A extends readonly Arr<infer T>[]
      ? T
      : never;

/** Arrays as nodes of the type that they have in common. */
function listOf(operation: string, arrays: readonly Arr[]): Node[] {
  if (!Array.isArray(arrays) || arrays.length === 0) {
    throw new UsageError(`${operation} takes a list of at least one array`, { details: { operation } });
  }
  const nodes = (arrays as readonly Arr[]).map((each) => nodeOf(operation, each));
  const dtype: DType = promoted(
    operation,
    nodes.map((node) => node.dtype),
  );
  return nodes.map((node) => cast(node, dtype));
}

/** Arrays one after the other along an axis. All else of their shapes has to be equal. */
export function concat<const A extends readonly Arr[]>(arrays: A, o?: ConcatOptions): Arr<CommonOf<A>>;
/** The same of sparse matrices, which gives one: one below the other, if nothing is said. */
export function concat<T extends D>(matrices: readonly Sparse<T>[], o?: OneAxisOptions): Sparse<T>;
export function concat(arrays: readonly (Arr | Sparse)[], o: ConcatOptions = {}): Arr | Sparse {
  checkOptions('concat', o, ['axis']);
  if (Array.isArray(arrays) && arrays.some(isSparse)) {
    const all = arrays.map((each) => sparseOf('concat', each));
    return wrapSparse(stacked(all, o.axis ?? undefined));
  }
  const nodes = listOf('concat', arrays as readonly Arr[]);
  if (o.axis === null) return wrap(joined(nodes.map(flat), 0));
  const first = nodes[0] as Node;
  const axis = axisOf('concat', o.axis ?? 0, first.shape);
  const fits = nodes.every(
    ({ shape }) =>
      shape.length === first.shape.length && shape.every((length, i) => i === axis || length === first.shape[i]),
  );
  const shapes = nodes.map(({ shape }) => shape);
  if (!fits) {
    throw badShapes(
      'concat',
      `the shapes ${shapes.map(shapeText).join(' and ')} differ elsewhere than in axis ${axis}, along which they are put together`,
      ...shapes,
    );
  }
  return wrap(joined(nodes, axis));
}

/** Arrays of one shape side by side along a new axis; in front, if nothing is said. */
export function stack<const A extends readonly Arr[]>(arrays: A, o: OneAxisOptions = {}): Arr<CommonOf<A>> {
  checkOptions('stack', o, ['axis']);
  const nodes = listOf('stack', arrays);
  const { shape, dtype } = nodes[0] as Node;
  const shapes = nodes.map((node) => node.shape);
  if (shapes.some((each) => each.length !== shape.length || each.some((length, i) => length !== shape[i]))) {
    throw badShapes('stack', `the shapes ${shapes.map(shapeText).join(' and ')} are not all the same`, ...shapes);
  }
  const result = [...shape, 1];
  const axis = axisOf('stack', o.axis ?? 0, result);
  result.pop();
  result.splice(axis, 0, nodes.length);
  const at = nodes.map((_, i) => result.map((_, to) => (to === axis ? only(i) : whole(to < axis ? to : to - 1))));
  return wrap(new Node({ kind: 'assemble', at }, result, dtype, nodes));
}

/** A new axis of length 1; in front, if nothing is said. */
export function expandDims<T extends D>(x: Arr<T>, o: OneAxisOptions = {}): Arr<T> {
  checkOptions('expandDims', o, ['axis']);
  const node = nodeOf('expandDims', x);
  return wrap(expanded(node, axisOf('expandDims', o.axis ?? 0, [...node.shape, 1])));
}

/** Without axes that have length 1. */
export function squeeze<T extends D>(x: Arr<T>, axis: number | readonly number[]): Arr<T> {
  const node = nodeOf('squeeze', x);
  const axes = axesOf('squeeze', axis ?? [], node.shape);
  const long = axes.find((each) => node.shape[each] !== 1);
  if (long !== undefined) {
    throw badShapes(
      'squeeze',
      `axis ${long} of the shape ${shapeText(node.shape)} has ${node.shape[long]} places, and only one that has 1 can go`,
      node.shape,
    );
  }
  return wrap(dropped(node, axes));
}

/** The other way round along some axes, or all. */
export function flip<T extends D>(x: Arr<T>, o: FlipOptions = {}): Arr<T> {
  checkOptions('flip', o, ['axis']);
  const node = nodeOf('flip', x);
  const axes = axesOf('flip', o.axis, node.shape);
  const maps = node.shape.map((length, axis) =>
    axes.includes(axis) && length > 0 ? { start: length - 1, step: -1, axis } : whole(axis),
  );
  return wrap(viewOf(node, maps, node.shape));
}

/** Axes at other places; the others keep their order. */
export function moveaxis<T extends D>(
  x: Arr<T>,
  source: number | readonly number[],
  destination: number | readonly number[],
): Arr<T> {
  const node = nodeOf('moveaxis', x);
  const listed = (axes: number | readonly number[]): number[] => {
    // In the order in which they are given, each once.
    axesOf('moveaxis', axes, node.shape);
    return axisList('moveaxis', axes, node.shape).map((axis) => axisOf('moveaxis', axis, node.shape));
  };
  const [from, to] = [listed(source), listed(destination)];
  if (from.length !== to.length) {
    throw new UsageError(`moveaxis: ${from.length} axes can't go to ${to.length} places; give as many of both`, {
      code: 'ERR_SHEAF_AXIS',
      details: { operation: 'moveaxis', shape: [...node.shape] },
    });
  }
  const rest = node.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  const axes = node.shape.map((_, axis) => {
    const moved = to.indexOf(axis);
    return moved < 0 ? (rest.shift() as number) : (from[moved] as number);
  });
  return wrap(permuted(node, axes));
}

function orderOf(operation: string, given: readonly number[], shape: Shape): number[] {
  const axes = axisList(operation, given, shape);
  axesOf(operation, axes, shape);
  if (axes.length !== shape.length) {
    throw new UsageError(
      `${operation}: ${axes.length} axes are no order of the ${shape.length} axes of the shape ${shapeText(shape)}; name each once`,
      { code: 'ERR_SHEAF_AXIS', details: { operation, axes: [...axes], shape: [...shape] } },
    );
  }
  return axes.map((axis) => axisOf(operation, axis, shape));
}

/** The axes in another order. */
export function permuteDims<T extends D>(x: Arr<T>, axes: readonly number[]): Arr<T> {
  const node = nodeOf('permuteDims', x);
  return wrap(permuted(node, orderOf('permuteDims', axes, node.shape)));
}

/** The axes in another order; the other way round, if nothing is said. */
export function transpose<T extends D>(x: Arr<T>, axes?: readonly number[]): Arr<T> {
  const node = nodeOf('transpose', x);
  return wrap(permuted(node, orderOf('transpose', axes ?? node.shape.map((_, axis) => axis).reverse(), node.shape)));
}

/** The last two axes in the other order. */
export function matrixTranspose<T extends D>(x: Arr<T>): Arr<T> {
  return wrap(matrixTransposed('matrixTranspose', nodeOf('matrixTranspose', x)));
}

/** @internal `T`: the transpose of a matrix. */
export function turned<T extends D>(x: Arr<T>): Arr<T> {
  const node = nodeOf('T', x);
  if (node.shape.length === 2) return wrap(matrixTransposed('T', node));
  throw badShapes(
    'T',
    `it is for two axes, and not for the shape ${shapeText(node.shape)}; mT turns the last two, transpose() all of them`,
    node.shape,
  );
}

/** The elements, row by row, in another shape. One length may be -1: what is left. */
export function reshape<T extends D>(x: Arr<T>, shape: readonly number[]): Arr<T> {
  const node = nodeOf('reshape', x);
  const size = sizeOf(node.shape);
  const given: unknown = typeof shape === 'number' ? [shape] : shape;
  const open = Array.isArray(given) ? given.indexOf(-1) : -1;
  const lengths = checkShape('reshape', open < 0 ? given : (given as number[]).with(open, 1));
  if (open >= 0) {
    const others = sizeOf(lengths);
    lengths[open] = others === 0 ? 0 : size / others;
  }
  if (sizeOf(lengths) !== size || !lengths.every(Number.isInteger)) {
    throw badShapes(
      'reshape',
      `the ${size} elements of the shape ${shapeText(node.shape)} do not fill the shape ${shapeText(given as Shape)}`,
      node.shape,
      given as Shape,
    );
  }
  return wrap(reshaped(node, lengths));
}

/** The elements moved along; what leaves at one end comes back at the other. */
export function roll<T extends D>(x: Arr<T>, shift: number | readonly number[], o: RollOptions = {}): Arr<T> {
  checkOptions('roll', o, ['axis']);
  const node = nodeOf('roll', x);
  const shifts = checkIntegers('roll', 'the shift', shift);
  if (o.axis === undefined) {
    const by = shifts.reduce((sum, each) => sum + each, 0);
    return wrap(reshaped(rolled(flat(node), 0, by), node.shape));
  }
  const axes = axisList('roll', o.axis, node.shape).map((axis) => axisOf('roll', axis, node.shape));
  const all = typeof shift === 'number' ? axes.map(() => shift) : shifts;
  if (all.length !== axes.length) {
    throw new UsageError(`roll: there are ${all.length} shifts for ${axes.length} axes; give one for each`, {
      code: 'ERR_SHEAF_AXIS',
      details: { operation: 'roll', axes, shape: [...node.shape] },
    });
  }
  let result = node;
  for (const [i, axis] of axes.entries()) result = rolled(result, axis, all[i] as number);
  return wrap(result);
}

function rolled(node: Node, axis: number, shift: number): Node {
  const length = node.shape[axis] as number;
  const by = length === 0 ? 0 : ((shift % length) + length) % length;
  if (by === 0) return node;
  return joined([part(node, axis, length - by, by), part(node, axis, 0, length - by)], axis);
}

/** The array several times along each axis. */
export function tile<T extends D>(x: Arr<T>, repetitions: readonly number[]): Arr<T> {
  const node = nodeOf('tile', x);
  const times = checkIntegers('tile', 'a number of repetitions', repetitions, 0);
  const rank = Math.max(times.length, node.shape.length);
  const lengths = [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape];
  const counts = [...new Array<number>(rank - times.length).fill(1), ...times];
  // Each axis becomes two: how often, and the axis itself.
  const both = lengths.flatMap((length, axis) => [counts[axis] as number, length]);
  const maps = node.shape.map((_, axis) => whole(2 * (rank - node.shape.length + axis) + 1));
  return wrap(
    reshaped(
      viewOf(node, maps, both),
      lengths.map((length, axis) => length * (counts[axis] as number)),
    ),
  );
}

/**
 * Each element several times.
 *
 * @param repeats how often; with a list, each has a number of its own. With an array of them the shape of the result depends on values,
 *   so that it is a promise.
 */
export function repeat<T extends D>(x: Arr<T>, repeats: number | readonly number[], o?: RepeatOptions): Arr<T>;
export function repeat<T extends D>(x: Arr<T>, repeats: Arr, o?: RepeatOptions): Promise<Arr<T>>;
export function repeat(x: Arr, repeats: number | readonly number[] | Arr, o: RepeatOptions = {}): Arr | Promise<Arr> {
  checkOptions('repeat', o, ['axis']);
  if (isArr(repeats)) return repeatBy(x, repeats, o);
  const whole = nodeOf('repeat', x);
  const node = o.axis === undefined ? flat(whole) : whole;
  const axis = soleAxis('repeat', o.axis, node.shape);
  const length = node.shape[axis] as number;
  const counts = checkIntegers('repeat', 'a number of repetitions', repeats, 0);
  if (counts.length === 1) return wrap(repeated(node, axis, counts[0] as number));
  if (counts.length !== length) {
    throw badShapes(
      'repeat',
      `there are ${counts.length} numbers of repetitions for ${length} places along axis ${axis}; give one, or one for each`,
      node.shape,
    );
  }
  const total = counts.reduce((sum, each) => sum + each, 0);
  const indices = new BigInt64Array(total);
  let next = 0;
  for (const [i, each] of counts.entries()) {
    indices.fill(BigInt(i), next, next + each);
    next += each;
  }
  return wrap(takenAlong(node, sourceOf(indices, [total], 'i64'), axis));
}

async function repeatBy(x: Arr, repeats: Arr, o: RepeatOptions): Promise<Arr> {
  const counts = flat(nodeOf('repeat', repeats));
  const pipelines = pipelinesFor('repeat');
  await pipelines.compute([counts]);
  return repeat(x, Array.from(pipelines.read(counts) as ArrayLike<number | bigint>, Number), o);
}

function repeated(node: Node, axis: number, times: number): Node {
  const shape = [...node.shape];
  shape.splice(axis + 1, 0, times);
  const wide = viewOf(
    node,
    node.shape.map((_, i) => whole(i <= axis ? i : i + 1)),
    shape,
  );
  return reshaped(
    wide,
    node.shape.map((length, i) => (i === axis ? length * times : length)),
  );
}

/** The parts along an axis, each without it; of the first one, if nothing is said. */
export function unstack<T extends D>(x: Arr<T>, o: OneAxisOptions = {}): Arr<T>[] {
  checkOptions('unstack', o, ['axis']);
  const node = nodeOf('unstack', x);
  const axis = axisOf('unstack', o.axis ?? 0, node.shape);
  return Array.from({ length: node.shape[axis] as number }, (_, i) => wrap<T>(placeOf(node, axis, i)));
}
