import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorDiedError, actor, batch, connect, get, type Handle, put, type Ref, ReleasedError, task } from 'sheaf';
import { inline, kill, leaks } from 'sheaf/testing';
import { eventually, failure, LIMIT, lazySession, mark, marks, scratch, sleep, untilMarked } from './support.ts';

const session = lazySession({ mode: 'inline', cpus: 2 });

class Plain {
  isThePrograms(): boolean {
    return (globalThis as { sheafPlain?: unknown }).sheafPlain === this.constructor;
  }
}
class Static {
  static count = 0;
  next(): number {
    return ++Static.count;
  }
}
class PrivateStatic {
  static #count = 0;
  next(): number {
    return ++PrivateStatic.#count;
  }
}
const list: string[] = [];
class Lister {
  add(what: string): string[] {
    list.push(what);
    return list;
  }
}
const order: string[] = [];
(globalThis as { sheafCalls?: string[] }).sheafCalls = order;
class Noting {
  note(what: string): string {
    (globalThis as { sheafCalls?: string[] }).sheafCalls?.push(what);
    return what;
  }
}
class Keeper {
  readonly kept: unknown[] = [];
  keep(what: unknown): number {
    return this.kept.push(what);
  }
  async value(): Promise<unknown> {
    return await (this.kept[0] as [Ref<unknown>])[0].value;
  }
}
class Ending {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }
  here(): boolean {
    return true;
  }
  [Symbol.dispose](): void {
    mark(this.folder, 'ended');
  }
}
class Slow {
  #kept: Ref<number> | undefined;
  keeps([ref]: [Ref<number>]): void {
    this.#kept = ref;
  }
  async kept(): Promise<number | undefined> {
    return await this.#kept?.value;
  }
  async until(folder: string): Promise<string[]> {
    await untilMarked(folder, 'go');
    return marks(folder);
  }
}
class Gathering {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }
  gather = batch({ max: 2, wait: 0 }, async (xs: number[]) => {
    mark(this.folder, 'first');
    await untilMarked(this.folder, 'go');
    return xs.map((x) => x * 10);
  });
  one(): number {
    return 1;
  }
}
const Gatherings = actor(Gathering);
const Notes = actor(Noting);
const Keepers = actor(Keeper);
const Endings = actor(Ending);
const Slows = actor(Slow);
const sevens = task(() => 7);

test('the class of the program itself runs where nothing could tell it from a loaded one', LIMIT, async () => {
  (globalThis as { sheafPlain?: unknown }).sheafPlain = Plain;
  assert.equal(await actor(Plain).create().isThePrograms().value, true);
});

test('what a class or its file keeps is each actor’s own, as it is on workers', LIMIT, async () => {
  const [statics, privates, lists] = [actor(Static), actor(PrivateStatic), actor(Lister)];
  assert.deepEqual(await get([statics.create().next(), statics.create().next()]), [1, 1]);
  assert.deepEqual(await get([privates.create().next(), privates.create().next()]), [1, 1]);
  assert.deepEqual(await get([lists.create().add('a'), lists.create().add('b')]), [['a'], ['b']]);
  assert.deepEqual([Static.count, list], [0, []]);
});

test('a call never begins within the one that makes it, and values are copies', LIMIT, async () => {
  order.length = 0;
  const notes = Notes.create();
  await notes.ready;
  const ref = notes.note('called');
  order.push('after the call');
  await ref.value;
  assert.deepEqual(order, ['after the call', 'called']);
  const keeper = Keepers.create();
  const mine = { n: 1 };
  const kept = keeper.keep(mine);
  mine.n = 2;
  await kept.value;
  assert.equal(mine.n, 2);
});

test('a released reference of the program is none of the actor’s', LIMIT, async () => {
  const keeper = Keepers.create();
  const ref = put([5]);
  await keeper.keep([ref]).value;
  ref.release();
  assert.deepEqual(await keeper.value().value, [5]);
  assert.throws(() => ref.value, ReleasedError);
});

test('what an actor has kept ends with it, handles of others too', LIMIT, async () => {
  const folder = scratch();
  const keeper = Keepers.create();
  await (async () => {
    const ending = Endings.create(folder);
    await ending.here().value;
    await keeper.keep(ending).value;
    // The handle that `create` gave is garbage from here on.
  })();
  await keeper.drain();
  await eventually(async () => {
    await leaks(session(), { within: 0 });
    return marks(folder).includes('ended');
  }, 'the other actor has ended');
});

test('an actor that a task makes ends with it', LIMIT, async () => {
  const folder = scratch();
  const makes = task(async (where: string) => await Endings.create(where).here().value);
  assert.equal(await makes(folder).value, true);
  await eventually(() => marks(folder).includes('ended'), 'it has ended');
  const returns = task((where: string) => ({ handle: Endings.create(where) }));
  const { handle } = (await returns(scratch()).value) as unknown as { handle: Handle<Ending> };
  assert.equal(await handle.here().value, true);
});

test('a detached actor that a task makes is the program’s, and outlives the task and its death', LIMIT, async () => {
  await using own = await inline({ cpus: 2 });
  const folder = scratch();
  const make = async (where: string, waits: boolean): Promise<void> => {
    const made = Slows.with({ name: 'kept', detached: true, getIfExists: true }).create();
    const seven = sevens();
    await made.keeps([seven]).value;
    if (waits) await untilMarked(where, 'go');
  };
  const makes = task(make, { retries: 0 });
  await own.run(() => makes(folder, false)).value;
  await leaks(own, { within: 0 });
  const found = await own.run(() => Slows.lookup('kept'));
  assert.equal(await found.kept().value, 7);
  const dies = own.run(() => makes(folder, true));
  const death = failure(dies.value);
  await kill(own, 'make');
  await death;
  mark(folder, 'go');
  assert.equal(await found.kept().value, 7);
  await found.drain();
  await assert.rejects(
    own.run(() => Slows.lookup('kept')),
    { code: 'ERR_SHEAF_NO_SUCH_ACTOR' },
  );
});

test('an actor at rest holds no core, and tasks go on beside its calls', LIMIT, async () => {
  await using one = await inline({ cpus: 1 });
  const folder = scratch();
  const slow = one.run(() => actor(Slow).create());
  const waits = slow.until(folder);
  const square = task((x: number) => x * x);
  assert.equal(await one.run(() => square(3)).value, 9);
  mark(folder, 'go');
  assert.deepEqual(await waits.value, ['go']);
});

test('calls of an actor that was killed and does not come back fail, and nothing is left of them', LIMIT, async () => {
  await using own = await inline();
  await (async () => {
    const folder = scratch();
    const slow = own.run(() => actor(Slow).create());
    const calls = [slow.until(folder), slow.until(folder)].map((ref) => failure(ref.value));
    await kill(own, 'Slow');
    for (const error of await Promise.all(calls)) assert.ok(error instanceof ActorDiedError, String(error));
    await own.drained();
    // Nothing ends code that is in this thread: it goes on, unheard.
    mark(folder, 'go');
  })();
  assert.equal(own.stats().tasks.pending, 0);
  assert.deepEqual(await leaks(own), []);
});

test('of a killed actor, calls that waited for their group or their batch run on the next one', LIMIT, async () => {
  await using own = await inline();
  const folder = scratch();
  const gathering = own.run(() => Gatherings.with({ restarts: 1 }).create(folder));
  const running = failure(gathering.gather(0).value);
  await untilMarked(folder, 'first');
  const waiting = [1, 2, 3].map((i) => gathering.gather(i));
  const slow = gathering.one();
  // Both have come to it, and stand behind the batch.
  await sleep(20);
  await kill(own, 'Gathering.gather');
  mark(folder, 'go');
  assert.ok((await running) instanceof ActorDiedError);
  assert.deepEqual(await get(waiting), [10, 20, 30]);
  assert.equal(await slow.value, 1);
});

test('many tasks may call one actor, and it keeps nothing of them', LIMIT, async () => {
  await using own = await inline();
  const use = task(async (to: Handle<Keeper>, n: number) => {
    const late = to.keep(n).value;
    if (n % 3 === 0) await sleep(0);
    return late;
  });
  await (async () => {
    const keeper = own.run(() => Keepers.create());
    for (let i = 0; i < 200; i++) await own.run(() => use(keeper, i)).value;
    await keeper.drain();
  })();
  assert.deepEqual(await leaks(own), []);
});

test('the end of the session fails what is called, and waits for nothing', LIMIT, async () => {
  const own = await connect({ mode: 'inline' });
  const slow = own.run(() => actor(Slow).create());
  const folder = scratch();
  const call = failure(slow.until(folder).value);
  await slow.ready;
  await own[Symbol.asyncDispose]();
  assert.equal((await call).name, 'CancelledError');
  mark(folder, 'go');
});
