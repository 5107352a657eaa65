import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPE_NAMES, type DType, type Elements, elements, isBig, kindOf } from '../../nd/index.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from '../elementwise.ts';
import { applied, type Strided } from '../reference.ts';
import {
  type Coo,
  type Csr,
  CsrKernels,
  checkCsr,
  combine,
  countOf,
  cutRows,
  fromCoo,
  fromDense,
  type Indices,
  toCoo,
  toDense,
  transpose,
} from './index.ts';

const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 300);
const NUMBERS = DTYPE_NAMES.filter((dtype) => dtype !== 'bool');

type Value = number | bigint;

interface Sparse {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
  readonly like: Indices;
  /** Row by row, mostly 0. */
  readonly values: readonly Value[];
}

/** Small whole numbers, whose sums are exact in any order, and what is special among floats. */
function valuesFor(dtype: DType): fc.Arbitrary<Value> {
  const kind = kindOf(dtype);
  const whole = fc.integer({ min: kind === 'uint' ? 0 : -9, max: 9 }).map((x): Value => (isBig(dtype) ? BigInt(x) : x));
  if (kind !== 'float') return whole;
  const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  return fc.oneof({ weight: 20, arbitrary: whole }, { weight: 1, arbitrary: special });
}

const zeroOf = (dtype: DType): Value => (isBig(dtype) ? 0n : 0);

const sparse = (longest: number, dtypes: readonly DType[] = NUMBERS): fc.Arbitrary<Sparse> =>
  fc.constantFrom(...dtypes).chain((dtype) =>
    fc
      .record({
        rows: fc.nat(longest),
        columns: fc.nat(longest),
        like: fc.constantFrom<Indices>(new Int32Array(0), new BigInt64Array(0)),
        some: fc.array(valuesFor(dtype), { minLength: 5, maxLength: 20 }),
        dense: fc.constantFrom(1, 2, 5, 20),
      })
      .map(({ rows, columns, like, some, dense }) => ({
        ...{ rows, columns, dtype, like },
        values: Array.from({ length: rows * columns }, (_, i) =>
          ((i * 2_654_435_761) >>> 7) % dense === 0 ? (some[i % some.length] as Value) : zeroOf(dtype),
        ),
      })),
  );

function strided(dtype: DType, values: readonly Value[], columns: number): Strided {
  const own = elements(dtype, values.length);
  for (const [i, x] of values.entries()) own[i] = x as never;
  return { elements: own, offset: 0, strides: [columns, 1] };
}

const csrOf = ({ rows, columns, dtype, like, values }: Sparse): Csr =>
  fromDense(strided(dtype, values, columns), rows, columns, dtype, like);

function denseOf(a: Csr): Value[] {
  const into = strided(a.dtype, new Array(a.rows * a.columns).fill(isBig(a.dtype) ? 7n : 7), a.columns);
  toDense(a, into);
  return [...into.elements] as Value[];
}

/** Zeros of both signs are the same sum. */
const same = (got: readonly Value[], want: readonly Value[]): void =>
  assert.deepEqual(
    got.map((x) => (x === 0 ? 0 : x)),
    want.map((x) => (x === 0 ? 0 : x)),
  );

test('of very many elements, too, those in any order give what those in order give', () => {
  const [count, width] = [(1 << 20) + 7, 16];
  const rows = Math.ceil(count / width);
  // 7919 has no divisor in common with the count, so that each element is there once.
  const made = [1, 7919].map((step) => {
    const [at, row, column] = [new Float64Array(count), new Int32Array(count), new Int32Array(count)];
    for (let i = 0; i < count; i++) {
      const place = (i * step) % count;
      at[i] = place;
      row[i] = Math.floor(place / width);
      column[i] = place % width;
    }
    return fromCoo({ row, column, values: at }, rows, width, 'f64');
  });
  const [ordered, shuffled] = made as [Csr, Csr];
  assert.equal(countOf(ordered), count);
  for (const part of ['indptr', 'indices', 'values'] as const) {
    const bytes = [ordered, shuffled].map((each) => Buffer.from(each[part].buffer, 0, each[part].byteLength));
    assert.ok(bytes[0]!.equals(bytes[1]!), part);
  }
});

test('a dense matrix comes back, and so do its coordinates', () => {
  fc.assert(
    fc.property(sparse(9), (plan) => {
      const a = csrOf(plan);
      checkCsr('test', a);
      assert.equal(countOf(a), plan.values.filter((x) => Number(x) !== 0).length);
      assert.equal(a.indices.constructor, plan.like.constructor);
      same(denseOf(a), plan.values);
      const coordinates = toCoo(a);
      same(denseOf(fromCoo(coordinates, a.rows, a.columns, a.dtype)), plan.values);
      for (const [i, row] of [...coordinates.row].entries()) {
        const at = Number(row) * plan.columns + Number(coordinates.column[i]);
        assert.ok(Object.is(coordinates.values[i], plan.values[at]));
      }
    }),
    { numRuns: RUNS },
  );
});

test('coordinates in any order are added up where they are the same', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NUMBERS).chain((dtype) =>
        fc.record({
          dtype: fc.constant(dtype),
          wide: fc.boolean(),
          rows: fc.integer({ min: 1, max: 6 }),
          columns: fc.integer({ min: 1, max: 6 }),
          entries: fc.array(fc.tuple(fc.nat(99), fc.nat(99), valuesFor(dtype)), { maxLength: 60 }),
        }),
      ),
      ({ dtype, wide, rows, columns, entries }) => {
        const want = elements(dtype, rows * columns);
        const indices = (values: number[]): Indices =>
          wide ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
        for (const [r, c, x] of entries) {
          const at = (r % rows) * columns + (c % columns);
          want[at] = ((want[at] as number) + (x as number)) as never;
        }
        const coo: Coo = {
          row: indices(entries.map(([r]) => r % rows)),
          column: indices(entries.map(([, c]) => c % columns)),
          values: strided(
            dtype,
            entries.map(([, , x]) => x),
            1,
          ).elements,
        };
        const a = fromCoo(coo, rows, columns, dtype);
        checkCsr('test', a);
        same(denseOf(a), [...want] as Value[]);
        const places = new Set(entries.map(([r, c]) => (r % rows) * columns + (c % columns)));
        assert.equal(countOf(a), places.size);
        assert.equal(a.values.length, places.size);
      },
    ),
    { numRuns: RUNS },
  );
});

test('a transpose has rows for columns, in order', () => {
  fc.assert(
    fc.property(sparse(9), (plan) => {
      const a = transpose(csrOf(plan));
      checkCsr('test', a);
      const { rows, columns, values } = plan;
      same(
        denseOf(a),
        Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] as Value),
      );
    }),
    { numRuns: RUNS },
  );
});

test('operators do with sparse matrices what they do with dense ones, or are refused', () => {
  const names = Object.keys(ELEMENTWISE) as ElementOpName[];
  let done = 0;
  fc.assert(
    fc.property(sparse(6), fc.constantFrom(...names), fc.nat(50), (plan, name, shift) => {
      const op = elementOp(name);
      const { dtype, values } = plan;
      if (op.arity !== 2 || !op.takes.includes(kindOf(dtype))) return;
      const zero = zeroOf(dtype);
      const others = values.map((_, i) => values[(i + shift) % values.length] as Value);
      const [a, b] = [csrOf(plan), csrOf({ ...plan, values: others })];
      if (op.gives === 'bool' || applied(op, dtype, [zero, zero]) !== zero) {
        assert.throws(() => combine(name, a, b), { code: 'ERR_SHEAF_SPARSE' });
        return;
      }
      const got = combine(name, a, b);
      checkCsr('test', got);
      same(
        denseOf(got),
        values.map((x, i) => applied(op, dtype, [x, others[i] as Value])),
      );
      assert.ok(!([...got.values.subarray(0, countOf(got))] as Value[]).includes(zero));
      done++;
    }),
    { numRuns: 4 * RUNS },
  );
  assert.ok(done > 0);
});

/** Sums over the elements that are there, as they come. */
function product(a: Csr, b: readonly Value[], columns: number): Value[] {
  const into = strided(a.dtype, new Array(a.rows * columns).fill(zeroOf(a.dtype)), columns).elements;
  for (let i = 0; i < a.rows; i++) {
    for (let at = Number(a.indptr[i]); at < Number(a.indptr[i + 1]); at++) {
      for (let j = 0; j < columns; j++) {
        const to = i * columns + j;
        const [x, y] = [a.values[at] as number, b[Number(a.indices[at]) * columns + j] as number];
        into[to] = ((into[to] as number) + x * y) as never;
      }
    }
  }
  return [...into] as Value[];
}

for (const where of ['JavaScript', 'WebAssembly', 'WebAssembly in shared memory'] as const) {
  const dtypes: readonly DType[] = where === 'JavaScript' ? NUMBERS : ['f64', 'f32'];
  test(`products with vectors and dense matrices, in any pieces, by ${where}`, () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: where.endsWith('memory') });
    const kernels = where === 'JavaScript' ? new CsrKernels() : new CsrKernels(memory);
    fc.assert(
      fc.property(
        sparse(23, dtypes),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 2, 3, 5, 8, 9, 17, 37),
        fc.integer({ min: 1, max: 3 }),
        (plan, pieces, width, step) => {
          let next = 16;
          const moved = <T extends Elements | Indices>(x: T): T => {
            if (where === 'JavaScript') return x;
            const Own = x.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => T;
            const copy = new Own(memory.buffer, next, x.length);
            copy.set(x as never);
            next += Math.ceil((x.byteLength + 8) / 8) * 8;
            return copy;
          };
          const made = csrOf(plan);
          const a = { ...made, indptr: moved(made.indptr), indices: moved(made.indices), values: moved(made.values) };
          const fill = (length: number): Value[] =>
            Array.from({ length }, (_, i) =>
              plan.values.length === 0 ? zeroOf(plan.dtype) : (plan.values[(i * 3) % plan.values.length] as Value),
            );
          const ranges = cutRows(a, pieces);
          // Only what is stored takes part.
          const x = fill(plan.columns);
          const spread = fill(plan.columns * step).map((other, i) => (i % step === 0 ? (x[i / step] as Value) : other));
          const vector = { elements: moved(strided(plan.dtype, spread, 1).elements), offset: 0, strides: [step] };
          const into = { elements: moved(elements(plan.dtype, plan.rows * step + 1)), offset: 1, strides: [step] };
          for (const rows of ranges) kernels.multiplyVector(a, vector, into, rows);
          same(
            Array.from({ length: plan.rows }, (_, i) => into.elements[1 + i * step] as Value),
            product(a, x, 1),
          );
          const b = fill(plan.columns * width);
          const matrix = { ...strided(plan.dtype, b, width), elements: moved(strided(plan.dtype, b, width).elements) };
          const to = { elements: moved(elements(plan.dtype, plan.rows * width)), offset: 0, strides: [width, 1] };
          for (const rows of ranges) kernels.multiplyMatrix(a, matrix, to, width, rows);
          same([...to.elements] as Value[], product(a, b, width));
        },
      ),
      { numRuns: RUNS },
    );
  });
}

test('rows are cut into pieces of about as many elements', () => {
  fc.assert(
    fc.property(sparse(40, ['f64']), fc.integer({ min: 1, max: 9 }), (plan, pieces) => {
      const a = csrOf(plan);
      const cuts = cutRows(a, pieces);
      assert.ok(cuts.length <= pieces);
      assert.deepEqual(
        cuts.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)),
        Array.from({ length: a.rows }, (_, i) => i),
      );
      const share = (countOf(a) + a.rows) / pieces;
      for (const { from, to } of cuts) {
        const work = Number(a.indptr[to]) - Number(a.indptr[from]) + to - from;
        assert.ok(work <= share + a.columns + 1, `${work} of ${share}`);
      }
    }),
    { numRuns: RUNS },
  );
});

test('what is no such matrix is refused, with the place', () => {
  const a = { rows: 2, columns: 3, dtype: 'f64' as const, values: new Float64Array(3) };
  const check = (indptr: number[], indices: number[]): void =>
    checkCsr('spmv', { ...a, indptr: Int32Array.from(indptr), indices: Int32Array.from(indices) });
  check([0, 2, 3], [0, 2, 1]);
  const error = { name: 'UsageError', code: 'ERR_SHEAF_SPARSE' };
  assert.throws(() => check([0, 2], [0, 2, 1]), {
    ...error,
    message: /^spmv: 2 rows need 3 row pointers, and there are 2; /,
  });
  assert.throws(() => check([1, 2, 3], [0, 2, 1]), { ...error, message: /begins at 1/ });
  assert.throws(() => check([0, 2, 4], [0, 2, 1]), { ...error, message: /row 1 has the elements 2 to 4 of 3/ });
  assert.throws(() => check([0, 2, 1], [0, 2, 1]), { ...error, message: /row 1 has the elements 2 to 1/ });
  assert.throws(() => check([0, 2, 3], [0, 3, 1]), { ...error, message: /row 0 has column 3 of 3/ });
  assert.throws(() => check([0, 2, 3], [2, 0, 1]), { ...error, message: /row 0 has column 0 after column 2/ });
  assert.throws(() => check([0, 2, 3], [-1, 0, 1]), { ...error, message: /column -1 of 3/ });
  const one = Int32Array.of(1);
  assert.throws(() => fromCoo({ row: Int32Array.of(2), column: one, values: Float64Array.of(1) }, 2, 3, 'f64'), {
    ...error,
    message: /element 0 is in row 2 of 2/,
  });
  const b = csrOf({ rows: 1, columns: 3, dtype: 'f64', like: one, values: [1, 0, 2] });
  assert.throws(() => combine('add', b, transpose(b)), { code: 'ERR_SHEAF_SHAPE', message: /1 x 3 and 3 x 1/ });
});
