import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elements } from '../../nd/index.ts';
import { KernelBuilder } from '../kernel.ts';
import { interpret } from '../reference.ts';
import { WasmKernels } from './kernels.ts';

const SPECIAL = [0, -0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-310, -1e-45];

test('minimum and maximum are right about NaN and the signs of zeros: of two arrays, with a number, with a constant', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const kernels = new WasmKernels(memory);
  for (const dtype of ['f32', 'f64'] as const) {
    const count = SPECIAL.length ** 2 + 3;
    const place = (at: number, of: (i: number) => number) => {
      const Elements = elements(dtype, 0).constructor as Float64ArrayConstructor;
      const array = new Elements(memory.buffer, at, count);
      for (let i = 0; i < count; i++) array[i] = of(i);
      return array;
    };
    const x = place(0, (i) => SPECIAL[i % SPECIAL.length] as number);
    const y = place(2048, (i) => SPECIAL[Math.floor(i / SPECIAL.length) % SPECIAL.length] as number);
    const into = place(4096, () => 0);
    for (const op of ['minimum', 'maximum'] as const) {
      for (const bound of [undefined, ...SPECIAL]) {
        for (const kind of bound === undefined ? (['array'] as const) : (['scalar', 'constant'] as const)) {
          for (const turned of [false, true]) {
            const builder = new KernelBuilder(1);
            const own = builder.operand(dtype);
            const value = Math.fround(bound ?? 0);
            const other =
              kind === 'array'
                ? builder.operand(dtype)
                : kind === 'scalar'
                  ? builder.scalar(dtype)
                  : builder.constant(value, dtype);
            const kernel = builder.result(builder.apply(op, turned ? [other, own] : [own, other], dtype)).build();
            const expected = elements(dtype, count);
            const run = (result: typeof expected) => ({
              space: [count],
              operands: (kind === 'array' ? [x, y] : [x]).map((each) => ({ elements: each, offset: 0, strides: [1] })),
              scalars: kind === 'scalar' ? [value] : [],
              results: [{ elements: result, offset: 0, strides: [1] }],
            });
            interpret(kernel, run(expected));
            assert.equal(kernels.run(kernel, run(into)), true);
            // `deepEqual` knows -0 from 0, and takes one NaN for the other.
            assert.deepEqual([...into], [...expected], `${op} of ${dtype} with ${kind} ${bound}`);
          }
        }
      }
    }
  }
});
