import type { Matmul, Strided } from '../kernels/index.ts';
import { broadcastStrides, type DType, type Elements, elements, sizeOf } from '../nd/index.ts';
import { cutInside } from './gang/product.rules.ts';
import type { ArrayType } from './graph.ts';
import { type GivenIndices, noSuchIndex } from './missing.rules.ts';
import type { Whole } from './plan.ts';
import type { DenseArray, Routines } from './routines.ts';
import { copy, dense, isDense } from './walk.ts';

/** An array with its elements, in some layout. */
export interface StridedArray extends ArrayType {
  readonly elements: Elements;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Computes what is computed by itself. `memory`: where all of it lies, if it lies in one; `scratch`: where there is room in it that its routine wants. */
export function runWhole(
  { op }: Whole,
  args: readonly StridedArray[],
  results: readonly DenseArray[],
  routines: Routines,
  matmul: Matmul,
  memory: WebAssembly.Memory | undefined,
  scratch?: number,
): void {
  const [first, second] = args as [StridedArray, StridedArray];
  const [own] = results as [DenseArray];
  if (op.kind === 'call') {
    const inputs = args.map(densified);
    // Copies lie elsewhere.
    const within = inputs.every(({ elements }) => elements.buffer === memory?.buffer) ? memory : undefined;
    routines(op.routine).run(inputs, op.params, results, within, within && scratch);
  } else if (op.kind === 'take') taken(op, own, first, densified(second));
  else product(own, first, second, matmul);
}

/** Row by row: as it is, or a copy. */
function densified({ shape, dtype, elements: all, offset, strides }: StridedArray): DenseArray {
  const size = sizeOf(shape);
  if (isDense(shape, strides)) return { shape, dtype, elements: all.subarray(offset, offset + size) };
  const own = elements(dtype, size);
  copy(shape, all, { offset, strides }, own, dense(shape));
  return { shape, dtype, elements: own };
}

/** Slices one after the other; single elements, which are the most, without more ado. */
function taken(
  { axis, of }: { readonly axis: number; readonly of?: GivenIndices },
  own: DenseArray,
  from: StridedArray,
  indices: DenseArray,
): void {
  const length = from.shape[axis] as number;
  const places = placesOf(indices.elements as BigInt64Array, length, of);
  const step = from.strides[axis] as number;
  const inner = own.shape.slice(axis + 1);
  const size = sizeOf(inner);
  const innerStrides = from.strides.slice(axis + 1);
  const lines = isDense(inner, innerStrides);
  let to = 0;
  for (const start of starts(own.shape.slice(0, axis), from.strides.slice(0, axis), from.offset)) {
    if (size === 1) {
      for (let i = 0; i < places.length; i++)
        own.elements[to++] = from.elements[start + (places[i] as number) * step] as never;
      continue;
    }
    for (let i = 0; i < places.length; i++, to += size) {
      const offset = start + (places[i] as number) * step;
      if (!lines)
        copy(inner, from.elements, { offset, strides: innerStrides }, own.elements, { ...dense(inner), offset: to });
      else if (size > FEW) own.elements.set(from.elements.subarray(offset, offset + size) as never, to);
      else for (let k = 0; k < size; k++) own.elements[to + k] = from.elements[offset + k] as never;
    }
  }
}

/** So few elements are copied faster one by one. */
const FEW = 32;

/** Indices as numbers, each of which there is. */
function placesOf(indices: BigInt64Array, length: number, of: GivenIndices | undefined): Float64Array {
  const places = new Float64Array(indices.length);
  // Two words each, so that there is no bigint for every one of them.
  const words = new Int32Array(indices.buffer, indices.byteOffset, 2 * indices.length);
  for (let i = 0; i < places.length; i++) {
    const place = (words[2 * i + 1] as number) * 2 ** 32 + ((words[2 * i] as number) >>> 0);
    if (!(place >= 0 && place < length)) throw noSuchIndex(indices[i] as bigint, length, of);
    places[i] = place;
  }
  return places;
}

/** Where each point of some axes begins, in the order of rows. */
function* starts(shape: readonly number[], strides: readonly number[], offset: number): Generator<number> {
  const point = shape.map(() => 0);
  let at = offset;
  for (let left = sizeOf(shape); left > 0; left--) {
    yield at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      point[axis] = (point[axis] as number) + 1;
      at += strides[axis] as number;
      if ((point[axis] as number) < (shape[axis] as number)) break;
      at -= (strides[axis] as number) * (shape[axis] as number);
      point[axis] = 0;
    }
  }
}

/** Product after product, of as many as there are before the last two axes. */
function product(own: DenseArray, left: StridedArray, right: StridedArray, matmul: Matmul): void {
  const outer = own.shape.slice(0, -2);
  const [m, n] = own.shape.slice(-2) as [number, number];
  const k = left.shape.at(-1) as number;
  const [ofLeft, ofRight] = [left, right].map(({ shape, strides }) =>
    broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), outer),
  ) as [number[], number[]];
  const matrix = ({ elements, strides }: StridedArray, offset: number): Strided => ({
    elements,
    offset,
    strides: strides.slice(-2),
  });
  const inside = cutInside({ m, k, n, dtype: own.dtype });
  const rights = starts(outer, ofRight, right.offset);
  let batch = 0;
  for (const start of starts(outer, ofLeft, left.offset)) {
    const into = { elements: own.elements, offset: batch++ * m * n, strides: [n, 1] };
    const [a, b] = [matrix(left, start), matrix(right, rights.next().value as number)];
    if (inside === undefined) matmul.run(a, b, into, m, k, n);
    else inParts(inside, a, b, into, [m, n], own.dtype, matmul);
  }
}

/** In the same parts as by several threads, and so with the same result. */
function inParts(
  bounds: readonly number[],
  a: Strided,
  b: Strided,
  into: Strided,
  [m, n]: readonly [number, number],
  dtype: DType,
  matmul: Matmul,
): void {
  const along = (x: Strided, axis: 0 | 1, at: number): Strided => ({
    ...x,
    offset: x.offset + at * (x.strides[axis] as number),
  });
  const sums = { elements: elements(dtype, m * n), offset: 0, strides: [n, 1] };
  const result = into.elements.subarray(into.offset, into.offset + m * n);
  for (const [part, start] of bounds.slice(0, -1).entries()) {
    const length = (bounds[part + 1] as number) - start;
    matmul.run(along(a, 1, start), along(b, 0, start), part === 0 ? into : sums, m, length, n);
    if (part > 0) addSums(result, sums.elements);
  }
}

/** Adds what several parts of a product have come to. */
export function addSums(to: Elements, sums: Elements): void {
  for (let i = 0; i < to.length; i++) (to[i] as number) += sums[i] as number;
}
