import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, current, get, put, type Ref, type Session, task } from 'sheaf';
import {
  alive,
  collect,
  drainedOf,
  eventually,
  hostOptions,
  isMarked,
  LIMIT,
  mark,
  onHosts,
  PATIENCE_MS,
  pidOf,
  scratch,
  untilMarked,
  within,
} from './support.ts';

const MiB = 1024 ** 2;

const where = task((n: number) => ({ n, worker: current().worker, pid: process.pid, attempt: current().attempt }));
const whereLater = task(async (n: number) => {
  await sleep(n % 3);
  return { n, worker: current().worker, pid: process.pid, attempt: current().attempt };
});
const later = task(async (ms: number, value: number) => {
  await sleep(ms);
  return value;
});
const fills = task((bytes: number, x: number) => new Uint8Array(bytes).fill(x));
const puts = task((bytes: number, x: number) => put(new Uint8Array(bytes).fill(x)));
const putsNested = task((bytes: number, x: number) => [put(new Uint8Array(bytes).fill(x))]);
const calls = task((n: number) => later(20, n));
const callsNested = task((n: number) => [later(20, n)]);
const puttingOnce = task((folder: string) => {
  mark(folder, 'owner');
  return [put(1)];
});
const gate = task(async (folder: string) => {
  mark(folder, 'gate');
  await untilMarked(folder, 'open');
}).with({ cpus: 0 });
const waitsAndCalls = task(async ([ref]: [Ref<void>], folder: string): Promise<[string, number]> => {
  const open = ref.value;
  mark(folder, 'waits');
  await open;
  return [current().worker, await later(0, 3).value];
});
const once = { maxCalls: 1 } as const;

const repeated = (session: Session): number[] => {
  const { resubmitted, retried, failed } = session.stats().tasks;
  return [resubmitted as number, retried as number, failed as number];
};

onHosts('maxCalls', { cpus: 2, memory: '64MiB' }, (session, isolation) => {
  for (const [name, each] of [
    ['synchronous', where],
    ['asynchronous', whereLater],
  ] as const) {
    test(`a worker is replaced after so many runs of a function; nothing is lost (${name})`, LIMIT, async () => {
      const before = repeated(session());
      const limited = each.with({ maxCalls: 3 });
      const results = await within(PATIENCE_MS, get(Array.from({ length: 30 }, (_, n) => limited(n))));
      const runs = new Map<string, number>();
      results.forEach(({ n, worker, attempt }, i) => {
        assert.deepEqual([n, attempt], [i, 0]);
        runs.set(worker, (runs.get(worker) ?? 0) + 1);
      });
      for (const [worker, count] of runs) assert.ok(count <= 3, `${count} runs on worker ${worker}`);
      if (isolation === 'process') assert.equal(new Set(results.map(({ pid }) => pid)).size, runs.size);
      assert.deepEqual(repeated(session()), before, 'nothing ran twice, was charged, or failed');
    });
  }

  test('what a replaced worker has made stays', LIMIT, async () => {
    const refs = Array.from({ length: 6 }, (_, x) => fills.with(once)(MiB, x));
    const values = await within(PATIENCE_MS, get(refs));
    for (const [x, value] of values.entries()) assert.ok(value.length === MiB && value.every((each) => each === x));
  });

  // It owns what it has put: were it replaced at once, that would be lost.
  test('what a worker owns and others hold keeps it from being replaced', LIMIT, async () => {
    for (let x = 0; x < 4; x++) {
      const [inner] = (await putsNested.with(once)(MiB, x).value) as [Ref<Uint8Array>];
      await within(PATIENCE_MS, get([where.with(once)(1), where.with(once)(2)]));
      const value = await within(PATIENCE_MS, inner.value);
      assert.ok(value.length === MiB && value.every((each) => each === x));
      const whole = await within(PATIENCE_MS, puts.with(once)(MiB, x).value);
      assert.ok(whole.length === MiB && whole.every((each) => each === x));
      assert.equal(await within(PATIENCE_MS, calls.with(once)(x).value), x);
      const [called] = (await callsNested.with(once)(x).value) as [Ref<number>];
      assert.equal(await within(PATIENCE_MS, called.value), x);
    }
  });

  // It took nothing more, and was lent out all the same for what its own tasks called: first of all workers, for ever.
  test('what a task calls on a worn-out worker runs', LIMIT, async () => {
    await using one = await connect({ cpus: 1, memory: '16MiB', ...hostOptions(isolation) });
    await one.run(async () => {
      const folder = scratch();
      const opens = gate(folder);
      await eventually(() => isMarked(folder, 'gate'), 'the gate has a worker of its own');
      const calling = waitsAndCalls([opens], folder);
      await eventually(() => isMarked(folder, 'waits'), 'it waits');
      const { worker } = await where.with(once)(1).value;
      mark(folder, 'open');
      assert.deepEqual(await within(PATIENCE_MS, calling.value), [worker, 3]);
    });
  });

  test('it is replaced once that is let go', LIMIT, async () => {
    const folder = scratch();
    const outer = puttingOnce.with(once)(folder);
    const [inner] = (await outer.value) as [Ref<number>];
    assert.equal(await inner.value, 1);
    outer.release();
    inner.release();
    if (isolation === 'process') {
      await eventually(async () => {
        // It may own what the tests before this one have dropped, and the garbage collector has not found.
        await collect();
        return !alive(pidOf(folder, 'owner'));
      }, 'its process has ended');
    }
    await drainedOf(session());
    assert.equal((await where(1).value).n, 1);
  });
});
