/** Streams: how fast items come, small ones and large ones. */
import { connect, task } from 'sheaf';
import { rate } from '../harness.ts';
import type { Group, Settings } from '../suite.ts';

const MiB = 1024 * 1024;
const SMALL = 50_000;
const LARGE = 256;

const numbers = task(function* (n: number) {
  for (let i = 0; i < n; i++) yield i;
});
const objects = task(function* (n: number) {
  for (let i = 0; i < n; i++) yield { id: i, name: 'item' };
});
const blocks = task(function* (n: number) {
  const block = new Uint8Array(MiB).fill(1);
  for (let i = 0; i < n; i++) yield block;
});

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let n = 0;
  for await (const _ of items) n++;
  return n;
}

const all = (items: () => AsyncIterable<unknown>, n: number) => async () => {
  const came = await countOf(items());
  if (came !== n) throw new Error(`${came} of ${n} items came`);
};

export const streams: Group = {
  names: ['stream of numbers', 'stream of small objects', 'stream of 1 MiB items'],
  async open({ cpus, quick }: Settings) {
    const ms = quick ? 300 : 1000;
    const session = await connect({ cpus });
    const from = new Uint8Array(LARGE * MiB).fill(1);
    // Written once before it is measured: a first touch of memory costs several times the copy.
    const to = new Uint8Array(LARGE * MiB).fill(1);
    const gigabytes = (LARGE * MiB) / 1e9;
    return {
      experiments: [
        {
          name: 'stream of numbers',
          unit: 'items/s',
          better: 'more',
          ours: rate(
            ms,
            SMALL,
            all(() => numbers(SMALL), SMALL),
          ),
          requires: { tier: 'gate', target: 300_000 },
        },
        {
          name: 'stream of small objects',
          unit: 'items/s',
          better: 'more',
          ours: rate(
            ms,
            SMALL,
            all(() => objects(SMALL), SMALL),
          ),
          requires: { tier: 'gate', target: 300_000 },
        },
        {
          name: 'stream of 1 MiB items',
          unit: 'GB/s',
          better: 'more',
          ours: rate(
            ms,
            gigabytes,
            all(() => blocks(LARGE), LARGE),
          ),
          peers: { copy: rate(ms, gigabytes, () => to.set(from)) },
          requires: { tier: 'goal', ratios: { copy: 1 } },
        },
      ],
      close: () => session[Symbol.asyncDispose]() as Promise<void>,
    };
  },
};
