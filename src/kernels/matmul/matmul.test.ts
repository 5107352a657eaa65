import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { searchBlas } from '../../native/index.ts';
import { DTYPE_NAMES, DTYPES, type DType, type Elements, elements, isBig, kindOf } from '../../nd/index.ts';
import { KernelBuilder } from '../kernel.ts';
import { interpret, type Strided } from '../reference.ts';
import { BlockedKernels, MATMUL_SCRATCH } from './blocked.ts';
import { multiplyByBlas } from './by-blas.ts';
import { Matmul } from './matmul.ts';
import { multiplySimply } from './simply.ts';

const RUNS = Number(process.env.SHEAF_KERNEL_RUNS ?? 400);
const NUMBERS = DTYPE_NAMES.filter((dtype) => dtype !== 'bool');

interface Product {
  readonly dtype: DType;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly accumulate: boolean;
  readonly a: Strided;
  readonly b: Strided;
  readonly into: Strided;
}

/** How a matrix lies: with its rows or its columns one after the other, further apart, or backwards. */
const layouts = fc.record({
  byColumns: fc.boolean(),
  gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
  step: fc.constantFrom(1, 1, 1, 2),
  reversed: fc.constantFrom(false, false, false, true),
  before: fc.nat(3),
});
type Layout = typeof layouts extends fc.Arbitrary<infer L> ? L : never;

function laidOut(dtype: DType, rows: number, columns: number, layout: Layout, value: (i: number) => number): Strided {
  const { byColumns, gap, step, reversed, before } = layout;
  const inner = byColumns ? rows : columns;
  const outer = byColumns ? columns : rows;
  const lead = inner * step + gap;
  const own = elements(dtype, before + outer * lead);
  for (let i = 0; i < own.length; i++) own[i] = (isBig(dtype) ? BigInt(value(i)) : value(i)) as never;
  const strides = byColumns ? [step, lead] : [lead, step];
  if (!reversed || outer === 0) return { elements: own, offset: before, strides };
  const along = byColumns ? 1 : 0;
  return {
    elements: own,
    offset: before + (outer - 1) * lead,
    strides: strides.map((each, i) => (i === along ? -each : each)),
  };
}

/** Small numbers, whose products are exact as floats, with what is special about them now and then. */
function values(dtype: DType): fc.Arbitrary<number> {
  const { kind, min, max } = DTYPES[dtype];
  if (kind !== 'float') {
    const wide = isBig(dtype) ? { min: -(2 ** 53) + 1, max: 2 ** 53 - 1 } : { min: Number(min), max: Number(max) };
    return fc.integer(kind === 'uint' ? { ...wide, min: 0 } : wide);
  }
  return fc.oneof(
    { weight: 30, arbitrary: fc.double({ min: -4, max: 4, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0) },
  );
}

function products(dtypes: readonly DType[], longest: number): fc.Arbitrary<Product> {
  const length = fc.nat(longest);
  return fc.constantFrom(...dtypes).chain((dtype) =>
    fc
      .record({
        m: length,
        k: length,
        n: length,
        accumulate: fc.boolean(),
        data: fc.array(values(dtype), { minLength: 23, maxLength: 23 }),
        lay: fc.tuple(layouts, layouts, layouts),
      })
      .map(({ m, k, n, accumulate, data, lay }) => {
        const value = (salt: number) => (i: number) => data[(i * 7 + salt) % data.length] as number;
        return {
          ...{ dtype, m, k, n, accumulate },
          a: laidOut(dtype, m, k, lay[0], value(0)),
          b: laidOut(dtype, k, n, lay[1], value(3)),
          into: laidOut(dtype, m, n, lay[2], value(5)),
        };
      }),
  );
}

const copyOf = (x: Strided): Strided => ({ ...x, elements: x.elements.slice() as Elements });

const inSpace = ({ elements, offset, strides }: Strided, axes: readonly [number, number]): Strided => {
  const own = [0, 0, 0];
  for (const [i, axis] of axes.entries()) own[axis] = strides[i] as number;
  return { elements, offset, strides: own };
};

/** `sum` of a multiplication in a space of three axes, which is what defines a product. Also of the magnitudes. */
function expected({ dtype, m, k, n, accumulate, a, b, into }: Product): { product: Elements; sizes: Float64Array } {
  const own = copyOf(into);
  if (!accumulate) {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) own.elements[at(own, i, j)] = (isBig(dtype) ? 0n : 0) as never;
  }
  const builder = new KernelBuilder(3);
  const [x, y] = [builder.operand(dtype), builder.operand(dtype)];
  const kernel = builder.result(builder.apply('multiply', [x, y], dtype), 'sum').build();
  const sizes = new Float64Array(own.elements.length).map((_, i) => Math.abs(Number(own.elements[i])));
  interpret(kernel, {
    space: [m, n, k],
    operands: [inSpace(a, [0, 2]), inSpace(b, [2, 1])],
    scalars: [],
    results: [inSpace(own, [0, 1])],
  });
  if (kindOf(dtype) === 'float') {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let p = 0; p < k; p++)
          sizes[at(own, i, j)]! += Math.abs(Number(a.elements[at(a, i, p)]) * Number(b.elements[at(b, p, j)]));
  }
  return { product: own.elements, sizes };
}

const at = ({ offset, strides }: Strided, i: number, j: number): number =>
  offset + i * (strides[0] as number) + j * (strides[1] as number);

/** Elements between the rows stay as they were; floats are equal up to the roundings of a sum in any order (Higham, 3.1 and 4.2). */
function assertProduct(product: Product, got: Elements): void {
  const { dtype, k } = product;
  const { product: want, sizes } = expected(product);
  const epsilon = dtype === 'f32' ? 2 ** -24 : 2 ** -53;
  for (const [i, x] of want.entries()) {
    const y = got[i];
    if (Object.is(x, y)) continue;
    const apart = Math.abs(Number(x) - Number(y));
    if (kindOf(dtype) === 'float' && Number.isFinite(sizes[i]) && apart <= 2 * (k + 2) * epsilon * (sizes[i] as number))
      continue;
    assert.fail(`at ${i}: ${String(y)} instead of ${String(x)}`);
  }
}

type Multiply = (a: Strided, b: Strided, into: Strided, m: number, k: number, n: number, accumulate: boolean) => void;

function check(
  dtypes: readonly DType[],
  longest: number,
  multiply: Multiply,
  move: (x: Strided, i: number) => Strided,
): void {
  let done = 0;
  fc.assert(
    fc.property(products(dtypes, longest), (product) => {
      const { m, k, n, accumulate } = product;
      const [a, b, into] = [product.a, product.b, copyOf(product.into)].map(move) as [Strided, Strided, Strided];
      multiply(a, b, into, m, k, n, accumulate);
      assertProduct(product, into.elements);
      done++;
    }),
    { numRuns: RUNS },
  );
  assert.ok(done > 0);
}

const SMALL = { rows: 12, k: 8, columns: 16 };
const stay = (x: Strided): Strided => x;

test('a product in a plain loop is what the reference interpreter makes of it', () => {
  check(NUMBERS, 9, multiplySimply, stay);
});

test('blocked WebAssembly multiplies what lies elsewhere', () => {
  const kernels = new BlockedKernels(undefined, 0, SMALL);
  check(NUMBERS, 40, (...args) => kernels.run(...args), stay);
});

for (const shared of [false, true]) {
  test(`blocked WebAssembly multiplies what lies in its ${shared ? 'shared ' : ''}memory, or some of it`, () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared });
    const kernels = new BlockedKernels(memory, 64, SMALL);
    let which = 0;
    let next = 0;
    const move = (x: Strided, i: number): Strided => {
      if (i === 0) {
        which++;
        next = 65_536;
      }
      // Each of the three stays outside now and then.
      if (which % 4 === i) return x;
      const Elements = x.elements.constructor as new (...args: unknown[]) => Elements;
      const copy = new Elements(memory.buffer, next, x.elements.length);
      copy.set(x.elements as never);
      next += Math.ceil((copy.byteLength + 8) / 8) * 8;
      return { ...x, elements: copy };
    };
    check(NUMBERS, 40, (...args) => kernels.run(...args), move);
  });
}

test('the least address that is free is where scratch ends', () => {
  const pages = Math.ceil(MATMUL_SCRATCH / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const kernels = new BlockedKernels(memory);
  const [m, k, n] = [97, 257, 769];
  const ones = (rows: number, columns: number): Strided => ({
    elements: new Float64Array(rows * columns).fill(1),
    offset: 0,
    strides: [columns, 1],
  });
  const into = ones(m, n);
  kernels.run(ones(m, k), ones(k, n), into, m, k, n, false);
  assert.ok((into.elements as Float64Array).every((x) => x === k));
});

const { blas, problem } = searchBlas();

test('OpenBLAS gives what the reference interpreter gives', { skip: blas === undefined ? problem : false }, () => {
  assert.ok(blas);
  let done = 0;
  check(
    ['f64', 'f32'],
    40,
    (a, b, into, m, k, n, accumulate) => {
      if (m * k * n === 0) multiplySimply(a, b, into, m, k, n, accumulate);
      else {
        multiplyByBlas(blas, a, b, into, m, k, n, accumulate);
        done++;
      }
    },
    stay,
  );
  assert.ok(done > 0);
});

test('a matrix times its own transpose is that product, by rows and by columns, with and without what was there', () => {
  const [n, k, lead] = [45, 30, 50];
  const data = Float64Array.from({ length: n * lead }, (_, i) => ((i * 7) % 11) - 5);
  for (const strides of [
    [lead, 1],
    [1, lead],
  ] as const) {
    const a = { elements: data, offset: 2, strides };
    const b = { elements: data, offset: 2, strides: [strides[1], strides[0]] };
    for (const matmul of [new Matmul(), new Matmul({ blas: null })]) {
      for (const [inner, accumulate] of [
        [[60, 1], false],
        [[1, 60], false],
        [[2, 100], false],
        [[60, 1], true],
      ] as const) {
        const into = () => ({ elements: new Float64Array(n * 100).map((_, i) => i % 5), offset: 0, strides: inner });
        const [got, want] = [into(), into()];
        multiplySimply(a, b, want, n, k, n, accumulate);
        matmul.run(a, b, got, n, k, n, { accumulate });
        assert.deepEqual(got.elements, want.elements, `strides ${strides}, into ${inner}`);
      }
    }
  }
});

test('rows that are computed apart are those of the whole product', () => {
  const matmuls = [new Matmul(), new Matmul({ blas: null })];
  const [m, k, n] = [50, 30, 20];
  const data = (length: number) => Float64Array.from({ length }, (_, i) => (i % 11) - 5);
  const a = { elements: data(m * k), offset: 0, strides: [k, 1] };
  const b = { elements: data(k * n), offset: 0, strides: [n, 1] };
  const whole = { elements: new Float64Array(m * n), offset: 0, strides: [n, 1] };
  multiplySimply(a, b, whole, m, k, n, false);
  for (const matmul of matmuls) {
    const into = { elements: new Float64Array(m * n).fill(9), offset: 0, strides: [n, 1] };
    for (const [from, to] of [
      [0, 7],
      [7, 8],
      [8, 50],
    ] as const) {
      matmul.run({ ...a, offset: from * k }, b, { ...into, offset: from * n }, to - from, k, n);
    }
    assert.deepEqual(into.elements, whole.elements);
  }
});

test('without a step the product is 0, or what was there', () => {
  const matmul = new Matmul();
  const nothing = { elements: new Float64Array(0), offset: 0, strides: [0, 0] };
  const into = { elements: new Float64Array([1, 2]), offset: 0, strides: [2, 1] };
  matmul.run(nothing, nothing, into, 1, 0, 2, { accumulate: true });
  assert.deepEqual([...into.elements], [1, 2]);
  matmul.run(nothing, nothing, into, 1, 0, 2);
  assert.deepEqual([...into.elements], [0, 0]);
});
