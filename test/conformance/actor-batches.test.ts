import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actor, batch, CancelledError, cancel, get, type Ref } from 'sheaf';
import { failure, LIMIT, mark, onHosts, scratch, sleep, untilMarked } from './support.ts';

const Models = actor(
  class Model {
    readonly batches: number[][] = [];
    #running = 0;
    most = 0;
    async #together(): Promise<void> {
      this.most = Math.max(this.most, ++this.#running);
      await sleep(2);
      this.#running--;
    }
    label = batch({ max: 8, wait: '20ms' }, async (xs: number[]) => {
      this.batches.push(xs);
      await this.#together();
      return xs.map((x) => x * 10);
    });
    broken = batch({ max: 2, wait: 0 }, (xs: number[]) => xs.slice(1));
    async other(): Promise<void> {
      await this.#together();
    }
    seen(): { batches: number[][]; most: number } {
      return { batches: this.batches, most: this.most };
    }
    async until(folder: string, name: string): Promise<void> {
      await untilMarked(folder, name);
    }
  },
);

onHosts('batches of actors', { cpus: 2 }, () => {
  test('run one at a time with other calls, in the order of their caller', LIMIT, async () => {
    await using model = Models.create();
    await model.ready;
    const calls: Ref<number>[] = [];
    const others: Ref<void>[] = [];
    for (let i = 0; i < 40; i++) {
      calls.push(model.label(i));
      if (i % 4 === 0) others.push(model.other());
    }
    const values = await get(calls);
    assert.deepEqual(
      values,
      values.map((_, i) => i * 10),
    );
    await get(others);
    const { batches, most } = await model.seen().value;
    assert.deepEqual(
      batches.flat(),
      calls.map((_, i) => i),
    );
    assert.ok(batches.length >= 5 && batches.length < 40, `${batches.map((each) => each.length)}`);
    assert.equal(most, 1);
  });

  test('begin when a place is free, and without those that were cancelled meanwhile', LIMIT, async () => {
    const folder = scratch();
    await using model = Models.create();
    const holds = model.until(folder, 'go');
    const calls = [1, 2, 3].map((x) => model.label(x));
    cancel(calls[1] as Ref<number>);
    await failure((calls[1] as Ref<number>).value);
    // Longer than a batch waits for more.
    await sleep(60);
    mark(folder, 'go');
    await holds.value;
    assert.deepEqual(await get([calls[0], calls[2]] as Ref<number>[]), [10, 30]);
    assert.deepEqual((await model.seen().value).batches, [[1, 3]]);
    assert.ok((await failure((calls[1] as Ref<number>).value)) instanceof CancelledError);
  });

  test('take the places of a group that their method is in', LIMIT, async () => {
    const folder = scratch();
    await using model = Models.with({ groups: { io: { methods: ['label'], concurrency: 1 } } }).create();
    const holds = model.until(folder, 'go');
    assert.equal(await model.label(1).value, 10);
    mark(folder, 'go');
    await holds.value;
  });

  test('say of each call that there is no result for it', LIMIT, async () => {
    await using model = Models.create();
    for (const error of await Promise.all([model.broken(1), model.broken(2)].map((ref) => failure(ref.value)))) {
      assert.equal(error.name, 'UsageError');
      assert.match(error.message, /a batch of Model\.broken: its function gave \d results? for \d calls/);
    }
  });
});
