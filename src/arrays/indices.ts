import { kindOf as kindOfValue, UsageError } from '../base/index.ts';
import { broadcastShapes, kindOf, type Shape, shapeText } from '../nd/index.ts';
import { type AxisMap, MISSING, Node } from '../pipelines/index.ts';
import type { Arr, Ix } from './arr.ts';
import { isArr, nodeOf } from './lazy.ts';
import { apply, cast, constantOf } from './operations.ts';
import { placeIn, rangeOf } from './slices.ts';
import { broadcast, only } from './views.ts';

/** An array of indices, and which axis of the array it is for. */
interface Chosen {
  readonly indices: Node;
  readonly axis: number;
  /** The axis of the basic part that stands for it. */
  readonly at: number;
}

/** What indices mean for an array of some shape. */
export interface Indices {
  /** One for each axis of the array. */
  readonly maps: readonly AxisMap[];
  /** What numbers and slices alone give; axes with an array of indices are whole in it. */
  readonly shape: Shape;
  readonly chosen: readonly Chosen[];
  /** Where the axes of the arrays of indices go among those of the basic part. */
  readonly place: number;
}

type Item = Exclude<Ix, Arr> | Node;

/** Reads indices other than masks. */
export function indicesOf(operation: string, ix: readonly Ix[], of: Shape): Indices {
  const items = ix.map((each): Item => (isArr(each) ? integers(operation, each) : (each as Exclude<Ix, Arr>)));
  const named = items.filter((each) => each !== 'new' && each !== '...').length;
  const rest = of.length - named;
  const dots = items.filter((each) => each === '...').length;
  if (rest < 0 || dots > 1) throw tooMany(operation, named, dots, of);
  const maps: AxisMap[] = [];
  const shape: number[] = [];
  const chosen: Chosen[] = [];
  const take = (map: AxisMap, length: number): void => {
    maps.push(map);
    shape.push(length);
  };
  const whole = (): void => take({ start: 0, step: 1, axis: shape.length }, of[maps.length] as number);
  /** Where in the basic part numbers and arrays of indices stand. */
  const stood: { readonly item: number; readonly at: number }[] = [];
  for (const [i, item] of items.entries()) {
    const axis = maps.length;
    if (item === '...') for (let left = rest; left > 0; left--) whole();
    else if (item === 'new') shape.push(1);
    else if (typeof item === 'number') {
      stood.push({ item: i, at: shape.length });
      maps.push(only(placeIn(operation, item, axis, of)));
    } else if (typeof item === 'string') {
      const { start, step, length } = rangeOf(operation, item, of[axis] as number);
      take({ start, step, axis: shape.length }, length);
    } else if (item instanceof Node) {
      stood.push({ item: i, at: shape.length });
      chosen.push({ indices: item, axis, at: shape.length });
      whole();
    } else throw noIndex(operation, item);
  }
  while (maps.length < of.length) whole();
  // Numbers count as arrays of indices where there are some: with anything between them, their axes go to the front.
  const together = stood.every(({ item }, i) => i === 0 || item === (stood[i - 1]?.item ?? 0) + 1);
  return { maps, shape, chosen, place: together ? (stood[0]?.at ?? 0) : 0 };
}

function integers(operation: string, x: Arr): Node {
  const node = nodeOf(operation, x);
  if (kindOf(node.dtype) === 'int' || kindOf(node.dtype) === 'uint') return cast(node, 'i64');
  throw new UsageError(
    `${operation}: an array of ${node.dtype} has no indices; give integers, such as x.astype('i64'), or a mask of booleans`,
    { code: 'ERR_SHEAF_DTYPE', details: { operation, dtype: node.dtype } },
  );
}

function noIndex(operation: string, item: unknown): UsageError {
  const [what, instead] = Array.isArray(item)
    ? ['a list', "make it an array, with asarray(list, { dtype: 'i64' }); or "]
    : typeof item === 'bigint'
      ? [`the bigint ${item}`, `write Number(${item}n); or `]
      : [kindOfValue(item), ''];
  return new UsageError(
    `${operation}: ${what} is no index; ${instead}give numbers, slices such as '1:-1', '...', 'new', arrays of indices, or masks`,
    { code: 'ERR_SHEAF_INDEX', details: { operation } },
  );
}

function tooMany(operation: string, named: number, dots: number, shape: Shape): UsageError {
  const text =
    dots > 1
      ? `'...' stands there ${dots} times; once is enough`
      : `${named} indices are too many for the shape ${shapeText(shape)}`;
  return new UsageError(`${operation}: ${text}`, {
    code: 'ERR_SHEAF_INDEX',
    details: { operation, shape: [...shape] },
  });
}

const integer = (value: number): Node => constantOf(BigInt(value), [], 'i64');

/** Indices that may count from the end, counted from the front. */
export function fromFront(indices: Node, length: number): Node {
  const below = apply('less', [indices, integer(0)]);
  return apply('where', [below, apply('add', [indices, integer(length)]), indices]);
}

/** One of several lists of indices for several axes. */
interface Listed {
  readonly indices: Node;
  /** How long its axis is. */
  readonly length: number;
}

/** Whether an index, counted from the front, is outside of an axis: it is below 0, or what is left of the axis behind it is. */
const isOutside = (at: Node, length: number): Node =>
  apply('less', [apply('bitwiseOr', [at, apply('subtract', [integer(length - 1), at])]), integer(0)]);

/** An index that there is not as a number below 0, from which `take` has it for its message. */
function missing(index: Node, which: number): Node {
  const lowest = apply('bitwiseAnd', [index, constantOf((1n << BigInt(MISSING.bits)) - 1n, [], 'i64')]);
  return apply('bitwiseOr', [lowest, constantOf(MISSING.of(which), [], 'i64')]);
}

/** Places, and in their stead what `missing` makes of an index that there is not. */
export function placesOr(places: Node, lists: readonly Listed[]): Node {
  return lists.reduceRight(
    (all, { indices, length }, i) =>
      apply('where', [isOutside(fromFront(indices, length), length), missing(indices, i), all]),
    places,
  );
}

/**
 * Arrays of indices for several axes, as one for all of them row by row, broadcast together. What is outside of an axis becomes a number below 0,
 * which is outside of all of them together: see `placesOr`.
 */
export function combined(operation: string, chosen: readonly Node[], lengths: readonly number[]): Node {
  const shape = broadcastShapes(
    operation,
    chosen.map((each) => each.shape),
  );
  if (chosen.length === 1) return fromFront(chosen[0] as Node, lengths[0] as number);
  const lists = chosen.map((indices, i): Listed => ({ indices, length: lengths[i] as number }));
  let all: Node | undefined;
  for (const { indices, length } of lists) {
    const at = fromFront(indices, length);
    all = all === undefined ? at : apply('add', [apply('multiply', [all, integer(length)]), at]);
  }
  return broadcast(operation, placesOr(all as Node, lists), shape);
}
