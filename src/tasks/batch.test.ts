import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CancelledError, UsageError } from '../base/index.ts';
import type { CurrentTask, Engine } from '../runtime/index.ts';
import { batchingMethod, type Gate, threadState } from '../runtime/index.ts';
import { batch } from './batch.ts';

/** What has become of each, in order: values, or errors. */
const outcomes = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((each) => (each.status === 'fulfilled' ? each.value : each.reason));

class Hold {
  readonly begun: unknown[][] = [];
  readonly #open: (() => void)[] = [];
  /** As a function of a batch: it ends when `open` is called. */
  readonly hold = async (xs: number[]): Promise<number[]> => {
    this.begun.push(xs);
    await new Promise<void>((resolve) => this.#open.push(resolve));
    return xs.map((x) => x * 10);
  };
  async open(): Promise<void> {
    while (this.#open.length === 0) await turn();
    this.#open.shift()?.();
  }
}

describe('batch', () => {
  test('gathers calls of one turn, and gives each its own result', async () => {
    const batches: number[][] = [];
    const double = batch({ max: 4, wait: 0 }, (xs: number[]) => {
      batches.push(xs);
      return xs.map((x) => 2 * x);
    });
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5, 6].map((x) => double(x))), [2, 4, 6, 8, 10, 12]);
    assert.deepEqual(batches, [
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  test('begins when so many have come, long before the first has waited for so long', async () => {
    const double = batch({ max: 3, wait: '1h' }, (xs: number[]) => xs.map((x) => 2 * x));
    assert.deepEqual(await Promise.all([double(1), double(2), double(3)]), [2, 4, 6]);
  });

  test('begins with fewer when the first has waited for so long', async () => {
    const double = batch({ max: 1000, wait: 1 }, (xs: number[]) => xs.map((x) => 2 * x));
    assert.deepEqual(await Promise.all([double(1), double(2)]), [2, 4]);
    assert.equal(await double(3), 6);
  });

  test('runs one at a time, and gathers meanwhile', async () => {
    const gate = new Hold();
    const times = batch({ max: 2, wait: 0 }, gate.hold);
    const all = Promise.all([1, 2, 3, 4, 5].map((x) => times(x)));
    await gate.open();
    await turn();
    assert.ok(gate.begun.length <= 2);
    await gate.open();
    await gate.open();
    assert.deepEqual(await all, [10, 20, 30, 40, 50]);
    assert.deepEqual(gate.begun, [[1, 2], [3, 4], [5]]);
  });

  test('fails all calls of a batch with what its function throws, and no other', async () => {
    const boom = new RangeError('boom');
    const picky = batch({ max: 2, wait: 0 }, async (xs: number[]) => {
      if (xs.includes(2)) throw boom;
      return xs;
    });
    assert.deepEqual(await outcomes([1, 2, 3, 4].map((x) => picky(x))), [boom, boom, 3, 4]);
    assert.equal(await picky(5), 5, 'it goes on');
  });

  test('says of each call that there is no result for it', async () => {
    const short = batch({ max: 2, wait: 0 }, function label(xs: number[]) {
      return xs.slice(1);
    });
    const [first, second] = (await outcomes([short(1), short(2)])) as [UsageError, UsageError];
    for (const [i, error] of [first, second].entries()) {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /a batch of label: its function gave 1 results for 2 calls/);
      assert.match(error.message, new RegExp(`this is number ${i + 1};`));
      assert.deepEqual({ ...error.details }, { calls: 2, index: i, results: 1 });
    }
    assert.notEqual(first, second);
    const none = batch({ max: 1, wait: 0 }, (() => undefined) as unknown as (xs: number[]) => number[]);
    const [error] = (await outcomes([none(1)])) as [UsageError];
    assert.match(error.message, /gave undefined for 1 calls/);
  });

  test('is a class field with the object as `this`', async () => {
    class Model {
      readonly factor = 3;
      times = batch({ max: 2, wait: 0 }, (xs: number[]) => xs.map((x) => this.factor * x));
      also = batch({ max: 2, wait: 0 }, async function (this: Model, xs: number[]) {
        return xs.map((x) => this.factor * x);
      } as (xs: number[]) => Promise<number[]>);
    }
    const model = new Model();
    assert.deepEqual(await Promise.all([model.times(1), model.times(2), model.also(3), model.also(4)]), [3, 6, 9, 12]);
    assert.equal(batchingMethod(model.times)?.max, 2);
    assert.equal(
      batchingMethod(() => 1),
      undefined,
    );
  });

  test('begins behind a gate with all that have come until it opens', async () => {
    const batches: number[][] = [];
    const same = batch({ max: 10, wait: 0 }, (xs: number[]) => {
      batches.push(xs);
      return xs;
    });
    const waiting: Parameters<Gate>[0][] = [];
    const method = batchingMethod(same);
    assert.ok(method !== undefined);
    method.gate = (begin) => waiting.push(begin);
    const before = [same(1), same(2)];
    await turn();
    const after = same(3);
    assert.deepEqual([waiting.length, batches.length], [1, 0]);
    const over = waiting[0]?.();
    assert.deepEqual(batches, [[1, 2, 3]]);
    await over;
    assert.deepEqual(await Promise.all([...before, after]), [1, 2, 3]);
    assert.equal(waiting.length, 1, 'asked once');
  });

  test('leaves out what was cancelled before it began', async () => {
    const state = threadState();
    const task = { gone: false, cancelled: () => task.gone } as unknown as CurrentTask & { gone: boolean };
    const batches: number[][] = [];
    const same = batch({ max: 2, wait: 0 }, (xs: number[]) => {
      batches.push(xs);
      return xs;
    });
    const { single } = state;
    state.single = { current: () => task } as unknown as Engine;
    const cancelled = same(1);
    state.single = single;
    task.gone = true;
    const [error, two, three] = await outcomes([cancelled, same(2), same(3)]);
    assert.ok(error instanceof CancelledError);
    assert.deepEqual([two, three], [2, 3]);
    assert.deepEqual(batches, [[2, 3]]);
  });

  test('refuses options that can’t be', () => {
    const fn = (xs: number[]) => xs;
    for (const options of [
      {},
      { max: 0, wait: 1 },
      { max: 1 },
      { max: 1, wait: 'soon' },
      { max: 1.5, wait: 1 },
      null,
    ]) {
      assert.throws(() => batch(options as unknown as { max: number; wait: number }, fn), UsageError);
    }
    assert.throws(() => batch({ max: 1, wait: 1 }, 'x' as unknown as typeof fn), /takes a function of an array/);
    assert.throws(() => batch({ max: 1, wait: 1, most: 3 } as { max: number; wait: number }, fn), /no option `most`/);
  });
});
