import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { remote, TaskError } from 'sheaf';
import { failure, hosts, onHosts, program, root, scratch, within } from './support.ts';

for (const how of ['slow', 'as usual']) {
  test(`tasks of a CommonJS program require the package while their worker loads it (${how})`, {
    timeout: 60_000,
  }, async () => {
    const { stdout, stderr, code } = await program('requires.cjs', [how], 50_000);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), ['one 1', 'late late', 'early function'], stderr);
    assert.equal(stderr, '');
  });
}

for (const isolation of hosts) {
  test(`a program that is given as text has a session (${isolation})`, { timeout: 60_000 }, () => {
    const text = `
      import { connect, get, task } from 'sheaf';
      const session = await connect({ cpus: 1, isolation: '${isolation}' });
      console.log(await get(task((x) => x + 1)(41)));
      await session[Symbol.asyncDispose]();
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { cwd: root });
    assert.deepEqual([`${stdout}`, `${stderr}`], ['42\n', '']);
  });
}

onHosts('loading', { cpus: 1 }, () => {
  test('what could not be loaded is tried again with the next call', { timeout: 30_000 }, async () => {
    const folder = scratch();
    const file = join(folder, 'module.mjs');
    writeFileSync(file, 'export const answer = () => 42;\n');
    const { answer } = remote<{ answer(): number }>(pathToFileURL(file));
    assert.equal(typeof answer, 'function');
    renameSync(file, `${file}.away`);
    const error = await failure(answer().value);
    assert.ok(error instanceof TaskError, String(error));
    assert.match(error.message, /answer can't be loaded on the worker.*module\.mjs/);
    renameSync(`${file}.away`, file);
    assert.equal(await within(10_000, answer().value), 42);
  });
});
