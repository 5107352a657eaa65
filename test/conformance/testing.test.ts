import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connect,
  current,
  get,
  NotAvailableError,
  put,
  type Ref,
  type Session,
  TimeoutError,
  task,
  UsageError,
} from 'sheaf';
import { inline, kill, type Leak, leaks, lose } from 'sheaf/testing';
import {
  eventually,
  failure,
  isMarked,
  LIMIT,
  mark,
  onHosts,
  onHostsAndInline,
  PATIENCE_MS,
  scratch,
  sleep,
  untilMarked,
  within,
} from './support.ts';

const square = task((x: number) => x * x);
const held = task(async (folder: string) => {
  mark(folder, 'begun');
  await untilMarked(folder, `go ${current().attempt}`);
  return current().attempt;
});
const calls = task(async (folder: string) => held(folder).value);
const kinds = (found: readonly Leak[]): string[] => found.map(({ kind }) => kind);

test('inline() opens a session whose tasks run in this thread', LIMIT, async () => {
  await using session = await inline({ cpus: 1 });
  (globalThis as { mine?: number }).mine = 5;
  assert.equal(await session.run(() => task(() => (globalThis as { mine?: number }).mine)()).value, 5);
  assert.equal(await session.run(() => square(3)).value, 9);
  assert.deepEqual(await leaks(session), []);
});

onHostsAndInline('leaks', { cpus: 1, memory: '32MiB' }, (session) => {
  test('there are none when all is released, and what is kept is named', LIMIT, async () => {
    assert.deepEqual(await leaks(session()), []);
    const value = put(new Float64Array(100_000));
    const shared = put([value]);
    const folder = scratch();
    const pending = held(folder);
    void shared.id;
    await eventually(() => isMarked(folder, 'begun'), 'it runs');
    const found = await leaks(session(), { within: 0 });
    assert.deepEqual(new Set(kinds(found)), new Set(['task', 'reference', 'lease', 'memory']));
    assert.match(
      (found.find(({ kind }) => kind === 'memory') as Leak).what,
      /1 value\(s\) in shared memory, 832 KiB|1 value/,
    );
    mark(folder, 'go 0');
    await pending.value;
    for (const ref of [value, shared, pending]) ref.release();
    assert.deepEqual(await leaks(session()), []);
  });
});

onHosts('files of spilled values are leaks as well', { cpus: 1, memory: '16MiB', spill: scratch() }, (session) => {
  test('until what is in them is released', LIMIT, async () => {
    const refs = Array.from({ length: 16 }, (_, i) => put(new Uint8Array(2 ** 21).fill(i)));
    const found = await leaks(session(), { within: 100 });
    assert.deepEqual(kinds(found), ['memory', 'file']);
    assert.match((found[0] as Leak).what, /16 value\(s\).*on disk/);
    for (const ref of refs) ref.release();
    assert.deepEqual(await leaks(session()), []);
  });
});

onHosts(
  'kill',
  { cpus: 2 },
  (session) => {
    test('ends the worker that runs a task of that name, which runs again', LIMIT, async () => {
      const folder = scratch();
      const ref = held(folder);
      await kill(session(), 'held');
      mark(folder, 'go 1');
      assert.equal(await within(PATIENCE_MS, ref.value), 1);
      // Inline, the run that was killed goes on, unheard.
      mark(folder, 'go 0');
    });

    test('also where a task has called it', LIMIT, async () => {
      const folder = scratch();
      const ref = calls(folder);
      await kill(session(), 'held');
      mark(folder, 'go 0');
      mark(folder, 'go 1');
      assert.ok([0, 1].includes(await within(PATIENCE_MS, ref.value)));
    });

    test('fails a task that may not run again', LIMIT, async () => {
      const folder = scratch();
      const ref = held.with({ retries: 0 })(folder);
      const error = failure(ref.value);
      await kill(session(), 'held');
      assert.equal((await error).name, 'WorkerDiedError');
      mark(folder, 'go 0');
    });

    test('waits until there is one, and gives up in the end', LIMIT, async () => {
      const late = kill(session(), 'held');
      await sleep(20);
      const folder = scratch();
      const ref = held(folder);
      await within(PATIENCE_MS, late);
      mark(folder, 'go 1');
      assert.equal(await within(PATIENCE_MS, ref.value), 1);
      mark(folder, 'go 0');
      const error = await failure(kill(session(), 'nobody', { within: 20 }));
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /no worker has begun a task named nobody within 20 ms/);
    });
  },
  ['process', 'inline'],
);

test('what these can not do is said', LIMIT, async () => {
  await using session = await inline();
  await using threads = await connect({ cpus: 1, isolation: 'thread' });
  assert.ok((await failure(kill(threads, 'x'))) instanceof NotAvailableError);
  assert.ok((await failure(leaks(5 as unknown as Session))) instanceof UsageError);
  assert.ok((await failure(kill(threads, 5 as unknown as string))) instanceof UsageError);
  const [ref] = await session.run(() => get([put([put(1)] as const)]));
  assert.ok((await failure(lose((ref as readonly [Ref<number>])[0]))) instanceof UsageError);
});

test('in an inline session nothing can be made again: lost is lost', LIMIT, async () => {
  await using session = await inline();
  const ref = session.run(() => put(new Float64Array(100_000)));
  await ref.value;
  await lose(ref);
  const error = await failure(ref.value);
  assert.equal(error.name, 'ObjectLostError');
});
