import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  actor,
  BackPressureError,
  CancelledError,
  cancel,
  connect,
  get,
  type Ref,
  remote,
  task,
  UnschedulableError,
  wait,
} from 'sheaf';
import type * as counting from '../fixtures/conformance/counting.ts';
import { collect, failure, mark, nothingLeft, onHostsAndInline, root, scratch, untilMarked } from './support.ts';

const Workers = actor(
  class Worker {
    now = 0;
    most = 0;
    async wait(ms: number): Promise<number> {
      this.now++;
      this.most = Math.max(this.most, this.now);
      await sleep(ms);
      this.now--;
      return this.most;
    }
    async until(folder: string, name: string): Promise<string> {
      await untilMarked(folder, name);
      return name;
    }
    quick(): number {
      return this.most;
    }
    exits(): void {
      process.exit(7);
    }
  },
);
const Others = actor(
  class Other {
    other(): string {
      return 'other';
    }
  },
);

onHostsAndInline('options of actors', { cpus: 2 }, (session, isolation) => {
  it('concurrency lets calls overlap, up to what it says', async () => {
    const worker = Workers.with({ concurrency: 8 }).create();
    const most = await get(Array.from({ length: 40 }, () => worker.wait(2)));
    assert.equal(Math.max(...most), 8);
    const one = Workers.create();
    assert.equal(Math.max(...(await get(Array.from({ length: 10 }, () => one.wait(1))))), 1);
  });

  it('a thousand calls wait at the same time (line 35)', async () => {
    const folder = scratch();
    const worker = Workers.with({ concurrency: 1001 }).create();
    const calls = Array.from({ length: 900 }, () => worker.until(folder, 'all'));
    // It starts after all of them, so that they have begun.
    assert.equal(await worker.quick().value, 0);
    mark(folder, 'all');
    assert.equal((await get(calls)).length, 900);
  });

  it('groups have limits of their own, and do not hold each other up (line 35)', async () => {
    const folder = scratch();
    const worker = Workers.with({ groups: { slow: { methods: ['until'], concurrency: 1 } } }).create();
    const slow = [worker.until(folder, 'a'), worker.until(folder, 'b'), worker.until(folder, 'c')];
    assert.equal(await worker.quick().value, 0);
    cancel(slow[1] as Ref<string>);
    await assert.rejects((slow[1] as Ref<string>).value, CancelledError);
    mark(folder, 'a');
    mark(folder, 'c');
    assert.deepEqual(await get([slow[0], slow[2]] as Ref<string>[]), ['a', 'c']);
  });

  it('a group of a method that there is not is an error of the construction, which names those that there are', async () => {
    const worker = Workers.with({ groups: { io: { methods: ['quick', 'quik'], concurrency: 8 } } }).create();
    const error = await failure(worker.ready);
    assert.match(
      error.message,
      /a group has the method "quik", which the actor Worker does not; it has exits, quick, until, wait/,
    );
  });

  it('maxPending refuses calls (line 36)', async () => {
    const folder = scratch();
    const worker = Workers.with({ maxPending: 2 }).create();
    const calls = [worker.until(folder, 'go'), worker.quick()];
    assert.throws(() => worker.quick(), BackPressureError);
    mark(folder, 'go');
    await get(calls as Ref<unknown>[]);
    await worker.quick().value;
  });

  it('a name is for one actor of its namespace, and finds it (line 34)', async () => {
    const worker = Workers.with({ name: 'one' }).create();
    await worker.wait(1).value;
    const found = await Workers.lookup('one');
    assert.equal(await found.quick().value, 1);
    const second = Workers.with({ name: 'one' }).create();
    const details = { actor: 'Worker', name: 'one', namespace: 'default' };
    await assert.rejects(second.ready, { name: 'UsageError', code: 'ERR_SHEAF_ACTOR_NAME', details });
    await assert.rejects(second.quick().value, { code: 'ERR_SHEAF_ACTOR_NAME' });
    const shared = Workers.with({ name: 'one', getIfExists: true }).create();
    assert.equal(await shared.quick().value, 1);
    await assert.rejects(Workers.lookup('one', { namespace: 'other' }), { code: 'ERR_SHEAF_NO_SUCH_ACTOR' });
    const other = Workers.with({ name: 'one', namespace: 'other' }).create();
    assert.equal(await other.quick().value, 0);
    await assert.rejects(Workers.lookup(undefined as unknown as string), /lookup: the name is undefined; give a text/);
    const options = (o: unknown) => Workers.lookup('one', o as object);
    await assert.rejects(options({ restarts: 1 }), /lookup: there is no option `restarts`; the options are namespace/);
    await assert.rejects(options(5), /lookup: the options are number/);
    await worker.drain();
    await assert.rejects(Workers.lookup('one'), { code: 'ERR_SHEAF_NO_SUCH_ACTOR' });
    const again = Workers.with({ name: 'one', getIfExists: true }).create();
    assert.equal(await again.quick().value, 0);
  });

  it('a name belongs to an actor of one class, and is no way to another one', async () => {
    const worker = Workers.with({ name: 'typed' }).create();
    await worker.ready;
    const details = { actor: 'Other', has: 'Worker', name: 'typed', namespace: 'default' };
    const looks = Others.lookup('typed');
    await assert.rejects(looks, { name: 'UsageError', code: 'ERR_SHEAF_ACTOR_NAME', details });
    await assert.rejects(
      looks,
      /"typed" .* is of the class Worker, and was looked up as one of Other; .*Worker\.lookup\("typed"\)/,
    );
    const shares = Others.with({ name: 'typed', getIfExists: true }).create();
    await assert.rejects(shares.ready, { code: 'ERR_SHEAF_ACTOR_NAME', details });
    await assert.rejects(shares.other().value, /is taken .* by an actor of the class Worker, which Other is not/);
    // In a task, where another worker asks; and a detached one, which the program creates for it.
    const elsewhere = task(async (how: 'lookup' | 'joins' | 'detached') => {
      const Named = Others.with({ name: 'typed', getIfExists: true, detached: how === 'detached' });
      const other = how === 'lookup' ? await Others.lookup('typed') : Named.create();
      return await other.other().value;
    });
    for (const how of ['lookup', 'joins', 'detached'] as const) {
      await assert.rejects(elsewhere(how).value, { code: 'ERR_SHEAF_ACTOR_NAME', details });
    }
    await worker.drain();
    const other = Others.with({ name: 'typed', getIfExists: true }).create();
    assert.equal(await other.other().value, 'other');
    await other.drain();
  });

  it('what is for an actor that has a name is refused without one, where the actor is made', () => {
    assert.throws(() => Workers.with({ detached: true }).create(), {
      name: 'UsageError',
      message: /detached is for an actor that has a name, .*: with\(\{ name, detached: true \}\)/,
    });
    assert.throws(
      () => Workers.with({ namespace: 'x' }).create(),
      /namespace is for .*with\(\{ name, namespace: "x" \}\)/,
    );
  });

  it('a call that ran as often as it may says how often that was', async (t) => {
    // Inline there is no worker that it could end.
    if (isolation === 'inline') return t.skip();
    const worker = Workers.with({ restarts: 3 }).create();
    const once = await failure(worker.exits().value);
    assert.match(once.message, /so it was not called again \(option `callRetries` of the actor\)/);
    const thrice = await failure(worker.exits.with({ retries: 2 })().value);
    assert.match(thrice.message, /and it had been called 3 times by then, as often as it may be/);
    assert.equal((thrice as Error & { details: { attempts: number } }).details.attempts, 3);
    await worker.drain();
  });

  it('a handle that turned out to be of another actor, or of none, is one for those who are given it', async () => {
    const use = task(async (handle: ReturnType<typeof Workers.create>) => await handle.wait(1).value);
    const first = Workers.with({ name: 'known' }).create();
    await first.ready;
    // Given on before it is known what it is, and after.
    const same = Workers.with({ name: 'known', getIfExists: true }).create();
    assert.equal(await use(same).value, 1);
    assert.equal(await use(same).value, 1);
    const refused = Workers.with({ name: 'known' }).create();
    for (let i = 0; i < 2; i++) await assert.rejects(use(refused).value, /the name "known" is taken/);
    const drains = task(async (handle: ReturnType<typeof Workers.create>) => await handle.drain());
    await drains(same).value;
    await assert.rejects(first.quick().value, { code: 'ERR_SHEAF_ACTOR_DIED' });
  });

  it('a detached actor outlives its handles', async () => {
    await Workers.with({ name: 'stays', detached: true }).create().wait(1).value;
    await collect();
    const found = await Workers.lookup('stays');
    assert.equal(await found.quick().value, 1);
    await found.drain();
  });

  it('one that asks for more than there is says so', async () => {
    const worker = Workers.with({ gpus: 1 }).create();
    await assert.rejects(worker.ready, UnschedulableError);
    await assert.rejects(worker.quick().value, UnschedulableError);
  });

  it('one at rest takes no core, and one with cores keeps them', async () => {
    const square = task((x: number) => x * x);
    const workers = Array.from({ length: 4 }, () => Workers.create());
    await Promise.all(workers.map((worker) => worker.ready));
    assert.deepEqual(await get([square(2), square(3)]), [4, 9]);
    const greedy = Workers.with({ cpus: 2 }).create();
    await greedy.ready;
    const waits = square(4);
    assert.equal((await wait([waits], { timeout: 100 })).ready.length, 0);
    await greedy.drain();
    assert.equal(await waits.value, 16);
  });

  it('a call has a deadline', async () => {
    const worker = Workers.create();
    await assert.rejects(worker.wait.with({ timeout: '30ms' })(200).value, { name: 'TimeoutError' });
    assert.equal(await worker.quick().value, 1);
    // Nothing ends a loop in this thread.
    if (isolation === 'inline') return;
    const loops = actor(
      class Loop {
        forever(): void {
          for (;;);
        }
      },
    ).create();
    const error = await failure(loops.forever.with({ timeout: '30ms' })().value);
    assert.match(error.message, /^Loop\.forever ran longer .* its worker was ended, and the actor with it$/);
    await assert.rejects(loops.forever().value, { name: 'ActorDiedError' });
  });

  it('getIfExists without a name is refused, where the actor is made', () => {
    assert.throws(() => Workers.with({ getIfExists: true }).create(), /getIfExists is for an actor that has a name/);
  });

  it('methods take no options that are the actor’s', () => {
    const worker = Workers.create();
    assert.throws(() => worker.wait.with({ cpus: 2 }), /a method runs where its actor is/);
    assert.throws(() => Workers.with({ retries: 2 } as never), /`restarts`/);
    assert.throws(() => Workers.with({ groups: { a: { methods: 'x' } } as never }), /the names of methods/);
  });

  it('classes of a remote module are actors', async () => {
    const module = remote<typeof counting>(new URL('test/fixtures/conformance/counting.ts', pathToFileURL(`${root}/`)));
    const counter = module.Counter.create(5);
    assert.equal(await counter.add(2).value, 7);
  });

  it('leave nothing behind', async () => {
    await nothingLeft(session());
  });
});

it('of more actors than there can be the last are refused, and tasks go on', async () => {
  const session = await connect({ cpus: 2, isolation: 'thread' });
  const workers = Array.from({ length: 32 }, () => Workers.create());
  const outcomes = await Promise.allSettled(workers.map((worker) => worker.ready));
  const refused = outcomes.filter((each) => each.status === 'rejected');
  assert.equal(refused.length, 3);
  for (const { reason } of refused) assert.ok(reason instanceof UnschedulableError);
  const square = task((x: number) => x * x);
  assert.deepEqual(await get([square(2), square(3)]), [4, 9]);
  await session[Symbol.asyncDispose]();
});
