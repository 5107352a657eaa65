// Builds dist: one bundle per entry point with shared chunks, and declarations in dist/types.
// Usage: node scripts/build.mjs [--quiet] [--force] [--loose]
// --loose goes on after a type error, for work in progress.
//
// Does nothing when no input has changed since the last build. Several builds may run at once: they take turns, and each
// file is moved into place whole, so that a program that is just starting never reads half of one.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { BUNDLING, entryPoints, root } from './bundling.mjs';
import { filesUnder } from './files.mjs';
import { withLock } from './lock.mjs';

const dist = join(root, 'dist');
const stampFile = join(root, 'build/dist.stamp');
const quiet = process.argv.includes('--quiet');
const force = process.argv.includes('--force');
const loose = process.argv.includes('--loose');

const inputs = () => [
  ...filesUnder(join(root, 'src'), (file) => !file.endsWith('.test.ts')),
  ...[
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'scripts/bundling.mjs',
  ].map((file) => join(root, file)),
];

function stampOf() {
  const hash = createHash('sha256');
  for (const file of inputs()) {
    const at = statSync(file, { throwIfNoEntry: false });
    if (at !== undefined) hash.update(`${relative(root, file)}\0${at.size}\0${at.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function upToDate(stamp) {
  if (force || !existsSync(stampFile)) return false;
  const [built, ...files] = readFileSync(stampFile, 'utf8').trim().split('\n');
  return built === stamp && files.every((file) => existsSync(join(dist, file)));
}

function declarations(outdir) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', outdir], {
      cwd: root,
      stdio: 'inherit',
    });
    child.on('error', fail);
    child.on('exit', (code) =>
      code === 0 || loose ? done() : fail(new Error(`the type-checker ended with ${code}; see its messages above`)),
    );
  });
}

/** Removes the declarations that those of the package's entries don't lead to: nobody could import what they declare. */
function prune(types) {
  const reached = new Set(
    ['index', 'array', 'frame', 'partitioned', 'daphne', 'testing/index'].map((entry) => join(types, `${entry}.d.ts`)),
  );
  for (const file of reached) {
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.ts'/g)) {
      reached.add(join(dirname(file), `${path}.d.ts`));
    }
  }
  for (const file of filesUnder(types)) if (!reached.has(file)) rmSync(file);
}

/** Moves every file of `from` into dist, the ones others point to first, and removes what dist held beyond them. */
function install(from) {
  const entries = new Set(entryPoints().map(({ out }) => `${out}.js`));
  const files = filesUnder(from).map((file) => relative(from, file));
  const inOrder = [...files.filter((file) => !entries.has(file)), ...files.filter((file) => entries.has(file))];
  for (const file of inOrder) {
    // The bundler names sources as seen from the temporary folder, which is one deeper.
    if (file.endsWith('.js.map')) {
      const map = join(from, file);
      writeFileSync(map, readFileSync(map, 'utf8').replaceAll('"../../', '"../'));
    }
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(from, file), join(dist, file));
  }
  const current = new Set(files);
  for (const file of filesUnder(dist)) if (!current.has(relative(dist, file))) rmSync(file, { force: true });
  return files;
}

async function buildAll(stamp) {
  const started = performance.now();
  const temporary = join(root, `build/dist-${process.pid}`);
  rmSync(temporary, { recursive: true, force: true });
  try {
    const bundles = build({
      ...BUNDLING,
      outdir: temporary,
      entryPoints: entryPoints(),
      legalComments: 'none',
      // The maps are for stacks. The bundles are readable as they are, and the sources would be a third of the package.
      sourcesContent: false,
    });
    const types = join(temporary, 'types');
    await Promise.all([bundles, declarations(types)]);
    prune(types);
    for (const name of ['cli.js', 'daphne-cli.js']) {
      const command = join(temporary, name);
      if (!readFileSync(command, 'utf8').startsWith('#!'))
        throw new Error(`the source of ${name} must begin with #!/usr/bin/env node`);
      chmodSync(command, 0o755);
    }
    const files = install(temporary);
    writeFileSync(`${stampFile}.${process.pid}`, `${[stamp, ...files].join('\n')}\n`);
    renameSync(`${stampFile}.${process.pid}`, stampFile);
    if (!quiet) console.log(`built ${files.length} files in ${Math.round(performance.now() - started)} ms`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

mkdirSync(join(root, 'build'), { recursive: true });
if (!upToDate(stampOf())) {
  await withLock(join(root, 'build/dist.lock'), async () => {
    const stamp = stampOf();
    if (!upToDate(stamp)) await buildAll(stamp);
  });
} else if (!quiet) {
  console.log('dist is up to date');
}
