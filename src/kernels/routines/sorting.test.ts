import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPE_NAMES, type DType, elements, kindOf, sizeOf } from '../../nd/index.ts';
import { anyValue } from '../kernels.fixture.ts';
import { type Dense, type Params, type RoutineName, routine } from './index.ts';

const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 300);

type Value = number | bigint;

const dense = (dtype: DType, shape: readonly number[], values: readonly Value[]): Dense => {
  const own = elements(dtype, sizeOf(shape));
  for (let i = 0; i < own.length; i++) own[i] = values[i % values.length] as never;
  return { dtype, shape, elements: own };
};

/** Runs it into arrays that hold something else before. */
function run(name: RoutineName, inputs: readonly Dense[], params: Params = {}): Dense[] {
  const { outputs, run } = routine(name);
  const made = outputs(inputs, params).map(({ dtype, shape }) => {
    const own = elements(dtype, sizeOf(shape));
    own.fill((dtype === 'i64' || dtype === 'u64' ? 77n : 77) as never);
    return { dtype, shape, elements: own };
  });
  run(inputs, params, made);
  return made;
}

const listOf = ({ elements }: Dense): Value[] => [...elements] as Value[];

/** The order that defines it: NaNs last, whichever way; whatever is neither less nor greater is equal. */
function compare(a: Value, b: Value, descending: boolean): number {
  const [x, y] = [Number.isNaN(a), Number.isNaN(b)];
  if (x || y) return Number(x) - Number(y);
  const order = a < b ? -1 : a > b ? 1 : 0;
  return descending ? -order : order;
}

/** Numbers of a type; long ones, so that all ways to sort occur, and with many that are equal. */
const arrays = (longest: number) =>
  fc.constantFrom(...DTYPE_NAMES).chain((dtype) =>
    fc.record({
      dtype: fc.constant(dtype),
      values: fc.oneof(
        fc.array(anyValue(dtype), { minLength: 1, maxLength: longest }),
        fc.array(anyValue(dtype), { minLength: 1, maxLength: 5 }),
      ),
    }),
  );

const shapes = fc.oneof(
  fc.tuple(fc.constantFrom(0, 1, 2, 10, 24, 25, 100, 300)),
  fc.tuple(fc.nat(3), fc.constantFrom(0, 1, 7, 30), fc.nat(3)),
);

test('sort and argsort order lines along any axis, stably, NaNs last', () => {
  fc.assert(
    fc.property(arrays(60), shapes, fc.nat(2), fc.boolean(), ({ dtype, values }, shape, which, descending) => {
      const axis = which % shape.length;
      const x = dense(dtype, shape, values);
      const [got] = run('sort', [x], { axis, descending });
      const [places] = run('argsort', [x], { axis: axis - shape.length, descending });
      assert.equal(got!.dtype, dtype);
      const inner = sizeOf(shape.slice(axis + 1));
      const length = shape[axis] as number;
      for (let first = 0; first < x.elements.length; first++) {
        if (Math.floor(first / inner) % length !== 0) continue;
        const at = (i: number): number => first + i * inner;
        const order = Array.from({ length }, (_, i) => i).sort((i, j) =>
          compare(x.elements[at(i)] as Value, x.elements[at(j)] as Value, descending),
        );
        assert.deepEqual(
          order.map((_, i) => Number(places!.elements[at(i)])),
          order,
        );
        for (const [i, from] of order.entries()) {
          assert.ok(Object.is(got!.elements[at(i)], x.elements[at(from)]), `${dtype} at ${i}`);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

test('thousands of elements are in order, wide digits and all', () => {
  for (const dtype of DTYPE_NAMES) {
    const own = elements(dtype, 10_000);
    const words = new Uint32Array(own.buffer, 0, own.byteLength >> 2);
    let state = 1;
    for (let i = 0; i < words.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      words[i] = state;
    }
    if (dtype === 'bool') for (let i = 0; i < own.length; i++) own[i] = Number(own[i]) & 1;
    for (const descending of [false, true]) {
      const want = (listOf({ dtype, shape: [], elements: own }) as number[]).sort((a, b) => compare(a, b, descending));
      const [got] = run('sort', [{ dtype, shape: [own.length], elements: own }], { descending });
      assert.ok(
        want.every((x, i) => Object.is(x, got!.elements[i])),
        `${dtype}, descending: ${descending}`,
      );
    }
  }
});

test('searchsorted finds the place before or after what is equal', () => {
  fc.assert(
    fc.property(arrays(40), fc.nat(40), fc.nat(20), fc.boolean(), ({ dtype, values }, length, count, right) => {
      const [line] = run('sort', [dense(dtype, [length], values)]);
      const wanted = dense(dtype, [count], [...values].reverse());
      const [got] = run('searchsorted', [line!, wanted], { side: right ? 'right' : 'left' });
      const own = listOf(line!);
      const want = listOf(wanted).map((value) => own.filter((x) => compare(x, value, false) < (right ? 1 : 0)).length);
      assert.deepEqual(listOf(got!).map(Number), want);
    }),
    { numRuns: RUNS },
  );
});

test('the unique routines agree with a list of different values', () => {
  fc.assert(
    fc.property(arrays(40), shapes, ({ dtype, values }, shape) => {
      const x = dense(dtype, shape, values);
      const all = listOf(x);
      const order = all.map((_, i) => i).sort((i, j) => compare(all[i] as Value, all[j] as Value, false));
      const firsts: number[] = [];
      const inverse = new Array<number>(all.length);
      const counts: number[] = [];
      for (const i of order) {
        // A NaN is not equal to itself.
        if (firsts.length === 0 || all[i] !== all[firsts.at(-1) as number]) {
          firsts.push(i);
          counts.push(0);
        }
        inverse[i] = firsts.length - 1;
        counts[firsts.length - 1]!++;
      }
      const want = firsts.map((i) => all[i]);
      const numbers = (of: Dense | undefined, count: number) => listOf(of!).slice(0, count).map(Number);
      const valuesOf = (of: Dense | undefined) => listOf(of!).slice(0, want.length);
      const n = want.length;
      const [values0, count0] = run('uniqueValues', [x]);
      assert.equal(count0!.elements[0], BigInt(n));
      assert.deepEqual(valuesOf(values0), want);
      const [values1, counts1, count1] = run('uniqueCounts', [x]);
      assert.equal(count1!.elements[0], BigInt(n));
      assert.deepEqual([valuesOf(values1), numbers(counts1, n)], [want, counts]);
      const [values2, inverse2, count2] = run('uniqueInverse', [x]);
      assert.equal(count2!.elements[0], BigInt(n));
      assert.deepEqual(inverse2!.shape, shape);
      assert.deepEqual([valuesOf(values2), numbers(inverse2, all.length)], [want, inverse]);
      const [values3, firsts3, inverse3, counts3] = run('uniqueAll', [x]);
      assert.deepEqual(valuesOf(values3), want);
      assert.deepEqual(
        [numbers(firsts3, n), numbers(inverse3, all.length), numbers(counts3, n)],
        [firsts, inverse, counts],
      );
    }),
    { numRuns: RUNS },
  );
});

test('nonzero gives the places in the order of rows', () => {
  fc.assert(
    fc.property(arrays(30), shapes, ({ dtype, values }, shape) => {
      const x = dense(dtype, shape, values);
      const outputs = run('nonzero', [x]);
      const want = listOf(x).flatMap((value, i) => (Number(value) !== 0 ? [i] : []));
      assert.equal(outputs.at(-1)!.elements[0], BigInt(want.length));
      const axes = outputs.slice(0, -1);
      const got = want.map((_, found) =>
        axes.reduce((at, axis, i) => at * (shape[i] as number) + Number(axis.elements[found]), 0),
      );
      assert.deepEqual(got, want);
    }),
    { numRuns: RUNS },
  );
});

test('cumulative sums and products wrap as integers, and go on as floats', () => {
  fc.assert(
    fc.property(
      arrays(30),
      shapes,
      fc.nat(2),
      fc.boolean(),
      fc.constantFrom('cumulativeSum' as const, 'cumulativeProduct' as const),
      ({ dtype, values }, shape, which, includeInitial, name) => {
        const x = dense(dtype, shape, values);
        const axis = which % shape.length;
        if (dtype === 'bool') {
          assert.throws(() => run(name, [x], { axis }), { code: 'ERR_SHEAF_DTYPE' });
          return;
        }
        const [got] = run(name, [x], { axis, includeInitial });
        const inner = sizeOf(shape.slice(axis + 1));
        const length = shape[axis] as number;
        const more = includeInitial ? 1 : 0;
        const isFloat = kindOf(dtype) === 'float';
        const initial = name === 'cumulativeSum' ? 0 : 1;
        for (let line = 0; line < sizeOf(shape.map((n, i) => (i === axis ? 1 : n))); line++) {
          const [outer, own] = [Math.floor(line / inner), line % inner];
          // A -0 stays one.
          let total: Value = isFloat ? initial || -0 : BigInt(initial);
          for (let i = -more; i < length; i++) {
            if (i >= 0) {
              const element = x.elements[(outer * length + i) * inner + own] as Value;
              const value = isFloat ? element : BigInt(element);
              // biome-ignore lint/suspicious/noExplicitAny: two numbers or two bigints, which TypeScript can't tell.
              const [a, b] = [total, value] as any;
              total = initial === 0 ? a + b : a * b;
            }
            const want = elements(dtype, 1);
            want[0] = (
              i < 0 && isFloat
                ? initial
                : isFloat || dtype === 'i64' || dtype === 'u64'
                  ? total
                  : Number(BigInt.asIntN(32, total as bigint))
            ) as never;
            const at = (outer * (length + more) + i + more) * inner + own;
            assert.ok(
              Object.is(got!.elements[at], want[0]),
              `${dtype} at ${at}: ${got!.elements[at]} and not ${want[0]}`,
            );
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('wrong axes and shapes are named', () => {
  const x = dense('f64', [2, 3], [1]);
  assert.throws(() => routine('sort').outputs([x], { axis: 2 }), { code: 'ERR_SHEAF_AXIS' });
  assert.throws(() => routine('argsort').outputs([dense('f64', [], [1])], {}), { code: 'ERR_SHEAF_AXIS' });
  assert.throws(() => routine('searchsorted').outputs([x, x], {}), {
    code: 'ERR_SHEAF_SHAPE',
    message: /one axis; the shapes are 2 x 3 and 2 x 3/,
  });
});
