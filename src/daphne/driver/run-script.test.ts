import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { type Arr, asarray, nodeOf } from '../../arrays/index.ts';
import { ScriptError, UsageError } from '../../base/index.ts';
import { inThread } from '../../pipelines/index.ts';
import { runScript } from './run-script.ts';

const elementsOf = (array: unknown): number[] => {
  const node = nodeOf('test', array as Arr);
  inThread().computeNow([node]);
  return Array.from(inThread().read(node), Number);
};

suite('runScript', () => {
  test('takes arguments and arrays, and gives variables and what was printed', async () => {
    for (const flags of [[], ['--vec', '--num-threads=2']]) {
      const { variables, stdout, stderr } = await runScript(
        'Y = X * $k; n = nrow(X); { hidden = 1; } print($greeting);',
        { args: { k: 2, greeting: 'hi "you"' }, inputs: { X: asarray(new Float64Array([1, 2, 3])) }, flags },
      );
      assert.deepEqual(elementsOf(variables.Y), [2, 4, 6]);
      assert.equal(variables.n, 3);
      assert.deepEqual([stdout, stderr, 'hidden' in variables], ['hi "you"\n', '', false]);
    }
  });

  test('runs a file by its path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daphne-'));
    const path = join(folder, 'script.daphne');
    writeFileSync(path, 'x = 1 + 2;');
    assert.equal((await runScript(path)).variables.x, 3);
    rmSync(folder, { recursive: true });
    await assert.rejects(runScript(path), ScriptError);
  });

  test('says what is wrong with a script, and with what it is given', async () => {
    await assert.rejects(
      runScript('x = y;'),
      (error) => error instanceof ScriptError && error.details?.phase === 'parser',
    );
    await assert.rejects(runScript('x = 1;', { inputs: { a: [1] as never } }), UsageError);
    await assert.rejects(runScript('x = 1;', { flags: ['other.daphne'] }), UsageError);
    for (const [script, options, message] of [
      [{ text: 'x = 1;' }, {}, /the script is an object; give its text/],
      ['x = 1;', [], /the options are an array/],
      ['x = 1;', { input: {} }, /there is no option "input"; there are args, inputs and flags/],
      ['x = 1;', { inputs: 3 }, /inputs is number/],
      ['x = 1;', { flags: '--vec' }, /flags is no list/],
    ] as const) {
      await assert.rejects(runScript(script as never, options as never), (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});
