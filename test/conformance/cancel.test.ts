import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, cancel, current, get, put, type Ref, scope, TimeoutError, task } from 'sheaf';
import {
  eventually,
  FOREVER_MS,
  failure,
  LIMIT,
  mark,
  marks,
  onHosts,
  PATIENCE_MS,
  scratch,
  spinUntilMarked,
  untilMarked,
  within,
} from './support.ts';

const add = task((a: number, b: number) => a + b);
const plus = task(async (a: number, ms: number) => {
  await sleep(ms);
  return a + 1;
});
const plusWhen = task(async (a: number, folder: string, name: string) => {
  await untilMarked(folder, name);
  return a + 1;
});
const never = task((folder?: string) => {
  if (folder !== undefined) mark(folder, 'begun');
  return new Promise<number>(() => {});
});
const endless = task((folder: string) => {
  mark(folder, `run-${process.hrtime.bigint()}-${current().worker}`);
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
  await untilMarked(folder, 'open', current().signal);
  mark(folder, 'ended');
});
const sparing = task(async (folder: string) => lasting(folder).value);
const grandparent = task(async (folder: string) => parent(folder).value);
const cancelsBorrowed = task(async ([ref]: [Ref<unknown>]) => {
  cancel(ref);
});
const fills = task((folder: string, name: string) => {
  mark(folder, `filled-${name}`);
  spinUntilMarked(folder, 'open');
});
/** Each runs until all of them do, so that every one has a worker of its own. */
const meets = task((count: number, folder: string, name: string) => {
  mark(folder, `here-${name}`);
  while (marks(folder).filter((each) => each.startsWith('here-')).length < count);
  return current().worker;
});
const waitsFor = task(async ([ref]: [Ref<number>]) => (await ref.value) + 1);

onHosts('cancelling', { cpus: 2, memory: '64MiB' }, (session) => {
  test('the head of a chain cancelled: all four fail (line 37)', LIMIT, async () => {
    const a = plus(1, FOREVER_MS);
    const b = plus(a, 0);
    const c = plus(b, 0);
    const d = plus(c, 0);
    cancel(a);
    for (const ref of [a, b, c, d]) assert.ok((await failure(ref.value)) instanceof CancelledError);
  });

  test('the third of a chain cancelled: the first two still give their values (line 37)', LIMIT, async () => {
    const folder = scratch();
    const a = plusWhen(1, folder, 'open');
    const b = plus(a, 0);
    const c = plus(b, 0);
    const d = plus(c, 0);
    cancel(c);
    // While the first one has not even ended.
    assert.ok((await failure(d.value)) instanceof CancelledError);
    assert.ok((await failure(c.value)) instanceof CancelledError);
    mark(folder, 'open');
    assert.deepEqual(await get([a, b]), [2, 3]);
  });

  test('a queued task that is cancelled never runs (line 38)', LIMIT, async () => {
    const folder = scratch();
    const gates = scratch();
    const full = [fills(gates, 'a'), fills(gates, 'b')];
    await eventually(() => marks(gates).length === 2, 'both workers are busy');
    const queued = Array.from({ length: 20 }, (_, i) => marking(folder, `m${i}`));
    const last = marking(folder, 'last');
    for (const ref of queued) cancel(ref);
    // While nothing can run.
    for (const ref of queued) assert.ok((await failure(ref.value)) instanceof CancelledError);
    mark(gates, 'open');
    await get(full);
    await last.value;
    await within(PATIENCE_MS, session().drained());
    assert.deepEqual(marks(folder), ['last']);
  });

  test(
    'force ends the worker of a running task; its place is used again, and it is not retried (line 38)',
    LIMIT,
    async () => {
      const folder = scratch();
      const ref = endless(folder);
      await eventually(() => marks(folder).length === 1, 'it runs');
      cancel(ref, { force: true });
      assert.ok((await failure(ref.value)) instanceof CancelledError);
      const both = scratch();
      assert.equal(new Set(await within(PATIENCE_MS, get([meets(2, both, 'a'), meets(2, both, 'b')]))).size, 2);
      // Nothing is pending: it does not wait to be run once more either.
      await within(PATIENCE_MS, session().drained());
      assert.equal(marks(folder).length, 1);
      assert.equal(session().stats().tasks.pending, 0);
    },
  );

  test('a synchronous loop sees that it is cancelled, and an asynchronous task hears it', LIMIT, async () => {
    const folder = scratch();
    const ref = polite(folder);
    await eventually(() => marks(folder).includes('begun'), 'it runs');
    cancel(ref);
    assert.ok((await failure(ref.value)) instanceof CancelledError);
    await eventually(() => marks(folder).includes('noticed'), 'it noticed');
    const other = scratch();
    const second = listening(other);
    await eventually(() => marks(other).includes('begun'), 'it runs');
    cancel(second);
    assert.ok((await failure(second.value)) instanceof CancelledError);
    await eventually(() => marks(other).includes('aborted'), 'its signal aborted');
  });

  test('the error of a cancelled task names it', LIMIT, async () => {
    const endless = task(() => new Promise<never>(() => {}), { name: 'endless' });
    const ref = endless();
    cancel(ref);
    await assert.rejects(ref.value, { name: 'CancelledError', message: 'the task endless was cancelled' });
  });

  test('what a cancelled task has called is cancelled too, unless that is not wanted (line 40)', LIMIT, async () => {
    const folder = scratch();
    const ref = grandparent(folder);
    await eventually(() => marks(folder).includes('begun'), 'the grandchild runs');
    cancel(ref);
    assert.ok((await failure(ref.value)) instanceof CancelledError);
    await eventually(() => marks(folder).includes('aborted'), 'the grandchild is cancelled');
    const other = scratch();
    const spared = sparing(other);
    await eventually(() => marks(other).includes('begun'), 'the child runs');
    cancel(spared, { recursive: false });
    assert.ok((await failure(spared.value)) instanceof CancelledError);
    mark(other, 'open');
    await eventually(() => marks(other).includes('ended'), 'the child went on to its end');
  });

  test('a borrower can cancel (line 39)', LIMIT, async () => {
    const ref = plus(1, FOREVER_MS);
    await cancelsBorrowed([ref as Ref<unknown>]).value;
    assert.ok((await failure(ref.value)) instanceof CancelledError);
  });

  test('5,000 tasks, a random half cancelled: each one ends (line 39)', LIMIT, async () => {
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
      PATIENCE_MS,
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
    await within(PATIENCE_MS, session().drained());
    assert.equal(session().stats().tasks.pending, 0);
    assert.equal(await add(1, 2).value, 3);
  });

  test('cancelling what has settled, twice, or was put does nothing', LIMIT, async () => {
    const ref = add(1, 1);
    await ref.value;
    cancel(ref);
    assert.equal(await ref.value, 2);
    cancel(put(1));
    const slow = plus(1, FOREVER_MS);
    cancel(slow);
    cancel(slow, { force: true });
    assert.ok((await failure(slow.value)) instanceof CancelledError);
    assert.equal(await add(1, 2).value, 3);
  });

  test('a signal cancels the calls of a task', LIMIT, async () => {
    const stop = new AbortController();
    const slow = plus.with({ signal: stop.signal });
    const refs = [slow(1, FOREVER_MS), slow(2, FOREVER_MS), slow(3, FOREVER_MS)];
    setTimeout(() => stop.abort(new Error('no more')), 50);
    for (const ref of refs) {
      const error = await failure(ref.value);
      assert.ok(error instanceof CancelledError);
      assert.match(String((error.cause as Error)?.message), /no more/);
    }
    assert.ok((await failure(slow(1, 1).value)) instanceof CancelledError);
  });

  test('a scope ends what was started in it', LIMIT, async () => {
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
    const late = await failure(scope(async () => never().value, { timeout: 100 }));
    assert.ok(late instanceof TimeoutError, String(late));
  });
});

onHosts('timeouts of tasks', { cpus: 2, memory: '64MiB' }, (session) => {
  test('an endless synchronous loop ends at its timeout, and others on its worker run again', LIMIT, async () => {
    const folder = scratch();
    const began = performance.now();
    const ref = endless.with({ timeout: 300 })(folder);
    const others = Array.from({ length: 50 }, (_, i) => add(i, 1));
    const error = await failure(ref.value);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.match(error.message, /endless.*300 ms/);
    assert.ok(performance.now() - began > 290, 'not before its time');
    assert.equal((await within(PATIENCE_MS, get(others))).length, 50);
    const both = scratch();
    await within(PATIENCE_MS, get([meets(2, both, 'a'), meets(2, both, 'b')]));
    await within(PATIENCE_MS, session().drained());
    assert.equal(session().stats().tasks.pending, 0);
    assert.ok(marks(folder).length <= 1, 'it is not run again');
  });

  test('a promise that never settles ends at its timeout, and when it is cancelled', LIMIT, async () => {
    const all = scratch();
    const workers = new Set(await get([meets(2, all, 'a'), meets(2, all, 'b')]));
    const error = await failure(never.with({ timeout: 200 })().value);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.match(error.message, /never.*200 ms/);
    const folder = scratch();
    const ref = never(folder);
    await eventually(() => marks(folder).length === 1, 'it runs');
    cancel(ref);
    assert.ok((await failure(ref.value)) instanceof CancelledError);
    const both = scratch();
    assert.deepEqual(new Set(await get([meets(2, both, 'a'), meets(2, both, 'b')])), workers, 'no worker was ended');
  });

  test('the time that a task waits for others is bounded too', LIMIT, async () => {
    const other = never();
    const ref = waitsFor.with({ timeout: 200 })([other]);
    assert.ok((await failure(ref.value)) instanceof TimeoutError);
    cancel(other);
    await failure(other.value);
    assert.equal(await add(1, 2).value, 3);
  });

  test('a task that ends in time is left alone, and so is its worker', LIMIT, async () => {
    const first = scratch();
    const before = new Set(await get([meets(2, first, 'a'), meets(2, first, 'b')]));
    await get([add.with({ timeout: 1000 })(1, 2), add.with({ timeout: 1000 })(3, 4)]);
    // Both workers are busy when those deadlines pass.
    assert.deepEqual(await get([busy.with({ retries: 0 })(1500), busy.with({ retries: 0 })(1500)]), [1500, 1500]);
    const second = scratch();
    assert.deepEqual(new Set(await get([meets(2, second, 'a'), meets(2, second, 'b')])), before);
  });

  test('the time in a queue does not count', LIMIT, async () => {
    const gates = scratch();
    const full = [fills(gates, 'a'), fills(gates, 'b')];
    await eventually(() => marks(gates).length === 2, 'both workers are busy');
    const limited = add.with({ timeout: 1000 });
    const queued = Array.from({ length: 8 }, (_, i) => limited(i, 1));
    await sleep(1200);
    mark(gates, 'open');
    await get(full);
    assert.deepEqual(await get(queued), [1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
