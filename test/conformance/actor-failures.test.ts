import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  ActorDiedError,
  actor,
  CancelledError,
  cancel,
  get,
  ObjectLostError,
  put,
  type Ref,
  TimeoutError,
  task,
} from 'sheaf';
import { leaks, lose } from 'sheaf/testing';
import {
  collect,
  eventually,
  failure,
  LIMIT,
  mark,
  marks,
  onHosts,
  pidOf,
  scratch,
  sleep,
  untilMarked,
} from './support.ts';

class Counter {
  n = 0;
  /** Which life of it this is. */
  readonly born = Math.random();
  add(): number {
    return ++this.n;
  }
  addAt(die: number, folder: string): [life: number, n: number] {
    this.n++;
    if (this.n === die && marks(folder).length === 0) {
      mark(folder, 'died');
      process.exit(1);
    }
    return [this.born, this.n];
  }
  /** Dies before its answer, so many times. */
  diesTimes(times: number, folder: string, name: string): number {
    const lives = marks(folder).filter((each) => each.startsWith(`${name}-`)).length;
    if (lives < times) {
      mark(folder, `${name}-${lives}`);
      process.exit(1);
    }
    return lives;
  }
  dies(): void {
    process.exit(1);
  }
  spins(): void {
    for (;;);
  }
  async waits(folder: string, name: string): Promise<number> {
    mark(folder, `waits-${name}`);
    await untilMarked(folder, name);
    return ++this.n;
  }
}
const Counters = actor(Counter);

onHosts('failures of actors', { cpus: 2 }, (session) => {
  test(
    '200 calls, the worker ends at the 100th, one restart: in order, then an error, then anew (line 29)',
    LIMIT,
    async () => {
      const folder = scratch();
      const counter = Counters.with({ restarts: 1 }).create();
      const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => counter.addAt(100, folder).value));
      const done = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const lost = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      // What had not begun is called of the next one; of what had, nobody knows.
      assert.ok(lost.length >= 1 && lost.every((error) => error instanceof ActorDiedError), String(lost[1]));
      assert.ok(outcomes[99]?.status === 'rejected');
      const lives = [...new Set(done.map(([life]) => life))];
      assert.equal(lives.length, 2);
      for (const [i, life] of lives.entries()) {
        const numbers = done.filter((each) => each[0] === life).map(([, n]) => n);
        assert.deepEqual(
          numbers,
          numbers.map((_, n) => n + 1),
        );
        if (i === 0) assert.equal(numbers.length, 99);
      }
      await failure(counter.dies().value);
      assert.ok((await failure(counter.add().value)) instanceof ActorDiedError);
    },
  );

  test('the same where calls may be made again: none fails, and each life is in order (line 30)', LIMIT, async () => {
    const folder = scratch();
    const counter = Counters.with({ restarts: 1, callRetries: 3 }).create();
    const done = await get(Array.from({ length: 200 }, () => counter.addAt(100, folder)));
    const lives = [...new Set(done.map(([life]) => life))];
    assert.equal(lives.length, 2);
    for (const life of lives) {
      const numbers = done.filter((each) => each[0] === life).map(([, n]) => n);
      assert.deepEqual(
        numbers,
        numbers.map((_, n) => n + 1),
      );
    }
    await counter.drain();
  });

  test(
    'a call that may be made again any number of times is, as often as the actor is made anew (line 25)',
    LIMIT,
    async () => {
      const folder = scratch();
      const Patient = Counters.with({ restarts: 10, callRetries: Number.POSITIVE_INFINITY });
      const patient = Patient.create();
      assert.equal(await patient.diesTimes(10, folder, 'a').value, 10);
      assert.equal(await patient.add().value, 1);
      // As often as its own limit, where that is less.
      const once = Counters.with({ restarts: 10, callRetries: 1 }).create();
      const error = await failure(once.diesTimes(2, folder, 'b').value);
      assert.ok(error instanceof ActorDiedError);
      assert.match(error.message, /`callRetries`/);
      assert.equal(await once.add().value, 1);
    },
  );

  test('callers take turns, and each has its calls in its order (line 32)', LIMIT, async () => {
    const Lists = actor(
      class List {
        readonly said: string[] = [];
        say(text: string): void {
          this.said.push(text);
        }
        all(): string[] {
          return this.said;
        }
      },
    );
    const list = Lists.create();
    const says = task(async (to: typeof list, who: string) => {
      await get(Array.from({ length: 50 }, (_, i) => to.say(`${who}${i}`)));
    });
    await get([says(list, 'a'), says(list, 'b')]);
    const said = await list.all().value;
    assert.equal(said.length, 100);
    for (const who of ['a', 'b']) {
      assert.deepEqual(
        said.filter((text) => text.startsWith(who)),
        Array.from({ length: 50 }, (_, i) => `${who}${i}`),
      );
    }
  });

  test(
    'a method past its timeout that hears nothing ends the actor, and what had not begun goes on anew',
    LIMIT,
    async () => {
      const counter = Counters.with({ restarts: 1 }).create();
      assert.equal(await counter.add().value, 1);
      const spins = counter.spins.with({ timeout: '50ms' })();
      const next = counter.add();
      assert.ok((await failure(spins.value)) instanceof TimeoutError);
      assert.equal(await next.value, 1);
      await counter.drain();
    },
  );

  test('a method that was cancelled and goes on keeps its place until it has ended', LIMIT, async () => {
    const folder = scratch();
    const counter = Counters.create();
    const waits = counter.waits(folder, 'go');
    await eventually(() => marks(folder).includes('waits-go'), 'it has begun');
    const next = counter.add();
    cancel(waits);
    assert.ok((await failure(waits.value)) instanceof CancelledError);
    let done = false;
    void next.value.then(() => {
      done = true;
    });
    await sleep(50);
    assert.equal(done, false);
    mark(folder, 'go');
    assert.equal(await next.value, 2);
  });

  test('what an actor keeps of others is let go with it (line 18)', LIMIT, async () => {
    const Keepers = actor(
      class Keeper {
        kept: Ref<Float64Array> | undefined;
        keep([ref]: [Ref<Float64Array>]): void {
          this.kept = ref;
        }
        async sum(): Promise<number> {
          return (await (this.kept as Ref<Float64Array>).value).length;
        }
        dies(): void {
          process.exit(1);
        }
      },
    );
    const keeper = Keepers.create();
    const large = put(new Float64Array(50_000));
    await keeper.keep([large]).value;
    large.release();
    assert.equal(await keeper.sum().value, 50_000);
    await failure(keeper.dies().value);
    await eventually(() => session().stats().memory.used === 0, 'its memory is back');
  });

  test(
    'a reference that an actor passed on before it died comes to its value, or an error (line 19)',
    LIMIT,
    async () => {
      const folder = scratch();
      const Middles = actor(
        class Middle {
          async pass([ref]: [Ref<number>], to: ReturnType<typeof Counters.create>): Promise<[Ref<number>]> {
            await to.add().value;
            return [ref];
          }
          dies(): void {
            process.exit(1);
          }
        },
      );
      const late = task(async (where: string) => {
        await untilMarked(where, 'go');
        return 7;
      });
      const middle = Middles.create();
      const [passed] = await middle.pass([late(folder)], Counters.create()).value;
      const use = task(async ([ref]: [Ref<number>]) => await ref.value);
      const used = use([passed]);
      await failure(middle.dies().value);
      mark(folder, 'go');
      assert.equal(await used.value, 7);
      assert.equal(await passed.value, 7);
    },
  );
});

/** Larger than what travels in messages. */
const N = 20_000;
const make = task((log: string, x: number) => {
  appendFileSync(log, `${x}\n`);
  return new Float64Array(N).fill(x);
});
const Firsts = actor(
  class First {
    readonly x: number;
    constructor(values: Float64Array) {
      this.x = values[0] as number;
    }
    get(): number {
      return this.x;
    }
    dies(): void {
      process.exit(1);
    }
  },
);
const owning = task(async (folder: string, log: string) => {
  mark(folder, 'owner');
  const own = make(log, 9);
  await own.value;
  return [own] as const;
});

describe('an argument of the constructor that is gone when the actor is made anew', () => {
  onHosts('(line 28)', { cpus: 2, memory: '256MiB', spill: scratch() }, (session, isolation) => {
    test('is made again where that can be', LIMIT, async () => {
      const log = join(scratch(), 'log');
      const values = make(log, 3);
      const first = Firsts.with({ restarts: 1 }).create(values);
      assert.equal(await first.get().value, 3);
      await lose(values);
      await failure(first.dies().value);
      assert.equal(await first.get().value, 3);
      assert.equal(readFileSync(log, 'utf8'), '3\n3\n');
      await first.drain();
    });

    test('is an error that says so where it can not', LIMIT, async () => {
      const values = put(new Float64Array(N).fill(4));
      const first = Firsts.with({ restarts: 3 }).create(values);
      assert.equal(await first.get().value, 4);
      await lose(values);
      await failure(first.dies().value);
      const error = await failure(first.get().value);
      assert.ok(error instanceof ActorDiedError, String(error));
      assert.ok(error.cause instanceof ObjectLostError, String(error.cause));
      assert.match(error.message, /it was put/);
    });

    const processes = { ...LIMIT, skip: isolation === 'process' ? false : 'a thread can not be killed by itself' };
    test('and whose owner is gone is there all the same', processes, async () => {
      const folder = scratch();
      const [values] = await owning(folder, join(folder, 'log')).value;
      // It may live on the worker that is killed.
      const first = Firsts.with({ restarts: 2 }).create(values);
      assert.equal(await first.get().value, 9);
      process.kill(pidOf(folder, 'owner'), 'SIGKILL');
      await failure(first.dies().value);
      // The owner of the actor has kept the value for it.
      assert.equal(await first.get().value, 9);
      values.release();
      await first.drain();
    });

    test('leaves nothing behind', LIMIT, async () => {
      await collect();
      assert.deepEqual(await leaks(session()), []);
    });
  });
});
