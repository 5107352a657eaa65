import { type ArrayQueues, type ArrayVictims, InternalError } from '../../base/index.ts';

/** Who takes part: `workers` of them, numbered from 0, in `groups` groups. */
export interface Crew {
  readonly workers: number;
  readonly groups: number;
}

/** The queues that a crew has. Chunk c is in queue c mod count, at place c div count: dealt one by one, as DAPHNE does. */
export interface Queues {
  readonly count: number;
  readonly chunks: number;
}

export const queuesOf = (layout: ArrayQueues, { workers, groups }: Crew, chunks: number): Queues => ({
  count: layout === 'CENTRALIZED' ? 1 : layout === 'PERGROUP' ? Math.min(groups, workers) : workers,
  chunks,
});

/** How many chunks are in a queue. */
export const lengthOf = ({ count, chunks }: Queues, queue: number): number =>
  queue >= chunks ? 0 : Math.ceil((chunks - queue) / count);

/** The chunk at a place of a queue. */
export const chunkAt = ({ count }: Queues, queue: number, place: number): number => place * count + queue;

/** The group of a worker. Workers are not bound to cores, so groups are a matter of numbers. */
const groupOf = ({ groups }: Crew, worker: number): number => worker % groups;

/**
 * The queues that a worker looks at, its own one first. `random` gives numbers from 0 up to 1.
 */
export function orderOf(
  layout: ArrayQueues,
  victims: ArrayVictims,
  crew: Crew,
  worker: number,
  random: () => number,
): readonly number[] {
  if (!(worker >= 0 && worker < crew.workers))
    throw new InternalError(`worker ${worker} is none of the ${crew.workers} that take part`);
  const { count } = queuesOf(layout, crew, 0);
  if (count === 1) return [0];
  const own = layout === 'PERCPU' ? worker : groupOf(crew, worker) % count;
  let others = Array.from({ length: count - 1 }, (_, i) => (own + 1 + i) % count);
  if (victims.startsWith('RANDOM')) others = shuffled(others, random);
  // Of queues that are of groups none but the own one is near.
  if (victims.endsWith('PRI') && layout === 'PERCPU') {
    const near = (queue: number): boolean => groupOf(crew, queue) === groupOf(crew, own);
    others = [...others.filter(near), ...others.filter((queue) => !near(queue))];
  }
  return [own, ...others];
}

function shuffled(items: readonly number[], random: () => number): number[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as number, all[i] as number];
  }
  return all;
}
