/** Large values: how fast they enter shared memory, and that they leave it without a copy. */
import { alloc, connect, get, put, type Ref, task } from 'sheaf';
import { rate } from '../harness.ts';
import { bareView } from '../peers/view.ts';
import type { Group, Settings } from '../suite.ts';

const LARGE = 100 * 1024 * 1024;
const GIGABYTES = (LARGE * 8) / 1e9;

const putLarge = task((count: number) => {
  for (let i = 0; i < count; i++) put(new Float64Array(10 * 1024 * 1024)).release();
});

/** Microseconds that `get` takes in this worker, and what it got, to prove that it is all there. */
const timeGet = task(async (held: readonly [Ref<Float64Array>]) => {
  const start = performance.now();
  const value = await get(held[0]);
  const took = (performance.now() - start) * 1000;
  return { took, length: value.length, last: value[value.length - 1] };
});

const warm = task(() => undefined);
const SMALL_CALLS = 500;

/** Gigabytes per second of one run of `body`, which moves the large array once. */
const gigabytesPerSecond = (body: () => void) => () => {
  const start = performance.now();
  body();
  return (GIGABYTES * 1000) / (performance.now() - start);
};

export const bulk: Group = {
  names: [
    'single client put gigabytes',
    'multi client put gigabytes',
    'put of 0.8 GB',
    'alloc, fill and put of 0.8 GB',
    'get of 0.8 GB in another worker',
  ],
  async open({ cpus, quick }: Settings) {
    const ms = quick ? 300 : 1000;
    const session = await connect({ cpus });
    const large = new Float64Array(LARGE).fill(1.5);
    const view = bareView(large.byteLength);
    // Written once before it is measured: a first touch of memory costs several times the copy.
    const destination = new Float64Array(LARGE).fill(1);
    return {
      experiments: [
        {
          name: 'single client put gigabytes',
          unit: 'GB/s',
          better: 'more',
          ours: rate(ms, GIGABYTES, () => put(large).release()),
          requires: { tier: 'gate', ratios: { ray: 1 } },
        },
        {
          name: 'multi client put gigabytes',
          unit: 'GB/s',
          better: 'more',
          ours: rate(ms, 8, () => get(Array.from({ length: 10 }, () => putLarge(10)))),
          requires: { tier: 'goal', ratios: { ray: 1 } },
        },
        {
          name: 'put of 0.8 GB',
          unit: 'GB/s',
          better: 'more',
          ours: gigabytesPerSecond(() => put(large).release()),
          peers: { copy: gigabytesPerSecond(() => destination.set(large)) },
          requires: { tier: 'gate', ratios: { copy: 0.8 } },
          pairs: quick ? 3 : 9,
        },
        {
          name: 'alloc, fill and put of 0.8 GB',
          unit: 'GB/s',
          better: 'more',
          ours: gigabytesPerSecond(() => {
            const place = alloc(Float64Array, LARGE);
            place.set(large);
            put(place).release();
          }),
          peers: { copy: gigabytesPerSecond(() => destination.set(large)) },
        },
        {
          name: 'get of 0.8 GB in another worker',
          unit: 'us',
          better: 'less',
          async ours() {
            // A new one each time, that no worker has seen.
            using fresh = put(large);
            // The copy has driven everything else out of the caches, which is not what is measured.
            await get(Array.from({ length: SMALL_CALLS }, () => warm()));
            const { took, length, last } = await timeGet([fresh]).value;
            if (length !== LARGE || last !== 1.5) throw new Error(`get returned ${length} items, the last ${last}`);
            return took;
          },
          peers: {
            'bare view': () => {
              destination.set(large);
              return view.look(SMALL_CALLS);
            },
          },
          requires: { tier: 'gate', target: 50 },
          pairs: quick ? 5 : 15,
        },
      ],
      async close() {
        await Promise.all([session[Symbol.asyncDispose](), view.close()]);
      },
    };
  },
};
