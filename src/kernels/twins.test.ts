import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPE_NAMES, type DType, elements, isBig, kindOf, sizeOf } from '../nd/index.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from './elementwise.ts';
import { JavaScriptKernels } from './javascript/compile.ts';
import { type Kernel, KernelBuilder, type Result, type Step } from './kernel.ts';
import { again, programs } from './kernels.fixture.ts';
import { REDUCERS, type ReducerName, reducer } from './reducers.ts';
import { applied, interpret, type Run, type Strided } from './reference.ts';
import { verify } from './verify.ts';
import { WasmKernels } from './wasm/kernels.ts';
import { isInLibrary } from './wasm/math/library.ts';

const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 800);

/**
 * How far apart a result may be that sums or multiplies floats: its values added up, or multiplied, in any order and with any
 * roundings (N. Higham, "Accuracy and Stability of Numerical Algorithms", 4.2). Infinite where some order leaves the range.
 */
function tolerances(kernel: Kernel, run: Run, result: number, apply: typeof applied): number[] {
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
    interpret(bound, { ...run, results: [{ ...where, elements: into }] }, apply);
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
function assertSame(
  kernel: Kernel,
  run: Run,
  expected: readonly Strided[],
  got: readonly Strided[],
  apply = applied,
): void {
  for (const [i, { value, reduce }] of kernel.results.entries()) {
    const { dtype } = kernel.steps[value] as Step;
    const want = [...(expected[i] as Strided).elements] as (number | bigint)[];
    const have = [...(got[i] as Strided).elements] as (number | bigint)[];
    const rounds = kindOf(dtype) === 'float' && (reduce === 'sum' || reduce === 'prod');
    const apart = rounds && want.some((x, at) => !Object.is(x, have[at])) ? tolerances(kernel, run, i, apply) : [];
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

/**
 * Operators as single values go through WebAssembly. Its functions are not to the last bit those of the reference (`accuracy.test.ts`
 * says how far they may be from it), but they are the same in any kernel, and wherever an element lies.
 */
function alone(kernels: WasmKernels, memory: WebAssembly.Memory): typeof applied {
  const known = new Map<string, Kernel>();
  return (op, dtype, args) => {
    const name = (Object.keys(ELEMENTWISE) as ElementOpName[]).find((each) => elementOp(each) === op) as ElementOpName;
    if (kindOf(dtype) !== 'float' || !isInLibrary(name)) return applied(op, dtype, args);
    const key = `${name} ${dtype}`;
    let kernel = known.get(key);
    if (kernel === undefined) {
      const builder = new KernelBuilder(0);
      const operands = Array.from({ length: op.arity }, () => builder.operand(dtype));
      kernel = builder.result(builder.apply(name, operands, dtype)).build();
      known.set(key, kernel);
    }
    const Values = dtype === 'f32' ? Float32Array : Float64Array;
    const values = args.slice(0, op.arity).map((x, i) => {
      const elements = new Values(memory.buffer as ArrayBuffer, memory.buffer.byteLength - 64 + 16 * i, 1);
      elements[0] = x as number;
      return { elements, offset: 0, strides: [] };
    });
    const result = {
      elements: new Values(memory.buffer as ArrayBuffer, memory.buffer.byteLength - 16, 1),
      offset: 0,
      strides: [],
    };
    assert.equal(kernels.run(kernel, { space: [], operands: values, scalars: [], results: [result] }), true);
    return result.elements[0] as number;
  };
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

/** The run with everything it reads and writes in a memory, one after the other with a gap between. */
function inMemory(memory: WebAssembly.Memory, run: Run): Run {
  let next = 8;
  const moved = (each: Strided): Strided => {
    const { elements } = each;
    const Elements = elements.constructor as new (
      buffer: ArrayBufferLike,
      offset: number,
      length: number,
    ) => typeof elements;
    const copy = new Elements(memory.buffer, next, elements.length);
    copy.set(elements as never);
    next += Math.ceil((elements.byteLength + 8) / 8) * 8;
    return { ...each, elements: copy };
  };
  return { ...run, operands: run.operands.map(moved), results: run.results.map(moved) };
}

for (const shared of [false, true]) {
  test(`generated WebAssembly does what the reference interpreter does${shared ? ', in shared memory' : ''}`, () => {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared });
    const kernels = new WasmKernels(memory);
    const apply = alone(kernels, memory);
    let done = 0;
    fc.assert(
      fc.property(programs(), ({ kernel, run }) => {
        const [expected, got] = [again(run), inMemory(memory, run)];
        interpret(kernel, expected, apply);
        assert.equal(kernels.run(kernel, got), true);
        assertSame(kernel, run, expected.results, got.results, apply);
        done++;
      }),
      { numRuns: RUNS },
    );
    assert.ok(done > 0);
  });
}

test('a reduction finds the one element that matters, wherever it is', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const [wasm, javascript] = [new WasmKernels(memory), new JavaScriptKernels()];
  const length = 150;
  for (const dtype of DTYPE_NAMES) {
    for (const name of Object.keys(REDUCERS) as ReducerName[]) {
      if (!reducer(name).takes.includes(kindOf(dtype))) continue;
      const builder = new KernelBuilder(1);
      const kernel = builder.result(builder.operand(dtype), name).build();
      assertFinds(kernel, name, dtype, dtype);
    }
    // Booleans in lanes as wide as numbers.
    if (dtype === 'bool') continue;
    for (const name of ['any', 'all'] as const) {
      const builder = new KernelBuilder(1);
      const zero = builder.constant(isBig(dtype) ? 0n : 0, dtype);
      assertFinds(
        builder.result(builder.apply('notEqual', [builder.operand(dtype), zero], 'bool'), name).build(),
        name,
        dtype,
        'bool',
      );
    }
  }

  function assertFinds(kernel: Kernel, name: ReducerName, dtype: DType, gives: DType): void {
    const value = (x: number): number | bigint => (isBig(dtype) ? BigInt(x) : x);
    const [rest, one] = { sum: [0, 1], prod: [1, 2], min: [3, 2], max: [3, 4], any: [0, 1], all: [1, 0] }[name] as [
      number,
      number,
    ];
    for (let at = 0; at < length; at++) {
      const data = elements(dtype, length);
      data.fill(value(rest) as never);
      data[at] = value(one) as never;
      const into = elements(gives, 1);
      into[0] = reducer(name).identity(gives) as never;
      const run = {
        space: [length],
        operands: [{ elements: data, offset: 0, strides: [1] }],
        scalars: [],
        results: [{ elements: into, offset: 0, strides: [0] }],
      };
      const [inWasm, inJavaScript] = [inMemory(memory, run), again(run)];
      assert.equal(wasm.run(kernel, inWasm), true);
      javascript.run(kernel, inJavaScript);
      for (const { results } of [inWasm, inJavaScript]) {
        assert.equal(Number(results[0]?.elements[0]), one, `${name} of ${dtype} with its element at ${at}`);
      }
    }
  }
});
