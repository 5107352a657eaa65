// Runs one TypeScript test file: bundles it (Node 20 reads no TypeScript) and hands it to Node's test runner.
// Usage: node scripts/run-ts.mjs FILE.ts [node flags...]
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { build } from 'esbuild';

const [file, ...flags] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE.ts [node flags...]');
  process.exit(2);
}
const outdir = resolve('build/single');
mkdirSync(outdir, { recursive: true });
const outfile = `${outdir}/${basename(file).replace(/\.ts$/, '')}-${process.pid}.mjs`;
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'error',
});
const run = spawnSync(process.env.NODE ?? process.execPath, ['--enable-source-maps', ...flags, outfile], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
