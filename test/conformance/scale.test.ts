import assert from 'node:assert/strict';
import { freemem } from 'node:os';
import { describe, test } from 'node:test';
import { alloc, connect, get, put, type Ref, task } from 'sheaf';
import { collect, hosts, program, used, within } from './support.ts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

const ends = task((x: Uint8Array) => [x.length, x[0], x[x.length - 1]] as [number, number, number]);
const makeLarge = task((n: number) => {
  const data = alloc(Uint8Array, n);
  data[0] = 3;
  data[n - 1] = 4;
  return data;
});
const makeOnHeap = task((n: number) => {
  const data = new Uint8Array(n);
  data[0] = 5;
  data[n - 1] = 6;
  return data;
});
const add = task((a: number, b: number) => a + b);
const submits = task(async (n: number) => {
  const refs: Ref<number>[] = [];
  for (let i = 0; i < n; i++) refs.push(add(i, 1));
  return (await get(refs)).length;
});
const idle = task(() => {});
const residentOf = task(() => process.memoryUsage().rss);

for (const isolation of hosts) {
  describe(`scale (${isolation})`, () => {
    test('an object of 3 GB is put, read in a task, and made in a task, without a copy', {
      timeout: 60_000,
      skip: freemem() < 8 * GiB ? 'this needs 8 GB of free memory' : false,
    }, async () => {
      await using session = await connect({ cpus: 1, memory: '4GiB', isolation });
      const size = 3 * GiB;
      const data = alloc(Uint8Array, size);
      data[0] = 1;
      data[size - 1] = 2;
      const before = used(session);
      const ref = put(data);
      assert.equal(used(session), before, 'what was allocated here is put without a copy');
      assert.deepEqual(await within(20_000, ends(ref).value), [size, 1, 2]);
      assert.equal((await get(ref)).length, size);
      assert.equal(used(session), before, 'one copy for all');
      if (isolation === 'process') assert.ok((await residentOf().value) < GiB, 'the worker has copied nothing');
      ref.release();
    });

    test('a result of 3 GB is made in a task', {
      timeout: 60_000,
      skip: freemem() < 8 * GiB ? 'this needs 8 GB of free memory' : false,
    }, async () => {
      await using session = await connect({ cpus: 1, memory: '4GiB', isolation });
      const made = makeLarge(3 * GiB);
      const view = await within(30_000, made.value);
      assert.deepEqual([view.length, view[0], view[view.length - 1]], [3 * GiB, 3, 4]);
      assert.ok(used(session) <= 3 * GiB + MiB);
      made.release();
    });

    test('an array of 3 GB that a task has made on its own heap is a result, and an argument', {
      timeout: 120_000,
      skip: freemem() < 12 * GiB ? 'this needs 12 GB of free memory' : false,
    }, async () => {
      await using session = await connect({ cpus: 1, memory: '4GiB', isolation });
      using made = makeOnHeap(3 * GiB);
      assert.deepEqual(await within(60_000, ends(made).value), [3 * GiB, 5, 6]);
      assert.ok(used(session) <= 3 * GiB + MiB);
    });

    test('a million tasks, a million references dropped at once: memory comes back (line 10)', {
      timeout: 100_000,
    }, async () => {
      const { code, stdout, stderr } = await program('million.mjs', [isolation], 90_000);
      assert.equal(code, 0, stderr);
      const n = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<string, number>;
      const bound = (n.before as number) * 1.1 + 4 * MiB;
      assert.equal(n.pending, 0);
      assert.equal(n.failed, 0);
      assert.ok((n.queued as number) < GiB, stdout);
      assert.ok((n.afterTasks as number) < bound, stdout);
      assert.ok((n.afterRefs as number) < bound, stdout);
      assert.ok((n.afterRich as number) < bound, stdout);
    });

    test('tasks that each submit thousands', { timeout: 30_000 }, async () => {
      await using session = await connect({ cpus: 2, memory: '64MiB', isolation });
      assert.deepEqual(
        await within(20_000, get([submits(5000), submits(5000), submits(5000), submits(5000)])),
        [5000, 5000, 5000, 5000],
      );
      assert.equal(session.stats().tasks.pending, 0);
    });

    test('references dropped while their tasks are still queued', { timeout: 30_000 }, async () => {
      await using session = await connect({ cpus: 2, memory: '64MiB', isolation });
      for (let i = 0; i < 50_000; i++) idle();
      for (let i = 0; i < 1000; i++) add(put(i), put(1)).release();
      for (let i = 0; i < 200; i++) ends(put(new Uint8Array(200_000))).release();
      await collect();
      await within(20_000, session.drained());
      await collect();
      assert.equal(await add(1, 2).value, 3);
    });
  });
}
