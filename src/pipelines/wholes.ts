import { KernelBuilder } from '../kernels/index.ts';
import { broadcastStrides, DTYPES, type Elements, elements, rowMajor, sizeOf } from '../nd/index.ts';
import type { ArrayType } from './graph.ts';
import type { Whole } from './plan.ts';
import { noSuchIndex } from './reference.ts';
import { type DenseArray, type Routines, routineOf } from './routines.ts';
import type { Compilers } from './tile-runner.ts';
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
  compilers: Compilers,
): void {
  const [first, second] = args as [StridedArray, StridedArray];
  const [own] = results as [DenseArray];
  if (op.kind === 'call') routineOf(routines, op.routine)(args.map(densified), op.params, results);
  else if (op.kind === 'take') taken(op.axis, own, first, densified(second));
  else product(own, first, second, compilers);
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

/** Row by row of the left one: a row of the result is the sum of the rows of the right one, which lie as they are read. */
function product(own: DenseArray, left: StridedArray, right: StridedArray, compilers: Compilers): void {
  const outer = own.shape.slice(0, -2);
  const [m, n] = own.shape.slice(-2) as [number, number];
  const k = left.shape.at(-1) as number;
  const builder = new KernelBuilder(3);
  const [x, y] = [builder.operand(own.dtype), builder.operand(own.dtype)];
  const kernel = builder.result(builder.apply('multiply', [x, y], own.dtype), 'sum').build();
  own.elements.fill(DTYPES[own.dtype].bytes === 8 && DTYPES[own.dtype].kind !== 'float' ? (0n as never) : (0 as never));
  const [ofLeft, ofRight] = [left, right].map(({ shape, strides }) =>
    broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), outer),
  ) as [number[], number[]];
  const point = outer.map(() => 0);
  for (let batch = 0; batch < sizeOf(outer); batch++) {
    const at = (strides: readonly number[]): number =>
      point.reduce((sum, i, axis) => sum + i * (strides[axis] as number), 0);
    const run = {
      space: [m, k, n],
      operands: [
        {
          elements: left.elements,
          offset: left.offset + at(ofLeft),
          strides: [left.strides.at(-2) as number, left.strides.at(-1) as number, 0],
        },
        {
          elements: right.elements,
          offset: right.offset + at(ofRight),
          strides: [0, right.strides.at(-2) as number, right.strides.at(-1) as number],
        },
      ],
      scalars: [],
      results: [{ elements: own.elements, offset: batch * m * n, strides: [n, 0, 1] }],
    };
    if (!compilers.wasm.run(kernel, run)) compilers.javascript.run(kernel, run);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      point[axis] = (point[axis] as number) + 1;
      if ((point[axis] as number) < (outer[axis] as number)) break;
      point[axis] = 0;
    }
  }
}
