import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, connect, get, put, type Ref, task, UsageError } from 'sheaf';
import { alive, childrenOf, eventually, failure, hosts, program, socketOf, start, within } from './support.ts';

const add = task((a: number, b: number) => a + b);
const later = task(async (ms: number, value: number) => {
  await sleep(ms);
  return value;
});
const loop = task(() => {
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
    test('`get` waits for references of several sessions', { timeout: 15_000 }, async () => {
      await using one = await connect(options);
      await using two = await connect(options);
      const here = one.run(() => add(1, 2));
      const there = two.run(() => later(100, 7));
      assert.deepEqual(await get([here, there]), [3, 7]);
      assert.deepEqual(await get({ a: there, b: here }), { a: 7, b: 3 });
      const never = one.run(() => later(60_000, 1));
      const failing = two.run(() => later.with({ timeout: 50 })(60_000, 1));
      assert.match((await failure(get([never, failing]))).message, /timeout of 50 ms/);
      never.ignore();
    });

    test('`await using` closes; used afterwards it is an error', { timeout: 15_000 }, async () => {
      let settled: Ref<number>;
      let pending: Ref<number>;
      {
        await using session = await connect(options);
        assert.match(session.url, /^sheaf:/);
        settled = add(1, 2);
        pending = later(60_000, 1);
        pending.ignore();
        assert.equal(await settled.value, 3);
      }
      assert.throws(() => add(1, 2), UsageError);
      assert.ok((await failure(pending.value, 1000)) instanceof CancelledError);
      assert.ok((await failure(get(pending), 1000)) instanceof CancelledError);
      settled.release();
    });

    test('with two open, a call says which it means', { timeout: 15_000 }, async () => {
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

    test('closed while tasks are pending: they fail, and nothing hangs', { timeout: 15_000 }, async () => {
      const session = await connect(options);
      const refs = [
        loop() as Ref<unknown>,
        later(60_000, 1),
        ...Array.from({ length: 500 }, (_, i) => add(i, 1)),
      ] as Ref<unknown>[];
      const blocked = add(refs[1] as Ref<number>, 1);
      const ends = [...refs, blocked].map((ref) => ref.value.then(String, (e: Error) => e.name));
      const waiting = failure(get(refs), 5000);
      await sleep(50);
      const began = performance.now();
      await Promise.all([session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]);
      assert.ok(performance.now() - began < 1500, `${performance.now() - began} ms`);
      assert.ok((await waiting) instanceof CancelledError);
      const names = await within(1000, Promise.all(ends));
      assert.equal(names[0], 'CancelledError');
      assert.equal(names[1], 'CancelledError');
      assert.equal(names.at(-1), 'CancelledError');
      await session[Symbol.asyncDispose]();
      await within(500, session.drained());
    });

    test('a signal closes a session', { timeout: 15_000 }, async () => {
      const stop = new AbortController();
      await connect({ ...options, signal: stop.signal });
      const ref = later(60_000, 1);
      stop.abort();
      assert.ok((await failure(ref.value, 3000)) instanceof CancelledError);
      assert.throws(() => add(1, 2), UsageError);
      await assert.rejects(connect({ ...options, signal: AbortSignal.abort() }));
      await sleep(200);
    });

    test('nothing is left after it is closed: processes, socket, shared memory', { timeout: 15_000 }, async () => {
      const before = new Set(childrenOf(process.pid));
      const session = await connect(options);
      const url = session.url;
      await get(Array.from({ length: 50 }, () => worker()));
      if (isolation === 'process') assert.ok(childrenOf(process.pid).some((pid) => !before.has(pid)));
      await session[Symbol.asyncDispose]();
      await eventually(() => childrenOf(process.pid).every((pid) => before.has(pid)), 'no worker is left', 1000);
      assert.equal(existsSync(socketOf(url)), false);
      const open = readdirSync('/proc/self/fd').map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return '';
        }
      });
      assert.deepEqual(
        open.filter((path) => path.includes('memfd:sheaf')),
        [],
      );
      assert.deepEqual(
        readdirSync('/dev/shm').filter((name) => name.includes('sheaf')),
        [],
      );
    });

    test('opened and closed again and again it leaks no descriptor, thread or timer', { timeout: 60_000 }, async () => {
      const { stdout, stderr, code } = await program('several.mjs', [isolation], 45_000);
      assert.equal(code, 0, stderr);
      const { before, after } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
      assert.ok(after.fd <= before.fd, `${stdout}`);
      assert.ok(after.task <= before.task, `${stdout}`);
    });

    for (const how of ['idle', 'pending', 'used']) {
      test(`a program ends by itself with its session open (${how})`, { timeout: 20_000 }, async () => {
        const { code, stdout, stderr, ms } = await program('leaves.mjs', [isolation, how], 15_000);
        assert.equal(stderr, '');
        assert.equal(code, 0);
        assert.match(stdout, how === 'idle' ? /opened/ : /sum 3/);
        assert.ok(ms < 4000, `${ms} ms`);
      });
    }
  });

  describe(`interrupted (${isolation})`, () => {
    async function gone(pids: readonly number[], url: string, ms: number): Promise<void> {
      await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`, ms);
      if (ms < 5000) assert.equal(existsSync(socketOf(url)), false, 'the socket is gone');
      assert.deepEqual(
        readdirSync('/dev/shm').filter((name) => name.includes('sheaf')),
        [],
      );
    }

    for (const how of ['asleep', 'loop']) {
      test(`Ctrl-C with workers ${how}: everything is gone in a second, exit code 130`, {
        timeout: 20_000,
      }, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        const url = await running.line('url');
        const pids = (await running.line('workers')).split(' ').map(Number);
        const began = performance.now();
        // As a terminal does: to the whole group.
        process.kill(-(running.child.pid as number), 'SIGINT');
        const { code, signal } = await within(5000, running.ended);
        assert.equal(signal, null);
        assert.equal(code, 130);
        const took = performance.now() - began;
        assert.ok(took < 1200, `${took} ms`);
        await gone(isolation === 'process' ? pids : [], url, 1000);
      });

      test(`the program killed with workers ${how}: no process is left`, { timeout: 20_000 }, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        await running.line('url');
        const pids = (await running.line('workers')).split(' ').map(Number);
        process.kill(running.child.pid as number, 'SIGKILL');
        const { signal } = await within(5000, running.ended);
        assert.equal(signal, 'SIGKILL');
        await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`, 1000);
      });
    }

    test('SIGTERM closes as well, exit code 143', { timeout: 20_000 }, async () => {
      const running = start('interrupted.mjs', ['loop', isolation]);
      const url = await running.line('url');
      const pids = (await running.line('workers')).split(' ').map(Number);
      process.kill(running.child.pid as number, 'SIGTERM');
      assert.equal((await within(5000, running.ended)).code, 143);
      await gone(isolation === 'process' ? pids : [], url, 1000);
    });

    for (const [how, expected] of [
      ['exit', 7],
      ['throw', 1],
    ] as const) {
      test(`a program that ends by ${how} leaves nothing`, { timeout: 20_000 }, async () => {
        const running = start('interrupted.mjs', [how, isolation]);
        const { code, stdout } = await within(15_000, running.ended);
        assert.equal(code, expected);
        const pids = (/workers (.*)/.exec(stdout)?.[1] ?? '').split(' ').map(Number);
        await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`, 1000);
      });
    }
  });
}

test('a failure that nobody looked at is reported once, with the place of the call', { timeout: 20_000 }, async () => {
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
