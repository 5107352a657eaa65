import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elements } from '../../nd/index.ts';
import { KernelBuilder } from '../kernel.ts';
import { reducer } from '../reducers.ts';
import { interpret } from '../reference.ts';
import { WasmKernels } from './kernels.ts';

test('the least and the greatest are right about NaN and the signs of zeros, wherever they are', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const kernels = new WasmKernels(memory);
  const few = fc.constantFrom(0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  // Mostly of one kind, with one that differs somewhere.
  const values = fc.tuple(few, few, fc.array(fc.nat(9), { minLength: 1, maxLength: 60, size: 'max' }), few);
  for (const dtype of ['f32', 'f64'] as const) {
    for (const name of ['min', 'max'] as const) {
      const builder = new KernelBuilder(1);
      const kernel = builder.result(builder.operand(dtype), name).build();
      const Elements = elements(dtype, 0).constructor as Float64ArrayConstructor;
      fc.assert(
        fc.property(values, ([most, some, choices, last]) => {
          const data = new Elements(memory.buffer, 64, choices.length);
          for (const [at, choice] of choices.entries()) data[at] = choice === 0 ? some : choice === 1 ? last : most;
          const [into, expected] = [new Elements(memory.buffer, 8, 1), elements(dtype, 1)];
          const run = (result: typeof expected) => ({
            space: [data.length],
            operands: [{ elements: data, offset: 0, strides: [1] }],
            scalars: [],
            results: [{ elements: result, offset: 0, strides: [0] }],
          });
          for (const each of [into, expected]) each[0] = reducer(name).identity(dtype) as never;
          interpret(kernel, run(expected));
          assert.equal(kernels.run(kernel, run(into)), true);
          assert.ok(Object.is(into[0], expected[0]), `${name} of ${data}: ${into[0]} instead of ${expected[0]}`);
        }),
        { numRuns: 500 },
      );
    }
  }
});
