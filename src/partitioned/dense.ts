import { kindOf, UsageError } from '../base/index.ts';
import {
  DTYPE_NAMES,
  DTYPES,
  type DType,
  type Elements,
  elements,
  isDType,
  rowMajor,
  shapeText,
  sizeOf,
} from '../nd/index.ts';
import type { Box } from './boxes.rules.ts';
import { fault, type Place } from './faults.ts';

/** Elements of an array that are here. Without strides they lie row by row. */
export interface Dense {
  /** How many elements along each axis. */
  readonly shape: readonly number[];
  /** The type of the elements, such as `f64`. */
  readonly dtype: DType;
  /** They, in a typed array of that type; `bool` is one byte each, 0 or 1. */
  readonly elements: Elements;
  /** How many elements it is from one to the next along each axis. */
  readonly strides?: readonly number[];
  /** Where the first one is. */
  readonly offset?: number;
}

/** New elements in that shape, all of them 0. */
export const zeros = (shape: readonly number[], dtype: DType): Dense => ({
  shape,
  dtype,
  elements: elements(dtype, sizeOf(shape)),
});

const stridesOf = ({ shape, strides }: Dense): readonly number[] => strides ?? rowMajor(shape);

/** A box of it: the same memory. */
export function boxOf(array: Dense, { start, shape }: Box): Dense {
  const strides = stridesOf(array);
  const offset = start.reduce((sum, from, axis) => sum + from * (strides[axis] as number), array.offset ?? 0);
  return { shape, dtype: array.dtype, elements: array.elements, strides, offset };
}

/** Copies all elements of one array into another of the same shape and type. */
export function copyInto(target: Dense, source: Dense): void {
  if (target.dtype !== source.dtype || shapeText(target.shape) !== shapeText(source.shape)) {
    throw new UsageError(
      `${source.dtype} of ${shapeText(source.shape)} can't be copied into ${target.dtype} of ${shapeText(target.shape)}`,
      { code: 'ERR_SHEAF_SHAPE' },
    );
  }
  if (target.shape.includes(0)) return;
  copyAxis(target, stridesOf(target), target.offset ?? 0, source, stridesOf(source), source.offset ?? 0, 0);
}

function copyAxis(
  target: Dense,
  to: readonly number[],
  at: number,
  source: Dense,
  from: readonly number[],
  start: number,
  axis: number,
): void {
  const rank = target.shape.length;
  if (axis === rank) {
    target.elements[at] = source.elements[start] as never;
    return;
  }
  const length = target.shape[axis] as number;
  const [down, up] = [to[axis] as number, from[axis] as number];
  if (axis === rank - 1 && down === 1 && up === 1) {
    target.elements.set(source.elements.subarray(start, start + length) as never, at);
    return;
  }
  for (let i = 0; i < length; i++) copyAxis(target, to, at + i * down, source, from, start + i * up, axis + 1);
}

/**
 * The data of a partition as elements: a typed array (row by row), or `{ shape, dtype, elements }`. Anything else is refused by name, as
 * the protocol asks of consumers.
 */
export function denseOf(data: unknown, shape: readonly number[], dtype: DType | undefined, place: Place): Dense {
  const given = (ArrayBuffer.isView(data) ? { shape, elements: data } : data) as Partial<Dense> | null;
  if (typeof given !== 'object' || given === null || !isElements(given.elements)) {
    const found = ArrayBuffer.isView(data) || given === null ? data : ((given as Partial<Dense>).elements ?? data);
    throw fault(
      'data',
      place,
      `is ${kindOf(found)}, which can't be read as elements; it has to be a typed array, or { shape, dtype, elements }`,
    );
  }
  const own =
    given.dtype ??
    (dtype !== undefined && DTYPES[dtype].Elements === typeOf(given.elements) ? dtype : dtypeOf(given.elements));
  if (!isDType(own))
    throw fault('data', place, `has elements of type ${String(own)}; known are ${DTYPE_NAMES.join(', ')}`);
  if (dtype !== undefined && own !== dtype)
    throw fault('mixed', place, `has elements of type ${own}, where the others have ${dtype}`);
  const array = { ...given, shape: given.shape ?? shape, dtype: own } as Dense;
  if (shapeText(array.shape) !== shapeText(shape)) {
    throw fault('data', place, `has the shape ${shapeText(array.shape)}, where its record says ${shapeText(shape)}`);
  }
  if (DTYPES[own].Elements !== typeOf(array.elements)) {
    throw fault('data', place, `has a ${array.elements.constructor.name}, and says that its elements are ${own}`);
  }
  const { strides = rowMajor(shape), offset = 0 } = array;
  if (strides.length !== shape.length || ![...strides, offset].every(Number.isSafeInteger)) {
    const text = `[${strides.join(', ')}] from ${offset} on`;
    throw fault('data', place, `has the strides ${text}; give a whole number for each axis of ${shapeText(shape)}`);
  }
  const ends = [Math.min, Math.max].map((pick) =>
    strides.reduce((sum, step, axis) => sum + pick(0, step * ((shape[axis] as number) - 1)), offset),
  ) as [number, number];
  const isInside = sizeOf(shape) === 0 || (ends[0] >= 0 && ends[1] < array.elements.length);
  if (!isInside || (array.strides === undefined && array.elements.length - offset !== sizeOf(shape))) {
    throw fault('data', place, `has ${array.elements.length} elements, where its shape is ${shapeText(shape)}`);
  }
  return array;
}

const ELEMENT_TYPES = new Map(
  DTYPE_NAMES.filter((name) => name !== 'bool').map((name) => [DTYPES[name].Elements, name]),
);

/** `Buffer` counts as the array of bytes that it is. */
function typeOf(elements: Elements): unknown {
  return elements instanceof Uint8Array ? Uint8Array : elements.constructor;
}

const dtypeOf = (elements: Elements): DType => ELEMENT_TYPES.get(typeOf(elements) as typeof Float64Array) as DType;

function isElements(value: unknown): value is Elements {
  return ArrayBuffer.isView(value) && ELEMENT_TYPES.has(typeOf(value as Elements) as typeof Float64Array);
}
