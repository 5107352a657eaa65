import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect, remote, TimeoutError, task } from 'sheaf';
import { eventually, failure, hosts, mark, marks, onHosts, root, scratch, within } from './support.ts';

/** Far longer than any test: what waits for it never hears of it. */
const FOREVER_MS = 100_000;

const sleepy = task((ms: number) => new Promise<number>((done) => setTimeout(done, ms, ms)), { cpus: 0 });
const busy = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
});
const add = task((a: number, b: number) => a + b);
const waits = task(async (file: string) => {
  appendFileSync(file, 'x');
  return await sleepy(FOREVER_MS).value;
});
/** Waits for a task with a timeout of its own, and then never ends. */
const loopsAfter = task(async (file: string) => {
  appendFileSync(file, 'x');
  await add.with({ timeout: '30s', cpus: 0 })(1, 2).value;
  for (;;);
});
const loops = task((file: string) => {
  appendFileSync(file, 'x');
  for (;;);
});
/** Begins to wait, and goes on computing all the same. */
const waitsAndLoops = task((file: string) => {
  appendFileSync(file, 'x');
  const ignored = sleepy(FOREVER_MS).value;
  ignored.catch(() => {});
  for (;;);
});
const idles = task(async (file: string) => {
  appendFileSync(file, 'x');
  await delay(FOREVER_MS);
});
const holdsOn = task(async (folder: string, ms: number) => {
  mark(folder, 'waiting');
  await sleepy(ms).value;
  return 'done';
});
const goesOn = task(async (folder: string, file: string) => {
  appendFileSync(file, 'x');
  mark(folder, 'waiting');
  await sleepy(1500).value;
  const end = performance.now() + 2000;
  while (performance.now() < end);
  return 'done';
});
const children = task(async (folder: string) => {
  const child = cancelled(folder);
  return await child.value;
});
const cancelled = task(
  async (folder: string) => {
    const { signal } = (await import('sheaf')).current();
    mark(folder, 'begun');
    await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
    mark(folder, 'aborted');
  },
  { cpus: 0 },
);

const counter = (): string => {
  const file = join(scratch(), 'runs');
  writeFileSync(file, '');
  return file;
};
const runs = (file: string): number => readFileSync(file, 'utf8').length;

onHosts('deadlines', { cpus: 1 }, (session) => {
  for (const [what, timed] of [
    ['waits for another task', waits],
    ['waits for what is no task', idles],
    ['is in an endless loop', loops],
    ['has begun to wait, and loops instead of waiting', waitsAndLoops],
    ['loops after it has waited for a task with a timeout of its own', loopsAfter],
  ] as const) {
    test(`a task that ${what} has one run and one TimeoutError`, { timeout: 60_000 }, async () => {
      const file = counter();
      const error = await failure(timed.with({ timeout: '200ms' })(file).value, 30_000);
      assert.ok(error instanceof TimeoutError, String(error));
      assert.match(error.message, /its timeout of 200 ms/);
      assert.equal(runs(file), 1);
      assert.equal(await within(30_000, add(1, 2).value), 3);
      assert.equal(runs(file), 1, 'it does not run again later');
    });
  }

  test('a task without a timeout computes beside a waiting one whose time runs out', { timeout: 60_000 }, async () => {
    const folder = scratch();
    const before = session().stats().tasks;
    const timed = failure(holdsOn.with({ timeout: '300ms' })(folder, FOREVER_MS).value, 30_000);
    await eventually(() => marks(folder).includes('waiting'), 'the outer task waits', 30_000);
    assert.equal(await within(30_000, busy(1000).value), 1000);
    assert.ok((await timed) instanceof TimeoutError);
    const { retried, resubmitted } = session().stats().tasks;
    assert.deepEqual({ retried, resubmitted }, { retried: before.retried, resubmitted: before.resubmitted });
  });

  test('a task that goes on computes to its end, though one beside it that waits for no task has timed out', {
    timeout: 60_000,
  }, async () => {
    const folder = scratch();
    const files = [counter(), counter()] as const;
    const computing = goesOn(folder, files[0]);
    await eventually(() => marks(folder).includes('waiting'), 'the first task waits', 30_000);
    const error = await failure(idles.with({ timeout: '2s' })(files[1]).value, 30_000);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.equal(await within(30_000, computing.value), 'done');
    assert.deepEqual(files.map(runs), [1, 1]);
  });

  test('a waiting task whose time is not up goes on after another one beside it was ended', {
    timeout: 60_000,
  }, async () => {
    const folder = scratch();
    const file = counter();
    const waiting = holdsOn.with({ timeout: '60s' })(folder, 1500);
    await eventually(() => marks(folder).includes('waiting'), 'the outer task waits', 30_000);
    const error = await failure(loops.with({ timeout: '200ms' })(file).value, 30_000);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.equal(await within(30_000, waiting.value), 'done');
    assert.equal(runs(file), 1);
  });

  test('what a task has called is cancelled when its time is up', { timeout: 60_000 }, async () => {
    const folder = scratch();
    const error = await failure(children.with({ timeout: '1s' })(folder).value, 30_000);
    assert.ok(error instanceof TimeoutError, String(error));
    await eventually(() => marks(folder).includes('aborted') || !marks(folder).includes('begun'), 'aborted', 30_000);
  });
});

for (const isolation of hosts) {
  test(`the time that a function takes to load does not count (${isolation})`, { timeout: 60_000 }, async () => {
    await using session = await connect({ cpus: 1, isolation });
    const url = pathToFileURL(join(root, 'test/fixtures/conformance/slow-to-load.mjs'));
    const { one } = remote<{ one(): number }>(url);
    assert.equal(await within(30_000, one.with({ timeout: '300ms', retries: 0 })().value), 1);
    assert.equal(session.stats().tasks.resubmitted, 0);
  });
}
