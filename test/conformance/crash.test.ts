import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import {
  cancel,
  current,
  get,
  OutOfMemoryError,
  OwnerDiedError,
  put,
  type Ref,
  type Session,
  task,
  UnschedulableError,
  WorkerDiedError,
} from 'sheaf';
import { drainedOf, eventually, failure, mark, marks, onHosts, scratch, used, within } from './support.ts';

const MiB = 1024 ** 2;
const add = task((a: number, b: number) => a + b);
const busy = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
});
const exits = task((code: number, folder: string) => {
  mark(folder, `attempt-${current().attempt}`);
  process.exit(code);
});
const aborts = task(() => process.abort());
const killsItself = task((folder: string) => {
  mark(folder, `attempt-${current().attempt}`);
  process.kill(process.pid, 'SIGKILL');
  for (;;);
});
const segfaults = task(() => {
  const strlen = koffi.load('libc.so.6').func('size_t strlen(void *text)');
  return Number(strlen(koffi.as(8, 'void *')));
});
const failsOnce = task((folder: string) => {
  mark(folder, `attempt-${current().attempt}`);
  if (current().attempt < 1) process.exit(3);
  return current().attempt;
});
const throwsOnce = task((folder: string) => {
  mark(folder, `attempt-${current().attempt}`);
  if (current().attempt < 2) throw new RangeError(`attempt ${current().attempt}`);
  return current().attempt;
});
const rejectsAside = task(async () => {
  void Promise.reject(new TypeError('nobody catches this'));
  await sleep(500);
  return 1;
});
const throwsAside = task(async () => {
  setTimeout(() => {
    throw new TypeError('thrown in a timer');
  }, 5);
  await sleep(500);
  return 1;
});
const rejectsAfter = task(() => {
  setTimeout(() => void Promise.reject(new TypeError('after the end')), 5);
  return 1;
});
const slowResult = task((folder: string, bytes: number) => {
  const data = new Uint8Array(bytes).fill(7);
  const kept = put(data);
  mark(folder, `run-${current().attempt}`);
  if (current().attempt === 0) {
    process.kill(process.pid, 'SIGKILL');
    for (;;);
  }
  kept.release();
  return data;
});
const owning = task(async (ms: number) => {
  // Its result names a task that this worker owns, and that has not ended.
  return [later(ms, 5)];
});
const later = task(async (ms: number, value: number) => {
  await sleep(ms);
  return value;
});
const owningData = task((bytes: number) => [put(new Uint8Array(bytes).fill(3))]);

const pidBusy = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return process.pid;
});
const readAll = task(async ([ref]: [Ref<Uint8Array>]) => ((await ref.value) as Uint8Array).length);
const share = task((bytes: number) => new Uint8Array(bytes).fill(1));
const holdsDown = task(async ([ref]: [Ref<number>], folder: string): Promise<string> => {
  mark(folder, 'holding');
  try {
    return `value ${await ref.value}`;
  } catch (error) {
    return (error as Error).name;
  }
});
const ownsAndTells = task(async (folder: string): Promise<number> => {
  const mine = later(60_000, 1);
  const told = holdsDown([mine], folder);
  mark(folder, `owner-${process.pid}`);
  void told.ignore();
  await sleep(60_000);
  return 1;
});

const asleep = task(async (folder: string) => {
  mark(folder, 'asleep');
  await sleep(60_000);
});
const looping = task((folder: string) => {
  mark(folder, 'looping');
  for (;;);
});
const callsForEver = task(async (folder: string) => {
  mark(folder, `owner-${process.pid}`);
  void asleep(folder).ignore();
  void looping(folder).ignore();
  await sleep(60_000);
});
/** Ends when so many of its kind run at the same time. */
const meets = task(async (count: number, folder: string) => {
  mark(folder, `meets-${process.pid}`);
  while (marks(folder).filter((each) => each.startsWith('meets-')).length < count) await sleep(10);
});

/** The ways to exhaust a heap, by name: each takes far more than a worker with a heap of 64 MB has. */
const exhaust = task((how: string): number => {
  switch (how) {
    case 'a growing array': {
      const all: unknown[] = [];
      for (;;) all.push({ n: all.length });
    }
    case 'one huge fill':
      return new Array(2 ** 27).fill({}).length;
    case 'one huge allocation':
      return new Array(2 ** 26).fill(0.5).map((x) => ({ x })).length;
    case 'a growing Map': {
      const map = new Map<number, unknown>();
      for (let i = 0; i < 2 ** 24; i++) map.set(i, { i });
      return map.size;
    }
    case 'split':
      return 'ab'.repeat(2 ** 26).split('').length;
    case 'a regular expression':
      return ('ab'.repeat(2 ** 26).match(/./g) as string[]).length;
    case 'a spread': {
      const big = new Array(2 ** 26).fill(1.5);
      return [...big, ...big, ...big].length;
    }
    case 'joined text': {
      const parts: string[] = [];
      for (let i = 0; ; i++) parts.push(`${i}-`.repeat(1000).split('-').join('+'));
    }
    case 'closures': {
      const all: (() => number)[] = [];
      for (let i = 0; ; i++) all.push(() => i);
    }
    case 'a growing Set': {
      const set = new Set<string>();
      for (let i = 0; ; i++) set.add(`member ${i}`);
    }
    case 'a deep list': {
      let list: unknown = null;
      for (;;) list = { list };
    }
    case 'JSON': {
      const text = `[${'{"a":[1,2,3]},'.repeat(2 ** 22)}0]`;
      return (JSON.parse(text) as unknown[]).length;
    }
    default:
      throw new Error(how);
  }
});
const ways = [
  'a growing array',
  'one huge fill',
  'one huge allocation',
  'a growing Map',
  'split',
  'a regular expression',
  'a spread',
  'joined text',
  'closures',
  'a growing Set',
  'a deep list',
  'JSON',
];

async function goesOn(session: Session): Promise<void> {
  assert.deepEqual(await within(5000, get([add(1, 2), add(3, 4)])), [3, 7]);
  await within(5000, session.drained());
  assert.equal(session.stats().tasks.pending, 0);
}

onHosts('ends of workers', { cpus: 2, memory: '64MiB' }, (session, isolation) => {
  for (const code of [0, 3]) {
    test(`process.exit(${code}) in a task ends it after its retries, and the session goes on`, {
      timeout: 20_000,
    }, async () => {
      const folder = scratch();
      const error = await failure(exits.with({ retries: 1 })(code, folder).value, 10_000);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, new RegExp(`exits died: .*exit.*${code}.*attempt 2`));
      assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
      await goesOn(session());
    });
  }

  test('with retries: 0 a task runs once (line 27)', { timeout: 10_000 }, async () => {
    const folder = scratch();
    const error = await failure(exits.with({ retries: 0 })(3, folder).value, 5000);
    assert.ok(error instanceof WorkerDiedError);
    assert.match(error.message, /attempt 1/);
    assert.deepEqual(marks(folder), ['attempt-0']);
    await goesOn(session());
  });

  test('a task whose worker ends runs again, as attempt 1 (line 22)', { timeout: 10_000 }, async () => {
    const folder = scratch();
    const ref = failsOnce(folder);
    assert.equal(await within(5000, ref.value), 1);
    assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
    assert.ok((session().stats().tasks.retried as number) >= 1);
  });

  test("retryErrors counts a task's own errors", { timeout: 10_000 }, async () => {
    const folder = scratch();
    assert.equal(await throwsOnce.with({ retryErrors: true })(folder).value, 2);
    assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1', 'attempt-2']);
    const only = scratch();
    const picky = throwsOnce.with({ retryErrors: (e: Error) => e.message === 'attempt 0' });
    assert.equal((await failure(picky(only).value)).message, 'attempt 1');
    assert.deepEqual(marks(only), ['attempt-0', 'attempt-1']);
    const none = scratch();
    assert.equal((await failure(throwsOnce(none).value)).message, 'attempt 0');
    assert.deepEqual(marks(none), ['attempt-0']);
  });

  test('tasks beside the one that ended its worker run to their end', { timeout: 15_000 }, async () => {
    const folder = scratch();
    const others = Array.from({ length: 300 }, (_, i) => (i % 30 === 0 ? busy(5) : add(i, 1)));
    const bad = exits.with({ retries: 0 })(3, folder);
    const more = Array.from({ length: 300 }, (_, i) => add(i, 1));
    assert.ok((await failure(bad.value)) instanceof WorkerDiedError);
    assert.equal((await within(10_000, get([...others, ...more]))).length, 600);
  });

  test('a rejection that nobody handles fails the task that caused it', { timeout: 15_000 }, async () => {
    const error = await failure(rejectsAside.with({ retries: 0 })().value, 5000);
    assert.match(`${error.name}: ${error.message}`, /nobody catches this/);
    await goesOn(session());
  });

  test('an error thrown in a timer fails the task that caused it', { timeout: 15_000 }, async () => {
    const error = await failure(throwsAside.with({ retries: 0 })().value, 5000);
    assert.match(`${error.name}: ${error.message}`, /thrown in a timer/);
    await goesOn(session());
  });

  test('a rejection after the end of its task is only printed', { timeout: 15_000 }, async () => {
    assert.equal(await rejectsAfter().value, 1);
    await sleep(100);
    await goesOn(session());
  });

  test('what no worker can ever have is an error that says what is missing (lines 49, 50)', {
    timeout: 10_000,
  }, async () => {
    for (const [options, pattern] of [
      [{ cpus: 64 }, /cpus: 64 wanted, 2 here/],
      [{ gpus: 1 }, /gpus: 1 wanted, 0 here/],
      [{ resources: { license: 2 } }, /license: 2 wanted, 0 here/],
      [{ memory: '100GiB' as const }, /memory/],
    ] as const) {
      const error = await failure(add.with(options)(1, 2).value, 2000);
      assert.ok(error instanceof UnschedulableError, String(error));
      assert.match(error.message, pattern);
    }
    await goesOn(session());
  });

  test('cancelling a task that keeps ending its worker ends that', { timeout: 10_000 }, async () => {
    const folder = scratch();
    const ref = exits.with({ retries: 1000 })(3, folder);
    await eventually(() => marks(folder).length >= 2, 'it has been tried twice');
    cancel(ref);
    await failure(ref.value, 5000);
    await goesOn(session());
  });

  test('shared memory full is an error with numbers, here and in a task, and the session goes on', {
    timeout: 20_000,
  }, async () => {
    const held = [put(new Uint8Array(30 * MiB)), put(new Uint8Array(20 * MiB))];
    assert.throws(
      () => put(new Uint8Array(30 * MiB)),
      (error: Error) => {
        assert.ok(error instanceof OutOfMemoryError, String(error));
        assert.match(error.message, /30 MiB.*of 64 MiB/);
        return true;
      },
    );
    const error = await failure(share(30 * MiB).value, 5000);
    assert.ok(error instanceof OutOfMemoryError, String(error));
    const argument = () => readAll([put(new Uint8Array(40 * MiB))]);
    assert.throws(argument, OutOfMemoryError);
    for (const ref of held) ref.release();
    await drainedOf(session());
    assert.equal(((await share(30 * MiB).value) as Uint8Array).length, 30 * MiB);
    await goesOn(session());
    assert.equal(isolation.length > 0, true);
  });
});

onHosts(
  'ends that only a process stands',
  { cpus: 4, memory: '64MiB' },
  (session) => {
    test('process.abort in a task', { timeout: 20_000 }, async () => {
      const error = await failure(aborts.with({ retries: 1 })().value, 15_000);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGABRT/);
      await goesOn(session());
    });

    test('a crash of native code in a task', { timeout: 20_000 }, async () => {
      const error = await failure(segfaults.with({ retries: 1 })().value, 15_000);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGSEGV/);
      await goesOn(session());
    });

    test('a worker that is killed', { timeout: 20_000 }, async () => {
      const folder = scratch();
      const error = await failure(killsItself.with({ retries: 1 })(folder).value, 15_000);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGKILL/);
      assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
      await goesOn(session());
    });

    test('a worker killed before its result is sealed: run again, and its space is back', {
      timeout: 20_000,
    }, async () => {
      const folder = scratch();
      const data = await within(10_000, slowResult(folder, 5 * MiB).value);
      assert.equal(data.length, 5 * MiB);
      assert.equal(data[12345], 7);
      assert.deepEqual(marks(folder), ['run-0', 'run-1']);
      await goesOn(session());
    });

    test('the space of dead workers is back', { timeout: 20_000 }, async () => {
      await drainedOf(session());
      assert.equal(used(session()), 0);
    });

    test('an object whose owner is killed is lost at once to those who wait for it', { timeout: 20_000 }, async () => {
      const folder = scratch();
      const owner = ownsAndTells.with({ retries: 0 })(folder);
      await eventually(() => marks(folder).includes('holding'), 'somebody waits');
      const name = marks(folder).find((each) => each.startsWith('owner-')) as string;
      process.kill(Number(name.slice(6)), 'SIGKILL');
      assert.ok((await failure(owner.value, 5000)) instanceof WorkerDiedError);
      await goesOn(session());
    });

    test('a pending result whose owner is killed is an OwnerDiedError, though another worker is busy', {
      timeout: 20_000,
    }, async () => {
      const [inner] = (await owning(30_000).value) as [Ref<number>];
      const pids = await session().run(() => get([pidBusy(100), pidBusy(100)]));
      // Whoever owns it is one of the workers: all but one that is busy are killed.
      const blocked = busy.with({ retries: 0 })(5000);
      await sleep(100);
      const waiting = failure(inner.value, 4000);
      const began = performance.now();
      for (const each of new Set(pids)) {
        try {
          process.kill(each, 'SIGKILL');
        } catch {
          // It is gone already.
        }
      }
      const error = await waiting;
      assert.ok(error instanceof OwnerDiedError, String(error));
      assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`);
      cancel(blocked, { force: true });
      await blocked.value.catch(() => {});
      await goesOn(session());
    });

    test('tasks whose caller is killed end, asleep or in an endless loop, and their places are free', {
      timeout: 20_000,
    }, async () => {
      const folder = scratch();
      const owner = callsForEver.with({ retries: 0 })(folder);
      await eventually(() => marks(folder).includes('asleep') && marks(folder).includes('looping'), 'both run');
      const name = marks(folder).find((each) => each.startsWith('owner-')) as string;
      process.kill(Number(name.slice(6)), 'SIGKILL');
      assert.ok((await failure(owner.value, 5000)) instanceof WorkerDiedError);
      const began = performance.now();
      // All four places are needed at once.
      await within(8000, get(Array.from({ length: 4 }, () => meets(4, folder))));
      assert.ok(performance.now() - began < 5000);
      await goesOn(session());
    });

    test('a value fetched before its owner was killed stays good', { timeout: 20_000 }, async () => {
      const [inner] = (await owningData(2 * MiB).value) as [Ref<Uint8Array>];
      const data = await inner.value;
      const pids = new Set(await get([pidBusy(50), pidBusy(50), pidBusy(50)]));
      for (const each of pids) process.kill(each, 'SIGKILL');
      await sleep(300);
      assert.equal(data[1000], 3);
      assert.equal(data.length, 2 * MiB);
      await goesOn(session());
    });
  },
  ['process'],
);

onHosts(
  'exhausted heaps',
  { cpus: 2, memory: '64MiB', env: { NODE_OPTIONS: '--max-old-space-size=64' } },
  (session) => {
    for (const how of ways) {
      test(`${how} ends in a typed error, and the session goes on`, { timeout: 40_000 }, async () => {
        const error = await failure(exhaust.with({ retries: how === 'a growing array' ? 1 : 0 })(how).value, 30_000);
        if (!(error instanceof RangeError)) {
          assert.ok(error instanceof WorkerDiedError, String(error));
          assert.match(error.message, /heap is exhausted|beyond what V8 allows|SIGKILL/);
        }
        await goesOn(session());
      });
    }

    test('memory outside of the heap is taken from the machine, not from the session', {
      timeout: 20_000,
    }, async () => {
      const views = task(
        (n: number) => {
          const all: Uint8Array[] = [];
          for (let i = 0; i < n; i++) all.push(new Uint8Array(MiB));
          return all.length;
        },
        { captures: { MiB: 1024 ** 2 } },
      );
      assert.equal(await views(500).value, 500);
      await goesOn(session());
    });
  },
  ['process'],
);
