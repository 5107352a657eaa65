import { type ReducerName, reducer } from '../kernels/index.ts';
import { axesOf, axisOf, type DType, isBig, kindOf, shapeText, sizeOf } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkNumber, checkOptions } from './checks.ts';
import { nodeOf, partOf, wrap } from './lazy.ts';
import { apply, cast, checkKind, constantOf } from './operations.ts';
import type { AxisOptions, PlaceOptions, Reduction, Sum, SumOptions, VarianceOptions } from './reduction-types.ts';
import type { Float } from './types.ts';
import { flat, reshaped } from './views.ts';

/** @internal Of what several elements are combined in; integers become those of 64 bits. */
export const summedType = (dtype: DType): DType =>
  kindOf(dtype) === 'int' ? 'i64' : kindOf(dtype) === 'uint' ? 'u64' : dtype;

/** @internal Combined along some axes (ascending), which stay with length 1 if they are kept. */
export function reduced(node: Node, by: ReducerName, axes: readonly number[], keepdims = false): Node {
  const shape = node.shape.filter((_, axis) => !axes.includes(axis));
  const result = new Node({ kind: 'reduce', reducer: by, axes }, shape, node.dtype, [node]);
  if (!keepdims) return result;
  return reshaped(
    result,
    node.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  );
}

/** What most take. */
const AXES = ['axis', 'keepdims'];

const lengthOf = (node: Node, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => node.shape[axis] as number));

/** What is combined along some axes, and the shape in which those stay, if they are kept. */
interface Combined {
  readonly node: Node;
  readonly axes: readonly number[];
  readonly kept: readonly number[];
}

/**
 * An array and the axes to combine. Of what a mask selects nobody has to know how much it is where that is combined: what it leaves out
 * becomes `neutral`. `of`: the elements that are combined, made of those of the array.
 */
function combinedOf(
  operation: string,
  x: Arr,
  o: AxisOptions,
  of: (node: Node) => Node,
  neutral: 0 | 1,
): Combined & { readonly chosen?: Node } {
  const later = partOf(operation, x);
  const chosen = 'resolve' in later ? later.chosen : undefined;
  if (chosen === undefined) {
    const node = nodeOf(operation, x);
    const axes = axesOf(operation, o.axis, node.shape);
    return { node: of(node), axes, kept: node.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)) };
  }
  const { from, mask } = chosen;
  const covered = mask.shape.length;
  const others = from.shape.slice(covered);
  const axes = axesOf(operation, o.axis, [1, ...others]);
  // How much is selected stays an axis.
  if (!axes.includes(0)) nodeOf(operation, x);
  const node = of(from);
  const stretched = reshaped(mask, [...mask.shape, ...others.map(() => 1)]);
  const none = constantOf(isBig(node.dtype) ? BigInt(neutral) : neutral, [], node.dtype);
  return {
    node: apply('where', [stretched, node, none], operation),
    axes: [...mask.shape.map((_, axis) => axis), ...axes.slice(1).map((axis) => axis + covered - 1)],
    kept: [1, ...others.map((length, axis) => (axes.includes(axis + 1) ? 1 : length))],
    chosen: mask,
  };
}

/** Combined, with the axes kept if that is wished. */
function finished({ node, axes, kept }: Combined, by: ReducerName, keepdims: boolean | undefined): Node {
  const result = reduced(node, by, axes);
  return keepdims ? reshaped(result, kept) : result;
}

function summing(operation: 'sum' | 'prod'): Sum {
  return ((x: Arr, o: SumOptions = {}) => {
    checkOptions(operation, o, ['axis', 'keepdims', 'dtype']);
    const own = partOf(operation, x).dtype;
    const dtype = o.dtype === undefined ? summedType(own) : checkDType(operation, o.dtype);
    checkKind(operation, dtype, reducer(operation).takes);
    if (o.dtype === undefined) checkKind(operation, own, reducer(operation).takes);
    const neutral = operation === 'sum' ? 0 : 1;
    return wrap(
      finished(
        combinedOf(operation, x, o, (node) => cast(node, dtype), neutral),
        operation,
        o.keepdims,
      ),
    );
  }) as Sum;
}

/** The sum. Of none: 0. */
export const sum: Sum = summing('sum');
/** The product. Of none: 1. */
export const prod: Sum = summing('prod');

function extreme(operation: 'min' | 'max'): Reduction {
  return (x, o = {}) => {
    checkOptions(operation, o, AXES);
    const node = nodeOf(operation, x);
    checkKind(operation, node.dtype, reducer(operation).takes);
    const axes = axesOf(operation, o.axis, node.shape);
    const none = axes.find((axis) => node.shape[axis] === 0);
    if (none !== undefined) {
      throw badShapes(
        operation,
        `axis ${none} of the shape ${shapeText(node.shape)} is empty, so nothing in it is the ${operation}`,
        node.shape,
      );
    }
    return wrap(reduced(node, operation, axes, o.keepdims));
  };
}

/** The least element; NaN wins. Of none it is refused. */
export const min: Reduction = extreme('min');
/** The greatest element; NaN wins. Of none it is refused. */
export const max: Reduction = extreme('max');

/** @internal Whether elements are true, or not 0. */
export const truth = (node: Node): Node => cast(node, 'bool');

/** Whether all elements are true, or not 0. Of none: true. */
export function all(x: Arr, o: AxisOptions = {}): Arr<'bool'> {
  checkOptions('all', o, AXES);
  return wrap(finished(combinedOf('all', x, o, truth, 1), 'all', o.keepdims));
}

/** Whether any element is true, or not 0. Of none: false. */
export function any(x: Arr, o: AxisOptions = {}): Arr<'bool'> {
  checkOptions('any', o, AXES);
  return wrap(finished(combinedOf('any', x, o, truth, 0), 'any', o.keepdims));
}

/** How many elements are true, or not 0. */
export function countNonzero(x: Arr, o: AxisOptions = {}): Arr<'i64'> {
  checkOptions('countNonzero', o, AXES);
  const ones = (node: Node): Node => cast(truth(node), 'i64');
  return wrap(finished(combinedOf('countNonzero', x, o, ones, 0), 'sum', o.keepdims));
}

function placed(operation: 'argmin' | 'argmax', x: Arr, o: PlaceOptions = {}): Arr<'i64'> {
  checkOptions(operation, o, AXES);
  const whole = nodeOf(operation, x);
  checkKind(operation, whole.dtype, ['int', 'uint', 'float']);
  const node = o.axis === undefined ? flat(whole) : whole;
  const axis = o.axis === undefined ? 0 : axisOf(operation, o.axis, node.shape);
  if (node.shape[axis] === 0) {
    throw badShapes(
      operation,
      `${o.axis === undefined ? '' : `axis ${axis} of `}the shape ${shapeText(whole.shape)} is empty, so nothing in it is the ${operation.slice(3)}`,
      whole.shape,
    );
  }
  const result = new Node(
    { kind: 'place', of: operation === 'argmin' ? 'min' : 'max', axis },
    node.shape.filter((_, i) => i !== axis),
    'i64',
    [node],
  );
  if (!o.keepdims) return wrap(result);
  return wrap(
    reshaped(
      result,
      whole.shape.map((length, i) => (o.axis === undefined || i === axis ? 1 : length)),
    ),
  );
}

/** Where the least element is, the first one of several; NaN wins. */
export function argmin(x: Arr, o?: PlaceOptions): Arr<'i64'> {
  return placed('argmin', x, o);
}

/** Where the greatest element is, the first one of several; NaN wins. */
export function argmax(x: Arr, o?: PlaceOptions): Arr<'i64'> {
  return placed('argmax', x, o);
}

/** The sum divided by a number. */
function averaged(node: Node, axes: readonly number[], by: number, keepdims: boolean | undefined): Node {
  return apply('divide', [reduced(node, 'sum', axes, keepdims), constantOf(by, [], node.dtype)]);
}

/** The arithmetic mean. Takes floats. */
export function mean<T extends Float>(x: Arr<T>, o: AxisOptions = {}): Arr<T> {
  checkOptions('mean', o, AXES);
  checkKind('mean', partOf('mean', x).dtype, ['float']);
  const combined = combinedOf('mean', x, o, (node) => node, 0);
  const { node, axes, chosen } = combined;
  if (chosen === undefined) return wrap(averaged(node, axes, lengthOf(node, axes), o.keepdims));
  const selected = reduced(
    cast(chosen, 'i64'),
    'sum',
    chosen.shape.map((_, axis) => axis),
  );
  const others = constantOf(lengthOf(node, axes.slice(chosen.shape.length)), [], node.dtype);
  const count = apply('multiply', [cast(selected, node.dtype), others]);
  return wrap(apply('divide', [finished(combined, 'sum', o.keepdims), count], 'mean'));
}

function variance(operation: string, x: Arr, o: VarianceOptions): Node {
  checkOptions(operation, o, ['axis', 'keepdims', 'correction']);
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['float']);
  const axes = axesOf(operation, o.axis, node.shape);
  const count = lengthOf(node, axes);
  const by = count - checkNumber(operation, 'correction', o.correction ?? 0);
  const apart = apply('subtract', [node, averaged(node, axes, count, true)]);
  // As many as there are, or fewer: 0 / 0, and not a negative variance.
  return averaged(apply('square', [apart]), axes, Math.max(0, by), o.keepdims);
}

/** The variance. Takes floats. */
function varianceOf<T extends Float>(x: Arr<T>, o: VarianceOptions = {}): Arr<T> {
  return wrap(variance('var', x, o));
}

/** The standard deviation: the square root of the variance. Takes floats. */
export function std<T extends Float>(x: Arr<T>, o: VarianceOptions = {}): Arr<T> {
  return wrap(apply('sqrt', [variance('std', x, o)]));
}

// `var` is a word of the language, and a name of exports only.
export { varianceOf as var };
