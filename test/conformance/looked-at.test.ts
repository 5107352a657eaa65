import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hosts, program } from './support.ts';

for (const isolation of hosts) {
  test(`a failure that passes through tasks is reported when nobody looks at it, once, and not otherwise (${isolation})`, {
    timeout: 60_000,
  }, async () => {
    const { stdout, stderr, code } = await program('looked-at.mjs', [isolation], 50_000);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'done 2\n', stderr);
    const reports = stderr.split('\n').filter((line) => line.includes('nobody looked'));
    assert.deepEqual(
      reports.filter((line) => line.includes('quiet')),
      [],
    );
    const loud = reports.map((line) => /loud \d+ \w+( on)?$/.exec(line)?.[0] ?? line).sort();
    assert.deepEqual(loud, [
      'loud 1 dropped',
      'loud 2 dropped',
      'loud 3 dropped',
      'loud 4 released',
      'loud 5 released',
      'loud 6 forgotten',
      'loud 7 passed on',
      'loud 8 kept',
      'loud 9 kept',
    ]);
    for (const line of reports) assert.match(line, /^sheaf: /);
  });
}

for (const [how, code] of [
  ['nothing left', 0],
  ['closed', 0],
  ['closing', 0],
  ['exit', 3],
  ['error', 1],
  ['signal', 130],
  ['thread', 0],
] as const) {
  for (const isolation of hosts) {
    test(`failures that nobody has looked at are reported once at the end of the program: ${how} (${isolation})`, {
      timeout: 60_000,
    }, async () => {
      const ended = await program('ends.mjs', [how, isolation], 50_000);
      assert.equal(ended.code, code, ended.stderr);
      const reports = ended.stderr.split('\n').filter((line) => line.includes('nobody looked'));
      assert.equal(reports.length, 1, ended.stderr);
      assert.match(reports[0] as string, /^sheaf: fails, called at .*ends\.mjs:\d+:\d+, .*RangeError: not looked at$/);
    });
  }
}
