import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DType, type Elements, elements } from '../../nd/index.ts';
import { type Kernel, KernelBuilder } from '../kernel.ts';
import { type ReducerName, reducer } from '../reducers.ts';
import { interpret } from '../reference.ts';
import { WasmKernels } from './kernels.ts';

const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 });
const kernels = new WasmKernels(memory);
const RESULT = 4096;
const DATA = 16_384;

const place = (dtype: DType, at: number, length: number): Elements => {
  const Own = elements(dtype, 0).constructor as Float64ArrayConstructor;
  return new Own(memory.buffer, at, length);
};

/** Runs a kernel over `space` on arrays with these strides, and compares it with what it means. */
function check(
  kernel: Kernel,
  space: readonly number[],
  operands: readonly { elements: Elements; strides: readonly number[] }[],
  strides: readonly number[],
  length: number,
): void {
  const { value, reduce } = kernel.results[0] as { value: number; reduce: ReducerName };
  const { dtype } = kernel.steps[value] as { dtype: DType };
  const [into, expected] = [place(dtype, RESULT, length), elements(dtype, length)];
  for (const each of [into, expected]) each.fill(reducer(reduce).identity(dtype) as never);
  const run = (result: Elements) => ({
    space,
    operands: operands.map((each) => ({ ...each, offset: 0 })),
    scalars: [],
    results: [{ elements: result, offset: 0, strides }],
  });
  interpret(kernel, run(expected));
  assert.equal(kernels.run(kernel, run(into)), true);
  assert.deepEqual([...into], [...expected], `${reduce} of ${dtype} over ${space}`);
}

test('long lines are read at two places, and each element counts once', () => {
  for (const dtype of ['f64', 'f32', 'u8'] as const) {
    const square = new KernelBuilder(1);
    const x = square.operand(dtype);
    const squares = square.result(square.apply('multiply', [x, x], dtype), 'sum').build();
    for (const length of [4095, 4099, 8191]) {
      const data = place(dtype, DATA, length);
      // Small whole numbers, so that sums of floats are exact.
      for (let i = 0; i < length; i++) data[i] = (i % 13) as never;
      check(squares, [length], [{ elements: data, strides: [1] }], [0], 1);
      for (const name of ['min', 'max'] as const) {
        const builder = new KernelBuilder(1);
        const kernel = builder.result(builder.operand(dtype), name).build();
        for (const at of [7, (length >> 1) + 9, length - 1]) {
          const before = data[at] as never;
          data[at] = (dtype === 'f64' ? Number.NaN : 99) as never;
          check(kernel, [length], [{ elements: data, strides: [1] }], [0], 1);
          data[at] = before;
        }
      }
    }
  }
});

test('rows are combined two at once, each in its place', () => {
  for (const dtype of ['f64', 'f32', 'i32', 'i64'] as const) {
    for (const name of ['sum', 'min', 'max'] as const) {
      for (const [rows, columns] of [
        [1, 9],
        [4, 3],
        [4, 8],
        [9, 17],
        [11, 40],
      ] as const) {
        const data = place(dtype, DATA, rows * columns);
        for (let i = 0; i < data.length; i++) {
          const number = ((i * 7919) % 101) - 50;
          data[i] = (dtype === 'i64' ? BigInt(number) : number / 4) as never;
        }
        const builder = new KernelBuilder(2);
        const [own, first] = [builder.operand(dtype), builder.operand(dtype)];
        const kernel = builder.result(builder.apply('subtract', [own, first], dtype), name).build();
        // Each element less the first one of its row.
        const strides = [columns, 1];
        check(
          kernel,
          [rows, columns],
          [
            { elements: data, strides },
            { elements: data, strides: [columns, 0] },
          ],
          [0, 1],
          columns,
        );
      }
    }
  }
  // The same kernel, with results that are not those of all rows.
  const builder = new KernelBuilder(2);
  const kernel = builder.result(builder.operand('f64'), 'sum').build();
  const data = place('f64', DATA, 8 * 12);
  for (let i = 0; i < data.length; i++) data[i] = i;
  check(kernel, [8, 12], [{ elements: data, strides: [12, 1] }], [12, 1], 96);
});

test('sums of columns of floats are added from both halves of the rows, in turn', () => {
  const [rows, columns] = [23, 21];
  const data = place('f64', DATA, rows * columns) as Float64Array;
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i) * 2 ** (i % 40);
  const builder = new KernelBuilder(2);
  const kernel = builder.result(builder.operand('f64'), 'sum').build();
  const into = place('f64', RESULT, columns).fill(0 as never);
  const strides = [columns, 1];
  kernels.run(kernel, {
    space: [rows, columns],
    operands: [{ elements: data, offset: 0, strides }],
    scalars: [],
    results: [{ elements: into, offset: 0, strides: [0, 1] }],
  });
  const expected = Array.from({ length: columns }, (_, column) => {
    const half = rows >> 1;
    const at = (row: number): number => data[row * columns + column] as number;
    let sum = 0;
    for (let row = 0; row < half; row++) sum = sum + at(row) + at(row + half);
    return sum + at(rows - 1);
  });
  assert.deepEqual([...into], expected);
});
