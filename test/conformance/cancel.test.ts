import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, cancel, current, get, put, type Ref, scope, TimeoutError, task } from 'sheaf';
import { eventually, failure, mark, marks, onHosts, scratch, within } from './support.ts';

const add = task((a: number, b: number) => a + b);
const plus = task(async (a: number, ms: number) => {
  await sleep(ms);
  return a + 1;
});
const never = task(() => new Promise<number>(() => {}));
const endless = task((folder: string) => {
  mark(folder, `run-${Date.now()}-${Math.random()}`);
  for (;;);
});
const polite = task((folder: string) => {
  mark(folder, 'begun');
  while (!current().cancelled());
  mark(folder, 'noticed');
  return 1;
});
const listening = task(async (folder: string) => {
  const { signal } = current();
  mark(folder, 'begun');
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  mark(folder, 'aborted');
});
const marking = task((folder: string, name: string) => mark(folder, name));
const busy = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
});
const parent = task(async (folder: string) => {
  const child = listening(folder);
  return child.value;
});
const lasting = task(async (folder: string) => {
  mark(folder, 'begun');
  await sleep(300, undefined, { signal: current().signal });
  mark(folder, 'ended');
});
const sparing = task(async (folder: string) => lasting(folder).value);
const grandparent = task(async (folder: string) => parent(folder).value);
const cancelsBorrowed = task(async ([ref]: [Ref<unknown>]) => {
  cancel(ref);
});
const where = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return current().worker;
});
const waitsFor = task(async ([ref]: [Ref<number>]) => (await ref.value) + 1);

onHosts('cancelling', { cpus: 2, memory: '64MiB' }, (session) => {
  test('the head of a chain cancelled: all four fail (line 37)', { timeout: 10_000 }, async () => {
    const a = plus(1, 2000);
    const b = plus(a, 0);
    const c = plus(b, 0);
    const d = plus(c, 0);
    cancel(a);
    for (const ref of [a, b, c, d]) assert.ok((await failure(ref.value, 2000)) instanceof CancelledError);
  });

  test('the third of a chain cancelled: the first two still give their values (line 37)', {
    timeout: 10_000,
  }, async () => {
    const a = plus(1, 100);
    const b = plus(a, 0);
    const c = plus(b, 0);
    const d = plus(c, 0);
    cancel(c);
    assert.ok((await failure(d.value, 50)) instanceof CancelledError);
    assert.ok((await failure(c.value, 50)) instanceof CancelledError);
    assert.deepEqual(await get([a, b]), [2, 3]);
  });

  test('a queued task that is cancelled never runs (line 38)', { timeout: 10_000 }, async () => {
    const folder = scratch();
    const full = [busy(400), busy(400)];
    const queued = Array.from({ length: 20 }, (_, i) => marking(folder, `m${i}`));
    const last = marking(folder, 'last');
    await sleep(20);
    for (const ref of queued) cancel(ref);
    for (const ref of queued) assert.ok((await failure(ref.value, 100)) instanceof CancelledError);
    await get(full);
    await last.value;
    assert.deepEqual(marks(folder), ['last']);
  });

  test('force ends the worker of a running task; its place is used again, and it is not retried (line 38)', {
    timeout: 15_000,
  }, async () => {
    const folder = scratch();
    const ref = endless(folder);
    await eventually(() => marks(folder).length === 1, 'it runs');
    cancel(ref, { force: true });
    assert.ok((await failure(ref.value, 500)) instanceof CancelledError);
    assert.deepEqual(await within(5000, get([busy(50), busy(50)])), [50, 50]);
    await sleep(200);
    assert.equal(marks(folder).length, 1);
    const { tasks } = session().stats();
    assert.equal(tasks.pending, 0);
  });

  test('a synchronous loop sees that it is cancelled, and an asynchronous task hears it', {
    timeout: 10_000,
  }, async () => {
    const folder = scratch();
    const ref = polite(folder);
    await eventually(() => marks(folder).includes('begun'), 'it runs');
    cancel(ref);
    assert.ok((await failure(ref.value, 500)) instanceof CancelledError);
    await eventually(() => marks(folder).includes('noticed'), 'it noticed');
    const other = scratch();
    const second = listening(other);
    await eventually(() => marks(other).includes('begun'), 'it runs');
    cancel(second);
    assert.ok((await failure(second.value, 500)) instanceof CancelledError);
    await eventually(() => marks(other).includes('aborted'), 'its signal aborted');
  });

  test('what a cancelled task has called is cancelled too, unless that is not wanted (line 40)', {
    timeout: 10_000,
  }, async () => {
    const folder = scratch();
    const ref = grandparent(folder);
    await eventually(() => marks(folder).includes('begun'), 'the grandchild runs');
    cancel(ref);
    assert.ok((await failure(ref.value, 500)) instanceof CancelledError);
    await eventually(() => marks(folder).includes('aborted'), 'the grandchild is cancelled');
    const other = scratch();
    const spared = sparing(other);
    await eventually(() => marks(other).includes('begun'), 'the child runs');
    cancel(spared, { recursive: false });
    assert.ok((await failure(spared.value, 500)) instanceof CancelledError);
    await eventually(() => marks(other).includes('ended'), 'the child went on to its end');
  });

  test('a borrower can cancel (line 39)', { timeout: 10_000 }, async () => {
    const ref = plus(1, 5000);
    await cancelsBorrowed([ref as Ref<unknown>]).value;
    assert.ok((await failure(ref.value, 2000)) instanceof CancelledError);
  });

  test('5,000 tasks, a random half cancelled: each one ends (line 39)', { timeout: 30_000 }, async () => {
    const refs: Ref<number>[] = [];
    for (let i = 0; i < 5000; i++) refs.push(i % 7 === 3 ? add(refs[i - 1] as Ref<number>, 1) : add(i, 1));
    await sleep(2);
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48271) % 0x7fffffff;
      return seed / 0x7fffffff;
    };
    for (const ref of refs) if (random() < 0.5) cancel(ref);
    const ends = await within(
      15_000,
      Promise.all(
        refs.map((ref) =>
          ref.value.then(
            () => 'ready',
            (error: unknown) => (error instanceof CancelledError ? 'cancelled' : String(error)),
          ),
        ),
      ),
    );
    assert.deepEqual(
      ends.filter((end) => end !== 'ready' && end !== 'cancelled'),
      [],
    );
    await within(5000, session().drained());
    assert.equal(session().stats().tasks.pending, 0);
    assert.equal(await add(1, 2).value, 3);
  });

  test('cancelling what has settled, twice, or was put does nothing', { timeout: 10_000 }, async () => {
    const ref = add(1, 1);
    await ref.value;
    cancel(ref);
    assert.equal(await ref.value, 2);
    cancel(put(1));
    const slow = plus(1, 1000);
    cancel(slow);
    cancel(slow, { force: true });
    assert.ok((await failure(slow.value)) instanceof CancelledError);
    assert.equal(await add(1, 2).value, 3);
  });

  test('a signal cancels the calls of a task', { timeout: 10_000 }, async () => {
    const stop = new AbortController();
    const slow = plus.with({ signal: stop.signal });
    const refs = [slow(1, 5000), slow(2, 5000), slow(3, 5000)];
    setTimeout(() => stop.abort(new Error('no more')), 50);
    for (const ref of refs) {
      const error = await failure(ref.value, 2000);
      assert.ok(error instanceof CancelledError);
      assert.match(String((error.cause as Error)?.message), /no more/);
    }
    assert.ok((await failure(slow(1, 1).value)) instanceof CancelledError);
  });

  test('a scope ends what was started in it', { timeout: 10_000 }, async () => {
    const folder = scratch();
    let inside: Ref<unknown> | undefined;
    const kept = await scope(async (s) => {
      inside = listening(folder) as Ref<unknown>;
      await eventually(() => marks(folder).includes('begun'), 'it runs');
      return s.keep(add(1, 2));
    });
    assert.equal(await kept.value, 3);
    await eventually(() => marks(folder).includes('aborted'), 'its signal aborted');
    assert.throws(() => inside?.value);
    const late = await failure(
      scope(async () => never().value, { timeout: 100 }),
      2000,
    );
    assert.ok(late instanceof TimeoutError, String(late));
  });
});

onHosts('timeouts of tasks', { cpus: 2, memory: '64MiB' }, (session) => {
  test('an endless synchronous loop ends at its timeout, and others on its worker run again', {
    timeout: 20_000,
  }, async () => {
    const folder = scratch();
    const began = performance.now();
    const ref = endless.with({ timeout: 300 })(folder);
    const others = Array.from({ length: 50 }, (_, i) => add(i, 1));
    const error = await failure(ref.value, 5000);
    const took = performance.now() - began;
    assert.ok(error instanceof TimeoutError, String(error));
    assert.match(error.message, /endless.*300 ms/);
    assert.ok(took > 290 && took < 2000, `${took} ms`);
    assert.equal((await within(5000, get(others))).length, 50);
    assert.equal(marks(folder).length, 1, 'it is not run again');
    assert.deepEqual(await within(5000, get([busy(20), busy(20)])), [20, 20]);
    assert.equal(session().stats().tasks.pending, 0);
  });

  test('a promise that never settles ends at its timeout, and when it is cancelled', { timeout: 10_000 }, async () => {
    const workers = new Set(await get([where(150), where(150), where(150), where(150)]));
    const error = await failure(never.with({ timeout: 200 })().value, 2000);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.match(error.message, /never.*200 ms/);
    const ref = never();
    await sleep(50);
    cancel(ref);
    assert.ok((await failure(ref.value, 500)) instanceof CancelledError);
    for (const each of await get([where(20), where(20), where(20)]))
      assert.ok(workers.has(each), 'no worker was ended');
  });

  test('the time that a task waits for others is bounded too', { timeout: 10_000 }, async () => {
    const ref = waitsFor.with({ timeout: 200 })([never() as Ref<number>]);
    assert.ok((await failure(ref.value, 2000)) instanceof TimeoutError);
    assert.equal(await add(1, 2).value, 3);
  });

  test('a task that ends in time is left alone', { timeout: 10_000 }, async () => {
    const quick = busy.with({ timeout: 2000 });
    assert.deepEqual(await get([quick(100), quick(50), quick(1)]), [100, 50, 1]);
    await sleep(100);
    assert.equal(await add(1, 1).value, 2);
  });

  test('the time in a queue does not count', { timeout: 10_000 }, async () => {
    const limited = busy.with({ timeout: 400 });
    assert.deepEqual(await get(Array.from({ length: 8 }, () => limited(200))), new Array(8).fill(200));
  });
});
