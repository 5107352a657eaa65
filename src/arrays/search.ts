import { UsageError } from '../base/index.ts';
import { axisOf, broadcastShapes, type DType, rowMajor, shapeText, sizeOf } from '../nd/index.ts';
import type { Node, Pipelines } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkChoice } from './checks.ts';
import { positions } from './creation.ts';
import { fromFront } from './indices.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import { apply, cast, checkKind, constantOf, together } from './operations.ts';
import { pipelinesFor } from './place.ts';
import { truth } from './reductions.ts';
import { call } from './routines.ts';
import type { SearchOptions, SortOptions, Unique, Where } from './search-types.ts';
import type { D, Value } from './types.ts';
import { broadcast, flat, part, reshaped, soleAxis, takenAlong } from './views.ts';

/** Where the condition holds, elements of the first array, elsewhere of the second. */
export const where: Where = ((condition: Arr<'bool'>, x: Arr | Value, y: Arr | Value): Arr => {
  const chooser = nodeOf('where', condition);
  if (chooser.dtype !== 'bool') {
    throw new UsageError(`where: the condition is an array of ${chooser.dtype}; make it booleans with notEqual(0)`, {
      code: 'ERR_SHEAF_DTYPE',
      details: { operation: 'where', dtype: chooser.dtype },
    });
  }
  return wrap(apply('where', [chooser, ...together('where', [x, y])]));
}) as Where;

/** Each element within the bounds; one that is undefined does not bind. */
export function clip<T extends D>(x: Arr<T>, min?: Arr<NoInfer<T>> | Value, max?: Arr<NoInfer<T>> | Value): Arr<T> {
  let node = nodeOf('clip', x);
  checkKind('clip', node.dtype, ['int', 'uint', 'float']);
  const { dtype, shape } = node;
  for (const [bound, op] of [
    [min, 'maximum'],
    [max, 'minimum'],
  ] as const) {
    if (bound === undefined) continue;
    node = apply(op, together('clip', [wrap(node), bound]), 'clip');
  }
  if (node.dtype !== dtype || node.shape.length !== shape.length || node.shape.some((n, i) => n !== shape[i])) {
    throw new UsageError(
      `clip: the bounds make a ${node.dtype} of the shape ${shapeText(node.shape)} out of a ${dtype} of the shape ${shapeText(shape)}; ` +
        'convert and broadcast the array first',
      { code: 'ERR_SHEAF_SHAPE', details: { operation: 'clip', shapes: [[...shape], [...node.shape]] } },
    );
  }
  return wrap(node);
}

function sortedBy(routine: 'sort' | 'argsort', x: Arr, o: SortOptions, dtype: DType | undefined): Arr {
  const node = nodeOf(routine, x);
  const axis = axisOf(routine, o.axis ?? -1, node.shape);
  const output = { shape: node.shape, dtype: dtype ?? node.dtype };
  return wrap(call(routine, [node], { axis, descending: o.descending ?? false }, [output])[0] as Node);
}

/** In ascending order along an axis. Equal elements keep their order; NaN comes last. */
export function sort<T extends D>(x: Arr<T>, o: SortOptions = {}): Arr<T> {
  return sortedBy('sort', x, o, undefined) as Arr<T>;
}

/** The indices that sort along an axis. Equal elements keep their order; NaN comes last. */
export function argsort(x: Arr, o: SortOptions = {}): Arr<'i64'> {
  return sortedBy('argsort', x, o, 'i64') as Arr<'i64'>;
}

/** Where values would go into a sorted array of one axis, so that it stays sorted. */
export function searchsorted(x: Arr, values: Arr | Value, o: SearchOptions = {}): Arr<'i64'> {
  const side = checkChoice('searchsorted', 'side', o.side ?? 'left', ['left', 'right'] as const);
  let [sorted, wanted] = together('searchsorted', [x, values]) as [Node, Node];
  if (sorted.shape.length !== 1) {
    throw badShapes(
      'searchsorted',
      `it looks in an array of one axis, and not of the shape ${shapeText(sorted.shape)}`,
      sorted.shape,
    );
  }
  if (o.sorter !== undefined)
    sorted = takenAlong(sorted, listOf('searchsorted', o.sorter, sorted.shape[0] as number), 0);
  const output = { shape: wanted.shape, dtype: 'i64' as const };
  return wrap(call('searchsorted', [sorted, wanted], { side }, [output])[0] as Node);
}

/** Indices as `take` wants them: in one list, counted from the front. */
function listOf(operation: string, indices: Arr, length: number): Node {
  const node = nodeOf(operation, indices);
  checkKind(operation, node.dtype, ['int', 'uint']);
  return flat(fromFront(cast(node, 'i64'), length));
}

/** Some elements along an axis, by an array of indices. The axis may be left out where there is one only. */
export function take<T extends D>(x: Arr<T>, indices: Arr, o: OneAxisOptions = {}): Arr<T> {
  const node = nodeOf('take', x);
  const axis = soleAxis('take', o.axis, node.shape);
  const list = listOf('take', indices, node.shape[axis] as number);
  const shape = [...node.shape];
  shape.splice(axis, 1, ...nodeOf('take', indices).shape);
  return wrap(reshaped(takenAlong(node, list, axis), shape));
}

/** For each index, the element at it along an axis, everything else being the same; along the last one, if nothing is said. */
export function takeAlongAxis<T extends D>(x: Arr<T>, indices: Arr, o: OneAxisOptions = {}): Arr<T> {
  const operation = 'takeAlongAxis';
  const [node, chosen] = [nodeOf(operation, x), nodeOf(operation, indices)];
  checkKind(operation, chosen.dtype, ['int', 'uint']);
  const axis = axisOf(operation, o.axis ?? -1, node.shape);
  const { length: rank } = node.shape;
  if (chosen.shape.length !== rank) {
    throw badShapes(
      operation,
      `the shapes ${shapeText(node.shape)} and ${shapeText(chosen.shape)} have different numbers of axes`,
      node.shape,
      chosen.shape,
    );
  }
  const others = (shape: readonly number[]): number[] => shape.map((length, i) => (i === axis ? 1 : length));
  const shape = broadcastShapes(operation, [others(node.shape), others(chosen.shape)]);
  const length = node.shape[axis] as number;
  const from = broadcast(
    operation,
    node,
    shape.map((each, i) => (i === axis ? length : each)),
  );
  shape[axis] = chosen.shape[axis] as number;
  const strides = rowMajor(from.shape);
  const integer = (value: number): Node => constantOf(BigInt(value), [], 'i64');
  // Where each element is in the whole array, row by row; -1, where there is none.
  let at = fromFront(cast(chosen, 'i64'), length);
  const inside = apply('logicalAnd', [apply('greaterEqual', [at, integer(0)]), apply('less', [at, integer(length)])]);
  at = apply('multiply', [at, integer(strides[axis] as number)]);
  for (const [i, each] of shape.entries()) {
    if (i === axis) continue;
    at = apply('add', [at, apply('multiply', [positions(each, i, rank), integer(strides[i] as number)])]);
  }
  const list = flat(broadcast(operation, apply('where', [inside, at, integer(-1)]), shape));
  return wrap(reshaped(takenAlong(flat(from), list, 0), shape));
}

/** A number that was computed. */
const numberOf = (pipelines: Pipelines, node: Node): number => Number(pipelines.read(node)[0]);

/** Where elements are not 0, for each axis. */
export async function nonzeroNodes(operation: string, node: Node): Promise<Node[]> {
  const size = sizeOf(node.shape);
  const [places, count] = call('nonzero', [flat(truth(node))], {}, [
    { shape: [size], dtype: 'i64' },
    { shape: [], dtype: 'i64' },
  ]) as [Node, Node];
  const pipelines = pipelinesFor(operation);
  await pipelines.compute([places, count]);
  const found = part(places, 0, 0, numberOf(pipelines, count));
  if (node.shape.length === 1) return [found];
  const strides = rowMajor(node.shape);
  return node.shape.map((length, axis) => {
    const lines = apply('floorDivide', [found, constantOf(BigInt(strides[axis] as number), [], 'i64')]);
    return axis === 0 ? lines : apply('remainder', [lines, constantOf(BigInt(length), [], 'i64')]);
  });
}

/** Where elements are true, or not 0: for each axis, its indices, row by row. Their number depends on values. */
export async function nonzero(x: Arr): Promise<Arr<'i64'>[]> {
  const node = nodeOf('nonzero', x);
  if (node.shape.length === 0) throw badShapes('nonzero', 'a scalar has no axes; use notEqual(0)', node.shape);
  return (await nonzeroNodes('nonzero', node)).map((each) => wrap<'i64'>(each));
}

/** Values, where each is first, the inverse, and counts. */
async function unique<T extends D>(operation: string, x: Arr<T>): Promise<Unique<T>> {
  const node = nodeOf(operation, x);
  const size = sizeOf(node.shape);
  const lists = { shape: [size], dtype: 'i64' as const };
  const outputs = [{ shape: [size], dtype: node.dtype }, lists, lists, lists, { shape: [], dtype: 'i64' as const }];
  const [values, indices, inverse, counts, count] = call('unique', [flat(node)], {}, outputs) as [
    Node,
    Node,
    Node,
    Node,
    Node,
  ];
  const pipelines = pipelinesFor(operation);
  await pipelines.compute([values, indices, inverse, counts, count]);
  const different = numberOf(pipelines, count);
  const cut = (node: Node): Node => part(node, 0, 0, different);
  return {
    values: wrap(cut(values)),
    indices: wrap(cut(indices)),
    inverseIndices: wrap(reshaped(inverse, node.shape)),
    counts: wrap(cut(counts)),
  };
}

/** Everything about its different values. How many there are depends on values, so that it is a promise. */
export function uniqueAll<T extends D>(x: Arr<T>): Promise<Unique<T>> {
  return unique('uniqueAll', x);
}

/** Its different values, and how often there is each. */
export async function uniqueCounts<T extends D>(x: Arr<T>): Promise<Pick<Unique<T>, 'values' | 'counts'>> {
  const { values, counts } = await unique('uniqueCounts', x);
  return { values, counts };
}

/** Its different values, and which of them each element is. */
export async function uniqueInverse<T extends D>(x: Arr<T>): Promise<Pick<Unique<T>, 'values' | 'inverseIndices'>> {
  const { values, inverseIndices } = await unique('uniqueInverse', x);
  return { values, inverseIndices };
}

/** Its different values, in ascending order; every NaN is a value of its own. */
export async function uniqueValues<T extends D>(x: Arr<T>): Promise<Arr<T>> {
  return (await unique('uniqueValues', x)).values;
}
