// Tools that transform a program while it is loaded.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { check } from './expected.ts';
import { join, needs, node, run, tool, workspace } from './support.ts';

test('tasks travel out of a program that tsx runs', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx');
  check(run(node, [tool('tsx/dist/cli.mjs'), 'program.ts'], directory), join(directory, 'program.ts'));
});

test('tasks travel out of a program that tsx runs as CommonJS', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx-cjs');
  writeFileSync(join(directory, 'package.json'), '{"name":"fixture","type":"commonjs"}');
  check(run(node, [tool('tsx/dist/cli.mjs'), 'program.ts'], directory), join(directory, 'program.ts'));
});

test('enums and parameter properties travel out of a program that tsx compiles', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx-enum');
  writeFileSync(
    join(directory, 'program.ts'),
    `import { connect, task } from 'sheaf';
     import { basename } from 'node:path';
     enum Colour { red, green = 'g' }
     const enum Size { big = 7 }
     class Box { constructor(readonly x: number) {} }
     const t = task((p: string) => [basename(p), Colour.red, Colour.green, Size.big, new Box(3).x]);
     const session = await connect({ cpus: 1, memory: '64MiB' });
     console.log(JSON.stringify(await t('/a/b').value));
     await session[Symbol.asyncDispose]();`,
  );
  assert.equal(run(node, [tool('tsx/dist/cli.mjs'), 'program.ts'], directory), '["b",0,"g",7,3]\n');
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
      "import { test } from 'vitest';\nimport { finished } from './program.ts';\ntest('runs', () => finished, 110_000);\n",
    );
    writeFileSync(
      join(directory, 'vitest.config.mjs'),
      `export default { test: { root: ${JSON.stringify(directory)}, include: ['*.test.ts'], coverage: { include: ['**/*.ts'], exclude: [], reporter: [] } } }`,
    );
    const output = run(
      node,
      [tool(vitest), 'run', '--no-color', '--disable-console-intercept', '--config', 'vitest.config.mjs', ...flags],
      directory,
    );
    assert.equal(/\bcov_\w+\(\)/.test(output), name.includes('istanbul'), 'counters are there when they should be');
    check(output, file);
  });
}
