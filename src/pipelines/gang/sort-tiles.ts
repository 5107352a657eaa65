import { DoubleSort, type DoublesToSort } from '../../kernels/index.ts';
import type { RunnerOf } from './work.ts';

/** Doubles are put into buckets in so many parts for each participant. */
export const PARTS_OF_SORT = 4;
/** The buckets are sorted in so many chunks for each. */
const CHUNKS = 12;
/** What a double takes in each step, in milliseconds. */
const MS = { count: 1.7e-6, scatter: 2e-6, finish: 6e-6 } as const;

/** A step of sorting: its rows are parts, or for `finish` buckets. */
export interface SortPlan extends DoublesToSort {
  readonly step: 'count' | 'scatter' | 'finish';
}

export const sortTiles: RunnerOf<SortPlan> = (plan, memory, participant) => {
  const sort = new DoubleSort(plan, memory);
  return (_chunk, from, to) => {
    if (plan.step === 'finish') return sort.finish(from, to, participant);
    for (let part = from; part < to; part++) {
      if (plan.step === 'count') sort.count(part);
      else sort.scatter(part, participant);
    }
  };
};

/** Sorts doubles, each step by all participants: `run` has them compute chunks of rows, for which one thread is expected to take so many milliseconds. */
export async function sortInSteps(
  plan: DoublesToSort,
  memory: WebAssembly.Memory,
  run: (step: SortPlan, chunks: readonly number[], expected: number) => Promise<void>,
): Promise<void> {
  const { count, parts, threads } = plan;
  const sort = new DoubleSort(plan, memory);
  const all = Array.from({ length: parts + 1 }, (_, part) => part);
  sort.begin();
  await run({ ...plan, step: 'count' }, all, MS.count * count);
  const before = sort.place();
  await run({ ...plan, step: 'scatter' }, all, MS.scatter * count);
  const chunks = [0];
  let done = 0;
  for (let bucket = 1; bucket < before.length; bucket++) {
    const here = before[bucket] as number;
    if (bucket < before.length - 1 && here - done < count / (CHUNKS * threads)) continue;
    chunks.push(bucket);
    done = here;
  }
  await run({ ...plan, step: 'finish' }, chunks, MS.finish * count);
  sort.end();
}
