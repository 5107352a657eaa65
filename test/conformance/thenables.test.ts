import assert from 'node:assert/strict';
import { test } from 'node:test';
import { current, TimeoutError, task } from 'sheaf';
import { failure, onHostsAndInline, within } from './support.ts';

type Settle = (value: unknown) => void;

/** A result that is no promise, and has a `then`: what a query builder, say, gives. */
function thenable(then: (resolve: Settle, reject: Settle) => void): PromiseLike<unknown> {
  return { then } as unknown as PromiseLike<unknown>;
}

const add = task((a: number, b: number) => a + b);

const throws = task(() =>
  thenable(() => {
    throw new RangeError('thrown in then');
  }),
);
const throwsInGetter = task(
  () =>
    ({
      // biome-ignore lint/suspicious/noThenProperty: it is what these tests are about
      get then(): unknown {
        throw new RangeError('thrown in the getter');
      },
    }) as unknown,
);
const getterFailsLater = task(() => {
  let looks = 0;
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is what these tests are about
    get then(): unknown {
      if (++looks > 1) throw new RangeError(`look ${looks}`);
      return (resolve: Settle) => resolve(7);
    },
  } as unknown;
});
const rejects = task(() => thenable((_, reject) => reject(new RangeError('rejected'))));
const callsBoth = task(() =>
  thenable((resolve, reject) => {
    resolve(1);
    reject(new RangeError('too late'));
    resolve(2);
  }),
);
const throwsAfterwards = task(() =>
  thenable((resolve) => {
    resolve(1);
    throw new RangeError('too late');
  }),
);
const answersLater = task(() => thenable((resolve) => void setTimeout(() => resolve(3), 20)));
const answersWithPromise = task(() => thenable((resolve) => resolve(Promise.resolve(4))));
const answersWithThenable = task(() => thenable((resolve) => resolve(thenable((again) => again(5)))));
const answersWithBadThenable = task(() =>
  thenable((resolve) =>
    resolve(
      thenable(() => {
        throw new RangeError('thrown further in');
      }),
    ),
  ),
);
const answersWithItself = task(() => {
  const self: PromiseLike<unknown> = thenable((resolve) => resolve(self));
  return self;
});
const answersWithOneAnother = task(() => {
  const a: PromiseLike<unknown> = thenable((resolve) => resolve(b));
  const b: PromiseLike<unknown> = thenable((resolve) => void setTimeout(() => resolve(a), 1));
  return a;
});
const answersForEver = task(() => {
  const next = (): PromiseLike<unknown> => thenable((resolve) => resolve(next()));
  return next();
});
const never = task(() => thenable(() => {}));
const knowsItsTask = task(() => thenable((resolve) => resolve(current().name)));
const derived = task(() => {
  class Own extends Promise<number> {
    // biome-ignore lint/suspicious/noThenProperty: it is what these tests are about
    override then(): never {
      throw new RangeError('a promise of its own kind');
    }
  }
  return Own.resolve(1);
});

onHostsAndInline('results with a then', { cpus: 1 }, () => {
  for (const [what, fails, message] of [
    ['whose then throws', throws, 'thrown in then'],
    ['whose getter of then throws', throwsInGetter, 'thrown in the getter'],
    ['that is rejected', rejects, 'rejected'],
    ['that gives another one whose then throws', answersWithBadThenable, 'thrown further in'],
    ['that is a promise whose then throws', derived, 'a promise of its own kind'],
  ] as const) {
    test(`one ${what} fails the task with that error, and its worker goes on`, { timeout: 20_000 }, async () => {
      const error = await failure(fails().value);
      assert.equal(error.name, 'RangeError');
      assert.equal(error.message, message);
      assert.equal(await within(10_000, add(1, 2).value), 3);
    });
  }

  for (const [what, gives, value] of [
    ['that calls both functions', callsBoth, 1],
    ['that throws after it has answered', throwsAfterwards, 1],
    ['that answers later', answersLater, 3],
    ['that gives a promise', answersWithPromise, 4],
    ['that gives another one', answersWithThenable, 5],
    ['whose then can be looked at once', getterFailsLater, 7],
    ['that asks which task it belongs to', knowsItsTask, 'knowsItsTask'],
  ] as const) {
    test(`one ${what} counts as its first answer`, { timeout: 20_000 }, async () => {
      assert.equal(await within(10_000, gives().value as Promise<unknown>), value);
      assert.equal(await within(10_000, add(1, 2).value), 3);
    });
  }

  for (const [what, circles] of [
    ['itself', answersWithItself],
    ['one that gives it', answersWithOneAnother],
    ['another one, and so on for ever', answersForEver],
  ] as const) {
    test(`one that gives ${what} is an error`, { timeout: 20_000 }, async () => {
      const error = await failure(circles().value);
      assert.equal(error.name, 'TypeError');
      assert.match(error.message, /then/);
      assert.equal(await within(10_000, add(1, 2).value), 3);
    });
  }

  test('one that never answers is ended by the timeout of its task, once', { timeout: 20_000 }, async () => {
    const error = await failure(never.with({ timeout: '100ms' })().value);
    assert.ok(error instanceof TimeoutError, String(error));
    assert.equal(await within(10_000, add(1, 2).value), 3);
  });
});
