import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inThread, type LocalBuffers } from '../../pipelines/index.ts';
import { runText } from '../scripts.fixture.ts';

const MIB = 1 << 20;
const used = (): number => (inThread().buffers as LocalBuffers).used;

suite('DaphneDSL: memory', () => {
  for (const flags of [[], ['--vec', '--num-threads=1']]) {
    test(`loops do not keep what nobody wants any more ${flags.join(' ')}`, async () => {
      const before = used();
      // Four MiB a turn, 400 of them in all.
      const script = 'X = fill(0.0, 1024, 512); for (i in 1:100) { X = X + 1.0; } print(X[0, 0:2]);';
      const { stdout } = await runText(script, { flags });
      assert.equal(stdout, 'DenseMatrix(1x2, double)\n100 100\n');
      assert.ok(used() - before < 250 * MIB, `${Math.round((used() - before) / MIB)} MiB`);
    });
  }
});
