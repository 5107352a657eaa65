import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ActorDiedError, actor, batch, get } from 'sheaf';
import { eventually, failure, isMarked, LIMIT, mark, marks, onHosts, scratch, untilMarked } from './support.ts';

/** Writes down what begins, so that nothing runs twice unseen. */
class Diary {
  readonly folder: string;
  readonly log: string;
  constructor(folder: string, log = 'log') {
    this.folder = folder;
    this.log = join(folder, log);
  }
  /** It dies by itself when that is asked for, whatever its calls are at. */
  arm(): void {
    void untilMarked(this.folder, 'die').then(() => process.exit(7));
  }
  async slow(i: number): Promise<number> {
    appendFileSync(this.log, `${i} `);
    if (!marks(this.folder).includes('die')) await untilMarked(this.folder, 'never');
    return i;
  }
  quick(): string {
    return 'quick';
  }
  dies(): void {
    mark(this.folder, 'die');
    process.exit(7);
  }
}
class BatchDiary extends Diary {
  label = batch({ max: 2, wait: 0 }, async (xs: number[]) => {
    appendFileSync(this.log, `[${xs}] `);
    if (!marks(this.folder).includes('die')) await untilMarked(this.folder, 'never');
    return xs.map((x) => x * 10);
  });
}
const Diaries = actor(Diary);
const BatchDiaries = actor(BatchDiary);

function entries(folder: string, log = 'log'): string[] {
  return isMarked(folder, log) ? readFileSync(join(folder, log), 'utf8').trim().split(' ') : [];
}

onHosts('calls that an actor has kept and not begun when its worker dies', { cpus: 2 }, (session) => {
  test('run on the next one, in their order, where methods are in groups', LIMIT, async () => {
    const folder = scratch();
    const diary = Diaries.with({
      restarts: 1,
      groups: { io: { methods: ['quick', 'dies'], concurrency: 1 } },
    }).create(folder);
    const calls = [0, 1, 2, 3, 4].map((i) => diary.slow(i));
    // What is behind them in the ring has overtaken them, so that they are out of it.
    assert.equal(await diary.quick().value, 'quick');
    await eventually(() => entries(folder).includes('0'), 'the first has begun');
    const death = diary.dies();
    const later = diary.slow(5);
    assert.ok((await failure(calls[0]!.value)) instanceof ActorDiedError);
    assert.ok((await failure(death.value)) instanceof ActorDiedError);
    assert.deepEqual(await get([...calls.slice(1), later]), [1, 2, 3, 4, 5]);
    assert.deepEqual(entries(folder), ['0', '1', '2', '3', '4', '5']);
    await diary.drain();
  });

  test('are not charged as a call that has begun is', LIMIT, async () => {
    const folder = scratch();
    const diary = Diaries.with({
      restarts: 1,
      groups: { io: { methods: ['quick', 'dies'], concurrency: 1 } },
    }).create(folder);
    const first = diary.slow.with({ retries: 1 })(0);
    const second = diary.slow(1);
    assert.equal(await diary.quick().value, 'quick');
    await eventually(() => entries(folder).includes('0'), 'the first has begun');
    const death = diary.dies();
    assert.deepEqual(await get([first, second]), [0, 1]);
    await failure(death.value);
    assert.deepEqual(entries(folder), ['0', '0', '1']);
    await diary.drain();
  });

  test('run on the next one where a method gathers its calls', LIMIT, async () => {
    const folder = scratch();
    const diary = BatchDiaries.with({ restarts: 1 }).create(folder);
    await diary.arm().value;
    const running = diary.label(0);
    await eventually(() => entries(folder).length === 1, 'the first batch has begun');
    const others = [1, 2, 3, 4, 5].map((i) => diary.label(i));
    const slow = diary.slow(6);
    mark(folder, 'die');
    assert.ok((await failure(running.value)) instanceof ActorDiedError);
    assert.deepEqual(await get(others), [10, 20, 30, 40, 50]);
    assert.equal(await slow.value, 6);
    const [first, ...then] = entries(folder);
    assert.equal(first, '[0]');
    assert.deepEqual(
      then
        .filter((each) => each.startsWith('['))
        .join('')
        .match(/\d/g)
        ?.map(Number),
      [1, 2, 3, 4, 5],
    );
    await diary.drain();
  });

  test('run on the next one where actors share a worker', LIMIT, async () => {
    const folder = scratch();
    const Shared = Diaries.with({ restarts: 1, shared: true });
    const [one, two] = [Shared.create(folder, 'one'), Shared.create(folder, 'two')];
    await one.arm().value;
    const ones = [0, 1, 2].map((i) => one.slow(i));
    const twos = [0, 1, 2].map((i) => two.slow(i));
    await eventually(
      () => marks(folder).includes('one') && marks(folder).includes('two'),
      'one call of each has begun',
    );
    mark(folder, 'die');
    assert.ok((await failure(ones[0]!.value)) instanceof ActorDiedError);
    assert.ok((await failure(twos[0]!.value)) instanceof ActorDiedError);
    assert.deepEqual(await get([...ones.slice(1), ...twos.slice(1)]), [1, 2, 1, 2]);
    assert.deepEqual(
      [entries(folder, 'one'), entries(folder, 'two')],
      [
        ['0', '1', '2'],
        ['0', '1', '2'],
      ],
    );
    await Promise.all([one.drain(), two.drain()]);
    await session().drained();
    assert.equal(session().stats().tasks.pending, 0);
  });
});
