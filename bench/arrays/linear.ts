/** Products of matrices, of sparse ones too, factorizations, and sorting. */
import { type Arr, fromTyped, histogram, matmul, segmentSum, sort, topK } from '../../src/arrays/index.ts';
import { nodeOf, wrap } from '../../src/arrays/lazy.ts';
import { call } from '../../src/arrays/routines.ts';
import { type Csr, Matmul } from '../../src/kernels/index.ts';
import { OwnAlgebra } from '../../src/kernels/linalg/index.ts';
import { searchBlas } from '../../src/native/index.ts';
import type { Node } from '../../src/pipelines/index.ts';
import { type Experiment, rate } from '../harness.ts';
import type { Group } from '../suite.ts';
import { type Bench, type Comparison, computing, group, mixed, type Ours } from './bench.ts';

const SIZE = 2000;
const FALLBACK_SIZE = 1000;

const MATMUL = `matmul, ${SIZE} x ${SIZE} doubles`;
const FALLBACK = {
  f64: `matmul without OpenBLAS, ${FALLBACK_SIZE} x ${FALLBACK_SIZE} doubles, one core`,
  f32: `matmul without OpenBLAS, ${FALLBACK_SIZE} x ${FALLBACK_SIZE} floats, one core`,
};

export const products: Group = group([MATMUL, ...Object.values(FALLBACK)], (bench) => {
  const [a, b] = [mixed(SIZE ** 2, 1), mixed(SIZE ** 2, 2)];
  const { blas, problem } = searchBlas();
  console.log(blas === undefined ? `no OpenBLAS: ${problem}` : `${blas.version} (${blas.path}), ${blas.core}`);
  const read = (name: string, numbers: Float64Array): string =>
    `${bench.share(name, numbers)}.reshape([${SIZE}, ${SIZE}])`;
  return [
    bench.compared({
      name: MATMUL,
      ours: () => {
        const shape = [SIZE, SIZE];
        const [x, y] = [fromTyped(a, shape), fromTyped(b, shape)];
        return computing(() => matmul(x, y));
      },
      setup: `a = ${read('a', a)}\nb = ${read('b', b)}`,
      peers: { numpy: 'a @ b' },
      // Without a library ours has targets of its own, below.
      ...(blas === undefined ? {} : { ratios: { numpy: 0.95 } }),
      flops: 2 * SIZE ** 3,
    }),
    fallback(bench, FALLBACK.f64, Float64Array, 12),
    fallback(bench, FALLBACK.f32, Float32Array, 25),
  ];
});

/** In WebAssembly, in this thread alone. */
function fallback(
  { ms }: Bench,
  name: string,
  Elements: typeof Float64Array | typeof Float32Array,
  target: number,
): Experiment {
  const n = FALLBACK_SIZE;
  const own = (numbers: Float64Array) => ({ elements: new Elements(numbers), offset: 0, strides: [n, 1] });
  const [a, b, into] = [own(mixed(n * n, 1)), own(mixed(n * n, 2)), own(new Float64Array(n * n))];
  const kernels = new Matmul({ blas: null });
  return {
    name,
    unit: 'GFLOP/s',
    better: 'more',
    ours: rate(ms, (2 * n ** 3) / 1e9, () => kernels.run(a, b, into, n, n, n)),
    requires: { tier: 'gate', target },
  };
}

const FACTORED = 500;
const EIGEN = `eigenvalues and vectors without LAPACK, symmetric ${FACTORED} x ${FACTORED} doubles, one core`;
const SINGULAR = `singular values and vectors without LAPACK, ${FACTORED} x ${FACTORED} doubles, one core`;

/** In this thread alone, without a library. Vectors have no one sign, so the values are compared. */
export const factorizations: Group = group([EIGEN, SINGULAR], (bench) => {
  const n = FACTORED;
  const a = mixed(n * n, 5);
  const own = new OwnAlgebra(new Matmul({ blas: null }));
  const setup = `a = ${bench.share('factored', a)}.reshape([${n}, ${n}])`;
  const row = (name: string, numpy: string, values: () => Float64Array | undefined): Experiment =>
    bench.compared({
      name,
      ours: () => ({
        run: values,
        async value() {
          const elements = values();
          if (elements === undefined) throw new Error(`${name}: there is no result`);
          return { shape: [n], elements };
        },
      }),
      setup,
      peers: { numpy },
      tier: 'goal',
      ratios: { numpy: 0.2 },
    });
  return [
    // Of both the lower triangle is looked at.
    row(EIGEN, 'np.linalg.eigh(a)[0]', () => own.eigh(a.slice(), n, true)),
    row(SINGULAR, 'np.linalg.svd(a)[1]', () => own.svd(a.slice(), n, n, 'some')?.s),
  ];
});

interface Sparse {
  readonly rows: number;
  readonly perRow: number;
  /** The columns of a row, ascending. */
  readonly columns: (row: number, rows: number, perRow: number) => number[];
}

const wrapped = (row: number, rows: number, steps: readonly number[]): number[] =>
  steps.map((step) => (((row + step) % rows) + rows) % rows).sort((a, b) => a - b);

const SPARSE: Readonly<Record<string, Sparse>> = {
  'sparse product, 200000 rows, 20 anywhere': {
    rows: 2e5,
    perRow: 20,
    columns: (row, rows, perRow) =>
      wrapped(
        row,
        rows,
        Array.from({ length: perRow }, (_, i) => i * 9973 + ((Math.imul(row + i, 0x2c1b3c6d) >>> 8) % 9973)),
      ),
  },
  'sparse product, 1000000 rows, 5 beside each other': {
    rows: 1e6,
    perRow: 5,
    columns: (row, rows) => wrapped(row, rows, [-1000, -1, 0, 1, 1000]),
  },
};

export const sparse: Group = group(Object.keys(SPARSE), (bench) =>
  Object.entries(SPARSE).map(([name, matrix]) => bench.compared(sparseProduct(bench, name, matrix))),
);

function sparseProduct(bench: Bench, name: string, { rows, perRow, columns }: Sparse): Comparison {
  const count = rows * perRow;
  const indptr = Int32Array.from({ length: rows + 1 }, (_, i) => i * perRow);
  const indices = new Int32Array(count);
  for (let row = 0; row < rows; row++) indices.set(columns(row, rows, perRow), row * perRow);
  const [values, x] = [mixed(count, 3), mixed(rows, 4)];
  const read = (part: string, numbers: Float64Array | Int32Array): string =>
    bench.share(`${name.replace(/\W+/g, '-')}-${part}`, numbers);
  return {
    name,
    ours: () => ownProduct({ rows, indptr, indices, values }, x),
    setup: [
      'import scipy.sparse',
      `parts = (${read('values', values)}, ${read('indices', indices)}, ${read('indptr', indptr)})`,
      `a = scipy.sparse.csr_array(parts, shape=(${rows}, ${rows}))`,
      `x = ${read('x', x)}`,
    ].join('\n'),
    peers: { scipy: 'a @ x' },
    ratios: { scipy: 1.5 },
    flops: 2 * count,
  };
}

/** By all workers, in the memory of the session. */
function ownProduct({ rows, indptr, indices, values }: Omit<Csr, 'columns' | 'dtype'>, x: Float64Array): Ours {
  const args = [indptr, indices, values, x].map((part) => nodeOf('product', fromTyped(part as Float64Array)));
  return computing(() => wrap(call('spmv', args, {}, [{ shape: [rows], dtype: 'f64' }])[0] as Node));
}

const SORTED = { 'sort, 1e5 doubles': 1e5, 'sort, 1e6 doubles': 1e6, 'sort, 1e7 doubles': 1e7 } as const;

export const sorting: Group = group(Object.keys(SORTED), (bench) =>
  Object.entries(SORTED).map(([name, length]) => {
    const numbers = mixed(length);
    return bench.compared({
      name,
      ours: () => {
        const x = fromTyped(numbers);
        return computing(() => sort(x));
      },
      setup: `x = ${bench.share(`sort-${length}`, numbers)}`,
      peers: { numpy: 'np.sort(x)' },
      tier: 'goal',
      ratios: { numpy: 1 },
      tolerance: 0,
    });
  }),
);

const CHOSEN = 1e6;
const CHOICES = {
  groups: 'sums of 1e6 doubles in 1000 groups',
  median: 'median of 1e6 doubles',
  topK: 'the 10 greatest of 1e6 doubles',
  histogram: 'histogram of 1e6 doubles, 50 bins',
};

/** What looks at all elements, and keeps few numbers. */
export const choices: Group = group(Object.values(CHOICES), (bench) => {
  const numbers = mixed(CHOSEN);
  const places = Int32Array.from(mixed(CHOSEN, 2), (x) => Math.floor(x * 1000));
  const x = fromTyped(numbers);
  const setup = `x = ${bench.share('choices', numbers)}\ng = ${bench.share('groups', places)}`;
  const row = (name: string, expression: () => Arr, numpy: string): Experiment =>
    bench.compared({
      name,
      ours: () => computing(expression),
      setup,
      peers: { numpy },
      tier: 'goal',
      ratios: { numpy: 1 },
    });
  const groups = fromTyped(places);
  return [
    row(CHOICES.groups, () => segmentSum(x, groups, 1000), 'np.bincount(g, weights=x)'),
    row(CHOICES.median, () => x.median(), 'np.median(x)'),
    row(CHOICES.topK, () => topK(x, 10).values, 'np.sort(np.partition(x, -10)[-10:])[::-1]'),
    row(CHOICES.histogram, () => histogram(x, { bins: 50 }).counts, 'np.histogram(x, 50)[0]'),
  ];
});
