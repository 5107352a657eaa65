import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  CancelledError,
  CodecError,
  cancel,
  current,
  get,
  merge,
  put,
  type Ref,
  ReleasedError,
  remote,
  type Stream,
  scope,
  stream,
  TimeoutError,
  task,
  UsageError,
  WorkerDiedError,
} from 'sheaf';
import type * as items from '../fixtures/conformance/items.ts';
import {
  collect,
  drainedOf,
  eventually,
  failure,
  isMarked,
  LIMIT,
  mark,
  nothingLeft,
  onHosts,
  onHostsAndInline,
  PATIENCE_MS,
  root,
  scratch,
  untilMarked,
  used,
  within,
} from './support.ts';

const square = task((x: number) => x * x);
const count = task(function* (n: number) {
  for (let i = 0; i < n; i++) yield i;
});
/** Writes down each index before it gives it, and `ended` in the end. */
const noted = task(async function* (folder: string, n: number) {
  try {
    for (let i = 0; i < n; i++) {
      mark(folder, `item-${i}`);
      yield i;
    }
  } finally {
    mark(folder, 'ended');
  }
});
const notedInSync = task(function* (folder: string, n: number) {
  try {
    for (let i = 0; i < n; i++) {
      mark(folder, `item-${i}`);
      yield i;
    }
  } finally {
    mark(folder, 'ended');
  }
});
const failing = task(function* () {
  yield 0;
  yield 1;
  throw new RangeError('at two');
});
/** Fails when the other one has begun. */
const failingAfter = task(async function* (folder: string) {
  await untilMarked(folder, 'item-0');
  yield 0;
  throw new RangeError('at two');
});
const blocks = task(function* (n: number) {
  for (let i = 0; i < n; i++) yield new Float64Array(131_072).fill(i);
});

const squares = task(async function* (n: number) {
  for await (const i of count(n)) yield await square(i).value;
});
const total = task(async (n: number) => {
  let sum = 0;
  for await (const x of squares(n)) sum += x;
  return sum;
});

/** In a frame of its own, which keeps nothing alive when it is over. */
const inFrame = (body: () => Promise<void>): Promise<void> => within(PATIENCE_MS, body());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const iteratorOf = <T>(items: AsyncIterable<T>): AsyncIterator<T> => items[Symbol.asyncIterator]();

onHostsAndInline('streams', { cpus: 2 }, (session) => {
  test('give their items in order, of any size and kind', LIMIT, async () => {
    assert.deepEqual(await within(PATIENCE_MS, all(count(1000))), upTo(1000));
    assert.deepEqual(await all(count(0)), []);
    const kinds = task(async function* (): AsyncGenerator<unknown> {
      yield undefined;
      yield null;
      yield 12n;
      yield 'text';
      yield 'x'.repeat(200_000);
      yield { a: [1, { b: new Date(5) }] };
      yield new Map([[1, new Set([2])]]);
      await sleep(1);
      yield new Uint8Array([1, 2, 3]);
      yield new RangeError('as a value');
    });
    const found = await within(PATIENCE_MS, all(kinds()));
    assert.deepEqual(found.slice(0, 4), [undefined, null, 12n, 'text']);
    assert.equal((found[4] as string).length, 200_000);
    assert.deepEqual(found.slice(5, 8), [
      { a: [1, { b: new Date(5) }] },
      new Map([[1, new Set([2])]]),
      new Uint8Array([1, 2, 3]),
    ]);
    assert.ok(found[8] instanceof RangeError);
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('large items come by shared memory, and are let go as they are consumed', LIMIT, async () => {
    let sum = 0;
    let most = 0;
    await inFrame(async () => {
      for await (const block of blocks(200)) {
        sum += block[7] as number;
        most = Math.max(most, used(session()));
        // Views of consumed items are garbage like any other.
        if ((block[0] as number) % 20 === 0) await collect();
      }
    });
    assert.equal(sum, (199 * 200) / 2);
    assert.ok(most < 100 * 1024 ** 2, `${most} bytes of 200 MiB at once`);
    await nothingLeft(session(), PATIENCE_MS);
  });

  test(
    'items are readable before the task ends, and references are freed as they are consumed (line 41)',
    LIMIT,
    async () => {
      const folder = scratch();
      const waits = task(async function* (where: string) {
        yield 'early';
        await untilMarked(where, 'read');
        yield 'late';
      });
      const found: string[] = [];
      for await (const item of waits(folder)) {
        found.push(item);
        mark(folder, 'read');
      }
      assert.deepEqual(found, ['early', 'late']);

      const opened = blocks(50);
      let most = 0;
      let n = 0;
      for await (const ref of opened.refs()) {
        assert.equal((await ref.value)[0], n++);
        ref.release();
        // What was read is let go when it is garbage, and looking for that takes longer than all the rest.
        if (n % 5 === 0) await collect();
        most = Math.max(most, used(session()));
      }
      assert.equal(n, 50);
      assert.ok(most < 40 * 1024 ** 2, `${most} bytes of 50 MiB at once`);
      await nothingLeft(session(), PATIENCE_MS);
    },
  );

  test('an error at item 2 comes after items 0 and 1, once, and then the end for ever (line 42)', LIMIT, async () => {
    for (const form of [(s: Stream<number>) => s, (s: Stream<number>) => s.refs()]) {
      const items = iteratorOf<unknown>(form(failing()));
      for (const i of [0, 1]) {
        const step = await items.next();
        assert.equal(step.done, false);
        const { value } = step;
        assert.equal(typeof value === 'number' ? value : await (value as Ref<number>).value, i);
      }
      const error = await failure(items.next());
      assert.ok(error instanceof RangeError);
      assert.equal(error.message, 'at two');
      assert.match(`${error.stack}`, /in task failing/);
      for (let i = 0; i < 3; i++) assert.deepEqual(await items.next(), { done: true, value: undefined });
    }
    await nothingLeft(session(), PATIENCE_MS);
  });

  for (const [kind, produce] of [
    ['an asynchronous', noted],
    ['a synchronous', notedInSync],
  ] as const) {
    test(
      `with a window of 1 ${kind} producer is never more than one ahead, and ends when it is left (line 43)`,
      LIMIT,
      async () => {
        const folder = scratch();
        const items = iteratorOf(produce.with({ ahead: 1 })(folder, 1000));
        for (let i = 0; i < 20; i++) {
          assert.deepEqual(await items.next(), { done: false, value: i });
          await eventually(() => isMarked(folder, `item-${i + 1}`), `item ${i + 1} is made`);
          // It has had every chance to go on by now: this call went to the same workers and back.
          await get([square(1), square(2)]);
          assert.equal(isMarked(folder, `item-${i + 2}`), false, `item ${i + 2} is made too early`);
        }
        await items.return?.();
        await eventually(() => isMarked(folder, 'ended'), 'the producer ends');
        assert.equal(isMarked(folder, 'item-21'), false);
        assert.deepEqual(await items.next(), { done: true, value: undefined });
        await nothingLeft(session(), PATIENCE_MS);
      },
    );
  }

  test('no producer runs further ahead than its window, in items and in bytes (line 43)', LIMIT, async () => {
    const folder = scratch();
    const items = iteratorOf(noted(folder, 1000));
    await items.next();
    await eventually(() => isMarked(folder, 'item-15'), 'the window is used');
    await get([square(1), square(2)]);
    assert.equal(isMarked(folder, 'item-17'), false);
    await items.return?.();

    const large = iteratorOf(
      task(function* (where: string) {
        for (let i = 0; i < 20; i++) {
          mark(where, `block-${i}`);
          yield new Uint8Array(6 * 1024 ** 2);
        }
      })(folder),
    );
    await large.next();
    await eventually(() => isMarked(folder, 'block-3'), 'the window is used');
    await get([square(1), square(2)]);
    assert.equal(isMarked(folder, 'block-4'), false);
    await large.return?.();
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('a producer that waits for its consumer gives up its place', LIMIT, async () => {
    const paused = Array.from({ length: 6 }, () => count(1e9));
    for (const each of paused) assert.deepEqual(await iteratorOf(each).next(), { done: false, value: 0 });
    assert.equal(await within(PATIENCE_MS, square(5).value), 25);
    for (const each of paused) await each[Symbol.asyncDispose]();
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('leaving ends the producer, whichever way', LIMIT, async () => {
    const ways: Record<string, (s: Stream<number>) => Promise<void>> = {
      break: async (s) => {
        for await (const item of s) if (item === 3) break;
      },
      throw: async (s) => {
        const error = await failure(
          (async () => {
            for await (const item of s) if (item === 3) throw new RangeError('mine');
          })(),
        );
        assert.equal(error.message, 'mine');
      },
      'leaving refs()': async (s) => {
        for await (const ref of s.refs()) if ((await ref.value) === 3) break;
      },
      'await using': async (s) => {
        await using mine = s;
        await iteratorOf(mine).next();
      },
      cancel: async (s) => {
        const read = iteratorOf(s);
        await read.next();
        cancel(s);
        assert.ok((await failure(read.next())) instanceof CancelledError);
        assert.deepEqual(await read.next(), { done: true, value: undefined });
      },
    };
    for (const [way, leave] of Object.entries(ways)) {
      for (const produce of [noted, notedInSync]) {
        const folder = scratch();
        await within(PATIENCE_MS, leave(produce(folder, 1e9)), way);
        await eventually(() => isMarked(folder, 'ended'), `the producer ends after ${way}`);
      }
    }
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('a signal ends it, and so do a scope and the garbage collector', LIMIT, async () => {
    const [bySignal, byScope, byGarbage] = [scratch(), scratch(), scratch()];
    const abort = new AbortController();
    const read = iteratorOf(noted.with({ signal: abort.signal })(bySignal, 1e9));
    await read.next();
    abort.abort(new Error('enough'));
    const error = await failure(read.next());
    assert.ok(error instanceof CancelledError);
    assert.equal((error.cause as Error).message, 'enough');
    await eventually(() => isMarked(bySignal, 'ended'), 'the signal ends it');

    let outlived: AsyncIterator<number> | undefined;
    await scope(async () => {
      outlived = iteratorOf(noted(byScope, 1e9));
      await outlived.next();
    });
    await eventually(() => isMarked(byScope, 'ended'), 'the scope ends it');
    assert.ok((await failure((outlived as AsyncIterator<number>).next())) instanceof ReleasedError);
    assert.deepEqual(await outlived?.next(), { done: true, value: undefined });

    await (async () => {
      await iteratorOf(noted(byGarbage, 1e9)).next();
    })();
    await eventually(async () => {
      await collect();
      return isMarked(byGarbage, 'ended');
    }, 'the garbage collector ends it');
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('of one that is let go with items unread nothing is left', LIMIT, async () => {
    await inFrame(async () => {
      const unread = blocks(8);
      const first = iteratorOf(unread);
      await first.next();
      // It has come to its end by itself, and its items lie here.
      await session().drained();
      await unread[Symbol.asyncDispose]();
      const cancelled = blocks(8);
      const read = iteratorOf(cancelled);
      await read.next();
      await session().drained();
      cancel(cancelled);
      assert.ok((await failure(read.next())) instanceof CancelledError);
      assert.deepEqual(await read.next(), { done: true, value: undefined });
    });
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('references in items are counted', LIMIT, async () => {
    const boxes = task(async function* (n: number) {
      for (let i = 0; i < n; i++) {
        using big = put(new Float64Array(20_000).fill(i));
        yield { i, big: big as Ref<Float64Array>, computed: square(i) };
      }
    });
    await inFrame(async () => {
      for await (const { i, big, computed } of boxes(40)) {
        assert.equal((await big.value)[3], i);
        assert.equal(await computed.value, i * i);
        big.release();
        computed.release();
      }
    });
    // A reference passes through a stream as it is.
    const refs = task(function* () {
      yield square(7);
    });
    await inFrame(async () => {
      for await (const ref of refs()) assert.equal(await ref.value, 49);
    });
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('items are passed on by reference', LIMIT, async () => {
    const sum = task((xs: Float64Array) => xs.reduce((a, b) => a + b, 0));
    await inFrame(async () => {
      const sums: Ref<number>[] = [];
      for await (const ref of blocks(5).refs()) sums.push(sum(ref));
      assert.deepEqual(
        await get(sums),
        upTo(5).map((i) => i * 131_072),
      );
    });
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('tasks read streams, and streams await tasks and other streams', LIMIT, async () => {
    assert.equal(
      await within(PATIENCE_MS, total(40).value),
      upTo(40).reduce((a, i) => a + i * i, 0),
    );
    // A stream that a task leaves open ends with the task.
    const folder = scratch();
    const opens = task(async (where: string) => {
      await iteratorOf(noted(where, 1e9)).next();
    });
    await within(PATIENCE_MS, opens(folder).value);
    await eventually(() => isMarked(folder, 'ended'), 'it ends with its reader');
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('next() may be called ahead', LIMIT, async () => {
    const items = iteratorOf(count(5));
    const steps = await Promise.all(Array.from({ length: 7 }, () => items.next()));
    assert.deepEqual(
      steps.map(({ value }) => value),
      [0, 1, 2, 3, 4, undefined, undefined],
    );
    await inFrame(async () => {
      const waiting = iteratorOf(noted(scratch(), 1e9).refs());
      await waiting.next();
    });
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('an argument that fails is the failure of the stream', LIMIT, async () => {
    const fails = task((): number => {
      throw new RangeError('no argument');
    });
    const items = iteratorOf(count(fails()));
    assert.equal((await failure(items.next())).message, 'no argument');
    assert.deepEqual(await items.next(), { done: true, value: undefined });
  });

  test('an item that can’t travel ends it with an error that says so', LIMIT, async () => {
    const folder = scratch();
    const wrong = task(function* (where: string): Generator<unknown> {
      try {
        yield 1;
        yield { f: () => 1 };
      } finally {
        mark(where, 'ended');
      }
    });
    const items = iteratorOf(wrong(folder));
    assert.equal((await items.next()).value, 1);
    const error = await failure(items.next());
    assert.ok(error instanceof CodecError, String(error));
    assert.match(error.message, /item\.f/);
    await eventually(() => isMarked(folder, 'ended'), 'the producer ends');
  });

  test('a run that takes too long fails', LIMIT, async () => {
    const folder = scratch();
    const late = task(
      async function* (where: string) {
        try {
          yield 1;
          await new Promise(() => {});
        } finally {
          mark(where, 'unreachable');
        }
      },
      { timeout: 200, retries: 0 },
    );
    const items = iteratorOf(late(folder));
    assert.equal((await items.next()).value, 1);
    assert.ok((await failure(items.next())) instanceof TimeoutError);
  });

  test('its own error is retried on request, and no item comes twice', LIMIT, async () => {
    const shaky = task(
      function* () {
        for (let i = 0; i < 100; i++) {
          if (i === 30 * (current().attempt + 1)) throw new Error('shaky');
          yield i;
        }
      },
      { retryErrors: true, retries: 5 },
    );
    assert.deepEqual(await within(PATIENCE_MS, all(shaky())), upTo(100));
    await nothingLeft(session(), PATIENCE_MS);
  });

  test(
    'merge gives items as they come, with the index of their stream, and ends all when it is left',
    LIMIT,
    async () => {
      const found: [number, number][] = [];
      for await (const each of merge([count(3), count(0), count(200)])) found.push(each);
      const of = (index: number): number[] => found.filter(([i]) => i === index).map(([, item]) => item);
      assert.deepEqual([of(0), of(1), of(2)], [upTo(3), [], upTo(200)]);

      const folder = scratch();
      const waits = task(async function* (where: string) {
        await untilMarked(where, 'go');
        yield 'late';
      });
      const order: unknown[] = [];
      for await (const [i, item] of merge<unknown>([waits(folder), count(2)])) {
        order.push([i, item]);
        if (order.length === 2) mark(folder, 'go');
      }
      assert.deepEqual(order, [
        [1, 0],
        [1, 1],
        [0, 'late'],
      ]);

      const folders = [scratch(), scratch()];
      const begun = new Set<number>();
      for await (const [i] of merge(folders.map((each) => noted(each, 1e9)))) if (begun.add(i).size === 2) break;
      for (const each of folders) await eventually(() => isMarked(each, 'ended'), 'both end');
      const third = scratch();
      const error = await failure(all(merge([noted(third, 1e9), failingAfter(third)])));
      assert.equal(error.message, 'at two');
      await eventually(() => isMarked(third, 'ended'), 'the other one ends');
      assert.deepEqual(await all(merge([])), []);
      await nothingLeft(session(), PATIENCE_MS);
    },
  );

  test('generators of modules are streams, and stream(fn) makes them of functions that hide it', LIMIT, async () => {
    const m = remote<typeof items>(pathToFileURL(join(root, 'test/fixtures/conformance/items.ts')));
    assert.deepEqual(await all(m.letters('abc')), ['a', 'b', 'c']);
    assert.deepEqual(await all(m.later(3)), [0, 1, 2]);
    const hidden = stream((n: number) => new Set([n, n + 1]));
    assert.deepEqual(await all(hidden(4)), [4, 5]);
    assert.deepEqual(await all(stream(m.hidden as unknown as (n: number) => Iterable<number>)(2)), [0, 1]);
    const none = stream((() => 5) as unknown as () => number[]);
    const error = await failure(all(none()));
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /returned number, which has no items/);
    // A task is a value, and a stream of it, too.
    const opens = task(async (f: typeof count) => {
      let n = 0;
      for await (const _ of f(10)) n++;
      return n;
    });
    assert.equal(await opens(count).value, 10);
  });

  test('what streams are not is said', LIMIT, async () => {
    const opened = count(3);
    assert.throws(
      () => count.map([1]),
      (e) => e instanceof UsageError && /merge\(streams\)/.test(e.message),
    );
    assert.throws(() => count.with({ returns: 2 }), UsageError);
    assert.throws(() => square.with({ ahead: 2 }), UsageError);
    assert.throws(() => count.with({ ahead: 0 }), UsageError);
    assert.throws(() => square(opened as unknown as number), CodecError);
    assert.throws(() => JSON.stringify(opened), UsageError);
    assert.throws(() => merge([5 as unknown as Stream<number>]), UsageError);
    assert.throws(() => merge([opened, opened]), UsageError);
    assert.throws(() => stream(5 as unknown as () => number[]), UsageError);
    assert.deepEqual(await all(opened), [0, 1, 2]);
  });
});

onHosts('streams of workers that die', { cpus: 2 }, (session) => {
  test('a worker that dies in the middle: each index is seen once', LIMIT, async () => {
    const folder = scratch();
    const dies = task(function* (where: string, n: number) {
      for (let i = 0; i < n; i++) {
        appendFileSync(join(where, `attempt-${current().attempt}`), `${i}\n`);
        yield i;
        // Only items that have been consumed are certain to have been seen by anybody.
        if (i === 100 && current().attempt < 2) process.exit(1);
      }
    });
    assert.deepEqual(await within(PATIENCE_MS, all(dies(folder, 200))), upTo(200));
    const runs = [0, 1, 2].map(
      (i) =>
        readFileSync(join(folder, `attempt-${i}`), 'utf8')
          .trim()
          .split('\n').length,
    );
    assert.deepEqual(runs, [101, 101, 200]);
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('a worker that dies with references on their way', LIMIT, async () => {
    const dies = task(async function* (n: number) {
      for (let i = 0; i < n; i++) {
        yield [new Float64Array(20_000).fill(i), square(i)] as const;
        if (i === 20 && current().attempt < 1) process.exit(1);
      }
    });
    let i = 0;
    await inFrame(async () => {
      for await (const [block, ref] of dies(60)) {
        assert.equal(block[5], i);
        // What the worker had called and nobody else owns went with it.
        await ref.value.then(
          (value) => assert.equal(value, i * i),
          (error) => assert.ok(i <= 20, String(error)),
        );
        ref.release();
        i++;
      }
    });
    assert.equal(i, 60);
    await nothingLeft(session(), PATIENCE_MS);
  });

  test('a worker that dies with no retries left: its items come, then WorkerDiedError', LIMIT, async () => {
    const dies = task(
      function* () {
        for (let i = 0; i < 5; i++) yield i;
        process.exit(1);
      },
      { retries: 0 },
    );
    const items = iteratorOf(dies());
    for (let i = 0; i < 5; i++) assert.deepEqual(await items.next(), { done: false, value: i });
    assert.ok((await failure(items.next())) instanceof WorkerDiedError);
    assert.deepEqual(await items.next(), { done: true, value: undefined });
    await drainedOf(session());
  });
});
