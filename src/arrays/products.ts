import { shown, UsageError } from '../base/index.ts';
import { axesOf, axisList, axisOf, broadcastShapes, shapeText, sizeOf } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkInteger, checkOptions } from './checks.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { MatrixProduct, Product, TensordotOptions, Trace, TraceOptions } from './linear-types.ts';
import type { OffsetOptions, OneAxisOptions } from './manipulation-types.ts';
import { apply, cast, checkKind, together } from './operations.ts';
import { reduced, summedType } from './reductions.ts';
import { denseTimes } from './sparse/products.ts';
import { isSparse, sparseOf } from './sparse/sparse.ts';
import type { D } from './types.ts';
import {
  broadcast,
  dropped,
  expanded,
  joined,
  moved,
  notMatrices,
  part,
  permuted,
  reshaped,
  viewOf,
  whole,
} from './views.ts';

/** What comes before the last two axes of both. */
function manyOf(operation: string, x: Node, y: Node): number[] {
  const [ofX, ofY] = [x, y].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
  const isFit = (length: number, i: number): boolean => {
    const other = ofY.at(i - ofX.length);
    return length === 1 || other === 1 || other === undefined || other === length;
  };
  if (ofX.every(isFit)) return broadcastShapes(operation, [ofX, ofY]);
  throw badShapes(
    operation,
    `the shapes ${shapeText(x.shape)} and ${shapeText(y.shape)} don't fit together: before the matrices there are ${shapeText(ofX)} and ` +
      `${shapeText(ofY)}; axes have to be equal, or one of them 1`,
    x.shape,
    y.shape,
  );
}

/** @internal The product of the last two axes, whose types are the same and whose shapes fit. */
export function multiplied(operation: string, x: Node, y: Node): Node {
  checkKind(operation, x.dtype, ['int', 'uint', 'float']);
  const [m, k] = x.shape.slice(-2) as [number, number];
  const [rows, n] = y.shape.slice(-2) as [number, number];
  if (k !== rows) {
    throw badShapes(
      operation,
      `the shapes ${shapeText(x.shape)} and ${shapeText(y.shape)} don't fit together: a row of the first has ${k} elements, and a ` +
        `column of the second ${rows}`,
      x.shape,
      y.shape,
    );
  }
  const many = manyOf(operation, x, y);
  return new Node({ kind: 'matmul' }, [...many, m, n], x.dtype, [x, y]);
}

/** The matrix product; an array of one axis is a row on the left and a column on the right. */
export const matmul: MatrixProduct = ((x: Arr, y: Arr): Arr => {
  if (isSparse(x)) return x.matmul(y);
  if (isSparse(y)) return wrap(denseTimes(nodeOf('matmul', x), sparseOf('matmul', y)));
  const [left, right] = together('matmul', [x, y]) as [Node, Node];
  const row = left.shape.length === 1;
  const column = right.shape.length === 1;
  if (left.shape.length === 0 || right.shape.length === 0) {
    const text = `of the shapes ${shapeText(left.shape)} and ${shapeText(right.shape)}: a scalar is no matrix; use multiply`;
    throw badShapes('matmul', text, left.shape, right.shape);
  }
  const [a, b] = [row ? expanded(left, 0) : left, column ? expanded(right, 1) : right];
  const product = multiplied('matmul', a, b);
  const rank = product.shape.length;
  const gone = [...(row ? [rank - 2] : []), ...(column ? [rank - 1] : [])];
  return wrap(gone.length === 0 ? product : dropped(product, gone));
}) as unknown as MatrixProduct;

function pairsOf(axes: TensordotOptions['axes'], x: Node, y: Node): [number[], number[]] {
  if (axes === undefined || typeof axes === 'number') {
    const count = checkInteger('tensordot', 'axes', axes ?? 2, 0);
    if (count > Math.min(x.shape.length, y.shape.length)) {
      throw new UsageError(
        `tensordot: the shapes ${shapeText(x.shape)} and ${shapeText(y.shape)} do not both have ${count} axes`,
        { code: 'ERR_SHEAF_AXIS', details: { operation: 'tensordot', axes: count, shape: [...x.shape] } },
      );
    }
    const first = x.shape.length - count;
    return [Array.from({ length: count }, (_, i) => first + i), Array.from({ length: count }, (_, i) => i)];
  }
  if (!Array.isArray(axes) || axes.length !== 2) {
    throw new UsageError(
      `tensordot: axes are ${Array.isArray(axes) ? `a list of ${axes.length}` : shown(axes)}; give how many, or two lists such as [[0], [1]], the axes ` +
        'of the first array and those of the second',
      { code: 'ERR_SHEAF_AXIS', details: { operation: 'tensordot', shapes: [[...x.shape], [...y.shape]] } },
    );
  }
  const [ofX, ofY] = [x, y].map(({ shape }, i) => {
    const own = axisList('tensordot', axes[i] as number | readonly number[], shape);
    axesOf('tensordot', own, shape);
    return own.map((axis) => axisOf('tensordot', axis, shape));
  }) as [number[], number[]];
  return [ofX, ofY];
}

/** Sums of products along chosen axes: of two axes of each, if nothing is said. */
export const tensordot: Product<TensordotOptions> = ((x: Arr, y: Arr, o: TensordotOptions = {}): Arr => {
  checkOptions('tensordot', o, ['axes']);
  const [left, right] = together('tensordot', [x, y]) as [Node, Node];
  const [ofX, ofY] = pairsOf(o.axes, left, right);
  const fits = ofX.length === ofY.length && ofX.every((axis, i) => left.shape[axis] === right.shape[ofY[i] as number]);
  if (!fits) {
    throw badShapes(
      'tensordot',
      `axes ${ofX.join()} of the shape ${shapeText(left.shape)} and axes ${ofY.join()} of ${shapeText(right.shape)} are not equally long`,
      left.shape,
      right.shape,
    );
  }
  const [rows, columns] = [
    left.shape.map((_, axis) => axis).filter((axis) => !ofX.includes(axis)),
    right.shape.map((_, axis) => axis).filter((axis) => !ofY.includes(axis)),
  ];
  const lengths = (node: Node, axes: readonly number[]): number[] => axes.map((axis) => node.shape[axis] as number);
  const inner = sizeOf(lengths(left, ofX));
  const a = reshaped(permuted(left, [...rows, ...ofX]), [sizeOf(lengths(left, rows)), inner]);
  const b = reshaped(permuted(right, [...ofY, ...columns]), [inner, sizeOf(lengths(right, columns))]);
  const shape = [...lengths(left, rows), ...lengths(right, columns)];
  return wrap(reshaped(multiplied('tensordot', a, b), shape));
}) as Product<TensordotOptions>;

/** Axes that both have have to be equally long, so that one of them does not stretch. */
function paired(
  operation: string,
  x: Arr,
  y: Arr,
  o: OneAxisOptions,
): { a: Node; b: Node; axis: number; length: number } {
  checkOptions(operation, o, ['axis']);
  const [left, right] = together(operation, [x, y]) as [Node, Node];
  checkKind(operation, left.dtype, ['int', 'uint', 'float']);
  const axis = o.axis ?? -1;
  // Counted from the end: shapes are put beside each other so.
  const fromEnd = (node: Node): number => axisOf(operation, axis, node.shape) - node.shape.length;
  const [ofLeft, ofRight] = [fromEnd(left), fromEnd(right)];
  const [m, n] = [left.shape.at(ofLeft) as number, right.shape.at(ofRight) as number];
  if (m !== n || (axis >= 0 && ofLeft !== ofRight)) {
    throw badShapes(
      operation,
      `axis ${axis} of the shapes ${shapeText(left.shape)} and ${shapeText(right.shape)} is not the same, with as many elements`,
      left.shape,
      right.shape,
    );
  }
  const shape = broadcastShapes(operation, [left.shape, right.shape]);
  const last = (node: Node): Node => moved(broadcast(operation, node, shape), shape.length + ofLeft, shape.length - 1);
  return { a: last(left), b: last(right), axis: shape.length + ofLeft, length: m };
}

/** Sums of products along one axis, the last one if nothing is said. */
export const vecdot: Product<OneAxisOptions> = ((x: Arr, y: Arr, o: OneAxisOptions = {}): Arr => {
  const { a, b } = paired('vecdot', x, y, o);
  return wrap(reduced(apply('multiply', [a, b]), 'sum', [a.shape.length - 1]));
}) as Product<OneAxisOptions>;

/** The vector products of vectors of three elements along an axis, the last one if nothing is said. */
export const cross: Product<OneAxisOptions> = ((x: Arr, y: Arr, o: OneAxisOptions = {}): Arr => {
  const { a, b, axis, length } = paired('cross', x, y, o);
  if (length !== 3) throw badShapes('cross', `vectors have 3 elements, and not ${length}`, a.shape, b.shape);
  const last = a.shape.length - 1;
  const [p, q] = [a, b].map((node) => [0, 1, 2].map((i) => part(node, last, i, 1))) as [Node[], Node[]];
  const minor = (i: number, j: number): Node =>
    apply('subtract', [
      apply('multiply', [p[i] as Node, q[j] as Node]),
      apply('multiply', [p[j] as Node, q[i] as Node]),
    ]);
  return wrap(moved(joined([minor(1, 2), minor(2, 0), minor(0, 1)], last), last, axis));
}) as Product<OneAxisOptions>;

/** All products of an element of one vector with one of another. */
export const outer: Product = ((x: Arr, y: Arr): Arr => {
  const [left, right] = together('outer', [x, y]) as [Node, Node];
  if (left.shape.length !== 1 || right.shape.length !== 1) {
    throw badShapes(
      'outer',
      `it takes arrays of one axis, and not of the shapes ${shapeText(left.shape)} and ${shapeText(right.shape)}`,
      left.shape,
      right.shape,
    );
  }
  return wrap(apply('multiply', [expanded(left, 1), right], 'outer'));
}) as Product;

function diagonalOf(operation: string, node: Node, offset: number): Node {
  const rank = node.shape.length;
  if (rank < 2) throw notMatrices(operation, node.shape);
  const [m, n] = node.shape.slice(-2) as [number, number];
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(m - row, n - column));
  const outer = node.shape.slice(0, -2);
  const axis = rank - 2;
  const ends = [row, column].map((start) => (length === 0 ? { start: 0, step: 1, axis } : { start, step: 1, axis }));
  return viewOf(node, [...outer.map((_, i) => whole(i)), ...ends], [...outer, length]);
}

/** A diagonal of the last two axes. */
export function diagonal<T extends D>(x: Arr<T>, o: OffsetOptions = {}): Arr<T> {
  checkOptions('diagonal', o, ['offset']);
  return wrap(diagonalOf('diagonal', nodeOf('diagonal', x), checkInteger('diagonal', 'offset', o.offset ?? 0)));
}

/** The sum along a diagonal of the last two axes. */
export const trace: Trace = ((x: Arr, o: TraceOptions = {}): Arr => {
  checkOptions('trace', o, ['offset', 'dtype']);
  const node = nodeOf('trace', x);
  const dtype = o.dtype === undefined ? summedType(node.dtype) : checkDType('trace', o.dtype);
  checkKind('trace', dtype, ['int', 'uint', 'float']);
  const line = diagonalOf('trace', node, checkInteger('trace', 'offset', o.offset ?? 0));
  return wrap(reduced(cast(line, dtype), 'sum', [line.shape.length - 1]));
}) as Trace;
