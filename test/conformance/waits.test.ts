import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import {
  all,
  asCompleted,
  byRef,
  CancelledError,
  cancel,
  connect,
  current,
  get,
  type Ref,
  ReleasedError,
  scope,
  TimeoutError,
  task,
  wait,
} from 'sheaf';
import {
  collect,
  eventually,
  failure,
  hostOptions,
  LIMIT,
  mark,
  marks,
  onHostsAndInline,
  PATIENCE_MS,
  scratch,
  sleep,
  untilMarked,
  within,
} from './support.ts';

const later = task(async (ms: number, x: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return x;
});
const add = task((a: number, b: number) => a + b);
const never = task(() => new Promise<number>(() => {}));
const listening = task(async (folder: string, name: string) => {
  const { signal } = current();
  mark(folder, `${name}-began`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  mark(folder, `${name}-aborted`);
  return 1;
});
const gathersAndWaits = task(async (folder: string) => {
  const both = all([listening(folder, 'a'), listening(folder, 'b')]);
  return (await both.value).length;
});
const awaitsMark = task(async (folder: string, name: string) => {
  mark(folder, 'child');
  await untilMarked(folder, name);
  return 1;
}).with({ cpus: 0 });
const waitsForAChildWithoutCores = task(async (folder: string) => (await awaitsMark(folder, 'go').value) + 1);
const marksIt = task((folder: string, name: string) => mark(folder, name));
const reads = task(async ([ref]: [Ref<unknown>]) => ref.value);
const cancels = task(async ([ref]: [Ref<unknown>]) => cancel(ref));

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

onHostsAndInline('one core', { cpus: 1, memory: '16MiB' }, () => {
  test('what takes no core leaves it to others, where a task that has one waits for it', LIMIT, async () => {
    const folder = scratch();
    const parent = waitsForAChildWithoutCores(folder);
    await untilMarked(folder, 'child');
    // The child runs where its parent waits, and waits for what only this one does.
    const other = marksIt(folder, 'go');
    await within(PATIENCE_MS, other.value, 'the core');
    assert.equal(await parent.value, 2);
  });
});

onHostsAndInline('waits', { cpus: 2, memory: '32MiB' }, (session, isolation) => {
  test('a timeout of any length holds: the longest ones, and Infinity', { timeout: 30_000 }, async () => {
    for (const timeout of [Number.POSITIVE_INFINITY, '1000h', 2 ** 31, 2 ** 31 - 1] as const) {
      assert.equal(await get(later(20, 1), { timeout }), 1);
      assert.deepEqual(await get([later(20, 1), later(1, 2)], { timeout }), [1, 2]);
      const refs = [later(20, 1)];
      assert.deepEqual((await wait(refs, { timeout })).ready, refs);
      for await (const [i] of asCompleted([later(20, 1)], { timeout })) assert.equal(i, 0);
      assert.equal(await scope(async () => later(20, 3).value, { timeout }), 3);
      await using s = scope({ timeout });
      assert.equal(await s.start(later, 20, 4).value, 4);
      assert.equal(s.signal.aborted, false);
    }
    assert.equal(await later.with({ timeout: Number.POSITIVE_INFINITY })(20, 5).value, 5);
    assert.equal(await later.with({ timeout: '596h' })(20, 6).value, 6);
  });

  test('asCompleted ends at its timeout, however it comes', { timeout: 10_000 }, async () => {
    for (const timeout of [0, 20]) {
      const pending = never();
      const loop = async (): Promise<void> => {
        for await (const _ of asCompleted([pending], { timeout }));
      };
      const error = await failure(loop());
      cancel(pending);
      assert.ok(error instanceof TimeoutError, String(error));
      assert.match(error.message, /can be waited for again/);
    }
  });

  test('with timeout 0, what is not ready is said to be not ready', { timeout: 10_000 }, async () => {
    const [pending, other] = [never(), never()];
    assert.match((await failure(get(pending, { timeout: 0 }))).message, /^the reference is not ready; it can be/);
    assert.match(
      (await failure(get([pending, other], { timeout: 0 }))).message,
      /^not all of 2 references are ready; they can/,
    );
    for (const ref of [pending, other]) cancel(ref);
  });

  test('a signal has one listener for all who wait for it, and none afterwards', { timeout: 20_000 }, async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    try {
      const stop = new AbortController();
      const { signal } = stop;
      const slow = later.with({ signal });
      const refs = Array.from({ length: 50 }, (_, i) => slow(30, i));
      assert.equal(listeners(signal), 1);
      const gets = Array.from({ length: 20 }, () => get(refs, { signal }));
      assert.equal(listeners(signal), 1);
      await Promise.all(gets);
      await eventually(() => listeners(signal) === 0, 'nobody listens when all has ended');
      const more = Array.from({ length: 30 }, (_, i) => slow(60_000, i));
      const own = later(60_000, 1);
      const waits = more.map(() => get(own, { signal }));
      const scoped = Array.from({ length: 15 }, () => scope(async () => later(60_000, 1).value, { signal }));
      const reason = new Error('enough');
      stop.abort(reason);
      for (const each of [...waits, ...scoped]) assert.equal(await failure(each), reason);
      for (const ref of more) assert.ok((await failure(ref.value)) instanceof CancelledError);
      cancel(own);
      assert.equal(listeners(signal), 0);
      await sleep(1);
      assert.deepEqual(warnings.map(String), []);
    } finally {
      process.off('warning', warned);
    }
  });

  test('a scope throws the reason of its signal', { timeout: 20_000 }, async () => {
    const body = async (): Promise<number> => never().value;
    const late = await failure(scope(body, { signal: AbortSignal.timeout(50) }));
    assert.equal(late.name, 'TimeoutError');
    assert.ok(late instanceof DOMException);
    const reason = new RangeError('mine');
    const stop = new AbortController();
    const stopped = scope(body, { signal: stop.signal });
    stop.abort(reason);
    assert.equal(await failure(stopped), reason);
    let ran = false;
    const before = scope(
      async () => {
        ran = true;
        return never().value;
      },
      { signal: AbortSignal.abort(reason) },
    );
    assert.equal(await failure(before), reason);
    assert.equal(ran, false);
    // Its own error before that stays its own.
    await assert.rejects(
      scope(
        async () => {
          throw new SyntaxError('own');
        },
        { signal: new AbortController().signal },
      ),
      SyntaxError,
    );
    assert.ok((await failure(scope(body, { timeout: 20 }))) instanceof TimeoutError);
  });

  test('what is started in a scope that has been stopped fails for the same reason', { timeout: 10_000 }, async () => {
    const reason = new RangeError('mine');
    await using s = scope({ signal: AbortSignal.abort(reason) });
    const error = await failure(s.start(later, 60_000, 1).value);
    assert.ok(error instanceof CancelledError, String(error));
    assert.equal(error.cause, reason);
    let ref: Ref<number> | undefined;
    await scope(async () => {
      ref = add(1, 2);
      await ref.value;
    });
    assert.throws(
      () => ref?.value,
      (thrown) => thrown instanceof ReleasedError && /end of its scope, which s\.keep\(ref\)/.test(thrown.message),
    );
  });

  test('cancelling an all fails it, and ends what nothing else waits for', { timeout: 20_000 }, async () => {
    const folder = scratch();
    const shared = listening(folder, 'shared');
    const waiter = shared.value;
    const both = all([listening(folder, 'a'), all({ b: listening(folder, 'b') }), shared, 5]);
    const value = both.value;
    await eventually(() => marks(folder).length >= 2, 'they have begun');
    cancel(both);
    assert.ok((await failure(value, 5000)) instanceof CancelledError);
    await eventually(() => marks(folder).includes('a-aborted'), 'a part is cancelled');
    // The other one had no core yet, and never gets one.
    await eventually(() => session().stats().tasks.pending === 1, 'the parts of parts are cancelled');
    assert.equal(marks(folder).includes('shared-aborted'), false);
    cancel(shared);
    assert.ok((await failure(waiter)) instanceof CancelledError);
    cancel(both);
  });

  test('parts that a call or another all needs, or that have been passed on, are spared', {
    timeout: 20_000,
  }, async () => {
    const needed = later(200, 1);
    const sum = add(needed, 1);
    const gathered = later(200, 2);
    const other = all([gathered]);
    const passed = later(200, 3);
    const reader = reads([passed as Ref<unknown>]);
    const plain = later(60_000, 4);
    cancel(all([needed, gathered, passed, plain]));
    assert.deepEqual(await get([sum, needed, other, reader]), [2, 1, [2], 3]);
    assert.ok((await failure(plain.value)) instanceof CancelledError);
    const kept = later(100, 5);
    const only = all([kept]);
    cancel(only, { recursive: false });
    assert.ok((await failure(only.value)) instanceof CancelledError);
    assert.equal(await kept.value, 5);
  });

  test('the others of a tuple spare the call that makes it', { timeout: 10_000 }, async () => {
    const pair = task(async (): Promise<[number, number]> => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [1, 2];
    });
    const [a, b] = pair.with({ returns: 2 })();
    const value = b.value;
    cancel(all([a]));
    assert.equal(await value, 2);
    assert.equal(await a.value, 1);
  });

  test('a scope ends the all that was made in it, and not what others put into it', { timeout: 10_000 }, async () => {
    const outside = later(200, 7);
    let inside: Ref<number> | undefined;
    await scope(async (s) => {
      inside = s.keep(later(200, 8));
      all([outside, inside, later(60_000, 1)]);
    });
    assert.equal(await outside.value, 7);
    assert.equal(await inside?.value, 8);
    await within(10_000, session().drained(), 'the end of what the scope has cancelled');
  });

  test('an all is cancelled by a borrower, and with the task that made it', { timeout: 20_000 }, async () => {
    const both = all([never(), 5]);
    await cancels([both as Ref<unknown>]).value;
    assert.ok((await failure(both.value)) instanceof CancelledError);
    const folder = scratch();
    await using two = await connect({ cpus: 3, memory: '16MiB', ...hostOptions(isolation) });
    const ref = two.run(() => gathersAndWaits(folder));
    await eventually(() => marks(folder).filter((name) => name.endsWith('began')).length === 2, 'both run');
    cancel(ref);
    assert.ok((await failure(ref.value)) instanceof CancelledError);
    await eventually(() => marks(folder).filter((name) => name.endsWith('aborted')).length === 2, 'both are cancelled');
  });

  test('a reference used after its release says where that was, in a turn with many of them', {
    timeout: 10_000,
  }, async () => {
    const refs = Array.from({ length: 40 }, (_, i) => add(i, 1));
    await get(refs);
    await sleep(1);
    for (const ref of refs) ref.release();
    for (const ref of refs) {
      assert.throws(
        () => ref.value,
        (error) =>
          error instanceof ReleasedError && /was released at .*waits\.test\.ts:\d+:\d+; keep/.test(error.message),
        `one of ${refs.length}`,
      );
    }
    const used = (() => {
      using one = add(1, 2);
      return one;
    })();
    assert.throws(() => byRef(used) && add(used, 1), /waits\.test\.ts:/);
  });
});

describe('a released reference', () => {
  test('says so where too many were released to tell', async () => {
    await using s = await connect({ cpus: 1, memory: '16MiB' });
    const refs = s.run(() => Array.from({ length: 2000 }, (_, i) => add(i, 1)));
    await get(refs);
    await collect();
    for (const ref of refs) ref.release();
    assert.throws(() => refs.at(-1)?.value, /together with too many others to say where/);
    await within(5000, s.drained());
  });
});
