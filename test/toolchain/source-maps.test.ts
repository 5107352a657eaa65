// Stacks of errors in tasks, after tools have written what runs: lines of the original files.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join, needs, node, root, run, tool, workspace } from './support.ts';

const esbuild = 'esbuild/bin/esbuild';
const tsc = 'typescript/bin/tsc';

/** Types and comments, so that nothing stays on its line. */
const PROGRAM = `import { connect, task } from 'sheaf';
import { deep } from './deep.ts';

interface Shape {
  readonly n: number;
}

/* What tools leave out: a word or two. */
type Result = number | undefined;

const fail = task((shape: Shape): Result => {
  const n: number = shape.n;
  if (n > 0) {
    throw new RangeError('too large: ' + n); // here: fail
  }
  return n;
});

const through = task((shape: Shape): number => {
  return deep(shape.n); // here: through
});

const later = task(async (shape: Shape): Promise<Result> => {
  await new Promise<void>((done) => setTimeout(done, 1));
  return await fail(shape).value;
});

const session = await connect({ cpus: 1, memory: '64MiB', isolation: ISOLATION });
for (const each of [fail, through, later]) {
  try {
    await each({ n: 5 }).value;
  } catch (error) {
    console.log(JSON.stringify((error as Error).stack));
  }
}
await session[Symbol.asyncDispose]();
`;

const DEEP = `export interface Unused {
  readonly a: number;
}

function inner(n: number): number {
  throw new TypeError('in the helper: ' + n); // here: inner
}

export function deep(n: number): number {
  return inner(n); // here: deep
}
`;

/** Filler that makes a bundle in one line a long one. */
const LONG = `(globalThis as { words?: unknown }).words = [${Array.from({ length: 2000 }, (_, i) => `'word${i}'`).join(', ')}];\n`;

const lineOf = (text: string, mark: string): number =>
  text.split('\n').findIndex((line) => line.includes(`// here: ${mark}`)) + 1;

function prepared(name: string, isolation: string): string {
  const directory = workspace(name);
  for (const file of ['program.ts', 'helpers.ts'])
    if (existsSync(join(directory, file))) writeFileSync(join(directory, file), '');
  writeFileSync(join(directory, 'main.ts'), PROGRAM.replace('ISOLATION', `'${isolation}'`));
  writeFileSync(join(directory, 'deep.ts'), DEEP);
  writeFileSync(join(directory, 'long.ts'), LONG);
  return directory;
}

/** Runs what a tool has written; the stacks name the original files, in the order of the calls. */
function check(directory: string, file: string): void {
  const stacks = run(node, [file], directory)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string);
  assert.equal(stacks.length, 3);
  const places = stacks.map((stack) =>
    [...stack.matchAll(/(\w+\.ts):(\d+):(\d+)/g)].map(([, name, line]) => `${name}:${line}`),
  );
  const fail = `main.ts:${lineOf(PROGRAM, 'fail')}`;
  assert.equal(places[0]![0], fail, stacks[0]);
  assert.deepEqual(
    places[1]!.slice(0, 3),
    [`deep.ts:${lineOf(DEEP, 'inner')}`, `deep.ts:${lineOf(DEEP, 'deep')}`, `main.ts:${lineOf(PROGRAM, 'through')}`],
    stacks[1],
  );
  assert.equal(places[2]![0], fail, stacks[2]);
  for (const stack of stacks) assert.ok(!stack.includes(file), `a place in what the tool wrote is left: ${stack}`);
}

const bundles: readonly [name: string, flags: readonly string[]][] = [
  ['a bundle', ['--sourcemap']],
  ['a bundle with its map inside', ['--sourcemap=inline']],
  ['a minified bundle', ['--minify', '--sourcemap']],
  ['a minified bundle in one long line', ['--minify', '--sourcemap', '--inject:long.ts']],
  ['a bundle in CommonJS', ['--sourcemap', '--format=cjs', '--out-extension:.js=.cjs']],
];
for (const isolation of ['process', 'thread']) {
  for (const [name, flags] of bundles) {
    test(`stacks out of ${name} of esbuild name the original lines (${isolation})`, needs(esbuild), () => {
      const directory = prepared(`maps-${name.replaceAll(' ', '-')}-${isolation}`, isolation);
      const cjs = flags.includes('--format=cjs');
      if (cjs) {
        const main = join(directory, 'main.ts');
        const [imports, rest] = readFileSync(main, 'utf8').split(/(?<=^const session = )/m) as [string, string];
        // CommonJS has no await at the top level.
        const [before] = imports.split(/^const session = /m) as [string];
        writeFileSync(main, `${before}void (async () => { const session = ${rest} })();`);
      }
      const to = cjs ? [] : ['--format=esm', '--out-extension:.js=.mjs'];
      run(
        tool(esbuild),
        [
          'main.ts',
          '--bundle',
          '--platform=node',
          '--target=node20',
          '--packages=external',
          ...to,
          '--outdir=out',
          '--log-level=error',
          ...flags,
        ],
        directory,
      );
      const file = `out/main.${cjs ? 'cjs' : 'mjs'}`;
      if (flags.includes('--inject:long.ts')) {
        const columns = readFileSync(join(directory, file), 'utf8')
          .split('\n')
          .map((line) => line.indexOf('RangeError'));
        assert.ok(Math.max(...columns) > 10_000, 'the function is far to the right');
      }
      check(directory, file);
    });
  }
}

test('stacks out of the output of tsc name the original lines', needs(tsc), () => {
  const directory = prepared('maps-tsc', 'process');
  const flags = [
    '--module',
    'ESNext',
    '--moduleResolution',
    'bundler',
    '--target',
    'ES2017',
    '--noCheck',
    '--ignoreConfig',
  ];
  run(
    node,
    [
      tool(tsc),
      'main.ts',
      'deep.ts',
      '--outDir',
      'out',
      '--sourceMap',
      '--rewriteRelativeImportExtensions',
      '--lib',
      'ESNext',
      '--types',
      '',
      ...flags,
    ],
    directory,
  );
  assert.ok(readdirSync(join(directory, 'out')).includes('main.js.map'));
  // The types of tsc's target have no await at the top level either; Node has.
  check(directory, 'out/main.js');
});

test('stacks out of TypeScript that sheaf runs itself name its lines', () => {
  const directory = prepared('maps-run', 'process');
  const stacks = run(node, [join(root, 'dist/cli.js'), 'run', 'main.ts'], directory)
    .trim()
    .split('\n');
  assert.equal(stacks.length, 3);
  assert.ok(stacks[0]!.includes(`main.ts:${lineOf(PROGRAM, 'fail')}:`), stacks[0]);
  assert.ok(stacks[1]!.includes(`deep.ts:${lineOf(DEEP, 'inner')}:`), stacks[1]);
});
