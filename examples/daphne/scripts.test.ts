import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = process.env.SHEAF_ROOT ?? process.cwd();
const cli = join(root, 'dist/cli.js');
const here = join(root, 'examples/daphne');

/** What each script is given, on the data of data.ts with 1,000 digits; what it then prints is in the text beside it. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  components: ['routes="routes.csv"'],
  'conjugate-gradient': ['X="mnist.csv"', 'y="mnist-labels.csv"'],
  'decision-tree': ['penguins="penguins.csv"', 'depth=3'],
  factorisation: ['X="mnist.csv"', 'rank=8', 'iterations=10'],
  kmeans: ['X="mnist.csv"', 'k=10', 'iterations=5'],
  'linear-regression': ['flights="flights.parquet"'],
  'logistic-regression': ['X="mnist.csv"', 'y="mnist-labels.csv"', 'iterations=20'],
  'page-rank': ['routes="routes.csv"', 'alpha=0.85'],
  pca: ['X="mnist.csv"', 'k=5'],
  report: ['flights="flights.parquet"'],
  sum: ['r=2', 'c=3'],
};

/** Once is enough: eigenvectors of 784 x 784, and three million flights. */
const SLOW = new Set(['linear-regression', 'pca', 'report']);

describe('scripts in DaphneDSL', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sheaf-scripts-'));
    const made = spawnSync(process.execPath, [cli, 'run', join(here, 'data.ts'), folder, '1000'], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are all here', () => {
    const names = readdirSync(here).filter((name) => name.endsWith('.daphne'));
    assert.deepEqual(
      names.sort(),
      Object.keys(RUNS)
        .map((name) => `${name}.daphne`)
        .sort(),
    );
    for (const name of Object.keys(RUNS)) assert.ok(existsSync(join(here, `${name}.txt`)), name);
  });

  for (const [name, args] of Object.entries(RUNS)) {
    it(`${name} prints what it says`, () => {
      for (const flags of SLOW.has(name) ? [['--vec']] : [[], ['--vec']]) {
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [cli, 'daphne', ...flags, join(here, `${name}.daphne`), ...args],
          { cwd: folder, encoding: 'utf8' },
        );
        const expected = readFileSync(join(here, `${name}.txt`), 'utf8');
        assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: expected, stderr: '' }, flags.join(' '));
      }
    });
  }
});
