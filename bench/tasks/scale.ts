/** Many tasks: what each costs as they become a million, run as they come or queued first. */
import { connect, get, type Ref, task } from 'sheaf';
import { type Experiment, median } from '../harness.ts';
import type { Group, Settings } from './suite.ts';

const noop = task(() => undefined);
const WINDOW = 1000;
/** Costs may differ by this factor from the cheapest to the dearest size. */
const FLAT = 2;

async function finish(refs: readonly Ref<undefined>[]): Promise<void> {
  await get(refs);
  for (const ref of refs) ref.release();
}

/** Microseconds per task when at most a window of them exists at a time. */
async function run(count: number): Promise<number> {
  const start = performance.now();
  for (let done = 0; done < count; done += WINDOW) {
    await finish(Array.from({ length: Math.min(WINDOW, count - done) }, () => noop()));
  }
  return ((performance.now() - start) * 1000) / count;
}

/** Microseconds per task when all are submitted before the first is waited for. */
async function queued(count: number): Promise<number> {
  const start = performance.now();
  await finish(Array.from({ length: count }, () => noop()));
  return ((performance.now() - start) * 1000) / count;
}

const sizes = (quick: boolean) => (quick ? [1e3, 1e4, 1e5] : [1e3, 1e4, 1e5, 1e6]);
const label = (count: number) => `10^${Math.round(Math.log10(count))}`;
const shapes = { run, queued };

export const scale: Group = {
  names: Object.keys(shapes).flatMap((shape) => [
    ...sizes(false).map((count) => `cost per task, ${shape}, ${label(count)}`),
    `cost per task, ${shape}, dearest to cheapest`,
  ]),
  async open({ cpus, quick }: Settings) {
    const session = await connect({ cpus });
    await run(20_000);
    const experiments: Experiment[] = [];
    for (const [shape, body] of Object.entries(shapes)) {
      const medians: number[] = [];
      for (const count of sizes(quick)) {
        const samples: number[] = [];
        experiments.push({
          name: `cost per task, ${shape}, ${label(count)}`,
          unit: 'us/task',
          better: 'less',
          pairs: count >= 1e6 ? 3 : 5,
          async ours() {
            // A thousand tasks are over in milliseconds: repeated until they are as many as a steady figure needs.
            const repeats = Math.max(1, 20_000 / count);
            const costs: number[] = [];
            for (let i = 0; i < repeats; i++) costs.push(await body(count));
            samples.push(median(costs));
            medians[Math.log10(count)] = median(samples);
            return median(costs);
          },
        });
      }
      experiments.push({
        name: `cost per task, ${shape}, dearest to cheapest`,
        unit: 'ratio',
        better: 'less',
        pairs: 1,
        ours() {
          const measured = medians.filter((cost) => cost > 0);
          if (measured.length < 2) throw new Error('needs the rows of the single sizes before it');
          return Math.max(...measured) / Math.min(...measured);
        },
        requires: { tier: 'gate', target: FLAT },
      });
    }
    return { experiments, close: () => session[Symbol.asyncDispose]() as Promise<void> };
  },
};
