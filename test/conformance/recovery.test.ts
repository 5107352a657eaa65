import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { all, connect, current, get, ObjectLostError, put, type Ref, type Session, task, UsageError } from 'sheaf';
import { kill, leaks, lose } from 'sheaf/testing';
import {
  eventually,
  failure,
  hosts,
  LIMIT,
  mark,
  onHosts,
  PATIENCE_MS,
  scratch,
  untilMarked,
  within,
} from './support.ts';

/** Larger than what travels in messages. */
const N = 20_000;

const ran = (file: string, name: string): void => appendFileSync(file, `${name}\n`);
/** How often each task has run. */
function runsIn(file: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  for (const line of lines) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

const make = task((log: string, x: number) => {
  ran(log, `make ${x}`);
  return new Float64Array(N).fill(x);
});
const next = task((log: string, x: Float64Array, step: number) => {
  ran(log, `step ${step}`);
  return x.map((each) => each + 1);
});
const first = task((x: Float64Array) => x[0]);
const firstOf = task(async ([ref]: [Ref<Float64Array>]) => (await ref.value)[0]);
const firstsBy = task(async (refs: Ref<Float64Array>[]) => (await get(refs)).map((x) => x[0]));
const firstsOf = task((values: readonly Float64Array[]) => values.map((x) => x[0]));
const sumOf = task((log: string, values: readonly Float64Array[]) => {
  ran(log, 'sumOf');
  return values.reduce((total, x) => total.map((each, i) => each + (x[i] as number)), new Float64Array(N));
});
const several = task((log: string) => {
  ran(log, 'several');
  return [new Float64Array(N).fill(1), new Float64Array(N).fill(2)] as const;
});
const route = task((log: string, [ref]: [Ref<Float64Array>]) => {
  ran(log, 'route');
  return ref;
});
const withMuch = task((log: string, x: Float64Array) => {
  ran(log, 'withMuch');
  return x.map((each) => each * 2);
});
const throwsMuch = task((log: string) => {
  ran(log, 'throwsMuch');
  throw Object.assign(new RangeError('much'), { data: new Float64Array(N).fill(9) });
});
const keeper = task(async (log: string) => {
  const own = make(log, 5);
  await own.value;
  return [own] as const;
});
const slowAgain = task(async (folder: string, log: string) => {
  ran(log, `slow ${current().attempt}`);
  if (current().attempt > 0) await untilMarked(folder, `go ${current().attempt}`);
  return new Float64Array(N).fill(3);
});
const plain = task((x: number) => x + 1);

async function isLost(promise: Promise<unknown>, why: string, message: RegExp): Promise<ObjectLostError> {
  // What came instead would be long.
  const error = await failure(promise.then(() => 'a value'));
  assert.ok(error instanceof ObjectLostError, String(error));
  assert.equal(error.details?.why, why, error.message);
  assert.match(error.message, message);
  return error;
}

let logs = 0;
const newLog = (): string => join(scratch(), `log-${logs++}`);

onHosts('recovery of values that are lost', { cpus: 2, memory: '256MiB', spill: scratch() }, (session) => {
  test(
    'the only copy lost, with one retry: run again once; lost again: an error that says so (line 22)',
    LIMIT,
    async () => {
      const log = newLog();
      const ref = make.with({ retries: 1 })(log, 7);
      assert.equal((await ref.value)[5], 7);
      await lose(ref);
      assert.equal((await within(PATIENCE_MS, ref.value))[5], 7);
      assert.deepEqual(runsIn(log), { 'make 7': 2 });
      await lose(ref);
      await isLost(
        ref.value,
        'retries-used-up',
        /the retries of the task that made it are used up \(option `retries`\)/,
      );
      await isLost(get(ref), 'retries-used-up', /used up/);
      await isLost(first(ref).value, 'retries-used-up', /used up/);
      assert.deepEqual(runsIn(log), { 'make 7': 2 });
      ref.release();
      assert.deepEqual(await leaks(session()), []);
    },
  );

  test('a put that is lost is lost; what was derived from one that is not is made again (line 23)', LIMIT, async () => {
    const log = newLog();
    const given = put(new Float64Array(N).fill(4));
    const derived = next(log, given, 1);
    assert.equal((await derived.value)[0], 5);
    await lose(derived);
    given.release();
    assert.equal((await within(PATIENCE_MS, derived.value))[0], 5);
    assert.deepEqual(runsIn(log), { 'step 1': 2 });
    const lost = put(new Float64Array(N));
    await lose(lost);
    await isLost(lost.value, 'not-a-result', /it was put, or came from a stream/);
    await isLost(first(lost).value, 'not-a-result', /it was put/);
    await isLost(firstOf([lost]).value, 'not-a-result', /it was put/);
  });

  test(
    'a chain of 20 with all of its intermediates lost is made again from its beginning (line 24)',
    LIMIT,
    async () => {
      const log = newLog();
      const refs = [make(log, 0)];
      for (let i = 1; i <= 20; i++) refs.push(next(log, refs[i - 1] as Ref<Float64Array>, i));
      assert.equal((await (refs[20] as Ref<Float64Array>).value)[0], 20);
      for (const ref of refs) await lose(ref);
      assert.equal((await within(PATIENCE_MS, (refs[20] as Ref<Float64Array>).value))[0], 20);
      assert.deepEqual(new Set(Object.values(runsIn(log))), new Set([2]));
    },
  );

  test('the same where nobody holds the intermediates any more (line 24)', LIMIT, async () => {
    const log = newLog();
    let last = make(log, 0);
    for (let i = 1; i <= 20; i++) {
      const before = last;
      last = next(log, before, i);
      await last.value;
      before.release();
    }
    await lose(last);
    assert.equal((await within(PATIENCE_MS, last.value))[0], 20);
    assert.deepEqual(new Set(Object.values(runsIn(log))), new Set([2]));
    last.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('without retries it is an error at once (line 27)', LIMIT, async () => {
    const log = newLog();
    const ref = make.with({ retries: 0 })(log, 1);
    await ref.value;
    await lose(ref);
    await isLost(ref.value, 'runs-once', /may run once only \(option `retries`\)/);
    assert.deepEqual(runsIn(log), { 'make 1': 1 });
  });

  test('an argument that is lost is made again before the task begins, without a charge', LIMIT, async () => {
    const log = newLog();
    const ref = make(log, 8);
    await ref.value;
    await lose(ref);
    const calls = Array.from({ length: 10 }, () => first.with({ retries: 0 })(ref));
    assert.deepEqual(await within(PATIENCE_MS, get(calls)), Array(10).fill(8));
    assert.deepEqual(runsIn(log), { 'make 8': 2 });
  });

  test('tasks that were given the reference get the value from its owner', LIMIT, async () => {
    const log = newLog();
    const refs = [make(log, 1), make(log, 2), make(log, 3)];
    await get(refs);
    for (const ref of refs) await lose(ref);
    assert.deepEqual(await within(PATIENCE_MS, firstsBy(refs).value), [1, 2, 3]);
    assert.equal(await within(PATIENCE_MS, firstOf([refs[0] as Ref<Float64Array>]).value), 1);
    assert.deepEqual(runsIn(log), { 'make 1': 2, 'make 2': 2, 'make 3': 2 });
  });

  test('one core is enough: those who wait give up their place', LIMIT, async () => {
    const log = newLog();
    const big = { resources: {}, cpus: 2 };
    const ref = make.with(big)(log, 6);
    await ref.value;
    await lose(ref);
    assert.equal(await within(PATIENCE_MS, firstOf.with(big)([ref]).value), 6);
  });

  test('what a task has called, and returned a reference to, is made again by its worker', LIMIT, async () => {
    const log = newLog();
    const [ref] = await keeper(log).value;
    assert.equal((await ref.value)[0], 5);
    await lose(ref);
    assert.equal((await within(PATIENCE_MS, ref.value))[0], 5);
    await lose(ref);
    assert.equal(await within(PATIENCE_MS, first(ref).value), 5);
    assert.deepEqual(runsIn(log), { 'make 5': 3 });
  });

  test('behind a reference that a task returned', LIMIT, async () => {
    const log = newLog();
    const made = make(log, 2);
    const routed = route(log, [made]);
    assert.equal((await routed.value)[0], 2);
    await lose(routed);
    assert.equal((await within(PATIENCE_MS, routed.value))[0], 2);
    assert.equal((await within(PATIENCE_MS, made.value))[0], 2);
    assert.deepEqual(runsIn(log), { 'make 2': 2, route: 2 });
  });

  test('of a tuple: the task runs again, and what is not lost stays as it is', LIMIT, async () => {
    const log = newLog();
    const [a, b] = several.with({ returns: 2 })(log);
    const seen = await b.value;
    await lose(a);
    assert.equal((await within(PATIENCE_MS, a.value))[0], 1);
    assert.equal(await b.value, seen);
    assert.deepEqual(runsIn(log), { several: 2 });
  });

  test('arguments in shared memory are kept for as long as the result is', LIMIT, async () => {
    const log = newLog();
    const ref = withMuch(log, new Float64Array(N).fill(21));
    assert.equal((await ref.value)[0], 42);
    await lose(ref);
    assert.equal((await within(PATIENCE_MS, ref.value))[0], 42);
    assert.deepEqual(runsIn(log), { withMuch: 2 });
    ref.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('the data of a failure is not made again', LIMIT, async () => {
    const log = newLog();
    const ref = throwsMuch(log);
    const error = (await failure(ref.value)) as RangeError & { data: Float64Array };
    assert.equal(error.data[3], 9);
    await lose(ref);
    await isLost(ref.value, 'not-kept', /it is a failure/);
    assert.deepEqual(runsIn(log), { throwsMuch: 1 });
  });

  test('gathered values: their parts are made again, and nothing else', LIMIT, async () => {
    const log = newLog();
    const parts = [make(log, 1), make(log, 2), put(new Float64Array(N).fill(3))] as const;
    const gathered = all(parts);
    const firsts = async (): Promise<unknown[]> => (await within(PATIENCE_MS, gathered.value)).map((x) => x[0]);
    assert.deepEqual(await firsts(), [1, 2, 3]);
    await lose(parts[1]);
    assert.deepEqual(await firsts(), [1, 2, 3]);
    await lose(parts[0]);
    assert.deepEqual(await within(PATIENCE_MS, firstsOf(gathered).value), [1, 2, 3]);
    assert.deepEqual(runsIn(log), { 'make 1': 2, 'make 2': 2 });
    // Nobody holds the parts any more, and the one that was put is still there.
    for (const part of parts) part.release();
    const derived = firstsOf(all([gathered, gathered].map((each) => sumOf(log, each))));
    assert.deepEqual(await within(PATIENCE_MS, derived.value), [6, 6]);
    await lose(gathered);
    await isLost(gathered.value, 'not-a-result', /it was put/);
    gathered.release();
    derived.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('what was made of gathered values, long after all of them are gone', LIMIT, async () => {
    const log = newLog();
    let parts: Ref<Float64Array>[] = [make(log, 1), make(log, 2)];
    for (let round = 0; round < 5; round++) {
      const before = parts;
      parts = [sumOf(log, all(before)), sumOf(log, all(before))];
      await get(parts);
      for (const ref of before) ref.release();
    }
    const [one] = parts as [Ref<Float64Array>];
    await lose(one);
    assert.equal((await within(PATIENCE_MS, one.value))[0], 48);
    for (const ref of parts) ref.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('what can not be lost is said', LIMIT, async () => {
    const small = plain(1);
    const error = await failure(lose(small));
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /more than 100 KiB/);
    await assert.rejects(lose(5 as unknown as Ref<number>), UsageError);
  });

  test(
    'it waits like any other value: with a timeout, cancelled, and with what it costs in the statistics',
    LIMIT,
    async () => {
      const log = newLog();
      const folder = scratch();
      const { retried } = session().stats().tasks as { retried: number };
      const ref = slowAgain(folder, log);
      await ref.value;
      await lose(ref);
      await assert.rejects(get(ref, { timeout: 50 }), { name: 'TimeoutError' });
      mark(folder, 'go 1');
      assert.equal((await within(PATIENCE_MS, get(ref)))[0], 3);
      assert.equal((session().stats().tasks as { retried: number }).retried, retried + 1);
      assert.equal(session().stats().tasks.pending, 0);
    },
  );
});

onHosts(
  'recovery while workers die',
  { cpus: 2, memory: '64MiB', spill: scratch() },
  (session) => {
    test('a worker killed while it makes a lost value again: one more run', LIMIT, async () => {
      const log = newLog();
      const folder = scratch();
      const ref = slowAgain(folder, log);
      await ref.value;
      await lose(ref);
      const again = first(ref).value;
      await kill(session(), 'slowAgain');
      mark(folder, 'go 2');
      assert.equal(await within(PATIENCE_MS, again), 3);
      assert.deepEqual(runsIn(log), { 'slow 0': 1, 'slow 1': 1, 'slow 2': 1 });
    });
  },
  ['process'],
);

for (const isolation of hosts) {
  describe(`values that were written to disk (${isolation})`, () => {
    /** A session with more values than memory, the file that has the first of them, and the values. */
    async function crowded(
      run: (session: Session, refs: Ref<Float64Array>[], log: string, path: string) => Promise<void>,
    ) {
      const spill = scratch();
      const log = newLog();
      await using session = await connect({ cpus: 2, memory: '16MiB', isolation, spill });
      const big = task((file: string, x: number) => {
        appendFileSync(file, `big ${x}\n`);
        return new Float64Array(2 ** 18).fill(x);
      });
      const refs = Array.from({ length: 20 }, (_, i) => session.run(() => big(log, i)));
      await session.drained();
      const files = (): string[] =>
        (readdirSync(spill, { recursive: true }) as string[]).filter((name) => name.endsWith('.spill')).sort();
      await eventually(
        () => (session.stats().memory.spilled as number) > 0 && files().length > 0,
        'values are on disk',
      );
      await run(session, refs, log, join(spill, files()[0] as string));
    }

    test('a file that is damaged: the values in it are made again, and the others are not', LIMIT, async () => {
      await crowded(async (_session, refs, log, path) => {
        truncateSync(path, 4096);
        for (const [i, ref] of refs.entries()) {
          const value = await within(PATIENCE_MS, ref.value);
          assert.ok(value.every((x) => x === i));
        }
        const runs = Object.values(runsIn(log));
        assert.equal(runs.length, 20);
        const again = runs.filter((n) => n === 2).length;
        assert.ok(again > 0 && again < 20, `${again} of 20 ran again`);
        assert.ok(runs.every((n) => n <= 2));
      });
    });

    test('the same for tasks that take them, whoever finds it out first', LIMIT, async () => {
      await crowded(async (session, refs, _log, path) => {
        truncateSync(path, 4096);
        const firsts = await within(
          PATIENCE_MS,
          session.run(() => get(refs.map((ref) => first(ref)))),
        );
        assert.deepEqual(
          firsts,
          refs.map((_, i) => i),
        );
      });
    });

    test('a budget that is too small: what was forgotten is an error that says so (line 26)', LIMIT, async () => {
      process.env.SHEAF_LINEAGE_MEMORY = '2000';
      try {
        await using session = await connect({ cpus: 1, memory: '64MiB', isolation, spill: scratch() });
        const log = newLog();
        const refs = session.run(() => Array.from({ length: 12 }, (_, i) => make(log, i)));
        await get(refs);
        const [oldest, newest] = [refs[0], refs[11]] as [Ref<Float64Array>, Ref<Float64Array>];
        await lose(oldest);
        await lose(newest);
        assert.equal((await within(PATIENCE_MS, newest.value))[0], 11);
        await isLost(oldest.value, 'lineage-dropped', /forgotten to stay within the budget/);
        await isLost(session.run(() => first(oldest)).value, 'lineage-dropped', /forgotten/);
      } finally {
        delete process.env.SHEAF_LINEAGE_MEMORY;
      }
    });
  });
}
