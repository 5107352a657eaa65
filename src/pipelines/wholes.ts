import type { Matmul, Strided } from '../kernels/index.ts';
import { broadcastStrides, type Elements, elements, rowMajor, sizeOf } from '../nd/index.ts';
import type { ArrayType } from './graph.ts';
import type { Whole } from './plan.ts';
import { noSuchIndex } from './reference.ts';
import type { DenseArray, Routines } from './routines.ts';
import { copy, dense, isDense } from './walk.ts';

/** An array with its elements, in some layout. */
export interface StridedArray extends ArrayType {
  readonly elements: Elements;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Computes what is computed by itself. */
export function runWhole(
  { op }: Whole,
  args: readonly StridedArray[],
  results: readonly DenseArray[],
  routines: Routines,
  matmul: Matmul,
): void {
  const [first, second] = args as [StridedArray, StridedArray];
  const [own] = results as [DenseArray];
  if (op.kind === 'call') routines(op.routine).run(args.map(densified), op.params, results);
  else if (op.kind === 'take') taken(op.axis, own, first, densified(second));
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

function taken(axis: number, own: DenseArray, from: StridedArray, indices: DenseArray): void {
  const length = from.shape[axis] as number;
  const strides = rowMajor(own.shape);
  const slice = own.shape.map((each, i) => (i === axis ? 1 : each));
  for (const [i, index] of (indices.elements as BigInt64Array).entries()) {
    if (index < 0n || index >= length) throw noSuchIndex(index, length);
    const offset = from.offset + Number(index) * (from.strides[axis] as number);
    const to = { offset: i * (strides[axis] as number), strides };
    copy(slice, from.elements, { offset, strides: from.strides }, own.elements, to);
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
  const point = outer.map(() => 0);
  const matrix = ({ elements, offset, strides }: StridedArray, outside: readonly number[]): Strided => ({
    elements,
    offset: point.reduce((sum, i, axis) => sum + i * (outside[axis] as number), offset),
    strides: strides.slice(-2),
  });
  for (let batch = 0; batch < sizeOf(outer); batch++) {
    const into = { elements: own.elements, offset: batch * m * n, strides: [n, 1] };
    matmul.run(matrix(left, ofLeft), matrix(right, ofRight), into, m, k, n);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      point[axis] = (point[axis] as number) + 1;
      if ((point[axis] as number) < (outer[axis] as number)) break;
      point[axis] = 0;
    }
  }
}
