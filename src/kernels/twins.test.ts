import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kindOf, sizeOf } from '../nd/index.ts';
import { JavaScriptKernels } from './javascript/compile.ts';
import type { Kernel, Result, Step } from './kernel.ts';
import { again, programs } from './kernels.fixture.ts';
import { interpret, type Run, type Strided } from './reference.ts';
import { verify } from './verify.ts';

const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 2000);

/**
 * How far apart a result may be that sums or multiplies floats: its values added up, or multiplied, in any order and with any
 * roundings (N. Higham, "Accuracy and Stability of Numerical Algorithms", 4.2). Infinite where some order leaves the range.
 */
function tolerances(kernel: Kernel, run: Run, result: number): number[] {
  const { value, reduce } = kernel.results[result] as Result;
  const { dtype } = kernel.steps[value] as Step;
  const [epsilon, least] = dtype === 'f32' ? [2 ** -24, 2 ** -126] : [2 ** -53, 2 ** -1022];
  /** The result with its values replaced, in doubles. */
  const replaced = (op: 'maximum' | 'minimum' | 'positive', reducer: 'sum' | 'prod'): number[] => {
    const steps: Step[] = [...kernel.steps, { op: 'cast', args: [value], dtype: 'f64' }];
    const put = (step: Step): number => steps.push(step) - 1;
    const size = put({ op: 'abs', args: [steps.length - 1], dtype: 'f64' });
    const one = put({ op: 'constant', value: 1, dtype: 'f64' });
    put({ op, args: op === 'positive' ? [size] : [size, one], dtype: 'f64' });
    const { elements, ...where } = run.results[result] as Strided;
    const into = new Float64Array(elements.length).fill(reducer === 'sum' ? 0 : 1);
    const bound = { ...kernel, steps, results: [{ value: steps.length - 1, reduce: reducer }] } as const;
    interpret(bound, { ...run, results: [{ ...where, elements: into }] });
    return [...into];
  };
  const points = sizeOf(run.space) + 1;
  const inRange = (x: number): boolean => x <= (dtype === 'f32' ? 2 ** 126 : 2 ** 1022);
  if (reduce === 'sum') {
    return replaced('positive', 'sum').map((all) => (inRange(all) ? points * epsilon * all : Number.POSITIVE_INFINITY));
  }
  const small = replaced('minimum', 'prod');
  return replaced('maximum', 'prod').map((large, at) =>
    inRange(large) && (small[at] as number) > least ? 2 * points * epsilon * large : Number.POSITIVE_INFINITY,
  );
}

/** Results of floats that are summed or multiplied are equal up to rounding, all others exactly. */
function assertSame(kernel: Kernel, run: Run, expected: readonly Strided[], got: readonly Strided[]): void {
  for (const [i, { value, reduce }] of kernel.results.entries()) {
    const { dtype } = kernel.steps[value] as Step;
    const want = [...(expected[i] as Strided).elements] as (number | bigint)[];
    const have = [...(got[i] as Strided).elements] as (number | bigint)[];
    const rounds = kindOf(dtype) === 'float' && (reduce === 'sum' || reduce === 'prod');
    const apart = rounds && want.some((x, at) => !Object.is(x, have[at])) ? tolerances(kernel, run, i) : [];
    for (const [at, x] of want.entries()) {
      const y = have[at] as number | bigint;
      if (Object.is(x, y)) continue;
      const allowed = apart[at] ?? 0;
      // Zeros of either sign are the same sum.
      if (rounds && (allowed === Number.POSITIVE_INFINITY || Math.abs((x as number) - (y as number)) <= allowed))
        continue;
      assert.fail(`result ${i} (${reduce ?? 'each'} of ${dtype}) at ${at}: ${String(y)} instead of ${String(x)}`);
    }
  }
}

test('generated JavaScript does what the reference interpreter does', () => {
  const kernels = new JavaScriptKernels();
  fc.assert(
    fc.property(programs(), ({ kernel, run }) => {
      verify(kernel, 'the generator');
      const [expected, got] = [again(run), again(run)];
      interpret(kernel, expected);
      kernels.run(kernel, got);
      assertSame(kernel, run, expected.results, got.results);
    }),
    { numRuns: RUNS },
  );
});
