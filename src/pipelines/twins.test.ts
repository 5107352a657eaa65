import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutOfMemoryError } from '../base/index.ts';
import type { DType } from '../nd/index.ts';
import { assertMeans, graphs } from './graphs.fixture.ts';
import { type Buffer, LocalBuffers, type PipelineOptions, Pipelines } from './index.ts';
import type { Memory } from './pipelines.ts';
import { evaluate } from './reference.ts';

// 200,000 other graphs: SHEAF_GRAPH_SEED=$RANDOM SHEAF_GRAPH_RUNS=66667 node scripts/run-ts.mjs src/pipelines/twins.test.ts
const RUNS = Number(process.env.SHEAF_GRAPH_RUNS ?? 1700);
/** Graphs in one memory. */
const TOGETHER = 10_000;
/** The same graphs each time, so that a change that has nothing to do with them is not refused for what they find. */
const SEED = Number(process.env.SHEAF_GRAPH_SEED ?? 1);

const WAYS: readonly (readonly [string, PipelineOptions])[] = [
  ['', {}],
  // A cache of next to nothing cuts everything into tiles and units.
  [', in tiles of 256 bytes', { cache: 256, block: 256 }],
  [', a few operations at a time', { window: 3 }],
];

for (const [how, options] of WAYS) {
  test(`planned graphs give what nodes mean${how}`, () => {
    let nodes = 0;
    // Nobody finds garbage in one turn, and 200,000 graphs have no room together.
    for (let done = 0; done < RUNS; done += TOGETHER) {
      // What is adopted lies elsewhere, so that there is some of both.
      const buffers = new LocalBuffers(512, { copies: false });
      const pipelines = new Pipelines(buffers, options);
      fc.assert(
        fc.property(graphs(buffers), (roots) => {
          const expected = evaluate(roots, (buffer) => buffers.view(buffer));
          pipelines.computeNow(roots);
          assertMeans(roots, expected, pipelines);
          nodes += roots.length;
        }),
        { numRuns: Math.min(TOGETHER, RUNS - done), seed: SEED + done },
      );
    }
    assert.ok(nodes > 0);
  });
}

/** Memory of which pieces that are not small cannot be had now and then, because of what others have in use. */
class Crowded extends LocalBuffers {
  #count = 0;

  override allocate(dtype: DType, length: number): Buffer {
    if (length > 2 && ++this.#count % 5 === 0) throw new OutOfMemoryError('no room');
    return super.allocate(dtype, length);
  }
}

/** The last: which part of the graphs may be refused. */
const BLOCKS: readonly (readonly [string, Memory, LocalBuffers, number])[] = [
  ['of 4 elements', { limit: 2 ** 30, largest: 0, spills: true, block: 4 }, new LocalBuffers(512), 0],
  // What is not computed block by block may find no room.
  [
    'of 16 elements, with others around',
    { limit: 2 ** 30, largest: 0, spills: true, block: 16 },
    new Crowded(512),
    0.02,
  ],
  // Blocks of many arrays are too much for it, and some graphs are refused.
  [
    'of 16 elements, in next to no memory',
    { limit: 1500, largest: 0, spills: true, block: 16 },
    new LocalBuffers(512),
    0.5,
  ],
];

for (const [how, memory, buffers, most] of BLOCKS) {
  test(`graphs that are computed in blocks ${how} give what nodes mean`, async () => {
    const made = new LocalBuffers(512);
    const pipelines = new Pipelines(buffers, { memory, cache: 64 });
    let [computed, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(graphs(made), async (roots) => {
        const expected = evaluate(roots, (buffer) => buffer.home.lend(buffer));
        try {
          await pipelines.compute(roots);
        } catch (error) {
          if (!(error instanceof OutOfMemoryError)) throw error;
          refused++;
          return;
        }
        assertMeans(roots, expected, pipelines);
        computed++;
      }),
      { numRuns: Math.ceil(RUNS / 6), seed: SEED },
    );
    assert.ok(refused <= most * (computed + refused), `${refused} of ${computed + refused}`);
  });
}
