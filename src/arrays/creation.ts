import { kindOf as kindOfValue, shown, UsageError } from '../base/index.ts';
import { broadcastShapes, type DType, isBig, kindOf, promoted, type Shape, scalarAs, shapeText } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkInteger, checkNumber, checkOptions, checkShape } from './checks.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { DiagonalOptions } from './manipulation-types.ts';
import { apply, cast, checkKind, constantOf } from './operations.ts';
import type { D, Float, Value } from './types.ts';
import { broadcast, joined, notMatrices, reshaped, viewOf, whole } from './views.ts';

/** What makes an array takes. */
export interface TypeOptions<T extends D = D> {
  /** The element type; `f64`, if nothing is said. */
  dtype?: T;
}

/** What makes an array like another one takes. */
export interface LikeOptions<T extends D = D> {
  /** The element type; that of the other one, if nothing is said. */
  dtype?: T;
}

const zero = (dtype: DType): number | bigint => (isBig(dtype) ? 0n : 0);

/** Everywhere the same value, which is one that the type holds. */
const filled = (operation: string, shape: Shape, value: unknown, dtype: DType): Node =>
  constantOf(scalarAs(operation, value, dtype, true), shape, dtype);

function typeOf(operation: string, o: TypeOptions | undefined, otherwise: DType, ...others: string[]): DType {
  checkOptions(operation, o, ['dtype', ...others]);
  return o?.dtype === undefined ? otherwise : checkDType(operation, o.dtype);
}

/** 0 or 1 in a type. */
const bit = (value: 0 | 1, dtype: DType): Value => (dtype === 'bool' ? value === 1 : value);

/** Zeros; `false` in an array of booleans. */
export function zeros<const T extends D>(shape: readonly number[], o: { dtype: T }): Arr<T>;
export function zeros(shape: readonly number[], o?: TypeOptions<'f64'>): Arr<'f64'>;
export function zeros(shape: readonly number[], o?: TypeOptions): Arr {
  const dtype = typeOf('zeros', o, 'f64');
  return wrap(filled('zeros', checkShape('zeros', shape), bit(0, dtype), dtype));
}

/** Ones; `true` in an array of booleans. */
export function ones<const T extends D>(shape: readonly number[], o: { dtype: T }): Arr<T>;
export function ones(shape: readonly number[], o?: TypeOptions<'f64'>): Arr<'f64'>;
export function ones(shape: readonly number[], o?: TypeOptions): Arr {
  const dtype = typeOf('ones', o, 'f64');
  return wrap(filled('ones', checkShape('ones', shape), bit(1, dtype), dtype));
}

/** An array to be filled: since arrays are not changed, it is one of zeros. */
export function empty<const T extends D>(shape: readonly number[], o: { dtype: T }): Arr<T>;
export function empty(shape: readonly number[], o?: TypeOptions<'f64'>): Arr<'f64'>;
export function empty(shape: readonly number[], o?: TypeOptions): Arr {
  const dtype = typeOf('empty', o, 'f64');
  return wrap(filled('empty', checkShape('empty', shape), bit(0, dtype), dtype));
}

const typeOfValue = (value: Value): DType =>
  typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'i64' : 'f64';

/**
 * Everywhere the same value.
 *
 * @param value a number makes an array of `f64`, a bigint one of `i64`, a boolean one of `bool`, unless `dtype` says otherwise.
 */
export function full<const T extends D>(shape: readonly number[], value: Value, o: { dtype: T }): Arr<T>;
export function full(shape: readonly number[], value: boolean, o?: TypeOptions): Arr<'bool'>;
export function full(shape: readonly number[], value: bigint, o?: TypeOptions): Arr<'i64'>;
export function full(shape: readonly number[], value: number, o?: TypeOptions): Arr<'f64'>;
export function full(shape: readonly number[], value: Value, o?: TypeOptions): Arr {
  return wrap(filled('full', checkShape('full', shape), value, typeOf('full', o, typeOfValue(value))));
}

/** Zeros in the shape of another array. */
export function zerosLike<const T extends D>(x: Arr, o: { dtype: T }): Arr<T>;
export function zerosLike<T extends D>(x: Arr<T>, o?: LikeOptions): Arr<T>;
export function zerosLike(x: Arr, o?: LikeOptions): Arr {
  const { shape, dtype: own } = nodeOf('zerosLike', x);
  const dtype = typeOf('zerosLike', o, own);
  return wrap(filled('zerosLike', shape, bit(0, dtype), dtype));
}

/** Ones in the shape of another array. */
export function onesLike<const T extends D>(x: Arr, o: { dtype: T }): Arr<T>;
export function onesLike<T extends D>(x: Arr<T>, o?: LikeOptions): Arr<T>;
export function onesLike(x: Arr, o?: LikeOptions): Arr {
  const { shape, dtype: own } = nodeOf('onesLike', x);
  const dtype = typeOf('onesLike', o, own);
  return wrap(filled('onesLike', shape, bit(1, dtype), dtype));
}

/** An array to be filled, in the shape of another one: of zeros, since arrays are not changed. */
export function emptyLike<const T extends D>(x: Arr, o: { dtype: T }): Arr<T>;
export function emptyLike<T extends D>(x: Arr<T>, o?: LikeOptions): Arr<T>;
export function emptyLike(x: Arr, o?: LikeOptions): Arr {
  const { shape, dtype: own } = nodeOf('emptyLike', x);
  const dtype = typeOf('emptyLike', o, own);
  return wrap(filled('emptyLike', shape, bit(0, dtype), dtype));
}

/** Everywhere the same value, in the shape and type of another array. */
export function fullLike<const T extends D>(x: Arr, value: Value, o: { dtype: T }): Arr<T>;
export function fullLike<T extends D>(x: Arr<T>, value: Value, o?: LikeOptions): Arr<T>;
export function fullLike(x: Arr, value: Value, o?: LikeOptions): Arr {
  const { shape, dtype } = nodeOf('fullLike', x);
  return wrap(filled('fullLike', shape, value, typeOf('fullLike', o, dtype)));
}

/** @internal Where the elements of one axis lie, in a shape that broadcasts along the others. */
export function positions(length: number, axis = 0, rank = 1): Node {
  const shape = new Array<number>(rank).fill(1);
  shape[axis] = length;
  return new Node({ kind: 'position', axis }, shape, 'i64');
}

/**
 * Values from `start` up to `stop`, which is left out, `step` apart. `arange(stop)` begins at 0.
 *
 * @throws UsageError when `step` is 0.
 */
export function arange<const T extends D>(stop: number | bigint, o: { dtype: T }): Arr<T>;
export function arange<const T extends D>(
  start: number | bigint,
  stop: number | bigint,
  step: number | bigint | undefined,
  o: { dtype: T },
): Arr<T>;
export function arange(start: number | bigint, stop?: number | bigint, step?: number | bigint): Arr<'f64'>;
export function arange(
  a: number | bigint,
  b?: number | bigint | TypeOptions,
  c?: number | bigint,
  d?: TypeOptions,
): Arr {
  const alone = b === undefined || typeof b === 'object';
  const o = typeof b === 'object' ? b : d;
  const dtype = typeOf('arange', o, 'f64');
  checkKind('arange', dtype, ['int', 'uint', 'float']);
  const start = alone ? 0 : checkNumber('arange', 'start', a);
  const stop = checkNumber('arange', 'stop', alone ? a : b);
  const step = c === undefined ? 1 : checkNumber('arange', 'step', c);
  if (step === 0 || ![start, stop, step].every(Number.isFinite)) {
    throw new UsageError(
      `arange: it never comes from ${start} to ${stop} by steps of ${step}; give finite numbers and a step`,
      {
        details: { operation: 'arange' },
      },
    );
  }
  if (kindOf(dtype) !== 'float') return wrap(integersFrom(alone ? 0 : a, alone ? a : b, c ?? 1, dtype));
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return wrap(cast(progression(cast(positions(length), 'f64'), start, step, 'f64'), dtype));
}

function integersFrom(start: Value, stop: Value, step: Value, dtype: DType): Node {
  if (typeof step === 'number' && !Number.isInteger(step)) {
    throw new UsageError(`arange: steps of ${step} make no ${dtype}; give an integer, or { dtype: 'f64' }`, {
      code: 'ERR_SHEAF_DTYPE',
      details: { operation: 'arange', dtype },
    });
  }
  const [first, by] = [BigInt(scalarAs('arange', start, dtype, true)), BigInt(scalarAs('arange', step, 'i64', true))];
  const distance = (typeof stop === 'bigint' ? stop : BigInt(Math.ceil(Number(stop)))) - first;
  // Rounded away from 0, where there is a way to go at all.
  const count = distance > 0n === by > 0n && distance !== 0n ? (distance + by - (by > 0n ? 1n : -1n)) / by : 0n;
  // Both ends have to fit; what is between them does then.
  const last = first + (count - 1n) * by;
  if (count > 0n) scalarAs('arange', isBig(dtype) ? last : Number(last), dtype);
  const work = dtype === 'u64' ? 'u64' : 'i64';
  const wrapped = (x: bigint): bigint => (work === 'u64' ? BigInt.asUintN(64, x) : x);
  return cast(progression(cast(positions(Number(count)), work), wrapped(first), wrapped(by), work), dtype);
}

/** start + i * step. */
function progression(i: Node, start: number | bigint, step: number | bigint, dtype: DType): Node {
  return apply('add', [constantOf(start, [], dtype), apply('multiply', [i, constantOf(step, [], dtype)])]);
}

/** What `linspace` takes. */
export interface LinspaceOptions<T extends D = D> extends TypeOptions<T> {
  /** The last value is `stop`; true, if nothing is said. */
  endpoint?: boolean;
}

/** So many values from `start` to `stop`, equally far apart. */
export function linspace<const T extends Float>(
  start: number,
  stop: number,
  count: number,
  o: LinspaceOptions<T> & { dtype: T },
): Arr<T>;
export function linspace(start: number, stop: number, count: number, o?: LinspaceOptions<'f64'>): Arr<'f64'>;
export function linspace(start: number, stop: number, count: number, o: LinspaceOptions = {}): Arr {
  const dtype = typeOf('linspace', o, 'f64', 'endpoint');
  checkKind('linspace', dtype, ['float']);
  const [first, last] = [checkNumber('linspace', 'start', start), checkNumber('linspace', 'stop', stop)];
  const n = checkInteger('linspace', 'the number of values', count, 0);
  const withEnd = o.endpoint ?? true;
  const step = (last - first) / Math.max(1, withEnd ? n - 1 : n);
  const i = positions(n);
  const all = progression(cast(i, 'f64'), first, step, 'f64');
  if (!withEnd || n < 2) return wrap(cast(all, dtype));
  // By rounding the last one might be another.
  const isLast = apply('equal', [i, constantOf(BigInt(n - 1), [], 'i64')]);
  return wrap(cast(apply('where', [isLast, constantOf(last, [], 'f64'), all]), dtype));
}

/**
 * Ones on a diagonal of a matrix, zeros elsewhere.
 *
 * @param columns as many as there are rows, if nothing is said.
 */
export function eye<const T extends D>(
  rows: number,
  columns: number | undefined,
  o: DiagonalOptions & { dtype: T },
): Arr<T>;
export function eye(rows: number, columns?: number, o?: DiagonalOptions & TypeOptions<'f64'>): Arr<'f64'>;
export function eye(rows: number, columns?: number, o: DiagonalOptions & TypeOptions = {}): Arr {
  const dtype = typeOf('eye', o, 'f64', 'k');
  const m = checkInteger('eye', 'the number of rows', rows, 0);
  const n = columns === undefined ? m : checkInteger('eye', 'the number of columns', columns, 0);
  return wrap(cast(compared('equal', [m, n], checkInteger('eye', 'k', o.k ?? 0)), dtype));
}

/** Whether column - row is equal to, or less or greater than, k; in the shape of a matrix. */
function compared(op: 'equal' | 'lessEqual' | 'greaterEqual', [m, n]: readonly [number, number], k: number): Node {
  const row = apply('add', [positions(m, 0, 2), constantOf(BigInt(k), [], 'i64')]);
  return apply(op, [positions(n, 1, 2), row]);
}

function triangle(operation: string, x: Arr, op: 'lessEqual' | 'greaterEqual', o: DiagonalOptions = {}): Arr {
  checkOptions(operation, o, ['k']);
  const node = nodeOf(operation, x);
  const [m, n] = node.shape.slice(-2);
  if (m === undefined || n === undefined) throw notMatrices(operation, node.shape);
  const kept = compared(op, [m, n], checkInteger(operation, 'k', o.k ?? 0));
  return wrap(apply('where', [kept, node, constantOf(zero(node.dtype), [], node.dtype)]));
}

/** A matrix with the elements of a vector on a diagonal, and zeros elsewhere; `diagonal` gives them back. */
export function diag<T extends D>(x: Arr<T>, o: DiagonalOptions = {}): Arr<T> {
  checkOptions('diag', o, ['k']);
  const node = nodeOf('diag', x);
  if (node.shape.length !== 1) {
    throw badShapes(
      'diag',
      `it takes a vector, and not the shape ${shapeText(node.shape)}; diagonal gives what lies on that of a matrix`,
      node.shape,
    );
  }
  const k = checkInteger('diag', 'k', o.k ?? 0);
  const side = (node.shape[0] as number) + Math.abs(k);
  const zeros = (length: number): Node[] => (length > 0 ? [constantOf(zero(node.dtype), [length], node.dtype)] : []);
  // Above the middle the last rows have none of it, below it the first ones.
  const column = joined([...zeros(-k), node, ...zeros(k)], 0);
  const none = constantOf(zero(node.dtype), [], node.dtype);
  return wrap(apply('where', [compared('equal', [side, side], k), reshaped(column, [side, 1]), none]));
}

/** What lies on a diagonal of the last two axes and below; 0 elsewhere. */
export function tril<T extends D>(x: Arr<T>, o?: DiagonalOptions): Arr<T> {
  return triangle('tril', x, 'lessEqual', o) as Arr<T>;
}

/** What lies on a diagonal of the last two axes and above; 0 elsewhere. */
export function triu<T extends D>(x: Arr<T>, o?: DiagonalOptions): Arr<T> {
  return triangle('triu', x, 'greaterEqual', o) as Arr<T>;
}

/** What `meshgrid` takes. */
export interface MeshgridOptions {
  /** `'xy'`, if nothing is said: the first array runs along the second axis, as coordinates of pictures do. `'ij'`: along the first. */
  indexing?: 'xy' | 'ij';
}

/** The coordinates of all points of a grid, one array for each axis. */
export function meshgrid<const A extends readonly Arr[]>(
  arrays: A,
  o: MeshgridOptions = {},
): { -readonly [K in keyof A]: A[K] } {
  checkOptions('meshgrid', o, ['indexing']);
  if (!Array.isArray(arrays)) {
    throw new UsageError(`meshgrid takes a list of arrays, and not ${kindOfValue(arrays)}`, {
      details: { operation: 'meshgrid' },
    });
  }
  const nodes = (arrays as readonly Arr[]).map((each) => nodeOf('meshgrid', each));
  const indexing = o.indexing ?? 'xy';
  if (indexing !== 'xy' && indexing !== 'ij') {
    throw new UsageError(`meshgrid: indexing is ${shown(indexing)}; give 'xy' or 'ij'`, {
      details: { operation: 'meshgrid' },
    });
  }
  for (const { shape } of nodes) {
    if (shape.length > 1) {
      const text = `coordinates have one axis, and not the shape ${shapeText(shape)}`;
      throw badShapes('meshgrid', text, ...nodes.map((each) => each.shape));
    }
  }
  promoted(
    'meshgrid',
    nodes.map(({ dtype }) => dtype),
  );
  const lengths = nodes.map(({ shape }) => shape[0] ?? 1);
  const axisOfGrid = (i: number): number => (indexing === 'xy' && nodes.length > 1 && i < 2 ? 1 - i : i);
  const shape = lengths.map((_, i) => lengths[axisOfGrid(i)] as number);
  const grid = nodes.map((node, i) => wrap(viewOf(node, node.shape.length === 0 ? [] : [whole(axisOfGrid(i))], shape)));
  return grid as unknown as { -readonly [K in keyof A]: A[K] };
}

/** Arrays, stretched to the shape that they have together. */
export function broadcastArrays<const A extends readonly Arr[]>(...arrays: A): { -readonly [K in keyof A]: A[K] } {
  const nodes = arrays.map((each) => nodeOf('broadcastArrays', each));
  const shape = broadcastShapes(
    'broadcastArrays',
    nodes.map((node) => node.shape),
  );
  return nodes.map((node) => wrap(broadcast('broadcastArrays', node, shape))) as unknown as {
    -readonly [K in keyof A]: A[K];
  };
}
