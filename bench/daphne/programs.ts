/** Programs in DaphneDSL beside programs in Python that compute the same, both with all cores. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Experiment } from '../harness.ts';
import type { Group, Settings } from '../suite.ts';
import { python, root, said, sheaf } from './command.ts';

interface Program {
  readonly name: string;
  /** Of the script and of the Python program, in bench/daphne. */
  readonly file: string;
  readonly peer: 'numpy' | 'scipy' | 'pandas';
  readonly ratio: number;
  readonly flags?: readonly string[];
  /** What both are given, as name=value. */
  readonly args: (settings: Settings, folder: string) => readonly string[];
  /** Whether both have the same data, so that they print the same results, to four digits. */
  readonly isSame: boolean;
}

const size = (full: number, quick: number) => (settings: Settings) => (settings.quick ? quick : full);
const rows = size(1_000_000, 100_000);

const PROGRAMS: readonly Program[] = [
  {
    name: 'k-means, 1,000,000 x 100, 50 centroids',
    file: 'k-means',
    peer: 'numpy',
    ratio: 1,
    args: (settings) => [`n=${rows(settings)}`],
    isSame: true,
  },
  {
    name: 'linear regression, 1,000,000 x 100',
    file: 'regression',
    peer: 'numpy',
    ratio: 1,
    args: (settings) => [`n=${rows(settings)}`],
    isSame: true,
  },
  {
    name: 'PageRank, 1e6 nodes, 1e7 edges',
    file: 'page-rank',
    peer: 'scipy',
    ratio: 1,
    flags: ['--select-matrix-repr'],
    args: (settings) => [`n=${rows(settings)}`],
    isSame: false,
  },
  {
    name: 'logistic regression on MNIST',
    file: 'logistic',
    peer: 'numpy',
    ratio: 1,
    args: (_, folder) => [`X="${join(folder, 'mnist.csv')}"`, `y="${join(folder, 'mnist-labels.csv')}"`],
    isSame: true,
  },
  {
    name: 'frame query over 3,000,000 flights',
    file: 'flights',
    peer: 'pandas',
    ratio: 2,
    args: (_, folder) => [`flights="${join(folder, 'flights.parquet')}"`],
    isSame: true,
  },
];

const withoutVec = (name: string) => `${name}: --vec beside none`;

/** Four digits: sums are taken in another order. */
const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-4 * Math.max(1e-3, Math.abs(a), Math.abs(b));

function experiments(program: Program, settings: Settings, folder: string): Experiment[] {
  const { name, file, peer, ratio, flags = [], isSame } = program;
  const path = (extension: string) => join(root, 'bench/daphne', `${file}.${extension}`);
  const args = program.args(settings, folder);
  let expected: readonly number[] | undefined;
  const checked = (results: readonly number[]): void => {
    if (!isSame) return;
    expected ??= results;
    const differs =
      results.length !== expected.length || results.some((x, i) => !isClose(x, expected?.[i] ?? Number.NaN));
    if (differs) throw new Error(`results differ: ${results.join(' ')} and ${expected.join(' ')}`);
  };
  const run = (extra: readonly string[]) => async () => {
    const { seconds, results } = said(await sheaf(...extra, ...flags, path('daphne'), ...args));
    checked(results);
    return 1000 * seconds;
  };
  const theirs = async () => {
    const { seconds, results } = said(await python(settings.cpus, path('py'), ...args));
    checked(results);
    return 1000 * seconds;
  };
  const common = { unit: 'ms', better: 'less', pairs: settings.quick ? 1 : 3 } as const;
  return [
    {
      ...common,
      name,
      ours: run(['--vec']),
      peers: { [peer]: theirs },
      requires: { tier: 'gate', ratios: { [peer]: ratio } },
    },
    {
      ...common,
      name: withoutVec(name),
      ours: run(['--vec']),
      peers: { without: run([]) },
      // The machine's noise.
      requires: { tier: 'gate', ratios: { without: 0.95 } },
    },
  ];
}

export const programs: Group = {
  names: PROGRAMS.flatMap(({ name }) => [name, withoutVec(name)]),
  async open(settings) {
    const folder = mkdtempSync(join(tmpdir(), 'sheaf-bench-'));
    const data = [join(root, 'examples/daphne/data.ts'), folder, settings.quick ? '6000' : '60000'];
    execFileSync(process.execPath, [join(root, 'dist/cli.js'), 'run', ...data], { stdio: 'ignore', cwd: root });
    return {
      experiments: PROGRAMS.flatMap((program) => experiments(program, settings, folder)),
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};
