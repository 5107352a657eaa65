/** Many tasks: what each costs as they become a million, run as they come or queued first. */
import { connect, get, type Ref, task } from 'sheaf';
import { type Experiment, median } from '../harness.ts';
import type { Group, Settings } from '../suite.ts';

const noop = task(() => undefined);
const WINDOW = 1000;
/** Costs may differ by this factor from the cheapest to the dearest size, or by as much as those of bare records do. */
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

/** As many fields as the record of a pending task, its cell and its handle have together, in three objects: 540 bytes. */
const bareOf = (fields: number): (() => Record<string, unknown>) => {
  const template = Object.fromEntries(Array.from({ length: fields }, (_, i) => [`field${i}`, null]));
  return () => ({ ...template });
};
const [newTask, newCell, newHandle] = [bareOf(30), bareOf(18), bareOf(6)];

/**
 * What V8 itself asks for so many records, kept and touched once more: next to nothing while they are young, and mostly for
 * collecting garbage when there are many. No queue of JavaScript objects can do without.
 */
function bareRecords(count: number): number {
  const start = performance.now();
  const kept: Record<string, unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const task = newTask();
    const cell = newCell();
    task.field1 = cell;
    cell.field1 = task;
    task.field2 = newHandle();
    kept.push(task);
  }
  for (const task of kept) {
    task.field3 = kept;
    (task.field1 as Record<string, unknown>).field2 = task;
  }
  return ((performance.now() - start) * 1000) / count;
}

const bare = {
  run(count: number): number {
    const costs: number[] = [];
    for (let done = 0; done < count; done += WINDOW) costs.push(bareRecords(WINDOW));
    return median(costs);
  },
  queued: bareRecords,
};

/** Of the costs measured so far, by size: the dearest in relation to the cheapest. */
function spreadOf(costs: readonly number[]): number {
  const measured = costs.filter((cost) => cost > 0);
  if (measured.length < 2) throw new Error('needs the rows of the single sizes before it');
  return Math.max(...measured) / Math.min(...measured);
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
    for (const shape of ['run', 'queued'] as const) {
      const body = shapes[shape];
      const medians: number[] = [];
      const records: number[] = [];
      for (const count of sizes(quick)) {
        const samples: number[] = [];
        const bareSamples: number[] = [];
        // A thousand tasks are over in milliseconds: repeated until they are as many as a steady figure needs.
        const steady = async (of: (count: number) => Promise<number>): Promise<number> => {
          const costs: number[] = [];
          for (let i = 0; i < Math.max(1, 20_000 / count); i++) costs.push(await of(count));
          return median(costs);
        };
        experiments.push({
          name: `cost per task, ${shape}, ${label(count)}`,
          unit: 'us/task',
          better: 'less',
          pairs: count >= 1e6 ? 3 : 5,
          async ours() {
            const cost = await steady(body);
            samples.push(cost);
            medians[Math.log10(count)] = median(samples);
            return cost;
          },
          peers: {
            async records() {
              const cost = await steady(async (count) => bare[shape](count));
              bareSamples.push(cost);
              records[Math.log10(count)] = median(bareSamples);
              return cost;
            },
          },
        });
      }
      experiments.push({
        name: `cost per task, ${shape}, dearest to cheapest`,
        unit: 'ratio',
        better: 'less',
        pairs: 1,
        ours: () => spreadOf(medians),
        // Nothing that keeps its records as JavaScript objects can be flatter than they are.
        peers: { records: () => Math.max(FLAT, spreadOf(records)) },
        requires: { tier: 'gate', ratios: { records: 1 } },
      });
    }
    return { experiments, close: () => session[Symbol.asyncDispose]() as Promise<void> };
  },
};
