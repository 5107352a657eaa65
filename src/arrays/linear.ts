import { shown, UsageError } from '../base/index.ts';
import { axesOf, broadcastShapes, type Shape, shapeText } from '../nd/index.ts';
import type { Node, Params } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkChoice, checkInteger, checkNumber, checkOptions } from './checks.ts';
import { eye } from './creation.ts';
import { nodeOf, wrap } from './lazy.ts';
import type {
  CholeskyOptions,
  Eigh,
  EighOptions,
  MatrixNormOptions,
  Qr,
  QrOptions,
  Slogdet,
  Svd,
  SvdOptions,
  ToleranceOptions,
  VectorNormOptions,
} from './linear-types.ts';
import { apply, cast, checkKind, constantOf, together } from './operations.ts';
import { multiplied } from './products.ts';
import { reduced, truth } from './reductions.ts';
import { call } from './routines.ts';
import type { Lstsq, LstsqOptions } from './statistics-types.ts';
import type { Common, Float } from './types.ts';
import { broadcast, dropped, expanded, matrixTransposed, notMatrices, reshaped } from './views.ts';

/** Matrices of floats. */
function matricesOf(operation: string, x: unknown): { node: Node; many: number[]; m: number; n: number } {
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['float']);
  if (node.shape.length < 2) throw notMatrices(operation, node.shape);
  const [m, n] = node.shape.slice(-2) as [number, number];
  return { node, many: node.shape.slice(0, -2), m, n };
}

function squaresOf(operation: string, x: unknown): { node: Node; many: number[]; n: number } {
  const { node, many, m, n } = matricesOf(operation, x);
  if (m !== n) throw badShapes(operation, `a matrix of ${m} rows and ${n} columns is not square`, node.shape);
  return { node, many, n };
}

/** Results of a routine, all of the type of the matrix. */
const decomposed = (routine: string, node: Node, shapes: readonly Shape[], params: Params = {}): Node[] =>
  call(
    routine,
    [node],
    params,
    shapes.map((shape) => ({ shape, dtype: node.dtype })),
  );

/** The triangle that multiplied with its transpose gives a symmetric, positive definite matrix. */
export function cholesky<T extends Float>(x: Arr<T>, o: CholeskyOptions = {}): Arr<T> {
  checkOptions('cholesky', o, ['upper']);
  const { node } = squaresOf('cholesky', x);
  return wrap(decomposed('cholesky', node, [node.shape], { upper: o.upper ?? false })[0] as Node);
}

/** An orthonormal matrix and an upper triangle whose product it is. */
export function qr<T extends Float>(x: Arr<T>, o: QrOptions = {}): Qr<T> {
  checkOptions('qr', o, ['mode']);
  const { node, many, m, n } = matricesOf('qr', x);
  const mode = checkChoice('qr', 'mode', o.mode ?? 'reduced', ['reduced', 'complete'] as const);
  const k = mode === 'complete' ? m : Math.min(m, n);
  const [q, r] = decomposed(
    'qr',
    node,
    [
      [...many, m, k],
      [...many, k, n],
    ],
    { mode },
  ) as [Node, Node];
  return { q: wrap(q), r: wrap(r) };
}

/** The singular value decomposition. */
export function svd<T extends Float>(x: Arr<T>, o: SvdOptions = {}): Svd<T> {
  checkOptions('svd', o, ['fullMatrices']);
  const { node, many, m, n } = matricesOf('svd', x);
  const k = Math.min(m, n);
  const fullMatrices = o.fullMatrices ?? true;
  const [ofU, ofV] = fullMatrices ? [m, n] : [k, k];
  const shapes = [
    [...many, m, ofU],
    [...many, k],
    [...many, ofV, n],
  ];
  const [u, s, vh] = decomposed('svd', node, shapes, { fullMatrices }) as [Node, Node, Node];
  return { u: wrap(u), s: wrap(s), vh: wrap(vh) };
}

function singularValues(operation: string, x: Arr): Node {
  const { node, many, m, n } = matricesOf(operation, x);
  return decomposed('svdvals', node, [[...many, Math.min(m, n)]])[0] as Node;
}

/** The singular values, the greatest first. */
export function svdvals<T extends Float>(x: Arr<T>): Arr<T> {
  return wrap(singularValues('svdvals', x));
}

/** The eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read. */
export function eigh<T extends Float>(x: Arr<T>, o: EighOptions = {}): Eigh<T> {
  checkOptions('eigh', o, ['sorted']);
  const { node, many, n } = squaresOf('eigh', x);
  const params = { sorted: o.sorted ?? true };
  const [values, vectors] = decomposed('eigh', node, [[...many, n], node.shape], params) as [Node, Node];
  return { eigenvalues: wrap(values), eigenvectors: wrap(vectors) };
}

/** The eigenvalues of a symmetric matrix, in ascending order. */
export function eigvalsh<T extends Float>(x: Arr<T>): Arr<T> {
  const { node, many, n } = squaresOf('eigvalsh', x);
  return wrap(decomposed('eigvalsh', node, [[...many, n]])[0] as Node);
}

/** The determinant. */
export function det<T extends Float>(x: Arr<T>): Arr<T> {
  const { node, many } = squaresOf('det', x);
  return wrap(decomposed('det', node, [many])[0] as Node);
}

/** The determinant as its sign and the logarithm of its magnitude, which leaves no range. */
export function slogdet<T extends Float>(x: Arr<T>): Slogdet<T> {
  const { node, many } = squaresOf('slogdet', x);
  const [sign, logabsdet] = decomposed('slogdet', node, [many, many]) as [Node, Node];
  return { sign: wrap(sign), logabsdet: wrap(logabsdet) };
}

/** The inverse. */
export function inv<T extends Float>(x: Arr<T>): Arr<T> {
  const { node } = squaresOf('inv', x);
  return wrap(decomposed('inv', node, [node.shape])[0] as Node);
}

/** What `x` has to be multiplied with to give `y`: a vector, if y has one axis, or several columns. */
export function solve<T extends Float>(x: Arr<T>, y: Arr<NoInfer<T>>): Arr<T>;
export function solve<T extends Float, U extends Float>(x: Arr<T>, y: Arr<U>): Arr<Common<T, U>>;
export function solve(x: Arr<Float>, y: Arr<Float>): Arr {
  const [a, b] = together('solve', [x, y]) as [Node, Node];
  const { many, n } = squaresOf('solve', wrap(a));
  const vector = b.shape.length === 1;
  if (b.shape.length === 0)
    throw badShapes('solve', 'the right side is a scalar; give a vector, or columns', a.shape, b.shape);
  const columns = vector ? expanded(b, 1) : b;
  if (columns.shape.at(-2) !== n) {
    throw badShapes(
      'solve',
      `the shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} don't fit together: there are ${n} equations, and ${columns.shape.at(-2)} right sides`,
      a.shape,
      b.shape,
    );
  }
  const all = broadcastShapes('solve', [many, columns.shape.slice(0, -2)]);
  const left = broadcast('solve', a, [...all, n, n]);
  const right = broadcast('solve', columns, [...all, n, columns.shape.at(-1) as number]);
  const [result] = call('solve', [left, right], {}, [{ shape: right.shape, dtype: a.dtype }]) as [Node];
  return wrap(vector ? dropped(result, [result.shape.length - 1]) : result);
}

/**
 * The x for which the length of y - a x is least: a vector, if y has one axis, or several columns. By the singular value decomposition, so that the matrix
 * may have any shape and rank.
 */
export function lstsq<T extends Float>(x: Arr<T>, y: Arr<NoInfer<T>>, o?: LstsqOptions): Lstsq<T>;
export function lstsq<T extends Float, U extends Float>(x: Arr<T>, y: Arr<U>, o?: LstsqOptions): Lstsq<Common<T, U>>;
export function lstsq(x: Arr<Float>, y: Arr<Float>, o: LstsqOptions = {}): Lstsq {
  checkOptions('lstsq', o, ['rtol']);
  const [a, b] = together('lstsq', [x, y]) as [Node, Node];
  const { many, m, n } = matricesOf('lstsq', wrap(a));
  const vector = b.shape.length === 1;
  const right = vector ? expanded(b, 1) : b;
  if (right.shape.at(-2) !== m) {
    throw badShapes(
      'lstsq',
      `the shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} don't fit together: there are ${m} equations, and ${right.shape.at(-2) ?? 'no'} right sides`,
      a.shape,
      b.shape,
    );
  }
  const { u, s, vh } = svd(wrap<Float>(a), { fullMatrices: false });
  const values = nodeOf('lstsq', s);
  const k = Math.min(m, n);
  const number = (value: number): Node => constantOf(value, [], a.dtype);
  const share = checkNumber('lstsq', 'rtol', o.rtol ?? Math.max(m, n) * (a.dtype === 'f32' ? 2 ** -23 : 2 ** -52));
  const greatest = k === 0 ? values : reduced(values, 'max', [values.shape.length - 1], true);
  const isKept = apply('greater', [values, apply('multiply', [greatest, number(share)])]);
  const inverse = apply('where', [isKept, apply('reciprocal', [values]), number(0)]);
  const turned = multiplied('lstsq', matrixTransposed('lstsq', nodeOf('lstsq', u)), right);
  const scaled = apply('multiply', [expanded(inverse, inverse.shape.length), turned]);
  const solution = multiplied('lstsq', matrixTransposed('lstsq', nodeOf('lstsq', vh)), scaled);
  const apart = apply('subtract', [right, multiplied('lstsq', a, solution)]);
  const residuals = reduced(apply('square', [apart]), 'sum', [apart.shape.length - 2]);
  const last = [solution.shape.length - 1];
  return {
    solution: wrap(vector ? dropped(solution, last) : solution),
    residuals: wrap(vector ? dropped(residuals, [residuals.shape.length - 1]) : residuals),
    rank: wrap(reduced(cast(isKept, 'i64'), 'sum', [many.length])),
    s,
  };
}

/** What counts as 0, if it is said. */
function tolerance(operation: string, o: ToleranceOptions): Params {
  checkOptions(operation, o, ['rtol']);
  return o.rtol === undefined ? {} : { rtol: checkNumber(operation, 'rtol', o.rtol) };
}

/** How many singular values are not 0. */
export function matrixRank(x: Arr<Float>, o: ToleranceOptions = {}): Arr<'i64'> {
  const { node, many } = matricesOf('matrixRank', x);
  const [rank] = call('matrixRank', [node], tolerance('matrixRank', o), [{ shape: many, dtype: 'i64' }]);
  return wrap(rank as Node);
}

/** The pseudo-inverse of Moore and Penrose. */
export function pinv<T extends Float>(x: Arr<T>, o: ToleranceOptions = {}): Arr<T> {
  const { node, many, m, n } = matricesOf('pinv', x);
  return wrap(decomposed('pinv', node, [[...many, n, m]], tolerance('pinv', o))[0] as Node);
}

/** The product of a matrix with itself, n times; with a negative n, of its inverse. */
export function matrixPower<T extends Float>(x: Arr<T>, n: number): Arr<T> {
  const { node, n: length } = squaresOf('matrixPower', x);
  const power = checkInteger('matrixPower', 'the power', n);
  let base = power < 0 ? nodeOf('matrixPower', inv(x)) : node;
  let result: Node | undefined;
  for (let left = Math.abs(power); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === undefined ? base : multiplied('matrixPower', result, base);
    if (left > 1) base = multiplied('matrixPower', base, base);
  }
  result ??= broadcast('matrixPower', nodeOf('matrixPower', eye(length, length, { dtype: node.dtype })), node.shape);
  return wrap(result);
}

const power = (node: Node, by: number): Node => apply('pow', [node, constantOf(by, [], node.dtype)]);

/** The greatest of magnitudes, which of none is 0, or the least, which there has to be. */
function extremeOf(operation: string, node: Node, by: 'min' | 'max', axes: readonly number[]): Node {
  const empty = axes.find((axis) => node.shape[axis] === 0);
  if (empty === undefined) return reduced(node, by, axes);
  const shape = node.shape.filter((_, axis) => !axes.includes(axis));
  if (by === 'max') return constantOf(0, shape, node.dtype);
  throw badShapes(
    operation,
    `axis ${empty} of the shape ${shapeText(node.shape)} is empty, so nothing is the least`,
    node.shape,
  );
}

/** A norm along some axes. */
function normOf(operation: string, node: Node, ord: number, axes: readonly number[]): Node {
  const size = apply('abs', [node]);
  if (ord === Number.POSITIVE_INFINITY) return extremeOf(operation, size, 'max', axes);
  if (ord === Number.NEGATIVE_INFINITY) return extremeOf(operation, size, 'min', axes);
  if (ord === 0) return reduced(cast(truth(node), node.dtype), 'sum', axes);
  if (ord === 1) return reduced(size, 'sum', axes);
  if (ord === 2) return apply('sqrt', [reduced(apply('square', [node]), 'sum', axes)]);
  return power(reduced(power(size, ord), 'sum', axes), 1 / ord);
}

/** A norm of vectors: of order 2, of all elements, if nothing is said. */
export function vectorNorm<T extends Float>(x: Arr<T>, o: VectorNormOptions = {}): Arr<T> {
  checkOptions('vectorNorm', o, ['ord', 'axis', 'keepdims']);
  const node = nodeOf('vectorNorm', x);
  checkKind('vectorNorm', node.dtype, ['float']);
  const ord = checkNumber('vectorNorm', 'ord', o.ord ?? 2);
  const axes = axesOf('vectorNorm', o.axis, node.shape);
  const result = normOf('vectorNorm', node, ord, axes);
  if (!o.keepdims) return wrap(result);
  return wrap(
    reshaped(
      result,
      node.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
    ),
  );
}

/** A norm of each matrix: that of all elements, if nothing is said. */
export function matrixNorm<T extends Float>(x: Arr<T>, o: MatrixNormOptions = {}): Arr<T> {
  checkOptions('matrixNorm', o, ['ord', 'keepdims']);
  const { node, many } = matricesOf('matrixNorm', x);
  const result = matrixNormOf(x, node, o.ord ?? 'fro');
  return wrap(o.keepdims ? reshaped(result, [...many, 1, 1]) : result);
}

function matrixNormOf(x: Arr, node: Node, ord: MatrixNormOptions['ord']): Node {
  const rank = node.shape.length;
  const [rows, columns] = [rank - 2, rank - 1];
  const ofSums = (axis: number, by: 'min' | 'max'): Node =>
    extremeOf('matrixNorm', reduced(apply('abs', [node]), 'sum', [axis], true), by, [rows, columns]);
  const ofValues = (by: 'min' | 'max'): Node =>
    extremeOf('matrixNorm', singularValues('matrixNorm', x), by, [rank - 2]);
  switch (ord) {
    case 'fro':
      return normOf('matrixNorm', node, 2, [rows, columns]);
    case 'nuc':
      return reduced(singularValues('matrixNorm', x), 'sum', [rank - 2]);
    case 1:
      return ofSums(rows, 'max');
    case -1:
      return ofSums(rows, 'min');
    case 2:
      return ofValues('max');
    case -2:
      return ofValues('min');
    case Number.POSITIVE_INFINITY:
      return ofSums(columns, 'max');
    case Number.NEGATIVE_INFINITY:
      return ofSums(columns, 'min');
    default:
      throw new UsageError(
        `matrixNorm: there is no norm ${shown(ord)}; there are 'fro', 'nuc', 1, -1, 2, -2, Infinity and -Infinity`,
        { details: { operation: 'matrixNorm' } },
      );
  }
}
