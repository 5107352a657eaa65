/**
 * Random lives of the state machines of `src/protocol` and of spilling, for the drawings of their states: what becomes of each
 * after whatever may happen to it, in any order. Where a machine has no word for its state, the word is made here of what it says.
 */
import { type SpillLimits, SpillRules } from '../src/memory/spill.rules.ts';
import { FakeHost, idOf, NODE, SHAPE, settled } from '../src/protocol/fake-ports.fixture.ts';
import {
  ActorTable,
  addressKey,
  Cell,
  Directory,
  Executor,
  Intake,
  type Lease,
  Outflow,
  Run,
  SCHEDULER_LIMITS,
  Scheduler,
  type TaskRecord,
  Timing,
} from '../src/protocol/index.ts';

type Step = () => void;
export type Life = (
  below: (n: number) => number,
  saw: (what: unknown, state: string) => void,
) => { steps: Step[]; look: Step };

/** Park and Miller's generator. */
export function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

/** All changes of state in many lives, as `FROM --> TO`; what is new has no state before. */
export function changesIn(life: Life, seeds = 300, length = 200): Set<string> {
  const changes = new Set<string>();
  for (let seed = 1; seed <= seeds; seed++) {
    const below = chance(seed);
    const states = new Map<unknown, string>();
    const { steps, look } = life(below, (what, state) => {
      const before = states.get(what);
      if (before !== undefined && before !== state) changes.add(`${before} --> ${state}`);
      states.set(what, state);
    });
    look();
    for (let i = 0; i < length; i++) {
      steps[below(steps.length)]!();
      look();
    }
  }
  return changes;
}

// ---- leases, as their owner has them

export const leaseLife: Life = (below, saw) => {
  const host = new FakeHost(2);
  const { owner } = host.party;
  const timing = new Timing();
  timing.observe(10);
  const known = new Set<Lease>();
  const tasks: TaskRecord[] = [];
  const pushed = () => tasks.filter((task) => task.lease !== null);
  const pick = <T>(list: readonly T[]): T | undefined => list[below(Math.max(1, list.length))];
  let id = 0;
  const steps: Step[] = [
    () => tasks.push(host.task({ timing })),
    () => {
      owner.granted(host.party.owner.queue(SHAPE).id, ++id, 10 + below(3), 1, []);
      owner.settleUp();
    },
    () => {
      const task = pick(pushed());
      if (task !== undefined) host.answer(task);
    },
    () => {
      const task = pick(pushed());
      if (task !== undefined) host.begin(task);
    },
    () => {
      const task = pick(tasks);
      if (task !== undefined) owner.cancel(task, 'cancelled', false);
    },
    () => {
      const lease = pick([...known]);
      if (lease !== undefined) owner.reclaim(lease.id);
    },
    () => {
      if (below(3) > 0) return;
      const worker = pick([...known])?.worker;
      if (worker !== undefined)
        host.party.fromControl({ type: 'died', party: worker, incarnation: 1, reason: 'by chance' });
    },
    () => {
      owner.now += below(3) === 0 ? 600 : below(10);
      owner.tick();
    },
  ];
  const look = (): void => {
    const held = new Set(owner.queues.flatMap((queue) => queue.leases));
    for (const lease of held) known.add(lease);
    for (const lease of known) {
      saw(lease, held.has(lease) ? stateOfLease(lease) : 'GONE');
      if (!held.has(lease)) known.delete(lease);
    }
  };
  return { steps, look };
};

function stateOfLease({ inFlight, reclaimed, stalled }: Lease): string {
  if (reclaimed) return 'RECLAIMED';
  if (inFlight === 0) return 'IDLE';
  return stalled ? 'STALLED' : 'BUSY';
}

// ---- workers, as the scheduler has them

export const workerLife: Life = (below, saw) => {
  const spawned: { worker: number; incarnation: number }[] = [];
  const grants: { owner: string; lease: number }[] = [];
  const known = new Set<string>();
  const buried: number[] = [];
  const scheduler = new Scheduler(
    {
      spawn: (worker, incarnation) => spawned.push({ worker, incarnation }),
      grant: (owner, _key, lease) => grants.push({ owner, lease }),
      reclaim: () => {},
      wanted: () => {},
      infeasible: () => {},
      retire: () => true,
    },
    { cpus: 3, gpus: 0, memory: 1000, custom: {} },
    { ...SCHEDULER_LIMITS, parties: 5 },
  );
  for (const party of [0, 1]) scheduler.reserve(party);
  const owners = [1, 1, 2, 3].map((party) => addressKey({ node: NODE, party, incarnation: 1 }));
  const pick = <T>(list: readonly T[]): T | undefined => list[below(Math.max(1, list.length))];
  const steps: Step[] = [
    () => {
      const isolation = below(3) === 0 ? 'thread' : 'process';
      scheduler.demand(pick(owners)!, isolation === 'thread' ? 1 : 0, { ...SHAPE, isolation }, below(4));
    },
    () => {
      const next = spawned.shift();
      if (next !== undefined) scheduler.workerStarted(next.worker, next.incarnation);
    },
    () => {
      const grant = grants.splice(below(Math.max(1, grants.length)), 1)[0];
      if (grant !== undefined) scheduler.returned(grant.owner, grant.lease);
    },
    () => {
      const row = pick(scheduler.workers());
      if (row !== undefined) scheduler.blocked(row.worker, row.incarnation, below(2) === 0);
    },
    () => {
      const row = below(3) === 0 ? pick(scheduler.workers()) : undefined;
      if (row === undefined) return;
      scheduler.workerDied(row.worker, row.incarnation);
      buried.push(row.worker);
    },
    () => {
      const number = buried.shift();
      if (number !== undefined) scheduler.unreserve(number);
    },
    () => {
      scheduler.now += below(30);
      scheduler.tick();
    },
  ];
  const look = (): void => {
    const rows = new Map(scheduler.workers().map((row) => [`${row.worker}.${row.incarnation}`, row.state]));
    for (const name of rows.keys()) known.add(name);
    for (const name of known) {
      saw(name, (rows.get(name) ?? 'gone').toUpperCase());
      if (!rows.has(name)) known.delete(name);
    }
  };
  return { steps, look };
};

// ---- runs, as the worker has them

export const runLife: Life = (below, saw) => {
  const none = { grant: () => false, hold: () => {}, drop: () => {}, kept: () => [] };
  const executor = new Executor(none as unknown as ConstructorParameters<typeof Executor>[0]);
  const runs = new Map<Run, boolean>();
  const pick = () => [...runs.keys()][below(Math.max(1, runs.size))];
  const steps: Step[] = [
    () => {
      const depth = 1 + below(3);
      if (!executor.mayStart(depth, false, below(2) === 0)) return;
      const run = new Run(1 + below(2), 0, depth, false);
      runs.set(run, false);
      executor.started(run);
    },
    () => {
      const run = pick();
      if (run !== undefined) executor.suspend(run);
    },
    () => {
      const run = pick();
      if (run !== undefined) executor.resume(run);
    },
    () => {
      const run = pick();
      if (run === undefined) return;
      executor.finish(run, [], undefined);
      runs.set(run, true);
    },
  ];
  const look = (): void => {
    for (const [run, ended] of runs) {
      saw(run, ended ? 'ENDED' : run.suspended > 0 ? 'SUSPENDED' : 'PLACED');
      if (ended) runs.delete(run);
    }
  };
  return { steps, look };
};

// ---- entries of the directory

export const entryLife: Life = (below, saw) => {
  let answer = 'PROMOTED';
  const directory = new Directory<unknown>(NODE, {
    resolved: () => {
      answer = 'SETTLED';
    },
    lost: () => {
      answer = 'LOST';
    },
    freed: () => {},
    keep: () => {},
    drop: () => {},
  });
  const keyOf = (party: number): string => addressKey({ node: NODE, party, incarnation: 1 });
  const owner = keyOf(2);
  const id = idOf(2, 1);
  let promoted = false;
  let owned = true;
  /** 0 is alive, 1 has died, 2 is buried. */
  let dead = 0;
  /** Holders, and whose word it is that they hold it: each addition is given back by one removal. */
  const holders = [
    [3, 2],
    [3, 7],
    [4, 7],
  ] as const;
  const added = [...holders];
  const removed = [...holders];
  const speaks = () => promoted && owned && dead === 0;
  const steps: Step[] = [
    () => {
      const [party, by] = added.pop() ?? [];
      if (party !== undefined) directory.add(id, keyOf(party), `${NODE}.${by}`);
    },
    () => {
      const [party, by] = (below(3) === 0 ? removed.pop() : undefined) ?? [];
      if (party !== undefined) directory.remove(id, keyOf(party), 1, `${NODE}.${by}`);
    },
    () => {
      if (promoted || dead > 0) return;
      promoted = true;
      directory.promote(id, below(2) === 0 ? settled('x') : null);
    },
    () => {
      if (speaks()) directory.settle(id, settled('x'));
    },
    () => {
      if (speaks() && below(3) === 0) directory.unsettle(id);
    },
    () => {
      if (!speaks() || below(5) > 0) return;
      owned = false;
      directory.remove(id, owner, 1, null);
    },
    () => {
      if (below(10) > 0 || dead > 1) return;
      dead++;
      if (dead === 1) directory.partyDying(owner);
      else directory.partyDied(owner);
    },
  ];
  const look = (): void => {
    let state = directory.strays > 0 ? 'EXPECTED' : 'NONE';
    if (directory.size > 0) {
      // It is what somebody hears who asks for the value.
      answer = 'PROMOTED';
      directory.resolve(id, keyOf(5));
      state = answer;
    }
    saw(directory, state);
  };
  return { steps, look };
};

// ---- actors, as the control thread has them

export const actorLife: Life = (below, saw) => {
  const table = new ActorTable<string>({ tell: () => {}, retire: () => {}, ownerDied: () => 'its owner has died' });
  const id = idOf(2, 1);
  const keyOf = (party: number): string => addressKey({ node: NODE, party, incarnation: 1 });
  table.created(id, 'default', null);
  let worker = -1;
  let gone = false;
  const steps: Step[] = [
    () => table.watch(id, keyOf(3 + below(2)), true),
    () => {
      if (worker >= 0) return;
      worker = 5 + below(2);
      table.hosted(id, worker, 1, false);
    },
    () => {
      if (worker >= 0) table.hosted(id, worker, 1, true);
    },
    () => {
      if (worker < 0 || below(2) === 0) return;
      table.workerDied(worker, 1);
      worker = -1;
    },
    () => {
      if (below(10) === 0) table.drain(id);
    },
    () => table.quiet(id, keyOf(3 + below(2))),
    () => {
      if (below(10) === 0) table.over(id, below(2) === 0 ? null : 'no restarts are left');
    },
    () => {
      if (below(10) === 0) table.forget(id);
    },
    () => {
      if (below(20) === 0) table.partyDied(keyOf(2));
    },
  ];
  const look = (): void => {
    const row = table.rows()[0];
    // What is not in the table any more has ended.
    gone ||= row === undefined;
    saw(table, gone ? 'DEAD' : row!.state.toUpperCase());
  };
  return { steps, look };
};

// ---- both ends of a stream

export const producerLife: Life = (below, saw) => {
  const ahead = 1 + below(4);
  const taken = below(3);
  const skip = taken + below(ahead + 1);
  const outflow = new Outflow({ skip, taken, ahead }, 100);
  let consumed = taken;
  const steps: Step[] = [
    () => {
      if (outflow.open) outflow.gave(outflow.skips ? 0 : below(80));
    },
    () => {
      if (consumed < outflow.next) outflow.more(++consumed);
    },
  ];
  return { steps, look: () => saw(outflow, outflow.skips ? 'SKIPPING' : outflow.open ? 'OPEN' : 'FULL') };
};

export const consumerLife: Life = (below, saw) => {
  const intake = new Intake(16);
  const steps: Step[] = [
    () => {
      if (intake.accept(intake.received)) intake.add(below(2) === 0 ? new Cell() : 1);
    },
    () => {
      if (intake.size > 0) intake.take();
    },
    () => {
      if (below(20) === 0) intake.close(() => {});
    },
  ];
  return { steps, look: () => saw(intake, intake.closed ? 'LEFT' : intake.size > 0 ? 'READY' : 'EMPTY') };
};

// ---- spilling

const SPILLING: SpillLimits = {
  pages: 100,
  regionPages: 100,
  high: 80,
  low: 70,
  batchPages: 20,
  batchObjects: 3,
  writing: 2,
  pause: 500,
};

export const spillLife: Life = (below, saw) => {
  const rules = new SpillRules<{
    name: string;
    start: number;
    end: number;
    idle: boolean;
    copied: boolean;
    usedAt: number;
  }>(SPILLING);
  const pieces = Array.from({ length: 10 }, (_, i) => ({
    name: `o${i}`,
    start: i * 10,
    end: i * 10 + 10,
    idle: true,
    copied: false,
    usedAt: i,
  }));
  const files: (readonly (typeof pieces)[number][])[] = [];
  let now = 0;
  const steps: Step[] = [
    () => {
      const { write } = rules.look(pieces, 60 + below(40), below(2) === 0 ? 0 : 1 + below(20), now);
      if (write.length > 0) files.push(write);
    },
    () => {
      const file = files.shift();
      if (file !== undefined) rules.written(file);
    },
    () => {
      const file = below(2) === 0 ? files.shift() : undefined;
      if (file !== undefined) rules.failed(file, now);
    },
    () => {
      now += below(400);
    },
  ];
  const look = (): void => {
    saw(rules, rules.retryIn(now) !== undefined ? 'PAUSED' : rules.files > 0 ? 'WRITING' : 'RESTING');
  };
  return { steps, look };
};
