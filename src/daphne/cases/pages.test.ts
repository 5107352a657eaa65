import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runText } from '../scripts.fixture.ts';

const root = process.env.SHEAF_ROOT ?? process.cwd();
const page = readFileSync(join(root, 'docs/daphne.md'), 'utf8');
const scripts = [...page.matchAll(/^```daphne\n(.*?)^```\n\n^```text\n(.*?)^```/gms)];

describe('the scripts in the pages', () => {
  it('are there', () => assert.ok(scripts.length > 0));

  for (const [i, [, script, expected]] of scripts.entries()) {
    it(`docs/daphne.md, script ${i + 1}, prints what it says`, async () => {
      assert.deepEqual(await runText(script as string), { code: 0, stdout: expected, stderr: '' });
    });
  }
});
