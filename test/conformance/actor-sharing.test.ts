import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorDiedError, actor, current, get, init, task, UsageError } from 'sheaf';
import {
  alive,
  collect,
  eventually,
  failure,
  LIMIT,
  mark,
  marks,
  nothingLeft,
  onHosts,
  scratch,
  untilMarked,
} from './support.ts';

class Box {
  n = 0;
  readonly folder: string;
  readonly name: string;
  constructor(folder = '', name = '') {
    this.folder = folder;
    this.name = name;
  }
  add(k: number): number {
    this.n += k;
    return this.n;
  }
  where(): string {
    return `${process.pid} ${current().worker}`;
  }
  async until(name: string): Promise<string> {
    await untilMarked(this.folder, name);
    return name;
  }
  later(): void {
    setTimeout(() => process.exit(3), 5);
  }
  pid(): number {
    return process.pid;
  }
  [Symbol.dispose](): void {
    if (this.name !== '') mark(this.folder, `ended-${this.name}`);
  }
}
const Boxes = actor(Box);
const Shared = Boxes.with({ shared: true });

onHosts('actors that share a worker', { cpus: 2 }, (session, isolation) => {
  test('answer what waited for one that could not be made, while the others go on', LIMIT, async () => {
    const folder = scratch();
    const other = Shared.create();
    await other.ready;
    const Failing = actor(
      class Failing {
        async [init](): Promise<void> {
          await untilMarked(folder, 'fail');
          throw new RangeError('no instance');
        }
        hears(): void {}
      },
      { captures: { folder } },
    );
    const failing = Failing.with({ shared: true }).create();
    const calls = [failing.hears(), failing.hears()];
    // A call after them that begins: they are out of the ring.
    await other.add(1).value;
    mark(folder, 'fail');
    for (const call of calls) {
      const error = await failure(call.value);
      assert.ok(error instanceof ActorDiedError, String(error));
      assert.ok(error.cause instanceof RangeError, String(error.cause));
    }
    await session().drained();
    assert.equal(session().stats().tasks.pending, 0);
    assert.equal(await other.add(1).value, 2);
    await other.drain();
  });

  test('are on one, and others are not', LIMIT, async () => {
    const boxes = Array.from({ length: 20 }, () => Shared.create());
    const own = Boxes.create();
    const places = await get([...boxes, own].map((box) => box.where()));
    assert.equal(new Set(places.slice(0, 20)).size, 1);
    assert.ok(!places.slice(0, 20).includes(places[20] as string));
    assert.deepEqual(
      await get(boxes.map((box, i) => box.add(i))),
      boxes.map((_, i) => i),
    );
    const square = task((x: number) => x * x);
    assert.deepEqual(await get([square(2), square(3)]), [4, 9]);
  });

  test('do not hold up each other\u2019s calls, of one caller in their order', LIMIT, async () => {
    const folder = scratch();
    const a = Shared.create(folder);
    const b = Shared.create(folder);
    const held = a.until('go');
    const behind = Array.from({ length: 10 }, () => a.add(1));
    assert.equal(await b.add(5).value, 5);
    const use = task(async (box: typeof b) => await box.add(1).value);
    assert.equal(await use(b).value, 6);
    mark(folder, 'go');
    assert.equal(await held.value, 'go');
    assert.deepEqual(await get(behind), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('end one by one, and their worker with the last', LIMIT, async () => {
    const folder = scratch();
    const a = Shared.create(folder, 'a');
    const b = Shared.create(folder, 'b');
    const pid = await a.pid().value;
    await b.add(1).value;
    await a.drain();
    assert.deepEqual(marks(folder), ['ended-a']);
    assert.ok((await failure(a.add(1).value)) instanceof ActorDiedError);
    assert.equal(await b.add(1).value, 2);
    await b.drain();
    assert.deepEqual(marks(folder), ['ended-a', 'ended-b']);
    // Those of the tests before this one live there until they are garbage.
    const over = async (): Promise<boolean> => {
      await collect();
      return !alive(pid);
    };
    if (isolation === 'process') await eventually(over, 'the worker has ended');
    const again = Shared.create();
    assert.equal(await again.add(1).value, 1);
  });

  test('die together with their worker, and each is made anew as often as it may be', LIMIT, async () => {
    const a = Shared.with({ restarts: 1 }).create();
    const b = Shared.with({ restarts: 1 }).create();
    const c = Shared.create();
    await get([a.add(1), b.add(2), c.add(3)]);
    await a.later().value;
    // A call that has begun in the last moment fails.
    const fresh = async (box: typeof a): Promise<boolean> => (await box.add(0).value.catch(() => -1)) === 0;
    await eventually(() => fresh(a), 'a is there again');
    await eventually(() => fresh(b), 'b is there again');
    await eventually(async () => (await failure(c.add(0).value)) instanceof ActorDiedError, 'c is not');
    assert.equal(await a.where().value, await b.where().value);
  });

  test('are as many as a session may have workers, and more', LIMIT, async () => {
    const boxes = Array.from({ length: 100 }, () => Shared.create());
    assert.deepEqual(
      await get(boxes.map((box, i) => box.add(i))),
      boxes.map((_, i) => i),
    );
    const places = new Set(await get(boxes.map((box) => box.where())));
    assert.equal(places.size, 2);
  });

  test('are none of a pool', () => {
    assert.throws(() => Shared.pool(2), UsageError);
  });

  test('leave nothing behind', LIMIT, async () => {
    await nothingLeft(session());
  });
});
