// The package inside of a bundle: it can't work there, and says so.
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { attempt, join, needs, node, root, run, tool, workspace } from './support.ts';

const esbuild = 'esbuild/bin/esbuild';

const PROGRAM = `import { connect, task } from 'sheaf';
const add = task((a, b) => a + b);
async function main() {
  const session = await connect({ cpus: 1, memory: '64MiB' });
  console.log(await add(1, 2).value);
  await session[Symbol.asyncDispose]();
}
main();
`;

function bundle(format: 'cjs' | 'esm', flags: readonly string[]): string {
  const directory = workspace(`bundled-${format}${flags.length}`);
  writeFileSync(join(directory, 'bundle-me.js'), PROGRAM);
  const out = join(directory, `out/bundle.${format === 'esm' ? 'mjs' : 'cjs'}`);
  const to = ['--bundle', '--platform=node', '--target=node20', `--format=${format}`, `--outfile=${out}`];
  run(tool(esbuild), ['bundle-me.js', ...to, '--log-level=error', ...flags], directory);
  rmSync(join(directory, 'bundle-me.js'));
  return out;
}

for (const format of ['esm', 'cjs'] as const) {
  test(`bundled along (${format}) the package says what to do`, needs(esbuild), () => {
    const { code, output } = attempt(node, [bundle(format, [])], '.');
    assert.equal(code, 1, output);
    assert.match(output, /UsageError: sheaf was bundled into .*leave it out of the bundle.*esbuild: --external:sheaf/);
    assert.match(output, /ERR_SHEAF_BUNDLED/);
    if (format === 'esm') assert.match(output, /bundled into \S*out\/bundle\.mjs,/);
  });

  test(`told to leave the package out (${format}) a bundle runs`, needs(esbuild), () => {
    const { code, output } = attempt(node, [bundle(format, ['--external:sheaf'])], '.');
    assert.deepEqual({ code, output }, { code: 0, output: '3\n' });
  });
}

test('an installation with a file missing is told apart from a bundle', () => {
  const directory = workspace('broken');
  const installed = join(directory, 'node_modules/sheaf');
  rmSync(installed);
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  rmSync(join(installed, 'dist/worker.js'));
  writeFileSync(join(directory, 'program.mjs'), PROGRAM);
  const { code, output } = attempt(node, ['program.mjs'], directory);
  assert.equal(code, 1, output);
  assert.match(output, /InternalError: the file \S*worker\.js of the package is missing; install it again/);
});
