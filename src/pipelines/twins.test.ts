import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { graphs } from './graphs.fixture.ts';
import { LocalBuffers, Pipelines } from './index.ts';
import { evaluate } from './reference.ts';

const RUNS = Number(process.env.SHEAF_GRAPH_RUNS ?? 1000);

// A cache of next to nothing cuts everything into tiles and units.
for (const cache of [undefined, 256]) {
  test(`planned graphs give what nodes mean${cache === undefined ? '' : `, in tiles of ${cache} bytes`}`, () => {
    const buffers = new LocalBuffers(512);
    const pipelines = new Pipelines(buffers, cache === undefined ? {} : { cache });
    let nodes = 0;
    fc.assert(
      fc.property(graphs(buffers), (roots) => {
        const expected = evaluate(roots, (buffer) => buffers.view(buffer), new Map());
        pipelines.computeNow(roots);
        for (const [i, root] of roots.entries()) {
          const want = expected.get(root) as unknown as ArrayLike<number | bigint>;
          const have = pipelines.read(root) as unknown as ArrayLike<number | bigint>;
          assert.equal(have.length, want.length);
          for (let at = 0; at < want.length; at++) {
            if (!Object.is(have[at], want[at]))
              assert.fail(`root ${i} (${root.dtype}, ${root.shape}) at ${at}: ${have[at]} instead of ${want[at]}`);
          }
          nodes++;
        }
      }),
      { numRuns: RUNS },
    );
    assert.ok(nodes > 0);
  });
}
