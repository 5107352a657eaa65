import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorDiedError, actor, all, CancelledError, cancel, get, init, put, type Ref, task, wait } from 'sheaf';
import { kill } from 'sheaf/testing';
import {
  alive,
  death,
  die,
  eventually,
  failure,
  type Isolation,
  mark,
  marks,
  nothingLeft,
  onHostsAndInline,
  pidOf,
  scratch,
  untilMarked,
} from './support.ts';

const Counters = actor(
  class Counter {
    n: number;
    constructor(n = 0) {
      this.n = n;
    }
    add(k: number): number {
      this.n += k;
      return this.n;
    }
    async later(k: number, ms: number): Promise<number> {
      const before = this.n;
      await sleep(ms);
      this.n = before + k;
      return this.n;
    }
    fails(): never {
      throw new RangeError('not this one');
    }
    *upTo(n: number): Generator<number> {
      for (let i = 0; i < n; i++) yield i;
    }
    async until(folder: string, name: string): Promise<string> {
      await untilMarked(folder, name);
      return name;
    }
    pid(): number {
      return process.pid;
    }
    async exits(isolation: Isolation): Promise<void> {
      await die(isolation);
    }
  },
);

/** Writes down what becomes of it. */
const Witnesses = actor(
  class Witness {
    readonly folder: string;
    readonly name: string;
    constructor(folder: string, name: string) {
      this.folder = folder;
      this.name = name;
      mark(folder, `made-${name}`);
    }
    async [init](): Promise<void> {
      await sleep(20);
      mark(this.folder, `init-${this.name}`);
    }
    seen(): string[] {
      return marks(this.folder);
    }
    async [Symbol.asyncDispose](): Promise<void> {
      await sleep(20);
      mark(this.folder, `ended-${this.name}`);
    }
  },
);

onHostsAndInline('actors', { cpus: 2 }, (session, isolation) => {
  it('keep state between calls', async () => {
    const counter = Counters.create(10);
    assert.deepEqual(await get([counter.add(1), counter.add(2), counter.add(3)]), [11, 13, 16]);
    const other = Counters.create();
    assert.equal(await other.add(1).value, 1);
    assert.equal(await counter.add(0).value, 16);
  });

  it('run the calls of one caller in order, each to its end', async () => {
    const counter = Counters.create();
    const refs = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? counter.later(1, 2) : counter.add(1)));
    assert.deepEqual(
      await get(refs),
      refs.map((_, i) => i + 1),
    );
  });

  it('hold calls up behind one whose argument is pending', async () => {
    const folder = scratch();
    const slow = task(async (where: string) => {
      await untilMarked(where, 'go');
      return 100;
    });
    const counter = Counters.create();
    const held = counter.add(slow(folder));
    const next = counter.add(1);
    const { ready } = await wait([next], { timeout: 100 });
    assert.deepEqual(ready, []);
    mark(folder, 'go');
    assert.deepEqual(await get([held, next]), [100, 101]);
  });

  it('hold up no call of anybody else by that', async () => {
    const counter = Counters.create();
    const uses = task(async (h: typeof counter, k: number) => await h.add(k).value);
    // What it waits for is a call of the same actor, made by a task.
    const held = counter.add(uses(counter, 1));
    assert.equal(await held.value, 2);
    const Callers = actor(
      class {
        readonly to: typeof counter;
        constructor(to: typeof counter) {
          this.to = to;
        }
        async add(k: number): Promise<number> {
          return await this.to.add(k).value;
        }
      },
    );
    assert.equal(await counter.add(Callers.create(counter).add(1)).value, 6);
  });

  it('throw from methods without harm', async () => {
    const counter = Counters.create();
    await assert.rejects(counter.fails().value, { name: 'RangeError', message: 'not this one' });
    assert.equal(await counter.add(1).value, 1);
  });

  it('name the methods that there are when there is none of that name', async () => {
    const counter = Counters.create() as unknown as { sub(k: number): Ref<number> };
    await assert.rejects(
      counter.sub(1).value,
      /Counter.sub is no method of the actor; it has add, exits, fails, later, pid, until, upTo/,
    );
  });

  it('have a method of their own where every object has one of that name', async () => {
    const texts = actor(
      class Text {
        toString(): string {
          return 'mine';
        }
      },
    ).create();
    assert.equal(await texts.toString().value, 'mine');
    const other = texts as unknown as { valueOf(): Ref<unknown> };
    await assert.rejects(other.valueOf().value, /Text.valueOf is no method of the actor; it has toString/);
  });

  it('are no call in a text, but their name', () => {
    const counter = Counters.create();
    assert.equal(`${counter}`, '[actor Counter]');
  });

  it('give streams by generator methods, and go on with calls after them', async () => {
    const counter = Counters.create();
    const items: number[] = [];
    for await (const item of counter.upTo(50)) items.push(item);
    assert.deepEqual(items, [...Array(50).keys()]);
    for await (const item of counter.upTo(1000)) if (item === 3) break;
    assert.equal(await counter.add(1).value, 1);
  });

  it('wait for their construction, and say when it is done', async () => {
    const folder = scratch();
    const witness = Witnesses.create(folder, 'a');
    assert.deepEqual(await witness.seen().value, ['init-a', 'made-a']);
    await witness.ready;
  });

  it('take references for their construction', async () => {
    const five = task(() => 5);
    const counter = Counters.create(five());
    assert.equal(await counter.add(put(2)).value, 7);
  });

  it('say why they could not be made', async () => {
    const Broken = actor(
      class Broken {
        constructor() {
          throw new RangeError('no room');
        }
        call(): number {
          return 1;
        }
      },
    );
    const broken = Broken.create();
    const call = broken.call();
    await assert.rejects(broken.ready, (error: Error) => {
      assert.ok(error instanceof ActorDiedError);
      assert.match(error.message, /RangeError: no room/);
      assert.ok(error.cause instanceof RangeError);
      return true;
    });
    await assert.rejects(call.value, ActorDiedError);
    await assert.rejects(broken.call().value, ActorDiedError);
  });

  it('fail to be made when an argument has failed', async () => {
    const bad = task(() => {
      throw new TypeError('no number');
    });
    const counter = Counters.create(bad() as Ref<number>);
    await assert.rejects(counter.add(1).value, /TypeError: no number/);
  });

  it('fail what had begun when their worker dies, and what follows', async () => {
    const counter = Counters.create();
    assert.equal(await counter.add(1).value, 1);
    const dies = counter.exits(isolation);
    await death(session(), isolation, 'Counter.exits');
    await assert.rejects(dies.value, ActorDiedError);
    const why =
      isolation === 'inline' ? /can't be called: it died: .*killed/ : /can't be called: it died: .*process\.exit\(7\)/;
    await assert.rejects(counter.add(1).value, why);
    await assert.rejects(counter.ready, ActorDiedError);
  });

  it('are made anew, with what had not begun in its order', async () => {
    const counter = Counters.with({ restarts: 1 }).create();
    await counter.add(1).value;
    const dies = counter.exits(isolation);
    const after = Array.from({ length: 5 }, () => counter.add(1));
    await death(session(), isolation, 'Counter.exits');
    await assert.rejects(dies.value, /the actor may go on, if it has `restarts` left/);
    assert.deepEqual(await get(after), [1, 2, 3, 4, 5]);
    const again = counter.exits(isolation);
    await death(session(), isolation, 'Counter.exits');
    await assert.rejects(again.value, /the actor may go on|it died/);
    const error = await failure(counter.add(1).value);
    assert.ok(error instanceof ActorDiedError);
    assert.match(error.message, /the worker of the actor Counter died: .*; no restarts are left \(option `restarts`\)/);
  });

  it('die of an error in a timer that no call waits for, and say so', async () => {
    // There is no worker that could end by it.
    if (isolation === 'inline') return;
    const timers = actor(
      class Timer {
        later(): void {
          setTimeout(() => {
            throw new RangeError('too late');
          });
        }
        waits(): Promise<void> {
          return new Promise(() => {});
        }
      },
    ).create();
    await timers.later().value;
    assert.match((await failure(timers.waits().value)).message, /of an uncaught error: RangeError: too late/);
  });

  it('are made anew from their constructor and `[init]`, and tell nothing of what was before', async () => {
    if (isolation === 'thread') return;
    const Stateful = actor(
      class Stateful {
        readonly seen: string[] = [];
        async [init](): Promise<void> {
          await sleep(1);
          this.seen.push('init');
        }
        add(what: string): string[] {
          this.seen.push(what);
          return this.seen;
        }
        async waits(): Promise<void> {
          this.seen.push('waits');
          await new Promise(() => {});
        }
      },
    );
    const stateful = Stateful.with({ restarts: 1 }).create();
    assert.deepEqual(await stateful.add('a').value, ['init', 'a']);
    const waits = stateful.waits();
    const after = stateful.add('b');
    await kill(session(), 'Stateful.waits');
    await assert.rejects(waits.value, ActorDiedError);
    assert.deepEqual(await after.value, ['init', 'b']);
    await stateful.drain();
  });

  it('run calls again that may', async () => {
    const folder = scratch();
    const Flaky = actor(
      class Flaky {
        async once(where: string, isolation: Isolation): Promise<number> {
          if (marks(where).length === 0) {
            mark(where, 'died');
            await die(isolation);
          }
          return 42;
        }
      },
    );
    const flaky = Flaky.with({ restarts: 2, callRetries: 1 }).create();
    const once = flaky.once(folder, isolation);
    await death(session(), isolation, 'Flaky.once');
    assert.equal(await once.value, 42);
  });

  it('can be called by tasks that are given their handle, and by other actors', async () => {
    const counter = Counters.create();
    const use = task(async (h: typeof counter, k: number) => await h.add(k).value);
    await get([use(counter, 1), use(counter, 2), use(counter, 3)]);
    assert.equal(await counter.add(0).value, 6);
    const Callers = actor(
      class Caller {
        readonly to: typeof counter;
        constructor(to: typeof counter) {
          this.to = to;
        }
        async add(k: number): Promise<number> {
          return await this.to.add(k).value;
        }
      },
    );
    const caller = Callers.create(counter);
    assert.equal(await caller.add(4).value, 10);
    assert.equal(await caller.add(5).value, 15);
  });

  it('keep references that they were given, after the call', async () => {
    const Keepers = actor(
      class Keeper {
        #kept: Ref<Float64Array> | undefined;
        keep([ref]: [Ref<Float64Array>]): void {
          this.#kept = ref;
        }
        async sum(): Promise<number> {
          return (await (this.#kept as Ref<Float64Array>).value).reduce((a, b) => a + b, 0);
        }
      },
    );
    const keeper = Keepers.create();
    const big = put(new Float64Array(100_000).fill(1));
    await keeper.keep([big]).value;
    big.release();
    assert.equal(await keeper.sum().value, 100_000);
    await keeper.drain();
  });

  it('end in order when they are drained, after what is queued', async () => {
    const folder = scratch();
    const witness = Witnesses.create(folder, 'd');
    const calls = [witness.seen(), witness.seen()];
    await witness.drain();
    assert.equal((await get(calls)).length, 2);
    assert.ok(marks(folder).includes('ended-d'));
    await assert.rejects(witness.seen().value, ActorDiedError);
    await witness.drain();
  });

  it('are drained when tasks have called them that are over', async () => {
    const counter = Counters.create();
    const use = task(async (h: typeof counter) => await h.add(1).value);
    await get([use(counter), use(counter)]);
    await counter.drain();
  });

  it('are drained by `await using`', async () => {
    const folder = scratch();
    {
      await using witness = Witnesses.create(folder, 'u');
      await witness.seen().value;
    }
    assert.ok(marks(folder).includes('ended-u'));
  });

  it('end when nobody has a handle any more, with their worker (line 33)', async () => {
    const folder = scratch();
    const pid = await (async () => {
      const witness = Witnesses.create(folder, 'g');
      await witness.seen().value;
      return pidOf(folder, 'made-g');
    })();
    await nothingLeft(session());
    await eventually(() => marks(folder).includes('ended-g'), 'it has ended');
    if (isolation === 'process') await eventually(() => !alive(pid), 'its worker has ended');
  });

  it('end with an object that has them, and whose method has made them', async () => {
    class Owner {
      #counter: ReturnType<typeof Counters.create> | undefined;
      begin(): Promise<number> {
        this.#counter = Counters.create(1);
        return this.#counter.add(1).value;
      }
    }
    await (async () => {
      assert.equal(await new Owner().begin(), 2);
    })();
    await nothingLeft(session());
  });

  it('end with the task that made them, unless it returns the handle', async () => {
    const folder = scratch();
    const makes = task(async (where: string) => {
      const witness = Witnesses.create(where, 't');
      await witness.seen().value;
    });
    await makes(folder).value;
    await eventually(() => marks(folder).includes('ended-t'), 'it has ended');
  });

  it('cancel calls: those queued never run, the one that runs is told', async () => {
    const counter = Counters.create();
    const runs = counter.later(1, 50);
    const queued = counter.add(100);
    cancel(queued);
    await assert.rejects(queued.value, { name: 'CancelledError' });
    assert.equal(await runs.value, 1);
    assert.equal(await counter.add(1).value, 2);
  });

  it('are not ended by force, whoever asks', async () => {
    const folder = scratch();
    const counter = Counters.with({ concurrency: 5 }).create();
    const [one, two, three] = [counter.until(folder, 'go'), counter.until(folder, 'go'), counter.until(folder, 'go')];
    const stream = counter.upTo(1000);
    assert.equal(await counter.add(1).value, 1);
    for (const each of [one, stream]) {
      assert.throws(() => cancel(each, { force: true }), { name: 'UsageError', message: /method of an actor/ });
    }
    // Those who have not called it can't tell what it is, and stop it only.
    cancel(all([two]), { force: true });
    const forces = task(([ref]: [Ref<string>]) => {
      try {
        cancel(ref, { force: true });
      } catch {
        // Inline, where the task can tell.
        cancel(ref);
      }
    });
    await forces([three]).value;
    await assert.rejects(two.value, CancelledError);
    await assert.rejects(three.value, CancelledError);
    mark(folder, 'go');
    assert.equal(await one.value, 'go');
    assert.equal(await counter.add(1).value, 2);
    cancel(one, { force: true });
  });

  it('leave nothing behind', async () => {
    await nothingLeft(session());
  });
});

describe('definitions of actors', () => {
  it('refuse methods that mean something else on a handle', () => {
    for (const name of ['then', 'ready', 'drain', 'with']) {
      const cls = { [name]: class {} }[name] as new () => object;
      Object.defineProperty(cls.prototype, name, { value: () => 1 });
      assert.throws(() => actor(cls), new RegExp(`can't be called ${name}`));
    }
  });

  it('take nothing but captures', () => {
    class Plain {}
    const options = (o: unknown) => () => actor(Plain, o as object);
    assert.throws(options(5), /^UsageError: actor Plain: the options are number/);
    assert.throws(options({ name: 'x' }), /there is no option `name` here: .*actor\(Class\)\.with/);
    assert.throws(options({ nme: 'x' }), /there is no option `nme`; the options are captures/);
    assert.throws(options({ captures: 5 }), /captures is 5/);
  });
});
