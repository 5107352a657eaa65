import type { Capacity, OwnerLimits, Placement, SchedulerLimits, Shape } from '../../protocol/index.ts';
import type { ProgramConfig, TaskSpec } from './program.ts';
import { mix, Random } from './random.ts';

/** Everything that a seed decides. Times in microseconds where not said otherwise. */
export interface Config {
  readonly seed: number;
  readonly capacity: Capacity;
  readonly owner: OwnerLimits;
  readonly scheduler: SchedulerLimits;
  readonly shapes: readonly Shape[];
  readonly program: ProgramConfig;
  readonly root: TaskSpec;
  readonly prestart: number;
  /** Mean delay of a message; how often it is twenty times or four hundred times that. */
  readonly delay: number;
  readonly burst: number;
  readonly stall: number;
  /** Share of links on which everything takes fifty times as long. */
  readonly slowLinks: number;
  /** How long a worker needs to start. */
  readonly startup: number;
  /** Mean time between crashes of some worker; 0 for none. */
  readonly crashEvery: number;
  readonly crashes: number;
  /** At most so long between losses of values in shared memory; 0 for none. */
  readonly loseEvery: number;
  /** Hosts end the runs of dead callers at once; others let them finish. */
  readonly endsOrphans: boolean;
  /** Pushes not yet begun that a link has room for. */
  readonly room: number;
  /** Workers look at all that was pushed to them for the deepest task, not only at the first of each link. */
  readonly anyOrder: boolean;
  /** How often a host puts off `settleUp`. */
  readonly lazy: number;
}

const PLAIN: Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };

/** Any of the candidates; at a rate of `waits`, none. */
function anywhere(random: Random, waits: number): Placement {
  return (_wish, candidates) => (random.chance(waits) ? undefined : random.pick([...candidates]));
}

export function configure(seed: number): Config {
  const random = new Random(mix(seed, 101) * 4096 + (seed % 4096));
  const cpus = random.between(1, 5);
  const gpus = random.int(3);
  const capacity: Capacity = { cpus, gpus, memory: 1000, custom: { db: 2 } };
  const shapes: Shape[] = [PLAIN];
  const program: { mayWait: boolean; feasible: boolean }[] = [{ mayWait: true, feasible: true }];
  const add = (rate: number, shape: Partial<Shape>, mayWait: boolean, feasible = true): void => {
    if (!random.chance(rate)) return;
    shapes.push({ ...PLAIN, ...shape });
    program.push({ mayWait, feasible });
  };
  add(0.4, { cpus: 0.5 }, true);
  add(0.3, { cpus: 0.1 }, true);
  add(0.3, { cpus: 0 }, true);
  add(0.3, { cpus }, true);
  add(0.3, { cpus: Math.max(1, cpus - 1) }, true);
  add(0.25, { isolation: 'thread' }, true);
  // What is not given back while a task waits must not be needed by what it waits for.
  add(0.3, { cpus: 0, custom: { db: 1 } }, false);
  add(0.2, { custom: { db: 2 } }, false);
  add(0.2, { memory: 400 }, false);
  if (gpus > 0) {
    add(0.3, { gpus: 1 }, false);
    add(0.3, { gpus: 0.4, cpus: 0 }, false);
  }
  add(0.1, { cpus: cpus + 1 }, true, false);
  add(0.1, { custom: { licence: 1 } }, true, false);
  const crashing = random.chance(0.5);
  return {
    seed,
    capacity,
    shapes,
    owner: {
      depth: random.pick([1, 2, 4, 16, 1000]),
      calls: 1000,
      window: random.pick([1, 100, 1000, 1000, 10_000]),
      stack: random.pick([0, 50, 50, 500]),
      idle: random.pick([2, 50, 500]),
      idleWanted: random.pick([1, 10]),
      stall: random.pick([1, 5, 5, 50]),
      uncharged: random.pick([0, 1, 16, 16]),
      lineage: random.pick([0, 300, 1000, 1e6]),
    },
    scheduler: {
      // Two of them are no workers.
      parties: random.pick([64, 64, 64, 16, 8, 5, 4]),
      stacked: random.pick([2, 4, 64, 64]),
      quantum: random.pick([1, 10, 10]),
      standstill: 1000,
      ...(random.chance(0.3) ? { placement: anywhere(new Random(mix(seed, 13)), random.pick([0, 0.3, 1])) } : {}),
    },
    program: {
      shapes: program,
      cancelRate: random.chance(0.5) ? 0 : random.pick([0.3, 1]),
      throwRate: random.pick([0, 0.03, 0.1]),
      largeRate: random.pick([0, 0.3]),
      passRate: random.pick([0.2, 0.5, 0.8]),
      stashRate: random.pick([0.03, 0.1, 0.2]),
      streamRate: random.pick([0, 0.1, 0.3]),
      work: random.pick([10, 200, 3000]),
    },
    root: {
      seed: mix(seed, 7),
      size: random.pick([5, 10, 20, 30, 60]),
      results: 1,
      retries: 0,
      retryErrors: false,
      failUntil: 0,
      shape: 0,
      ahead: 0,
    },
    prestart: random.chance(0.5) ? random.int(cpus + 1) : 0,
    delay: random.pick([1, 20, 200]),
    burst: random.pick([0, 0.05]),
    stall: random.pick([0, 0.02]),
    slowLinks: random.pick([0, 0, 0.2, 0.5]),
    startup: random.pick([100, 5000, 50_000]),
    crashEvery: crashing ? random.pick([200, 1000, 5000, 50_000]) : 0,
    crashes: random.pick([1, 3, 8]),
    loseEvery: random.chance(0.3) ? random.pick([200, 2000]) : 0,
    endsOrphans: random.chance(0.7),
    room: random.pick([1, 4, 1000, 1000]),
    anyOrder: random.chance(0.3),
    lazy: random.pick([0, 0.3]),
  };
}
