import { UsageError } from '../base/index.ts';
import { shapeText } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkInteger, checkOptions, checkShape } from './checks.ts';
import { positions } from './creation.ts';
import { nodeOf, wrap } from './lazy.ts';
import { apply, cast, checkKind, constantOf } from './operations.ts';
import { reduced, summedType } from './reductions.ts';
import { call } from './routines.ts';
import { argsort, take, uniqueAll } from './search.ts';
import type { BincountOptions, CrosstabOptions, Factorized, OneHotOptions } from './statistics-types.ts';
import type { D, Float, Summed } from './types.ts';
import { computeAll, item } from './values.ts';
import { expanded, flat, reshaped } from './views.ts';

/** Groups as the routines want them: a list of integers, one for each place of the first axis. */
function groupsOf(operation: string, groups: Arr, length: number | undefined): Node {
  const node = nodeOf(operation, groups);
  checkKind(operation, node.dtype, ['int', 'uint']);
  if (node.shape.length !== 1 || (length !== undefined && node.shape[0] !== length)) {
    const wanted = length === undefined ? 'one axis' : `one axis of ${length}, a group for each place of the first one`;
    throw badShapes(operation, `the groups have the shape ${shapeText(node.shape)}, and not ${wanted}`, node.shape);
  }
  // What fits into 32 bits is half to read.
  return cast(node, ['i64', 'u64', 'u32'].includes(node.dtype) ? 'i64' : 'i32');
}

const counted = (groups: Node, count: number): Node =>
  call('segmentCount', [groups], { count }, [{ shape: [count], dtype: 'i64' }])[0] as Node;

function segments(operation: string, routine: string, given: Node, groups: Arr, count: number): Node {
  if (given.shape.length === 0) throw badShapes(operation, 'a scalar has no axis to be grouped', given.shape);
  const list = groupsOf(operation, groups, given.shape[0]);
  const shape = [checkInteger(operation, 'the number of groups', count, 0), ...given.shape.slice(1)];
  return call(routine, [given, list], { count }, [{ shape, dtype: given.dtype }])[0] as Node;
}

/**
 * The sums of all places of the first axis that belong to one group, for each of the groups 0 to `count`. What belongs to another, -1 for instance,
 * counts nowhere.
 *
 * @param groups an integer for each place.
 * @param count how many groups there are.
 */
export function segmentSum<T extends D>(x: Arr<T>, groups: Arr, count: number): Arr<Summed<T>> {
  return summedBy('segmentSum', x, groups, count);
}

function summedBy<T extends D>(operation: string, x: Arr<T>, groups: Arr, count: number): Arr<Summed<T>> {
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['int', 'uint', 'float']);
  return wrap(segments(operation, 'segmentSum', cast(node, summedType(node.dtype)), groups, count));
}

/** Weights are a number for each place. */
function checkWeights(operation: string, weights: Arr, list: Node): void {
  const { shape } = nodeOf(operation, weights);
  if (shape.length === 1 && shape[0] === list.shape[0]) return;
  throw badShapes(
    operation,
    `the weights have the shape ${shapeText(shape)}, and the numbers ${shapeText(list.shape)}; give a weight for each number`,
    shape,
    list.shape,
  );
}

function segmentExtreme<T extends D>(operation: string, x: Arr<T>, groups: Arr, count: number): Arr<T> {
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['int', 'uint', 'float']);
  return wrap(segments(operation, operation, node, groups, count));
}

/** The same with the least elements; NaN wins. Of an empty group: Infinity, or the greatest value of the type. */
export function segmentMin<T extends D>(x: Arr<T>, groups: Arr, count: number): Arr<T> {
  return segmentExtreme('segmentMin', x, groups, count);
}

/** The same with the greatest elements; NaN wins. Of an empty group: -Infinity, or the least value of the type. */
export function segmentMax<T extends D>(x: Arr<T>, groups: Arr, count: number): Arr<T> {
  return segmentExtreme('segmentMax', x, groups, count);
}

/** The same with means. Takes floats; of an empty group: NaN. */
export function segmentMean<T extends Float>(x: Arr<T>, groups: Arr, count: number): Arr<T> {
  const node = nodeOf('segmentMean', x);
  checkKind('segmentMean', node.dtype, ['float']);
  const sums = segments('segmentMean', 'segmentSum', node, groups, count);
  const counts = cast(counted(groupsOf('segmentMean', groups, node.shape[0]), count), node.dtype);
  const column = reshaped(counts, [count, ...node.shape.slice(1).map(() => 1)]);
  return wrap(apply('divide', [sums, column], 'segmentMean'));
}

/** How often there is each of the groups 0 to `count`; others count nowhere. */
export function segmentCount(groups: Arr, count: number): Arr<'i64'> {
  const list = groupsOf('segmentCount', groups, undefined);
  return wrap(counted(list, checkInteger('segmentCount', 'the number of groups', count, 0)));
}

/**
 * How often there is each number from 0 on, up to the greatest in an array of one axis; or with weights, their sums. How long that is depends on
 * values: with a number that is known, `segmentCount` and `segmentSum` need no promise.
 *
 * @throws UsageError for negative numbers.
 */
export async function bincount(x: Arr, o?: BincountOptions & { weights?: undefined }): Promise<Arr<'i64'>>;
export async function bincount<T extends D>(x: Arr, o: BincountOptions<T>): Promise<Arr<Summed<T>>>;
export async function bincount(x: Arr, o: BincountOptions = {}): Promise<Arr> {
  checkOptions('bincount', o, ['weights', 'minlength']);
  const least = checkInteger('bincount', 'minlength', o.minlength ?? 0, 0);
  const list = groupsOf('bincount', x, undefined);
  if (o.weights !== undefined) checkWeights('bincount', o.weights, list);
  let length = least;
  if (list.shape[0] !== 0) {
    const ends = (['min', 'max'] as const).map((by) => wrap<'i64'>(reduced(cast(list, 'i64'), by, [0])));
    await computeAll('bincount', ends);
    const [low, high] = (await Promise.all(ends.map((each) => item(each)))) as [bigint, bigint];
    if (low < 0n) {
      throw new UsageError(
        `bincount: there is ${low} among the numbers, which begin at 0; segmentCount leaves it out`,
        {
          code: 'ERR_SHEAF_INDEX',
          details: { operation: 'bincount', index: String(low) },
        },
      );
    }
    length = Math.max(least, Number(high) + 1);
  }
  if (o.weights !== undefined) return summedBy('bincount', o.weights, wrap(list), length);
  return wrap(counted(list, length));
}

/**
 * How often two numbers stand at the same place of two lists, for each pair of them: in the row of the first, and the column of the second one. With
 * weights, their sums. What lies beyond `shape` counts nowhere.
 *
 * @param x rows, from 0 on.
 * @param y columns, from 0 on.
 * @param shape how many rows and columns there are.
 */
export function crosstab(
  x: Arr,
  y: Arr,
  shape: readonly number[],
  o?: CrosstabOptions & { weights?: undefined },
): Arr<'i64'>;
export function crosstab<T extends D>(x: Arr, y: Arr, shape: readonly number[], o: CrosstabOptions<T>): Arr<Summed<T>>;
export function crosstab(x: Arr, y: Arr, shape: readonly number[], o: CrosstabOptions = {}): Arr {
  const operation = 'crosstab';
  checkOptions(operation, o, ['weights']);
  const size = checkShape(operation, shape);
  if (size.length !== 2)
    throw badShapes(operation, `the shape is ${shapeText(size)}; give a number of rows and one of columns`, size);
  const [m, n] = size as [number, number];
  const rows = cast(groupsOf(operation, x, undefined), 'i64');
  const columns = cast(groupsOf(operation, y, rows.shape[0]), 'i64');
  if (o.weights !== undefined) checkWeights(operation, o.weights, rows);
  const integer = (value: number): Node => constantOf(BigInt(value), [], 'i64');
  const within = (node: Node, length: number): Node =>
    apply('logicalAnd', [apply('greaterEqual', [node, integer(0)]), apply('less', [node, integer(length)])]);
  const place = apply('add', [apply('multiply', [rows, integer(n)]), columns]);
  const places = apply('where', [apply('logicalAnd', [within(rows, m), within(columns, n)]), place, integer(-1)]);
  const found =
    o.weights === undefined
      ? counted(places, m * n)
      : nodeOf(operation, summedBy(operation, o.weights, wrap(places), m * n));
  return wrap(reshaped(found, size));
}

/**
 * The different values of an array, in the order in which they come first, and which of them each element is, as pandas has it. How many there are
 * depends on values, so that it is a promise; in ascending order it is `uniqueInverse`. Every NaN is a value of its own.
 */
export async function factorize<T extends D>(x: Arr<T>): Promise<Factorized<T>> {
  const { values, indices, inverseIndices } = await uniqueAll(x);
  const order = argsort(indices);
  return { codes: take(argsort(order), inverseIndices), values: take(values, order) };
}

/** For each integer a row of so many zeros, with a 1 at its place; one that is out of range has none. */
export function oneHot<const T extends D = 'f64'>(x: Arr, count: number, o: OneHotOptions<T> = {}): Arr<T> {
  checkOptions('oneHot', o, ['dtype']);
  const dtype = o.dtype === undefined ? 'f64' : checkDType('oneHot', o.dtype);
  const node = nodeOf('oneHot', x);
  checkKind('oneHot', node.dtype, ['int', 'uint']);
  const length = checkInteger('oneHot', 'the number of places', count, 0);
  const column = expanded(flat(cast(node, 'i64')), 1);
  const rows = cast(apply('equal', [column, reshaped(positions(length), [1, length])]), dtype);
  return wrap(reshaped(rows, [...node.shape, length]));
}
