import { kindOf, shown, UsageError } from '../base/index.ts';
import { type DType, type Elements, elements, type Shape, scalarAs, shapeText, sizeOf } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkOptions, checkShape } from './checks.ts';
import { isArr, nodeOf, wrap } from './lazy.ts';
import { cast } from './operations.ts';
import { sourceOf } from './place.ts';
import type { D, ElementsOf, Nested, Value } from './types.ts';

/** Typed arrays, whose elements arrays can have. */
export type TypedArray = ElementsOf | Uint8ClampedArray;

/** The element types of typed arrays, by the name of their class. A `Uint8Array` has numbers in it, and not booleans. */
export type TypedArrayTypes = {
  Int8Array: 'i8';
  Uint8Array: 'u8';
  Uint8ClampedArray: 'u8';
  Int16Array: 'i16';
  Uint16Array: 'u16';
  Int32Array: 'i32';
  Uint32Array: 'u32';
  BigInt64Array: 'i64';
  BigUint64Array: 'u64';
  Float32Array: 'f32';
  Float64Array: 'f64';
};

/** The element type of a typed array. */
export type ElementTypeOf<E extends ArrayBufferView> = E extends { readonly [Symbol.toStringTag]: infer N }
  ? N extends keyof TypedArrayTypes
    ? TypedArrayTypes[N]
    : never
  : never;

/** What `asarray` and `fromNested` take. */
export interface FromOptions<T extends D = D> {
  /** Left out: that of a typed array; `f64` for numbers, `i64` for bigints, `bool` for booleans. */
  dtype?: T;
}

const BY_NAME: Readonly<TypedArrayTypes> & Readonly<Record<string, DType>> = {
  Int8Array: 'i8',
  Uint8Array: 'u8',
  Uint8ClampedArray: 'u8',
  Int16Array: 'i16',
  Uint16Array: 'u16',
  Int32Array: 'i32',
  Uint32Array: 'u32',
  BigInt64Array: 'i64',
  BigUint64Array: 'u64',
  Float32Array: 'f32',
  Float64Array: 'f64',
};

/** The elements of a typed array and their type. */
function typedOf(operation: string, data: unknown): { readonly own: Elements; readonly dtype: DType } {
  const name = ArrayBuffer.isView(data) ? ((data as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '') : '';
  const dtype = BY_NAME[name];
  if (dtype !== undefined) return { own: data as Elements, dtype };
  throw new UsageError(
    `${operation} takes a typed array (${Object.keys(BY_NAME).join(', ')}), and not ${name === '' ? kindOf(data) : `a ${name}`}`,
    { details: { operation } },
  );
}

/**
 * An array of elements that are there, row by row. They are not copied: do not change them afterwards.
 *
 * @param data a typed array, whose type the array gets.
 * @param shape left out: one axis.
 * @throws UsageError (ERR_SHEAF_SHAPE) when the shape has another number of elements.
 */
export function fromTyped<E extends TypedArray>(data: E, shape?: readonly number[]): Arr<ElementTypeOf<E>>;
export function fromTyped(data: ArrayBufferView, shape?: readonly number[]): Arr;
export function fromTyped(data: ArrayBufferView, shape?: readonly number[]): Arr {
  const { own, dtype } = typedOf('fromTyped', data);
  const lengths = shape === undefined ? [own.length] : checkShape('fromTyped', shape);
  if (sizeOf(lengths) !== own.length) {
    throw badShapes(
      'fromTyped',
      `${own.length} elements do not fill the shape ${shapeText(lengths)}, which has ${sizeOf(lengths)}`,
      [own.length],
      lengths,
    );
  }
  return wrap(sourceOf(own, lengths, dtype));
}

/**
 * An array of values in lists of lists, all of one kind.
 *
 * @param values as many levels of lists as the array has axes.
 * @throws UsageError (ERR_SHEAF_SHAPE) for lists of different lengths; (ERR_SHEAF_DTYPE) for values that the type does not hold.
 */
export function fromNested<const T extends D>(values: Nested, o: FromOptions<T> & { dtype: T }): Arr<T>;
export function fromNested(values: Nested<boolean>, o?: FromOptions): Arr<'bool'>;
export function fromNested(values: Nested<bigint>, o?: FromOptions): Arr<'i64'>;
export function fromNested(values: Nested<number>, o?: FromOptions): Arr<'f64'>;
export function fromNested(values: Nested, o?: FromOptions): Arr;
export function fromNested(values: Nested, o: FromOptions = {}): Arr {
  checkOptions('fromNested', o, ['dtype']);
  return wrap(nested('fromNested', values, o.dtype === undefined ? undefined : checkDType('fromNested', o.dtype)));
}

function nested(operation: string, values: unknown, wish: DType | undefined): Node {
  const shape: number[] = [];
  for (let level = values; Array.isArray(level); level = (level as unknown[])[0]) shape.push(level.length);
  const dtype = wish ?? typeOfFirst(operation, values);
  const own = elements(dtype, sizeOf(shape));
  let next = 0;
  const fill = (value: unknown, axis: number, path: string): void => {
    const length = shape[axis];
    if (length === undefined) {
      if (Array.isArray(value)) throw ragged(operation, shape, path, value);
      own[next++] = scalarAs(`${operation}: the value at ${path || 'the top'}`, value, dtype, true) as never;
      return;
    }
    if (!Array.isArray(value) || value.length !== length) throw ragged(operation, shape, path, value);
    for (const [i, each] of (value as unknown[]).entries()) fill(each, axis + 1, `${path}[${i}]`);
  };
  fill(values, 0, '');
  return sourceOf(own, shape, dtype);
}

function ragged(operation: string, shape: Shape, path: string, value: unknown): UsageError {
  const found = Array.isArray(value) ? `a list of ${value.length}` : shown(value);
  return badShapes(
    operation,
    `the lists do not have one shape: the first ones make ${shapeText(shape)}, and at ${path || 'the top'} there is ${found}`,
    shape,
  );
}

function typeOfFirst(operation: string, values: unknown): DType {
  let first = values;
  while (Array.isArray(first)) first = (first as unknown[])[0];
  if (first === undefined || typeof first === 'number') return 'f64';
  if (typeof first === 'bigint') return 'i64';
  if (typeof first === 'boolean') return 'bool';
  throw new UsageError(
    `${operation} takes numbers, bigints or booleans, lists of them, and typed arrays, and not ${kindOf(first)}`,
    { details: { operation } },
  );
}

/**
 * An array of what there is: an array itself, a typed array (which is not copied), values, lists of lists.
 *
 * @throws UsageError as `fromNested` and `fromTyped`.
 */
export function asarray<const T extends D>(x: Arr | TypedArray | Nested, o: FromOptions<T> & { dtype: T }): Arr<T>;
export function asarray<T extends D>(x: Arr<T>, o?: FromOptions): Arr<T>;
export function asarray<E extends TypedArray>(x: E, o?: FromOptions): Arr<ElementTypeOf<E>>;
export function asarray(x: Nested<boolean>, o?: FromOptions): Arr<'bool'>;
export function asarray(x: Nested<bigint>, o?: FromOptions): Arr<'i64'>;
export function asarray(x: Nested<number>, o?: FromOptions): Arr<'f64'>;
export function asarray(x: Arr | TypedArray | Nested, o?: FromOptions): Arr;
export function asarray(x: Arr | TypedArray | Nested, o: FromOptions = {}): Arr {
  checkOptions('asarray', o, ['dtype']);
  const dtype = o.dtype === undefined ? undefined : checkDType('asarray', o.dtype);
  if (isArr(x)) return dtype === undefined || dtype === x.dtype ? x : wrap(cast(nodeOf('asarray', x), dtype));
  if (!ArrayBuffer.isView(x)) return wrap(nested('asarray', x as Nested<Value>, dtype));
  const { own, dtype: its } = typedOf('asarray', x);
  return wrap(cast(sourceOf(own, [own.length], its), dtype ?? its));
}
