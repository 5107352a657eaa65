/** Reductions, and what is made of them. */
import {
  type Arr,
  arange,
  exp,
  fromTyped,
  max,
  mean,
  sqrt,
  std,
  stencil,
  sum,
  var as variance,
} from '../../src/arrays/index.ts';
import type { Sampler } from '../harness.ts';
import { plainSum } from '../peers/copy.ts';
import type { Group } from '../suite.ts';
import { type Bench, computing, group, mixed } from './bench.ts';

type Matrix = Arr<'f64'>;

interface Numbers {
  readonly shape: readonly number[];
  readonly ours: (x: Matrix) => Arr;
  /** Of `x`, which NumPy and dask.array take. */
  readonly python: string;
  /** In which order floats are added differs; so do the last digits. */
  readonly tolerance?: number;
  /** How dask.array does it, of `X`, where that takes more than the expression. */
  readonly dask?: string;
  /** Names that both need. */
  readonly setup?: string;
}

const FEATURES = 16;
const CENTRES = 10;

const heat = stencil((u) => 0.25 * (u.near(-1, 0) + u.near(1, 0) + u.near(0, -1) + u.near(0, 1)));

const SUM = 'sum, 1e7 doubles';

const ROWS: Readonly<Record<string, Numbers>> = {
  [SUM]: { shape: [1e7], ours: (x) => sum(x), python: 'x.sum()' },
  'max, 1e7 doubles': { shape: [1e7], ours: (x) => max(x), python: 'x.max()' },
  'variance, 1e7 doubles': { shape: [1e7], ours: (x) => variance(x), python: 'x.var()' },
  'sum of squares, 1e7 doubles': { shape: [1e7], ours: (x) => sum(x.mul(x)), python: '(x * x).sum()' },
  'sums of rows, 10000 x 1000': { shape: [1e4, 1e3], ours: (x) => sum(x, { axis: 1 }), python: 'x.sum(1)' },
  'sums of columns, 10000 x 1000': { shape: [1e4, 1e3], ours: (x) => sum(x, { axis: 0 }), python: 'x.sum(0)' },
  'normalisation of columns, 100000 x 50': {
    shape: [1e5, 50],
    ours: (x) => x.sub(mean(x, { axis: 0 })).div(std(x, { axis: 0 })),
    python: '(x - x.mean(0)) / x.std(0)',
  },
  'normalisation of rows, 50000 x 100': {
    shape: [5e4, 100],
    ours: (x) => x.sub(mean(x, { axis: 1, keepdims: true })).div(std(x, { axis: 1, keepdims: true })),
    python: '(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)',
  },
  'softmax of rows, 50000 x 100': {
    shape: [5e4, 100],
    ours: (x) => {
      const e = exp(x.sub(max(x, { axis: 1, keepdims: true })));
      return e.div(sum(e, { axis: 1, keepdims: true }));
    },
    python: '(lambda e: e / e.sum(1, keepdims=True))(np.exp(x - x.max(1, keepdims=True)))',
  },
  'pairwise distances, 1000 x 1000, by differences': {
    shape: [2000, 8],
    ours: (x) => {
      const [a, b] = [x.at(':1000', 'new', ':'), x.at('new', '1000:', ':')];
      const difference = a.sub(b);
      return sqrt(sum(difference.mul(difference), { axis: 2 }));
    },
    python: 'np.sqrt(((x[:1000, None, :] - x[None, 1000:, :]) ** 2).sum(2))',
  },
  'pairwise distances, 2000 x 2000, by products': {
    shape: [4000, FEATURES],
    ours: (x) => {
      const [a, b] = [x.at(':2000'), x.at('2000:')];
      const squares = sum(a.mul(a), { axis: 1, keepdims: true }).add(sum(b.mul(b), { axis: 1 }));
      return sqrt(squares.sub(a.matmul(b.T).mul(2)));
    },
    setup: 'def both(a, b): return np.sqrt((a * a).sum(1, keepdims=True) + (b * b).sum(1) - 2 * (a @ b.T))',
    python: 'both(x[:2000], x[2000:])',
  },
  'k-means step, 100000 x 16, 10 centres': {
    shape: [1e5, FEATURES],
    ours: (x) => {
      const centres = x.at(`:${CENTRES}`);
      const distances = sum(centres.mul(centres), { axis: 1 }).sub(x.matmul(centres.T).mul(2));
      const labels = distances.argmin({ axis: 1 });
      const member = labels
        .at(':', 'new')
        .equal(arange(CENTRES, { dtype: 'i64' }))
        .astype('f64');
      return member.T.matmul(x).div(sum(member, { axis: 0 }).at(':', 'new'));
    },
    setup: `c = x[:${CENTRES}].copy()
def step(x):
    labels = ((c * c).sum(1) - 2 * (x @ c.T)).argmin(1)
    member = (labels[:, None] == np.arange(${CENTRES})).astype(float)
    return (member.T @ x) / member.sum(0)[:, None]`,
    python: 'step(x)',
  },
  'heat step, 2000 x 2000': {
    shape: [2000, 2000],
    ours: (x) => heat(x),
    setup: `def step(u):
    v = u.copy()
    v[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
    return v`,
    python: 'step(x)',
    dask: 'X.map_overlap(step, depth=1, boundary="none")',
  },
};

/** Milliseconds in which as many bare threads add up as many doubles: what the memory allows. */
function adding(bench: Bench, length: number): Sampler {
  let sample: Promise<Sampler> | undefined;
  return async () => {
    sample ??= plainSum(bench.settings.cpus, length).then((made) => {
      bench.closing(() => made.close());
      return made.rate(bench.ms);
    });
    return (8 * length) / 1e6 / (await (await sample)());
  };
}

const compared = (bench: Bench, name: string, { shape, ours, python, dask, setup, tolerance }: Numbers) => {
  const length = shape.reduce((product, each) => product * each, 1);
  const numbers = (): Float64Array => mixed(length);
  const lines = [`x = ${bench.share(name.replace(/\W+/g, '-'), numbers())}.reshape([${shape}])`, setup ?? ''];
  return bench.compared({
    name,
    ours: () => {
      const x = fromTyped(numbers(), shape);
      return computing(() => ours(x));
    },
    setup: [...lines, `def f(x): return ${python}`, 'X = pieces(x)'].join('\n'),
    peers: { numpy: 'f(x)', 'dask.array': `(${dask ?? 'f(X)'}).compute()` },
    ratios: { numpy: 2, 'dask.array': 5 },
    tolerance: tolerance ?? 1e-10,
    ...(name === SUM ? { more: { 'bare threads': adding(bench, length) } } : {}),
  });
};

export const numbers: Group = group(Object.keys(ROWS), (bench) =>
  Object.entries(ROWS).map(([name, row]) => compared(bench, name, row)),
);
