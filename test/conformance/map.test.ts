import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError, connect, current, type Outcome, task, UsageError } from 'sheaf';
import { eventually, failure, hostOptions, mark, marks, onHostsAndInline, scratch, within } from './support.ts';

const later = task(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});
const square = task((x: number) => x * x);
const two = task((x: number): [number, number] => [x, x + 1]);
const listening = task(async (folder: string, name: string) => {
  const { signal } = current();
  mark(folder, `${name}-began`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  mark(folder, `${name}-aborted`);
});

/** A source that says whether it was closed, and how often it was asked. */
function source<T>(items: Iterable<T>): Iterable<T> & { closed: boolean; pulled: number } {
  const state = {
    closed: false,
    pulled: 0,
    *[Symbol.iterator]() {
      try {
        for (const item of items) {
          state.pulled++;
          yield item;
        }
      } finally {
        state.closed = true;
      }
    },
  };
  return state;
}

function* endless(): Generator<number> {
  for (let i = 0; ; i++) yield i;
}

/** Gives its items when the test says so, and can stall for ever. */
class Tap implements AsyncIterableIterator<number> {
  readonly #waiting: ((result: IteratorResult<number>) => void)[] = [];
  closed = false;

  next(): Promise<IteratorResult<number>> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async give(value: number): Promise<void> {
    await eventually(() => this.#waiting.length > 0, 'it is asked for an item');
    this.#waiting.shift()?.({ done: false, value });
  }

  async return(): Promise<IteratorResult<number>> {
    this.closed = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

onHostsAndInline('map', { cpus: 2, memory: '64MiB' }, (session, isolation) => {
  for (const ordered of [true, false]) {
    const order = ordered ? 'in order' : 'as they come';

    test(`leaving the loop is quiet and closes the source (${order})`, { timeout: 20_000 }, async () => {
      const few = source([500, 1, 1, 1]);
      for await (const _ of later.map(few, { inFlight: 3, ordered })) break;
      assert.ok(few.closed);
      const many = source(endless());
      let seen = 0;
      for await (const outcome of square.map(many, { inFlight: 3, ordered })) {
        assert.ok(outcome.ok);
        if (++seen === 20) break;
      }
      assert.ok(many.closed);
      assert.ok(many.pulled <= 23, `${many.pulled} items were pulled for 20 outcomes`);
      await assert.rejects(
        (async () => {
          for await (const _ of square.map(source(endless()), { ordered })) throw new RangeError('mine');
        })(),
        RangeError,
      );
    });

    test(`what is under way is cancelled when the loop is left (${order})`, { timeout: 20_000 }, async () => {
      const folder = scratch();
      const names = ['quick', 'a', 'b'];
      const either = task(async (name: string, into: string) => {
        if (name === 'quick') return;
        const { signal } = current();
        mark(into, `${name}-began`);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        mark(into, `${name}-aborted`);
      });
      for await (const _ of either.map(names, (name) => [name, folder], { ordered })) {
        await eventually(() => marks(folder).length === 2, 'the other two have begun');
        break;
      }
      await eventually(
        () => marks(folder).filter((name) => name.endsWith('aborted')).length === 2,
        'they are cancelled',
      );
      await within(10_000, session().drained(), 'the end of what was cancelled');
    });

    test(`each outcome comes as soon as it is there, however slow the source is (${order})`, {
      timeout: 20_000,
    }, async () => {
      const tap = new Tap();
      const outcomes = square.map(tap, { ordered });
      const loop = outcomes[Symbol.asyncIterator]();
      for (let i = 1; i <= 3; i++) {
        const next = loop.next();
        await tap.give(i);
        // The source gives nothing more until this one has come.
        const { value } = await within(10_000, next);
        assert.equal((value as Outcome<number, number>).ok && value.value, i * i);
      }
      const stalled = loop.next();
      await within(10_000, loop.return?.() as Promise<unknown>, 'leaving a loop whose source has stalled');
      assert.equal((await within(10_000, stalled)).done, true);
      assert.ok(tap.closed);
      assert.equal((await loop.next()).done, true);
    });

    test(`the signal ends the loop while the source stalls (${order})`, { timeout: 20_000 }, async () => {
      const tap = new Tap();
      const stop = new AbortController();
      const reason = new Error('enough');
      const folder = scratch();
      const loop = listening
        .map(tap, (i) => [folder, `${i}`], { signal: stop.signal, ordered })
        [Symbol.asyncIterator]();
      const next = loop.next();
      await tap.give(1);
      await eventually(() => marks(folder).length === 1, 'the call has begun');
      stop.abort(reason);
      assert.equal(await failure(next), reason);
      assert.ok(tap.closed);
      await eventually(() => marks(folder).includes('1-aborted'), 'the call is cancelled');
      assert.equal((await loop.next()).done, true);
    });

    test(`a session that closes ends the loop, with outcomes that say so (${order})`, { timeout: 30_000 }, async () => {
      const own = await connect({ cpus: 1, memory: '16MiB', ...hostOptions(isolation) });
      const items = source(endless());
      const mapped = own.run(() => later.map(items, () => [5], { inFlight: 4, ordered }));
      const outcomes: Outcome<number, number>[] = [];
      for await (const outcome of mapped) {
        outcomes.push(outcome);
        if (outcomes.length === 3) await own[Symbol.asyncDispose]();
        assert.ok(outcomes.length < 1000, 'it comes to an end');
      }
      assert.ok(items.closed);
      const last = outcomes.at(-1);
      assert.ok(last?.ok === false && last.error instanceof CancelledError, String(last));
      assert.match(last.error.message, /after its session was closed/);
    });
  }

  test('an abort between two outcomes is told to who asks next', { timeout: 10_000 }, async () => {
    const stop = new AbortController();
    const items = source(endless());
    const reason = new Error('enough');
    const error = await failure(
      (async () => {
        for await (const _ of square.map(items, { signal: stop.signal })) stop.abort(reason);
      })(),
    );
    assert.equal(error, reason);
    assert.ok(items.closed);
    const never = source(endless());
    assert.equal(await failure(square.map(never, { signal: stop.signal })[Symbol.asyncIterator]().next()), reason);
    assert.equal(never.pulled, 0);
  });

  test('a source that fails is told after the outcomes of the items before it', { timeout: 10_000 }, async () => {
    for (const asynchronous of [false, true]) {
      function* items(): Generator<number> {
        yield 1;
        yield 2;
        throw new RangeError('the file ends here');
      }
      async function* late(): AsyncGenerator<number> {
        yield* items();
      }
      const values: unknown[] = [];
      const error = await failure(
        (async () => {
          for await (const outcome of square.map(asynchronous ? late() : items())) {
            values.push(outcome.ok && outcome.value);
          }
        })(),
      );
      assert.ok(error instanceof RangeError);
      assert.deepEqual(values, [1, 4]);
    }
  });

  test('a source may depend on the outcomes before it', { timeout: 10_000 }, async () => {
    const todo = [3];
    function* work(): Generator<number> {
      for (let next = todo.pop(); next !== undefined; next = todo.pop()) yield next;
    }
    const done: number[] = [];
    for await (const outcome of square.map(work(), { inFlight: 1 })) {
      done.push(outcome.input);
      if (outcome.input > 0) todo.push(outcome.input - 1);
    }
    assert.deepEqual(done, [3, 2, 1, 0]);
  });

  test('a source that leaves its own loop is closed', { timeout: 10_000 }, async () => {
    const stop = new AbortController();
    let closed = false;
    function* items(): Generator<number> {
      try {
        yield 1;
        stop.abort(new Error('from inside'));
        yield 2;
      } finally {
        closed = true;
      }
    }
    assert.match(
      (
        await failure(
          (async () => {
            for await (const _ of square.map(items(), { signal: stop.signal, inFlight: 1 }));
          })(),
        )
      ).message,
      /from inside/,
    );
    assert.ok(closed);
  });

  test('items that can not become arguments are outcomes', { timeout: 10_000 }, async () => {
    const outcomes: Outcome<number, number>[] = [];
    const mapped = square.map([1, 2, 3], (x) => {
      if (x === 2) throw new RangeError('not this one');
      return x === 3 ? (5 as unknown as [number]) : [x];
    });
    for await (const outcome of mapped) outcomes.push(outcome);
    const [first, second, third] = outcomes;
    assert.ok(first?.ok);
    assert.ok(second?.ok === false && second.error instanceof RangeError);
    assert.ok(third?.ok === false && third.error instanceof UsageError);
    assert.match(third.error.message, /square\.map: the arguments of an item are 5; give an array/);
  });

  test('a task that gives several references has no map', { timeout: 10_000 }, async () => {
    const split = two.with({ returns: 2 }) as unknown as typeof two;
    assert.throws(
      () => split.map([1]),
      (error) => error instanceof UsageError && /two\.map: with the option `returns`/.test(error.message),
    );
    const again = split.with({ returns: undefined as unknown as number }) as unknown as typeof two;
    for await (const outcome of again.map([1])) assert.deepEqual(outcome.ok && outcome.value, [1, 2]);
  });

  test('a map belongs to the session that is the current one when it is made', { timeout: 20_000 }, async () => {
    await using other = await connect({ cpus: 1, memory: '16MiB', ...hostOptions(isolation) });
    const id = task(() => current().node);
    const mapped = other.run(() => id.map([1, 2], () => []));
    for await (const outcome of mapped) assert.equal(outcome.ok && outcome.value, other.url.split('/').at(-1));
    assert.throws(() => id.map([1], () => []), /could mean any of 2 open sessions/);
  });

  test('a map inside of a task ends with its loop as well', { timeout: 20_000 }, async () => {
    const outer = task(async () => {
      let closed = false;
      function* items(): Generator<number> {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          closed = true;
        }
      }
      const values: number[] = [];
      for await (const outcome of square.map(items(), { inFlight: 3 })) {
        if (outcome.ok) values.push(outcome.value);
        if (values.length === 4) break;
      }
      return { closed, values };
    });
    assert.deepEqual(await outer().value, { closed: true, values: [0, 1, 4, 9] });
  });
});
