// Writes docs/daphne-reference.md. Usage: node scripts/daphne-reference.mjs
//
// What it says comes from the sources, which Node 20 does not read: docs/daphne-reference.ts is bundled first.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { BUNDLING, root } from './bundling.mjs';

const folder = join(root, 'build', `daphne-reference-${process.pid}`);
mkdirSync(folder, { recursive: true });
try {
  await build({ ...BUNDLING, outdir: folder, entryPoints: [join(root, 'docs/daphne-reference.ts')] });
  const { page } = await import(pathToFileURL(join(folder, 'daphne-reference.js')).href);
  writeFileSync(join(root, 'docs/daphne-reference.md'), await page());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
