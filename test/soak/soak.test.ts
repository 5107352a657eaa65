import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = process.env.SHEAF_ROOT ?? resolve('.');
/** Long enough to find what goes wrong often. For longer: `npm run soak`. */
const SECONDS = { process: 20, thread: 10 };

for (const [isolation, seconds] of Object.entries(SECONDS)) {
  test(`random programs give the right results while workers die, and nothing is left of them (${isolation})`, {
    timeout: 280_000,
  }, async () => {
    const args = [join(root, 'test/soak/run.mjs'), '--seconds', String(seconds), '--isolation', isolation];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (out += data.toString()));
    const code = await new Promise((done) => child.once('close', done));
    assert.equal(code, 0, out);
    assert.match(out, /every result right/);
  });
}
