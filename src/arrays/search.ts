import { UsageError } from '../base/index.ts';
import { axisOf, broadcastShapes, type DType, rowMajor, shapeText, sizeOf } from '../nd/index.ts';
import type { ArrayType, GivenIndices, Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkChoice, checkOptions } from './checks.ts';
import { positions } from './creation.ts';
import { fromFront, placesOr } from './indices.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import { apply, cast, checkKind, constantOf, together } from './operations.ts';
import { pipelinesFor } from './place.ts';
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
  checkOptions(routine, o, ['axis', 'descending', 'stable']);
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
  checkOptions('searchsorted', o, ['side', 'sorter']);
  return sought('searchsorted', x, values, o);
}

/** @internal The same, by the name of whoever looks. */
export function sought(operation: string, x: Arr, values: Arr | Value, o: SearchOptions): Arr<'i64'> {
  const side = checkChoice(operation, 'side', o.side ?? 'left', ['left', 'right'] as const);
  let [sorted, wanted] = together(operation, [x, values]) as [Node, Node];
  if (sorted.shape.length !== 1) {
    throw badShapes(
      operation,
      `it looks in an array of one axis, and not of the shape ${shapeText(sorted.shape)}`,
      sorted.shape,
    );
  }
  if (o.sorter !== undefined) {
    const { shape } = nodeOf(operation, o.sorter);
    if (shape.length !== 1 || shape[0] !== sorted.shape[0]) {
      throw badShapes(
        operation,
        `the sorter has the shape ${shapeText(shape)}, and the array ${shapeText(sorted.shape)}; give an index for each element`,
        shape,
        sorted.shape,
      );
    }
    sorted = takenAlong(sorted, listOf(operation, o.sorter, sorted.shape[0] as number), 0, {
      operation,
      shape: sorted.shape,
      axes: [0],
    });
  }
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
  checkOptions('take', o, ['axis']);
  const node = nodeOf('take', x);
  const axis = soleAxis('take', o.axis, node.shape);
  const list = listOf('take', indices, node.shape[axis] as number);
  const shape = [...node.shape];
  shape.splice(axis, 1, ...nodeOf('take', indices).shape);
  const of: GivenIndices = { operation: 'take', shape: node.shape, axes: [axis] };
  return wrap(reshaped(takenAlong(node, list, axis, of), shape));
}

/** For each index, the element at it along an axis, everything else being the same; along the last one, if nothing is said. */
export function takeAlongAxis<T extends D>(x: Arr<T>, indices: Arr, o: OneAxisOptions = {}): Arr<T> {
  const operation = 'takeAlongAxis';
  checkOptions(operation, o, ['axis']);
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
  const [own, its] = [others(node.shape), others(chosen.shape)];
  if (own.some((each, i) => each !== its[i] && each !== 1 && its[i] !== 1)) {
    throw badShapes(
      operation,
      `the shapes ${shapeText(node.shape)} and ${shapeText(chosen.shape)} don't fit together: besides axis ${axis}, axes have to be equal, or one of them 1`,
      node.shape,
      chosen.shape,
    );
  }
  const shape = broadcastShapes(operation, [own, its]);
  const length = node.shape[axis] as number;
  const from = broadcast(
    operation,
    node,
    shape.map((each, i) => (i === axis ? length : each)),
  );
  shape[axis] = chosen.shape[axis] as number;
  const strides = rowMajor(from.shape);
  const integer = (value: number): Node => constantOf(BigInt(value), [], 'i64');
  // Where each element is in the whole array, row by row.
  const list = cast(chosen, 'i64');
  let at = fromFront(list, length);
  at = apply('multiply', [at, integer(strides[axis] as number)]);
  for (const [i, each] of shape.entries()) {
    if (i === axis) continue;
    at = apply('add', [at, apply('multiply', [positions(each, i, rank), integer(strides[i] as number)])]);
  }
  const places = flat(broadcast(operation, placesOr(at, [{ indices: list, length }]), shape));
  const of: GivenIndices = { operation, shape: node.shape, axes: [axis], coded: true };
  return wrap(reshaped(takenAlong(flat(from), places, 0, of), shape));
}

/** What a routine leaves open until it has run: its last result is how many places of the others count. */
async function counted(operation: string, routine: string, node: Node, outputs: readonly ArrayType[]): Promise<Node[]> {
  const nodes = call(routine, [node], {}, [...outputs, { shape: [], dtype: 'i64' }]);
  const pipelines = pipelinesFor(operation);
  await pipelines.compute(nodes);
  const count = Number(pipelines.read(nodes.at(-1) as Node)[0]);
  // What has the shape of the array is no list that is cut off.
  return nodes.slice(0, -1).map((each, i) => (outputs[i]?.shape === node.shape ? each : part(each, 0, 0, count)));
}

/** A list that has room for something about each element. */
const listFor = (node: Node, dtype: DType): ArrayType => ({ shape: [sizeOf(node.shape)], dtype });

/** @internal Where elements are not 0, for each axis. */
export const nonzeroNodes = (operation: string, node: Node): Promise<Node[]> =>
  counted(
    operation,
    'nonzero',
    node,
    node.shape.map(() => listFor(node, 'i64')),
  );

/** Where elements are true, or not 0: for each axis, its indices, row by row. Their number depends on values. */
export async function nonzero(x: Arr): Promise<Arr<'i64'>[]> {
  const node = nodeOf('nonzero', x);
  if (node.shape.length === 0) throw badShapes('nonzero', 'a scalar has no axes; use notEqual(0)', node.shape);
  return (await nonzeroNodes('nonzero', node)).map((each) => wrap<'i64'>(each));
}

/** Everything about its different values. How many there are depends on values, so that it is a promise. */
export async function uniqueAll<T extends D>(x: Arr<T>): Promise<Unique<T>> {
  const node = nodeOf('uniqueAll', x);
  const [places, inverse] = [listFor(node, 'i64'), { shape: node.shape, dtype: 'i64' as const }];
  const outputs = [listFor(node, node.dtype), places, inverse, places];
  const found = await counted('uniqueAll', 'uniqueAll', node, outputs);
  const [values, indices, inverseIndices, counts] = found as [Node, Node, Node, Node];
  return {
    values: wrap(values),
    indices: wrap(indices),
    inverseIndices: wrap(inverseIndices),
    counts: wrap(counts),
  };
}

/** Its different values, and how often there is each. */
export async function uniqueCounts<T extends D>(x: Arr<T>): Promise<Pick<Unique<T>, 'values' | 'counts'>> {
  const node = nodeOf('uniqueCounts', x);
  const outputs = [listFor(node, node.dtype), listFor(node, 'i64')];
  const [values, counts] = (await counted('uniqueCounts', 'uniqueCounts', node, outputs)) as [Node, Node];
  return { values: wrap(values), counts: wrap(counts) };
}

/** Its different values, and which of them each element is. */
export async function uniqueInverse<T extends D>(x: Arr<T>): Promise<Pick<Unique<T>, 'values' | 'inverseIndices'>> {
  const node = nodeOf('uniqueInverse', x);
  const outputs = [listFor(node, node.dtype), { shape: node.shape, dtype: 'i64' as const }];
  const [values, inverse] = (await counted('uniqueInverse', 'uniqueInverse', node, outputs)) as [Node, Node];
  return { values: wrap(values), inverseIndices: wrap(inverse) };
}

/** Its different values, in ascending order; every NaN is a value of its own. */
export async function uniqueValues<T extends D>(x: Arr<T>): Promise<Arr<T>> {
  const node = nodeOf('uniqueValues', x);
  const [values] = await counted('uniqueValues', 'uniqueValues', node, [listFor(node, node.dtype)]);
  return wrap(values as Node);
}
