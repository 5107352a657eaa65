import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actor, get, type Handle, task, UsageError } from 'sheaf';
import {
  death,
  die,
  eventually,
  failure,
  type Isolation,
  LIMIT,
  mark,
  nothingLeft,
  onHostsAndInline,
  scratch,
  sleep,
  untilMarked,
  within,
} from './support.ts';

class Replica {
  /** Where it is: what tells one from another. */
  readonly where = Math.random();
  calls = 0;
  async work(ms: number): Promise<number> {
    await sleep(ms);
    this.calls++;
    return this.where;
  }
  async dies(isolation: Isolation): Promise<number> {
    await sleep(5);
    return die(isolation);
  }
}
class Broken {
  constructor() {
    throw new RangeError('as meant');
  }
  work(): number {
    return 1;
  }
}
/** Takes its time to end. */
class Leaving {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }
  work(): number {
    return 1;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    mark(this.#folder, 'leaving');
    await untilMarked(this.#folder, 'called');
  }
}
const Replicas = actor(Replica);
const distinct = (places: readonly number[]): number => new Set(places).size;

onHostsAndInline('pools', { cpus: 2 }, (session, isolation) => {
  test('calls go to the replica with the fewest under way', LIMIT, async () => {
    session();
    const pool = Replicas.pool(3);
    await pool.ready;
    const places = await get(Array.from({ length: 30 }, () => pool.work(20)));
    assert.equal(distinct(places), 3);
    for (const place of new Set(places)) assert.ok(places.filter((each) => each === place).length >= 5);
    await pool.drain();
    assert.match((await failure(pool.work(1).value)).message, /drained/);
  });

  test('what a replica has not begun when it dies is done by the others, and it is made again', LIMIT, async () => {
    const pool = Replicas.pool(2);
    await pool.ready;
    const first = distinct(await get(Array.from({ length: 8 }, () => pool.work(10))));
    assert.equal(first, 2);
    const dies = failure(pool.dies(isolation).value);
    const rest = Array.from({ length: 40 }, () => pool.work(5));
    await death(session(), isolation, 'Replica.dies');
    assert.equal((await dies).name, 'ActorDiedError');
    await get(rest);
    await eventually(
      async () => distinct(await get(Array.from({ length: 8 }, () => pool.work(20)))) === 2,
      'two again',
    );
    await pool.drain();
  });

  test('calls that may be made again are, elsewhere', LIMIT, async () => {
    const once = actor(
      class Mortal {
        #tried = false;
        async work(): Promise<string> {
          if (this.#tried) return 'done';
          this.#tried = true;
          return 'first';
        }
        async dies(isolation: Isolation): Promise<string> {
          await sleep(5);
          return die(isolation);
        }
      },
    );
    const pool = once.with({ callRetries: 3, restarts: 0 }).pool(4);
    await pool.ready;
    // It dies with one after the other, until there are no retries left.
    const dies = failure(pool.dies(isolation).value);
    for (let i = 0; i < 4; i++) await death(session(), isolation, 'Mortal.dies');
    const error = await dies;
    assert.equal(error.name, 'ActorDiedError');
    await pool.drain();
  });

  test('it grows with what is pending, and travels', LIMIT, async () => {
    const pool = Replicas.pool({ min: 1, max: 3 });
    await pool.ready;
    const places = await get(Array.from({ length: 150 }, () => pool.work(15)));
    assert.ok(distinct(places) > 1);
    const use = task(async (p: Handle<Replica>) => get([p.work(1), p.work(1)]));
    assert.equal((await use(pool).value).length, 2);
    await pool.drain();
  });

  test('where it was sent, no call begins on a replica that is at its end', LIMIT, async () => {
    const folder = scratch();
    const pool = actor(Leaving).pool(1, folder);
    const use = task(async (p: Handle<Leaving>, folder: string) => {
      await p.work().value;
      mark(folder, 'used');
      await untilMarked(folder, 'leaving');
      const late = p.work().value.then(
        () => 'answered',
        (error: Error) => error.name,
      );
      // A turn or two for it to be sent; what is not sent waits for the end of the replica.
      await Promise.race([late, sleep(50)]);
      mark(folder, 'called');
      return late;
    });
    const late = use(pool, folder);
    await untilMarked(folder, 'used');
    const drained = pool.drain();
    assert.equal(await late.value, 'ActorDiedError');
    await drained;
  });

  test('it ends when nobody has a handle any more, here and where it was sent', LIMIT, async () => {
    const use = task(async (p: Handle<Replica>) => (await get([p.work(1), p.work(1)])).length);
    await (async () => {
      for (const size of [2, { min: 1, max: 2 }]) {
        const pool = Replicas.pool(size);
        await pool.work(1).value;
        assert.equal(await use(pool).value, 2);
      }
    })();
    await nothingLeft(session());
  });

  test('none that can be made: its calls say why', LIMIT, async () => {
    const pool = actor(Broken).pool(2);
    const early = failure(pool.work().value);
    const error = await within(60_000, failure(pool.ready));
    assert.equal((error.cause as Error).message, 'as meant');
    assert.match((await early).message, /as meant/);
    assert.match((await failure(pool.work().value)).message, /as meant/);
  });

  test('sizes and options that a pool can not have', async () => {
    for (const size of [0, -1, 1.5, 'two', null, { min: 2, max: 1 }, { min: 1 }, { min: 1, max: 2, most: 3 }]) {
      assert.throws(() => Replicas.pool(size as number), UsageError, JSON.stringify(size));
    }
    // In the words of what was given.
    const says = (size: unknown) => failure(Promise.resolve().then(() => Replicas.pool(size as number)));
    assert.match((await says(0)).message, /^actor Replica: pool: the size is 0; give a whole number of at least 1/);
    assert.match((await says(undefined)).message, /pool: the size is undefined; give a whole number/);
    assert.match((await says({ min: 1 })).message, /pool: max is not given; give a number, or both/);
    assert.match((await says({ min: 2, max: 1 })).message, /pool: min is 2, and max 1; give a min no larger/);
    assert.throws(() => Replicas.with({ name: 'x' }).pool(2), /name is for one actor/);
  });
});
