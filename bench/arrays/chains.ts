/** Elementwise chains: what part of the memory's bandwidth the workers of a session get, beside a plain copy, NumPy and dask.array. */
import { type Arr, abs, cos, exp, fromTyped, log, maximum, pow, sin, sqrt, tanh } from '../../src/arrays/index.ts';
import { type Experiment, pause, type Sampler } from '../harness.ts';
import { type Bare, plainCopy, plainRoots } from '../peers/copy.ts';
import type { Group } from '../suite.ts';
import { type Bench, computing, group, leaving, SPREAD, spread } from './bench.ts';

type Vector = Arr<'f64'>;

interface Chain {
  readonly python: string;
  readonly ours: (x: Vector) => Vector;
}

/** By the number of their operators. */
const CHAINS: Readonly<Record<3 | 5 | 10, Chain>> = {
  3: { python: 'np.abs(x * 2 - 0.5)', ours: (x) => abs(x.mul(2).sub(0.5)) },
  5: { python: 'np.abs((x * 2 + 1) * x - 0.5)', ours: (x) => abs(x.mul(2).add(1).mul(x).sub(0.5)) },
  10: {
    python: '(np.sqrt(np.abs(np.maximum(x * 2 + 1, 1.25) * x - 0.5)) + x) * 0.5 - x',
    ours: (x) => {
      const inner = maximum(x.mul(2).add(1), 1.25).mul(x).sub(0.5);
      return sqrt(abs(inner)).add(x).mul(0.5).sub(x);
    },
  },
};

const LARGE = 4e7;
const SIZES = { '1e5': 1e5, '1e6': 1e6, '4e7': LARGE } as const;
/** After so long everybody is asleep. */
const PARKED_MS = 5;

const nameOf = (operators: number, size: string): string => `chain of ${operators}, ${size} doubles`;

/** All sizes of all chains. The copy is of the largest size: the most that the memory gives. */
export const chains: Group = group(
  Object.keys(SIZES).flatMap((size) => Object.keys(CHAINS).map((operators) => nameOf(Number(operators), size))),
  async (bench) => {
    const { cpus } = bench.settings;
    const once = (make: () => Promise<Bare>): Sampler => {
      let sampler: Promise<Sampler> | undefined;
      return async () => {
        sampler ??= make().then((made) => {
          bench.closing(() => made.close());
          return made.rate(bench.ms);
        });
        return (await sampler)();
      };
    };
    const copy = once(() => plainCopy(cpus, LARGE));
    // The chain of 10 has a root in it, and cores have one unit for those.
    const roots = once(() => plainRoots(cpus, LARGE));
    return Object.entries(SIZES).flatMap(([size, elements]) =>
      Object.entries(CHAINS).map(([operators, chain]) =>
        bench.compared({
          ...rowOf(nameOf(Number(operators), size), elements, chain),
          bytes: 16 * elements,
          ratios: { copy: 0.7, numpy: 3, 'dask.array': 5 },
          more: { copy, ...(operators === '10' ? { 'square roots': roots } : {}) },
        }),
      ),
    );
  },
);

/** The chain of 5 with results that are not released. */
export const unreleased: Group = group(['results left to the garbage collector, 1e6 doubles'], (bench) => [
  bench.compared({
    ...rowOf('results left to the garbage collector, 1e6 doubles', 1e6, CHAINS[5]),
    ours: () => {
      const x = fromTyped(spread(1e6));
      return leaving(() => CHAINS[5].ours(x));
    },
    bytes: 16e6,
  }),
]);

const rowOf = (name: string, elements: number, { python, ours }: Chain) => ({
  name,
  ours: () => {
    const x = fromTyped(spread(elements));
    return computing(() => ours(x));
  },
  setup: `x = ${SPREAD(elements)}\nX = pieces(x)\ndef f(x): return ${python}`,
  peers: { numpy: 'f(x)', 'dask.array': 'f(X).compute()' },
});

const FUNCTIONS: Readonly<Record<string, Chain & { readonly ratio: number }>> = {
  sin: { python: 'np.sin(x * 2 + 1) * 0.5', ours: (x) => sin(x.mul(2).add(1)).mul(0.5), ratio: 3 },
  cos: { python: 'np.cos(x * 2 + 1) * 0.5', ours: (x) => cos(x.mul(2).add(1)).mul(0.5), ratio: 3 },
  tanh: { python: 'np.tanh(x * 2 + 1) * 0.5', ours: (x) => tanh(x.mul(2).add(1)).mul(0.5), ratio: 3 },
  pow: { python: '(x * 2 + 1) ** 1.7 * 0.5', ours: (x) => pow(x.mul(2).add(1), 1.7).mul(0.5), ratio: 3 },
  exp: { python: 'np.exp(x * 2 + 1) * 0.5', ours: (x) => exp(x.mul(2).add(1)).mul(0.5), ratio: 1 },
  log: { python: 'np.log(x * 2 + 1) * 0.5', ours: (x) => log(x.mul(2).add(1)).mul(0.5), ratio: 1 },
};

const functionName = (name: string): string => `chain with ${name}, 1e6 doubles`;

export const functions: Group = group(Object.keys(FUNCTIONS).map(functionName), (bench) =>
  Object.entries(FUNCTIONS).map(([name, chain]) =>
    bench.compared({ ...rowOf(functionName(name), 1e6, chain), ratios: { numpy: chain.ratio, 'dask.array': 5 } }),
  ),
);

const SHORT = { '1e3': { elements: 1e3, ratio: 1 / 3 }, '1e5': { elements: 1e5, ratio: 1 } } as const;
const shortName = (size: string, parked: boolean): string =>
  parked ? `five operators, ${size} doubles, after a pause` : `five operators, ${size} doubles`;

/** Short ones, one after the other, and each after a pause, by which everybody has gone to sleep: our workers, and the caches of both. */
export const short: Group = group(
  Object.keys(SHORT).flatMap((size) => [shortName(size, false), shortName(size, true)]),
  (bench) =>
    Object.entries(SHORT).flatMap(([size, { elements, ratio }]) =>
      [false, true].map((parked) => {
        const row = rowOf(shortName(size, parked), elements, CHAINS[5]);
        return inMicroseconds(
          bench,
          { ...row, peers: { numpy: row.peers.numpy }, ratios: { numpy: ratio } },
          parked ? PARKED_MS : 0,
        );
      }),
    ),
);

/** A row of single runs. After a pause: the median of them. */
function inMicroseconds(bench: Bench, comparison: Parameters<Bench['compared']>[0], pauseMs: number): Experiment {
  let run: (() => unknown) | undefined;
  const row = bench.compared({
    ...comparison,
    ...(pauseMs === 0 ? {} : { pause: pauseMs }),
    ours: () => {
      const ours = comparison.ours();
      run = () => ours.run();
      return ours;
    },
  });
  const inUnit =
    (sample: Sampler): Sampler =>
    async () =>
      (await sample()) * 1000;
  const afterPauses: Sampler = async () => {
    if (run === undefined) await row.ours();
    const times: number[] = [];
    for (let i = 0; i < bench.ms / PARKED_MS; i++) {
      await pause(pauseMs);
      const start = performance.now();
      await run?.();
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return (times[times.length >> 1] as number) * 1000;
  };
  return {
    ...row,
    unit: 'µs',
    ours: pauseMs === 0 ? inUnit(row.ours) : afterPauses,
    peers: Object.fromEntries(Object.entries(row.peers ?? {}).map(([name, sample]) => [name, inUnit(sample)])),
  };
}
