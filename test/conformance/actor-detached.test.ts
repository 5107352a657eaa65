import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorDiedError, actor, byRef, get, type Ref, task, WorkerDiedError } from 'sheaf';
import { collect, eventually, failure, LIMIT, nothingLeft, onHosts } from './support.ts';

class Sum {
  readonly from: number;
  readonly more: Float64Array;
  readonly ref: Ref<number>;
  n = 0;
  constructor(from: number, more: Float64Array, ref: Ref<number>) {
    this.from = from;
    this.more = more;
    this.ref = ref;
  }
  async add(k: number): Promise<number> {
    this.n += k;
    return this.from + this.more.length + this.n;
  }
  async inner(): Promise<number> {
    return await this.ref.value;
  }
  exits(): void {
    process.exit(3);
  }
}
const Sums = actor(Sum);
const five = task(() => 5);
const size = 50_000;

onHosts('detached actors made by tasks', { cpus: 2 }, (session) => {
  test('outlive the task, its worker, and their own', LIMIT, async () => {
    const makes = task(
      async (ref: Ref<number>, dies: boolean) => {
        const Kept = Sums.with({ name: 'kept', detached: true, restarts: 1 });
        // One argument is a reference to be resolved, one is large, and one stays a reference.
        const sum = Kept.create(five(), new Float64Array(size), byRef(ref));
        await sum.ready;
        if (dies) process.exit(1);
        return await sum.add(1).value;
      },
      { retries: 0 },
    );
    const seven = task(() => 7)();
    assert.ok((await failure(makes(byRef(seven), true).value)) instanceof WorkerDiedError);
    await collect();
    const found = await Sums.lookup('kept');
    assert.equal(await found.add(1).value, 5 + size + 1);
    assert.equal(await found.add(1).value, 5 + size + 2);
    assert.equal(await found.inner().value, 7);
    await failure(found.exits().value);
    const again = async (): Promise<boolean> => (await found.add(1).value.catch(() => 0)) === 5 + size + 1;
    await eventually(again, 'it is made anew from what it was made with');
    await found.drain();
    await assert.rejects(Sums.lookup('kept'), { code: 'ERR_SHEAF_NO_SUCH_ACTOR' });
  });

  test('are shared, refused, handed on, and fail as others do', LIMIT, async () => {
    const makes = task(async (ifExists: boolean) => {
      const sum = Sums.with({ name: 'one', detached: true, getIfExists: ifExists }).create(
        1,
        new Float64Array(1),
        byRef(five()),
      );
      await sum.add(1).value;
      return { sum };
    });
    const { sum } = await makes(false).value;
    assert.equal(await sum.add(0).value, 3);
    const other = await makes(true).value;
    assert.equal(await other.sum.add(0).value, 4);
    const error = (await failure(makes(false).value)) as Error & { code?: string };
    assert.equal(error.code, 'ERR_SHEAF_ACTOR_NAME');
    await sum.drain();
    const fails = task(() => {
      throw new RangeError('no number');
    });
    const cannot = task(
      async () => {
        const sum = Sums.with({ name: 'fails', detached: true }).create(
          fails() as Ref<number>,
          new Float64Array(1),
          byRef(five()),
        );
        await sum.ready;
      },
      { captures: { fails } },
    );
    const died = await failure(cannot().value);
    assert.ok(died instanceof ActorDiedError);
    assert.match(died.message, /RangeError: no number/);
    assert.deepEqual(await get([five()]), [5]);
  });

  test('leave nothing behind', LIMIT, async () => {
    await nothingLeft(session());
  });
});
