import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, connect, get, put, type Ref, task, UsageError } from 'sheaf';
import { openSegments, othersWith, presentHere } from './shared-memory.ts';
import {
  alive,
  childrenOf,
  eventually,
  FOREVER_MS,
  failure,
  hosts,
  isMarked,
  LIMIT,
  mark,
  PATIENCE_MS,
  program,
  scratch,
  socketOf,
  start,
  within,
} from './support.ts';

const add = task((a: number, b: number) => a + b);
const later = task(async (ms: number, value: number) => {
  await sleep(ms);
  return value;
});
const loop = task((folder: string) => {
  mark(folder, 'loop');
  for (;;);
});
const worker = task(() => process.pid);

test('without an open session a call is an error that says so', () => {
  assert.throws(
    () => add(1, 2),
    (error: Error) =>
      error instanceof UsageError && error.code === 'ERR_SHEAF_NO_SESSION' && /await connect\(\)/.test(error.message),
  );
  assert.throws(() => put(1), /await connect\(\)/);
});

for (const isolation of hosts) {
  const options = { cpus: 2, memory: '32MiB', isolation } as const;

  describe(`sessions (${isolation})`, () => {
    test('`get` waits for references of several sessions', LIMIT, async () => {
      await using one = await connect(options);
      await using two = await connect(options);
      const here = one.run(() => add(1, 2));
      const there = two.run(() => later(100, 7));
      assert.deepEqual(await get([here, there]), [3, 7]);
      assert.deepEqual(await get({ a: there, b: here }), { a: 7, b: 3 });
      const never = one.run(() => later(FOREVER_MS, 1));
      const failing = two.run(() => later.with({ timeout: 50 })(FOREVER_MS, 1));
      assert.match((await failure(get([never, failing]))).message, /timeout of 50 ms/);
      never.ignore();
    });

    test('`await using` closes; used afterwards it is an error', LIMIT, async () => {
      let settled: Ref<number>;
      let pending: Ref<number>;
      {
        await using session = await connect(options);
        assert.match(session.url, /^sheaf:/);
        settled = add(1, 2);
        pending = later(FOREVER_MS, 1);
        pending.ignore();
        assert.equal(await settled.value, 3);
      }
      assert.throws(() => add(1, 2), UsageError);
      assert.ok((await failure(pending.value)) instanceof CancelledError);
      assert.ok((await failure(get(pending))) instanceof CancelledError);
      settled.release();
    });

    test('with two open, a call says which it means', LIMIT, async () => {
      await using a = await connect(options);
      await using b = await connect(options);
      assert.throws(
        () => add(1, 2),
        (error: Error) =>
          error instanceof UsageError &&
          error.code === 'ERR_SHEAF_SEVERAL_SESSIONS' &&
          /session\.run/.test(error.message),
      );
      assert.equal(await a.run(() => add(1, 2)).value, 3);
      assert.equal(await b.run(async () => (await add(2, 2).value) + 1), 5);
      assert.equal(await add.with({ session: b })(3, 4).value, 7);
      assert.deepEqual(await Promise.all([a.run(() => get([add(1, 0)])), b.run(() => get([add(2, 0)]))]), [[1], [2]]);
      assert.equal(a.stats().tasks.submitted, 2);
      assert.equal(b.stats().tasks.submitted, 3);
      await b[Symbol.asyncDispose]();
      assert.equal(await add(5, 5).value, 10, 'the one that is left is meant again');
    });

    test('closed while tasks are pending: they fail, and nothing hangs', LIMIT, async () => {
      const session = await connect(options);
      const folder = scratch();
      const refs = [
        loop(folder) as Ref<unknown>,
        later(FOREVER_MS, 1),
        ...Array.from({ length: 500 }, (_, i) => add(i, 1)),
      ] as Ref<unknown>[];
      const blocked = add(refs[1] as Ref<number>, 1);
      const ends = [...refs, blocked].map((ref) => ref.value.then(String, (e: Error) => e.name));
      const waiting = failure(get(refs));
      await eventually(() => isMarked(folder, 'loop'), 'the endless loop runs');
      await within(PATIENCE_MS, Promise.all([session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]));
      assert.ok((await waiting) instanceof CancelledError);
      const names = await within(PATIENCE_MS, Promise.all(ends));
      assert.equal(names[0], 'CancelledError');
      assert.equal(names[1], 'CancelledError');
      assert.equal(names.at(-1), 'CancelledError');
      await session[Symbol.asyncDispose]();
      await within(PATIENCE_MS, session.drained());
    });

    test('a signal closes a session', LIMIT, async () => {
      const stop = new AbortController();
      await connect({ ...options, signal: stop.signal });
      const ref = later(FOREVER_MS, 1);
      stop.abort();
      assert.ok((await failure(ref.value)) instanceof CancelledError);
      assert.throws(() => add(1, 2), UsageError);
      await assert.rejects(connect({ ...options, signal: AbortSignal.abort() }));
    });

    test('nothing is left after it is closed: processes, threads, socket, shared memory', LIMIT, async () => {
      const children = new Set(childrenOf(process.pid));
      const segments = openSegments('self');
      const session = await connect(options);
      const url = session.url;
      await get(Array.from({ length: 50 }, () => worker()));
      await get(put(new Uint8Array(8_000_000)));
      const ours = new Set([...openSegments('self')].filter((inode) => !segments.has(inode)));
      if (isolation === 'process') {
        assert.ok(childrenOf(process.pid).some((pid) => !children.has(pid)));
        assert.ok(ours.size >= 2 && othersWith(ours).length >= 1 && presentHere(ours) > 4_000_000, 'it is looked for');
      } else assert.equal(ours.size, 0, 'threads share memory without a file');
      await session[Symbol.asyncDispose]();
      await eventually(() => childrenOf(process.pid).every((pid) => children.has(pid)), 'no worker is left');
      assert.equal(existsSync(socketOf(url)), false);
      // One of an earlier test may be on its way out.
      await eventually(() => openSegments('self').size === 0, 'no segment is open');
      assert.deepEqual(othersWith(ours), []);
      // What is mapped stays so until it is garbage; the memory itself is gone, but for the block that says that it is closed.
      assert.ok(presentHere(ours) <= 4096, `${presentHere(ours)} bytes`);
    });

    test('opened and closed again and again it leaks no descriptor, thread or timer', LIMIT, async () => {
      const { stdout, stderr, code } = await program('several.mjs', [isolation]);
      assert.equal(code, 0, stderr);
      const { before, after } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
      assert.ok(after.fd <= before.fd, `${stdout}`);
      assert.ok(after.task <= before.task, `${stdout}`);
      assert.deepEqual(after.memfds, []);
    });

    test('closed while its workers are still starting', LIMIT, async () => {
      const { code, signal, stdout, stderr } = await program('starting.mjs', [isolation]);
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'over\n', stderr: '' });
    });

    for (const how of ['idle', 'pending', 'used']) {
      test(`a program ends by itself with its session open (${how})`, LIMIT, async () => {
        // One whose session keeps it alive does not end at all.
        const { code, stdout, stderr } = await program('leaves.mjs', [isolation, how]);
        assert.equal(stderr, '');
        assert.equal(code, 0);
        assert.match(stdout, how === 'idle' ? /opened/ : /sum 3/);
      });
    }
  });

  describe(`interrupted (${isolation})`, () => {
    /** `segments` are what the program had open while it ran. */
    async function gone(pids: readonly number[], url: string, segments: ReadonlySet<string>): Promise<void> {
      await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`);
      assert.equal(existsSync(socketOf(url)), false, 'the socket is gone');
      if (isolation === 'process') assert.ok(segments.size >= 2, 'it is looked for');
      assert.deepEqual(othersWith(segments), []);
    }

    for (const how of ['asleep', 'loop']) {
      test(`Ctrl-C with workers ${how}: everything is gone, exit code 130`, LIMIT, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        const url = await running.line('url');
        const pids = (await running.line('workers')).split(' ').map(Number);
        const segments = openSegments(running.child.pid as number);
        // As a terminal does: to the whole group.
        process.kill(-(running.child.pid as number), 'SIGINT');
        const { code, signal } = await within(PATIENCE_MS, running.ended);
        assert.equal(signal, null);
        assert.equal(code, 130);
        await gone(isolation === 'process' ? pids : [], url, segments);
      });

      test(`the program killed with workers ${how}: no process is left`, LIMIT, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        await running.line('url');
        const pids = (await running.line('workers')).split(' ').map(Number);
        const segments = openSegments(running.child.pid as number);
        process.kill(running.child.pid as number, 'SIGKILL');
        const { signal } = await within(PATIENCE_MS, running.ended);
        assert.equal(signal, 'SIGKILL');
        await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`);
        assert.deepEqual(othersWith(segments), []);
      });
    }

    test('SIGTERM closes as well, exit code 143', LIMIT, async () => {
      const running = start('interrupted.mjs', ['loop', isolation]);
      const url = await running.line('url');
      const pids = (await running.line('workers')).split(' ').map(Number);
      const segments = openSegments(running.child.pid as number);
      process.kill(running.child.pid as number, 'SIGTERM');
      assert.equal((await within(PATIENCE_MS, running.ended)).code, 143);
      await gone(isolation === 'process' ? pids : [], url, segments);
    });

    for (const [how, expected] of [
      ['exit', 7],
      ['throw', 1],
    ] as const) {
      test(`a program that ends by ${how} leaves nothing`, LIMIT, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        const { code, stdout } = await within(PATIENCE_MS, running.ended);
        assert.equal(code, expected);
        const pids = (/workers (.*)/.exec(stdout)?.[1] ?? '').split(' ').map(Number);
        await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`);
      });
    }
  });
}

test('a failure that nobody looked at is reported once, with the place of the call', LIMIT, async () => {
  const { stdout, stderr, code } = await program('unobserved.mjs');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /done/);
  const reports = stderr.split('\n').filter((line) => line.includes('nobody looked'));
  assert.equal(reports.length, 2, stderr);
  assert.match(stderr, /not looked at/);
  assert.match(stderr, /released/);
  assert.doesNotMatch(stderr, /meant$/m);
  assert.match(stderr, /unobserved\.mjs:\d+/);
});

for (const isolation of hosts) {
  test(`a session of a thread opens and closes without a word (${isolation})`, { timeout: 60_000 }, async () => {
    const { stdout, stderr, code } = await program('in-a-thread.mjs', [isolation], 50_000);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.equal(stdout, '2\n3\n');
  });
}
