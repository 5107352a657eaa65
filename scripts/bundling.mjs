// How esbuild bundles this package: the same for what is published, tested and measured.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Output name to source. */
const ENTRIES = {
  index: 'src/index.ts',
  array: 'src/array.ts',
  frame: 'src/frame.ts',
  testing: 'src/testing/index.ts',
  partitioned: 'src/partitioned.ts',
  daphne: 'src/daphne.ts',
  worker: 'src/worker.ts',
  'csv-worker': 'src/io/csv-worker.ts',
  'frame-worker': 'src/frames/frame-worker.ts',
  control: 'src/control.ts',
  gang: 'src/gang.ts',
  'typescript-hooks': 'src/code/typescript-hooks.ts',
  cli: 'src/cli/main.ts',
  'daphne-cli': 'src/cli/daphne-main.ts',
  simulate: 'src/testing/simulate.ts',
};

/** The entry points, as esbuild takes them. */
export const entryPoints = () => Object.entries(ENTRIES).map(([out, source]) => ({ in: join(root, source), out }));

/**
 * Chunks lie beside the entries, not in a folder of their own: code that several entries share ends up in a chunk, and
 * `new URL('./worker.js', import.meta.url)` in it must mean the same file wherever the bundler put it.
 */
export const BUNDLING = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  chunkNames: 'chunk-[hash]',
  logLevel: 'warning',
};
