import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import {
  alloc,
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
import {
  drainedOf,
  eventually,
  FOREVER_MS,
  failure,
  LIMIT,
  mark,
  marks,
  onHosts,
  PATIENCE_MS,
  pidOf,
  scratch,
  spinUntilMarked,
  used,
  within,
} from './support.ts';

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
  await sleep(FOREVER_MS);
});
const throwsAside = task(async () => {
  setTimeout(() => {
    throw new TypeError('thrown in a timer');
  }, 5);
  await sleep(FOREVER_MS);
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
/** Fills what it has allocated and never gets to seal it. */
const diesFilling = task((folder: string, bytes: number) => {
  const data = alloc(Uint8Array, bytes);
  data.fill(7);
  mark(folder, `run-${current().attempt}`);
  if (current().attempt === 0) {
    process.kill(process.pid, 'SIGKILL');
    for (;;);
  }
  return data;
});
/** Its result names a task that this worker owns, and that does not end. */
const owning = task((folder: string) => {
  mark(folder, 'owner');
  return [later(FOREVER_MS, 5)];
});
const later = task(async (ms: number, value: number) => {
  await sleep(ms);
  return value;
});
const owningData = task((folder: string, bytes: number) => {
  mark(folder, 'owner');
  return [put(new Uint8Array(bytes).fill(3))];
});

const readAll = task(async ([ref]: [Ref<Uint8Array>]) => ((await ref.value) as Uint8Array).length);
const share = task((bytes: number) => new Uint8Array(bytes).fill(1));
const holds = task(async ([ref]: [Ref<number>], folder: string): Promise<string> => {
  const value = ref.value;
  mark(folder, 'holding');
  return value.then(String, (error: Error) => error.name);
});
const spins = task((folder: string, name: string) => {
  mark(folder, `spins-${name}`);
  spinUntilMarked(folder, 'open');
});

const asleep = task(async (folder: string) => {
  mark(folder, 'asleep');
  await sleep(FOREVER_MS);
});
const looping = task((folder: string) => {
  mark(folder, 'looping');
  for (;;);
});
const callsForEver = task(async (folder: string) => {
  mark(folder, 'owner');
  void asleep(folder).ignore();
  void looping(folder).ignore();
  await sleep(FOREVER_MS);
});
/** Ends when so many of its kind run at the same time, each on a worker of its own. */
const meets = task(async (count: number, folder: string) => {
  mark(folder, `meets-${process.pid}`);
  while (marks(folder).filter((each) => each.startsWith('meets-')).length < count) await sleep(10);
  return process.pid;
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
  assert.deepEqual(await within(PATIENCE_MS, get([add(1, 2), add(3, 4)])), [3, 7]);
  await within(PATIENCE_MS, session.drained());
  assert.equal(session.stats().tasks.pending, 0);
}

/** In a scope of its own, which keeps no view. */
async function checkFilled(ref: Ref<Uint8Array>, length: number, x: number): Promise<void> {
  const data = await within(PATIENCE_MS, ref.value);
  assert.deepEqual([data.length, data[0], data[length - 1]], [length, x, x]);
}

onHosts('ends of workers', { cpus: 2, memory: '64MiB', spill: 'off' }, (session) => {
  for (const code of [0, 3]) {
    test(`process.exit(${code}) in a task ends it after its retries, and the session goes on`, LIMIT, async () => {
      const folder = scratch();
      const error = await failure(exits.with({ retries: 1 })(code, folder).value);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, new RegExp(`exits died: .*exit.*${code}.*attempt 2`));
      assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
      await goesOn(session());
    });
  }

  test('with retries: 0 a task runs once (line 27)', LIMIT, async () => {
    const folder = scratch();
    const error = await failure(exits.with({ retries: 0 })(3, folder).value);
    assert.ok(error instanceof WorkerDiedError);
    assert.match(error.message, /attempt 1/);
    assert.deepEqual(marks(folder), ['attempt-0']);
    await goesOn(session());
  });

  test('a task whose worker ends runs again, as attempt 1 (line 22)', LIMIT, async () => {
    const folder = scratch();
    const ref = failsOnce(folder);
    assert.equal(await within(PATIENCE_MS, ref.value), 1);
    assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
    assert.ok((session().stats().tasks.retried as number) >= 1);
  });

  test("retryErrors counts a task's own errors", LIMIT, async () => {
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

  test('tasks beside the one that ended its worker run to their end', LIMIT, async () => {
    const folder = scratch();
    const others = Array.from({ length: 300 }, (_, i) => (i % 30 === 0 ? busy(5) : add(i, 1)));
    const bad = exits.with({ retries: 0 })(3, folder);
    const more = Array.from({ length: 300 }, (_, i) => add(i, 1));
    assert.ok((await failure(bad.value)) instanceof WorkerDiedError);
    assert.equal((await within(PATIENCE_MS, get([...others, ...more]))).length, 600);
  });

  test('a rejection that nobody handles fails the task that caused it', LIMIT, async () => {
    const error = await failure(rejectsAside.with({ retries: 0 })().value);
    assert.match(`${error.name}: ${error.message}`, /nobody catches this/);
    await goesOn(session());
  });

  test('an error thrown in a timer fails the task that caused it', LIMIT, async () => {
    const error = await failure(throwsAside.with({ retries: 0 })().value);
    assert.match(`${error.name}: ${error.message}`, /thrown in a timer/);
    await goesOn(session());
  });

  test('a rejection after the end of its task is only printed', LIMIT, async () => {
    assert.equal(await rejectsAfter().value, 1);
    await sleep(100);
    await goesOn(session());
  });

  test('what no worker can ever have is an error that says what is missing (lines 49, 50)', LIMIT, async () => {
    for (const [options, pattern] of [
      [{ cpus: 64 }, /cpus: 64 wanted, 2 here/],
      [{ gpus: 1 }, /gpus: 1 wanted, 0 here/],
      [{ resources: { license: 2 } }, /license: 2 wanted, 0 here/],
      [{ memory: '100GiB' as const }, /memory/],
    ] as const) {
      const error = await failure(add.with(options)(1, 2).value);
      assert.ok(error instanceof UnschedulableError, String(error));
      assert.match(error.message, pattern);
    }
    await goesOn(session());
  });

  test('cancelling a task that keeps ending its worker ends that', LIMIT, async () => {
    const folder = scratch();
    const ref = exits.with({ retries: 1000 })(3, folder);
    await eventually(() => marks(folder).length >= 2, 'it has been tried twice');
    cancel(ref);
    await failure(ref.value);
    await goesOn(session());
  });

  test('shared memory full is an error with numbers, here and in a task, and the session goes on', LIMIT, async () => {
    const held = [put(new Uint8Array(30 * MiB)), put(new Uint8Array(20 * MiB))];
    assert.throws(
      () => put(new Uint8Array(30 * MiB)),
      (error: Error) => {
        assert.ok(error instanceof OutOfMemoryError, String(error));
        assert.match(error.message, /30 MiB.*of 64 MiB/);
        return true;
      },
    );
    const error = await failure(share(30 * MiB).value);
    assert.ok(error instanceof OutOfMemoryError, String(error));
    const argument = () => readAll([put(new Uint8Array(40 * MiB))]);
    assert.throws(argument, OutOfMemoryError);
    for (const ref of held) ref.release();
    await drainedOf(session());
    assert.equal(((await share(30 * MiB).value) as Uint8Array).length, 30 * MiB);
    await goesOn(session());
  });
});

onHosts(
  'ends that only a process stands',
  { cpus: 4, memory: '64MiB' },
  (session) => {
    test('process.abort in a task', LIMIT, async () => {
      const error = await failure(aborts.with({ retries: 1 })().value);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGABRT/);
      await goesOn(session());
    });

    test('a crash of native code in a task', LIMIT, async () => {
      const error = await failure(segfaults.with({ retries: 1 })().value);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGSEGV/);
      await goesOn(session());
    });

    test('a worker that is killed', LIMIT, async () => {
      const folder = scratch();
      const error = await failure(killsItself.with({ retries: 1 })(folder).value);
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.match(error.message, /SIGKILL/);
      assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
      await goesOn(session());
    });

    test('a worker killed before its result is sealed: run again, and its space is back', LIMIT, async () => {
      const folder = scratch();
      const data = await within(PATIENCE_MS, slowResult(folder, 5 * MiB).value);
      assert.equal(data.length, 5 * MiB);
      assert.equal(data[12345], 7);
      assert.deepEqual(marks(folder), ['run-0', 'run-1']);
      await goesOn(session());
    });

    // Twice would not fit: the second run has room only once the first one's is back.
    test('a worker killed while it fills memory: run again, and its space is back', LIMIT, async () => {
      await drainedOf(session());
      for (let round = 0; round < 3; round++) {
        const folder = scratch();
        const ref = diesFilling(folder, 40 * MiB);
        await checkFilled(ref, 40 * MiB, 7);
        assert.deepEqual(marks(folder), ['run-0', 'run-1']);
        assert.equal(used(session()), 40 * MiB, 'one of the two is left');
        ref.release();
        await drainedOf(session());
      }
      await goesOn(session());
    });

    // A worker in a long loop hears of no death, and what the dead one may have sent it keeps the rest from being taken back.
    test('the same while another worker is deaf', LIMIT, async () => {
      await drainedOf(session());
      const folder = scratch();
      const deaf = spins.with({ retries: 0 })(folder, 'deaf');
      await eventually(() => marks(folder).length === 1, 'it spins');
      const runs = scratch();
      const ref = diesFilling(runs, 40 * MiB);
      await checkFilled(ref, 40 * MiB, 7);
      assert.deepEqual(marks(runs), ['run-0', 'run-1']);
      mark(folder, 'open');
      await deaf.value;
      ref.release();
      await drainedOf(session());
    });

    test('the space of dead workers is back', LIMIT, async () => {
      await drainedOf(session());
      assert.equal(used(session()), 0);
    });

    test('an object whose owner is killed is lost to those who wait for it, here and on a worker', LIMIT, async () => {
      const folder = scratch();
      const [inner] = (await owning(folder).value) as [Ref<number>];
      const held = holds([inner], folder);
      await eventually(() => marks(folder).includes('holding'), 'a task waits for it');
      const waiting = failure(inner.value);
      process.kill(pidOf(folder, 'owner'), 'SIGKILL');
      const error = await waiting;
      assert.ok(error instanceof OwnerDiedError, String(error));
      assert.equal(await within(PATIENCE_MS, held.value), 'OwnerDiedError');
      inner.release();
      await goesOn(session());
    });

    test(
      'a pending result whose owner is killed is an OwnerDiedError, though other workers are deaf',
      LIMIT,
      async () => {
        const folder = scratch();
        const [inner] = (await owning(folder).value) as [Ref<number>];
        // One of the four places is that of what it has called. One of these may have its owner's; the others are deaf until
        // the end, so nobody can wait for their word.
        const deaf = ['a', 'b', 'c'].map((name) => spins.with({ retries: 0 })(folder, name));
        const ends = deaf.map((ref) => ref.value.catch(() => {}));
        await eventually(() => marks(folder).length === 4, 'all are busy');
        const waiting = failure(inner.value);
        process.kill(pidOf(folder, 'owner'), 'SIGKILL');
        const error = await waiting;
        assert.ok(error instanceof OwnerDiedError, String(error));
        mark(folder, 'open');
        await within(PATIENCE_MS, Promise.all(ends));
        await goesOn(session());
      },
    );

    test(
      'tasks whose caller is killed end, asleep or in an endless loop, and their places are free',
      LIMIT,
      async () => {
        const folder = scratch();
        const owner = callsForEver.with({ retries: 0 })(folder);
        await eventually(() => marks(folder).includes('asleep') && marks(folder).includes('looping'), 'both run');
        process.kill(pidOf(folder, 'owner'), 'SIGKILL');
        assert.ok((await failure(owner.value)) instanceof WorkerDiedError);
        // All four places are needed at once.
        await within(PATIENCE_MS, get(Array.from({ length: 4 }, () => meets(4, folder))));
        await goesOn(session());
      },
    );

    test('a value fetched before its owner was killed stays good', LIMIT, async () => {
      const folder = scratch();
      const [inner] = (await owningData(folder, 2 * MiB).value) as [Ref<Uint8Array>];
      const data = await inner.value;
      process.kill(pidOf(folder, 'owner'), 'SIGKILL');
      // Everybody has heard of it as soon as another one has its number.
      const everybody = scratch();
      await within(PATIENCE_MS, get(Array.from({ length: 4 }, () => meets(4, everybody))));
      assert.equal(data[1000], 3);
      assert.equal(data.length, 2 * MiB);
      assert.ok(data.every((x) => x === 3));
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
      test(`${how} ends in a typed error, and the session goes on`, LIMIT, async () => {
        const error = await failure(exhaust.with({ retries: how === 'a growing array' ? 1 : 0 })(how).value);
        if (!(error instanceof RangeError)) {
          assert.ok(error instanceof WorkerDiedError, String(error));
          assert.match(error.message, /heap is exhausted|beyond what V8 allows|SIGKILL/);
        }
        await goesOn(session());
      });
    }

    test('memory outside of the heap is taken from the machine, not from the session', LIMIT, async () => {
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
