import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPES, type DType, type Elements, elements, type Shape, sizeOf } from '../../nd/index.ts';
import { type Dense, routine } from '../routines/index.ts';

const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });

/** What a routine gives for arrays that lie in a memory, after what it gives for the same ones elsewhere. */
function both(name: string, inputs: readonly Dense[], params: Parameters<ReturnType<typeof routine>['run']>[1]) {
  const { outputs, run } = routine(name);
  const types = outputs(inputs, params);
  const elsewhere = types.map(({ shape, dtype }) => dense(dtype, shape, []));
  run(inputs, params, elsewhere);
  let next = 16;
  const placed = (dtype: DType, shape: Shape): Elements => {
    const { Elements } = DTYPES[dtype];
    const own = new Elements(memory.buffer, next, sizeOf(shape)) as Elements;
    next += Math.ceil(own.byteLength / 8) * 8 + 8;
    return own;
  };
  const moved = inputs.map(({ shape, dtype, elements }): Dense => {
    const own = placed(dtype, shape);
    own.set(elements as never);
    return { shape, dtype, elements: own };
  });
  const inside = types.map(({ shape, dtype }): Dense => {
    const own = placed(dtype, shape);
    // Nothing is taken from what was there before.
    own.fill((dtype === 'i64' ? 9n : 9) as never);
    return { shape, dtype, elements: own };
  });
  run(moved, params, inside, memory);
  const plain = (all: readonly Dense[]) => all.map(({ elements }) => [...(elements as Float64Array)]);
  return [plain(elsewhere), plain(inside)] as const;
}

function dense(dtype: DType, shape: Shape, values: readonly (number | bigint)[]): Dense {
  const own = elements(dtype, sizeOf(shape));
  for (const [i, value] of values.entries()) own[i] = value as never;
  return { shape, dtype, elements: own };
}

const value = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.double({ min: -10, max: 10 }),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const values = fc.array(value, { maxLength: 200, size: 'max' });

test('sums of groups, histograms and the first of a line are in WebAssembly what they are in JavaScript', () => {
  fc.assert(
    fc.property(
      values,
      fc.array(fc.oneof(fc.integer({ min: -1, max: 8 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))), { minLength: 1 }),
      fc.constantFrom('i32' as const, 'i64' as const),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.double({ min: 0, max: 9, noNaN: true }),
      (line, groups, index, count, descending, least, width) => {
        const n = line.length;
        const x = dense('f64', [n], line);
        const own = line.map((_, i) => groups[i % groups.length] as number);
        const g = dense(index, [n], index === 'i64' ? own.map((each) => BigInt(each) << (each > 7 ? 32n : 0n)) : own);
        const edges = Array.from({ length: count + 1 }, (_, i) => least + (width * i) / count);
        for (const [ours, theirs] of [
          both('segmentSum', [x, g], { count }),
          both('histogram', [x, dense('f64', [count + 1], edges)], { uniform: true }),
          both('topK', [x], { k: count, descending }),
        ]) {
          assert.deepEqual(theirs, ours);
        }
      },
    ),
    { numRuns: 300 },
  );
});
