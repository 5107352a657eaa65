import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, CodecError, current, get, put, type Ref, type Session, SheafError, TaskError, task } from 'sheaf';
import {
  collect,
  eventually,
  failure,
  MiB,
  mark,
  marks,
  nothingLeft,
  onHostsAndInline,
  scratch,
  used,
} from './support.ts';

/** What the errors here have in their fields. */
interface Rich extends Error {
  n: number;
  ref: Ref<unknown>;
  pixels: Uint8Array;
}

const BIG = 2 * MiB;

class StockError extends RangeError {
  override readonly name = 'StockError';
}

const add = task((a: number, b: number) => a + b);
const withRef = task((n: number): number => {
  throw Object.assign(new StockError('with a reference'), { ref: put(5), n });
});
const withBigRef = task((n: number): number => {
  throw Object.assign(new StockError('with a large reference'), { ref: put(new Uint8Array(BIG).fill(n)), n });
});
const withPixels = task((n: number): number => {
  throw Object.assign(new StockError('with pixels'), { pixels: new Uint8Array(BIG).fill(n), n });
});
const withBoth = task((n: number): number => {
  const ref = put(new Uint8Array(BIG).fill(n));
  throw Object.assign(new StockError('with both', { cause: { ref } }), {
    ref,
    pixels: new Uint8Array(BIG).fill(n),
    n,
  });
});
const bothOnce = task((n: number, folder: string): number => {
  mark(folder, `attempt-${current().attempt}`);
  if (current().attempt === 1) return n;
  throw Object.assign(new StockError('with both'), {
    ref: put(new Uint8Array(BIG).fill(n)),
    pixels: new Uint8Array(BIG).fill(n),
    n,
  });
});
const pairOfBoth = task((n: number): [number, number] => {
  throw Object.assign(new StockError('with both'), {
    ref: put(new Uint8Array(BIG).fill(n)),
    pixels: new Uint8Array(BIG).fill(n),
    n,
  });
});
const passesArgument = task(([ref]: [Ref<unknown>]) => {
  throw Object.assign(new StockError('with what it was given'), { ref, n: 1 });
});
const through = task(async (levels: number, n: number): Promise<number> => {
  return levels === 0 ? withBoth(n).value : through(levels - 1, n).value;
});
const looksInside = task(async ([failed]: [Ref<number>]) => {
  try {
    return await failed.value;
  } catch (error) {
    const { ref, pixels, n } = error as Rich;
    const there = (await ref.value) as Uint8Array;
    return [n, there.length, there[7], pixels.length, pixels[7], (error as Error).name];
  }
});
const throwsPlainRef = task(() => {
  throw [put(new Uint8Array(BIG).fill(3))];
});
const partly = task(() => {
  const released = put(1);
  released.release();
  throw Object.assign(new StockError('in part', { cause: new TypeError('why') }), {
    code: 'E_PART',
    retry: () => 1,
    released,
    ref: put(new Uint8Array(BIG).fill(4)),
    config: { url: 'x', hooks: [() => 1] },
    n: 7,
  });
});
const tooLarge = task((n: number) => {
  throw Object.assign(new StockError(`too large ${'!'.repeat(300_000)}`), { pixels: new Uint8Array(n), n });
});
const hopeless = task(() => {
  throw Object.assign(
    new StockError('hopeless'),
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, () => i])),
  );
});
const unreadable = task(() => {
  throw new Proxy(new Error('behind a proxy'), {
    get() {
      throw new Error('no');
    },
    getPrototypeOf: () => Error.prototype,
    getOwnPropertyDescriptor() {
      throw new Error('no');
    },
    set: () => false,
  });
});
const foreign = task(async () => {
  const { runInNewContext } = await import('node:vm');
  throw Object.assign(runInNewContext('new TypeError("of another realm")') as Error, { n: 3 });
});

async function assertBoth(error: Error, n: number): Promise<void> {
  const { ref, pixels } = error as Rich;
  assert.equal(error.name, 'StockError');
  assert.ok(error instanceof RangeError);
  assert.equal((error as Rich).n, n);
  assert.deepEqual([pixels.length, pixels[0], pixels.at(-1)], [BIG, n, n]);
  const there = (await ref.value) as Uint8Array;
  assert.deepEqual([there.length, there[0], there.at(-1)], [BIG, n, n]);
}

onHostsAndInline('errors with more in them', { cpus: 2, memory: '64MiB' }, (session: () => Session) => {
  test('a reference in a field arrives as one, and the error keeps its class and fields', {
    timeout: 20_000,
  }, async () => {
    const error = (await failure(withRef(1).value)) as Rich;
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.name, error.message, error.n], ['StockError', 'with a reference', 1]);
    assert.match(error.stack ?? '', /in task withRef/);
    assert.equal(await error.ref.value, 5);
    assert.equal(await add(error.ref as Ref<number>, 1).value, 6);
    assert.equal(await failure(throwsAgain(error).value).then((again) => (again as Rich).n), 1);
  });

  test('what is in it lives as long as somebody has it, and no longer', { timeout: 20_000 }, async () => {
    await (async () => {
      const error = (await failure(withBigRef(9).value)) as Rich;
      await collect();
      assert.ok(used(session()) >= BIG, 'the error holds it');
      assert.equal(((await error.ref.value) as Uint8Array)[5], 9);
    })();
    await nothingLeft(session());
    // Held by the failed reference, without anybody who has looked at the error.
    const failed = withBigRef(8).ignore();
    await session().drained();
    await collect();
    assert.ok(used(session()) >= BIG);
    failed.release();
    await nothingLeft(session());
  });

  test('large data lies in shared memory, and is the same for all who look', { timeout: 20_000 }, async () => {
    const failed = withPixels(6);
    await (async () => {
      const [a, b] = [await failure(get(failed)), await failure(get(failed))] as [Rich, Rich];
      assert.notEqual(a, b);
      assert.equal(a.pixels.length, BIG);
      assert.ok(a.pixels.every((x) => x === 6));
      assert.equal(a.pixels.buffer, b.pixels.buffer, 'not copied');
      assert.ok(used(session()) < 2 * BIG, 'there is one only');
    })();
    failed.release();
    await nothingLeft(session());
  });

  test('both arrive by way of other tasks, whole', { timeout: 20_000 }, async () => {
    await (async () => {
      const error = await failure(through(3, 5).value);
      await assertBoth(error, 5);
      const { cause, ref } = error as Rich & { cause: { ref: Ref<unknown> } };
      assert.equal(cause.ref, ref, 'the same reference');
      assert.equal((error.stack ?? '').match(/in task \S+ \(attempt 1, worker \d+\)/g)?.length, 5);
    })();
    await nothingLeft(session());
  });

  test('dependents fail with the same error, whole, also after the first has been let go', {
    timeout: 20_000,
  }, async () => {
    await (async () => {
      const failed = withBoth(3);
      const waiting = add(failed, 1);
      const last = add(waiting, 1);
      const gathered = all([failed, add(1, 1)]);
      await assertBoth(await failure(failed.value), 3);
      const late = add(failed, 1);
      failed.release();
      for (const ref of [waiting, last, gathered, late] as Ref<unknown>[]) {
        await assertBoth(await failure(ref.value), 3);
        ref.release();
      }
    })();
    await nothingLeft(session());
  });

  test('a task that is given a failed reference sees the error whole', { timeout: 20_000 }, async () => {
    await (async () => {
      const failed = withBoth(4);
      assert.deepEqual(await looksInside([failed]).value, [4, BIG, 4, BIG, 4, 'StockError']);
      await failure(failed.value);
      // Known by now: it travels along with its failure.
      assert.deepEqual(await looksInside([failed]).value, [4, BIG, 4, BIG, 4, 'StockError']);
      failed.release();
    })();
    await nothingLeft(session());
  });

  test('every result of a tuple fails with it, and has a life of its own', { timeout: 20_000 }, async () => {
    await (async () => {
      const [a, b] = pairOfBoth.with({ returns: 2 })(2);
      await assertBoth(await failure(a.value), 2);
      a.release();
      await collect();
      await assertBoth(await failure(b.value), 2);
      b.release();
    })();
    await nothingLeft(session());
  });

  test('a reference that was an argument goes back', { timeout: 20_000 }, async () => {
    await (async () => {
      const given = put(new Uint8Array(BIG).fill(1)) as Ref<unknown>;
      const { id } = given;
      const failed = passesArgument([given]);
      given.release();
      const { ref } = (await failure(failed.value)) as Rich;
      assert.equal(ref.id, id);
      assert.equal(((await ref.value) as Uint8Array).length, BIG);
    })();
    await nothingLeft(session());
  });

  test('retries see the error whole, and those that are over leave nothing', { timeout: 20_000 }, async () => {
    const folder = scratch();
    assert.equal(await bothOnce.with({ retryErrors: true })(1, folder).value, 1);
    assert.deepEqual(marks(folder), ['attempt-0', 'attempt-1']);
    await nothingLeft(session());
    const seen: unknown[] = [];
    const picky = bothOnce.with({
      retryErrors: (error: Error) => {
        const { n, pixels, ref } = error as Rich;
        seen.push(error.name, n, pixels[9], typeof ref.id);
        return true;
      },
    });
    assert.equal(await picky(2, scratch()).value, 2);
    assert.deepEqual(seen, ['StockError', 2, 2, 'string']);
    await nothingLeft(session());
    await (async () => {
      const none = bothOnce.with({ retryErrors: () => false });
      await assertBoth(await failure(none(3, scratch()).value), 3);
    })();
    await nothingLeft(session());
  });

  test('what is thrown and is no error comes along as the cause', { timeout: 20_000 }, async () => {
    await (async () => {
      const error = await failure(throwsPlainRef().value);
      assert.ok(error instanceof TaskError);
      const [ref] = error.cause as [Ref<Uint8Array>];
      assert.equal((await ref.value)[1], 3);
    })();
    await nothingLeft(session());
  });

  test('only what cannot travel is left out, and says so in its place', { timeout: 20_000 }, async () => {
    await (async () => {
      const error = (await failure(partly().value)) as Rich & Record<string, unknown>;
      assert.ok(error instanceof RangeError && !(error instanceof SheafError));
      assert.deepEqual([error.name, error.message, error.code, error.n], ['StockError', 'in part', 'E_PART', 7]);
      assert.ok(error.cause instanceof TypeError);
      assert.match(error.stack ?? '', /error-values\.test.*\n[\s\S]*in task partly/);
      assert.equal(((await error.ref.value) as Uint8Array)[3], 4);
      const places: [unknown, RegExp][] = [
        [error.retry, /^error\.retry: function retry can't be sent/],
        [error.released, /^error\.released: .*ReleasedError: this Ref was released/],
        [error.config, /^error\.config\.hooks\[0\]: function can't be sent/],
      ];
      for (const [place, message] of places) {
        assert.ok(place instanceof CodecError, String(place));
        assert.match(place.message, message);
      }
    })();
    await nothingLeft(session());
  });

  test('data for which there is no room is left out, and the rest comes', { timeout: 20_000 }, async () => {
    const error = (await failure(tooLarge(100 * MiB).value)) as Rich;
    assert.equal(error.name, 'StockError');
    assert.equal(error.message.length, 'too large '.length + 300_000);
    assert.equal(error.n, 100 * MiB);
    assert.ok((error.pixels as unknown) instanceof CodecError);
    assert.match((error.pixels as unknown as Error).message, /^error\.pixels: shared memory has no room/);
    await nothingLeft(session());
  });

  test('of an error that is beyond help its name, message and stack arrive', { timeout: 20_000 }, async () => {
    const error = await failure(hopeless().value);
    assert.ok(error instanceof TaskError);
    assert.match(
      error.message,
      /^StockError: hopeless \(nothing else of this error can be sent: error\.f\d+: function/,
    );
    assert.match(error.stack ?? '', /in task hopeless/);
    assert.ok((await failure(unreadable().value)) instanceof TaskError);
    assert.equal(await add(1, 2).value, 3);
  });

  test('the reason of an abort goes to those who wait, as far as it can travel', { timeout: 20_000 }, async () => {
    const folder = scratch();
    for (const reason of [Object.assign(new TypeError('enough'), { f() {}, n: 1 }), { f() {} }, 'plain', put(1)]) {
      const controller = new AbortController();
      const slow = waitsForAbort.with({ signal: controller.signal })(folder);
      const looking = seesReason([slow]);
      await eventually(() => marks(folder).length > 0, 'it runs');
      controller.abort(reason);
      const seen = await looking.value;
      if (reason instanceof TypeError) assert.deepEqual(seen, ['CancelledError', 'TypeError: enough', 1, true]);
      else if (typeof reason === 'string') assert.deepEqual(seen, ['CancelledError', 'plain', undefined, false]);
      else assert.match(String(seen), /^CancelledError,CodecError: error\.cause/);
      const error = await failure(slow.value);
      assert.equal(error.cause, reason);
    }
  });

  test('an error of another realm is an error', { timeout: 20_000 }, async () => {
    const error = (await failure(foreign().value)) as Rich;
    assert.ok(error instanceof TypeError);
    assert.deepEqual([error.message, error.n], ['of another realm', 3]);
  });

  test('nothing is left', { timeout: 20_000 }, async () => {
    await nothingLeft(session());
    assert.equal(session().stats().memory.objects, 0);
    assert.equal(session().stats().tasks.pending, 0);
  });
});

const waitsForAbort = task(async (folder: string) => {
  mark(folder, 'runs');
  const { signal } = current();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
});
const seesReason = task(async ([ref]: [Ref<unknown>]) => {
  try {
    return await ref.value;
  } catch (error) {
    const cause = (error as Error).cause as { f?: unknown; n?: unknown } | undefined;
    return [(error as Error).name, String(cause), cause?.n, cause?.f instanceof CodecError];
  }
});
const throwsAgain = task((error: Error) => {
  throw error;
});

onHostsAndInline('failures that nobody has looked at', { cpus: 1, memory: '64MiB' }, (session: () => Session) => {
  test('are reported by name and message, whatever is in them, and leave nothing', { timeout: 20_000 }, async () => {
    const lines: string[] = [];
    const { error: before } = console;
    console.error = (line: string) => void lines.push(line);
    try {
      const failed = withBoth(1);
      await session().drained();
      failed.release();
      await eventually(() => lines.length > 0, 'it is reported');
      assert.match(lines.join('\n'), /withBoth.* nobody looked at its result .*: StockError: with both$/);
      await nothingLeft(session());
    } finally {
      console.error = before;
    }
  });
});
