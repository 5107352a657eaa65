import assert from 'node:assert/strict';
import { test } from 'node:test';
import { current, get, type Ref, type Session, task, WorkerDiedError } from 'sheaf';
import {
  alive,
  eventually,
  failure,
  LIMIT,
  mark,
  marks,
  onHosts,
  PATIENCE_MS,
  scratch,
  untilMarked,
  within,
} from './support.ts';

/** What the others wait for. It takes no core, so that it is in nobody's way. */
const gate = task(async (folder: string) => {
  mark(folder, 'gate');
  await untilMarked(folder, 'open');
  return 1;
}).with({ cpus: 0 });

/** Shares its worker with others of its kind while it waits. */
const waits = task(async ([ref]: [Ref<number>], folder: string, n: number) => {
  const value = ref.value;
  // By then it is not on the stack any more.
  setImmediate(() => mark(folder, `${n}-${process.pid}`));
  return { sum: (await value) + n, attempt: current().attempt };
});

/** Gives its place up once, and ends its worker when it has it back. */
const waitsAndExits = task(async ([ref]: [Ref<number>], folder: string) => {
  const value = ref.value;
  mark(folder, `guilty-${process.pid}-${current().attempt}`);
  await value;
  process.exit(3);
});

interface Mark {
  readonly n: string;
  readonly pid: number;
}

/** The newest worker on which each task has begun. */
function places(folder: string, dead: ReadonlySet<number>): Mark[] {
  return marks(folder)
    .map((name) => /^(\d+)-(\d+)$/.exec(name))
    .filter((match) => match !== null)
    .map(([, n, pid]) => ({ n: n as string, pid: Number(pid) }))
    .filter(({ pid }) => !dead.has(pid));
}

const repeated = (session: Session): [resubmitted: number, retried: number] => {
  const { resubmitted, retried } = session.stats().tasks;
  return [resubmitted as number, retried as number];
};

onHosts(
  'bystanders',
  { cpus: 1, memory: '16MiB' },
  (session) => {
    test('tasks that wait on a worker when it is killed run again, and none of them is charged', LIMIT, async () => {
      const COUNT = 6;
      const folder = scratch();
      const opens = gate(folder);
      await eventually(() => marks(folder).includes('gate'), 'the gate is there');
      const before = repeated(session());
      // One retry, and more deaths than that.
      const refs = Array.from({ length: COUNT }, (_, n) => waits.with({ retries: 1 })([opens], folder, n));
      const dead = new Set<number>();
      let expected = 0;
      for (let round = 0; round < 3; round++) {
        await eventually(() => places(folder, dead).length === COUNT, `all wait, for the ${round + 1}. time`);
        const shared = places(folder, dead);
        const pids = shared.map(({ pid }) => pid);
        const victim = pids.reduce((a, b) => (count(pids, b) > count(pids, a) ? b : a));
        assert.ok(count(pids, victim) > 1, `several share a worker: ${pids}`);
        expected += count(pids, victim);
        dead.add(victim);
        process.kill(victim, 'SIGKILL');
        await eventually(() => !alive(victim), 'it is dead');
      }
      await eventually(() => places(folder, dead).length === COUNT, 'all wait once more');
      mark(folder, 'open');
      const results = await within(PATIENCE_MS, get(refs));
      assert.deepEqual(
        results,
        Array.from({ length: COUNT }, (_, n) => ({ sum: n + 1, attempt: 0 })),
      );
      const after = repeated(session());
      assert.deepEqual([after[0] - before[0], after[1] - before[1]], [expected, 0], 'resubmitted, and not retried');
    });

    test('those beside a task that ends their worker go on, and only that one pays', LIMIT, async () => {
      const folder = scratch();
      const opens = gate(folder);
      const late = scratch();
      const never = gate(late);
      const guilty = waitsAndExits.with({ retries: 2 })([opens], folder);
      const refs = Array.from({ length: 4 }, (_, n) => waits.with({ retries: 1 })([never], folder, n));
      await eventually(() => marks(folder).length === 6, 'all wait');
      const [, retried] = repeated(session());
      mark(folder, 'open');
      const error = await failure(guilty.value);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /attempt 3/);
      mark(late, 'open');
      assert.deepEqual(
        await within(PATIENCE_MS, get(refs)),
        Array.from({ length: 4 }, (_, n) => ({ sum: n + 1, attempt: 0 })),
      );
      assert.equal(repeated(session())[1] - retried, 2, 'the two retries of the guilty one');
    });
  },
  ['process'],
);

function count(pids: readonly number[], pid: number): number {
  return pids.filter((each) => each === pid).length;
}
