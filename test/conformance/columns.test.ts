import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { put, type Ref, remote, type Session } from 'sheaf';
import { drainedOf, MiB, onHosts, root, used } from './support.ts';

type View = Int32Array | Float64Array | BigInt64Array | Uint8Array | Int16Array;
interface Column {
  buffers: (View | null)[];
  dictionary: Column | null;
}
interface Table {
  batches: Column[][];
}
interface Columns {
  batchBytes(n: number): number;
  build(n: number): Table;
  buildShared(n: number): Table;
  layout(table: Table): { isTable: boolean; buffers: number; dictionaries: number };
  rows(table: Table, at: number): unknown[][];
  same(table: Table): Table;
  part(table: Table, from: number, to: number): Table;
  scribble(table: Table, value: number): boolean;
}

const url = pathToFileURL(join(root, 'test/fixtures/conformance/columns.mjs'));
const here = (await import(url.href)) as Columns;
const there = remote<Columns>(url);

/** Rows of a batch; the two of a table take about 6 MiB. */
const N = 100_000;
const PAGE = 64 * 1024;
const BYTES = 2 * here.batchBytes(N);
/** The dictionary, a page that is begun, and the 64 bytes at which buffers start. */
const SLACK = 16 * 1024 + PAGE;

const prices = (table: Table): Float64Array => table.batches[1]?.[1]?.buffers[2] as Float64Array;

onHosts('tables of columns', { cpus: 2, memory: '100MiB' }, (session: () => Session) => {
  /** Bytes that `f` adds to what goes through the driver. */
  async function through(f: () => Promise<unknown>): Promise<number> {
    const before = session().stats().bytesThroughDriver;
    await f();
    return session().stats().bytesThroughDriver - before;
  }

  test('buffers that columns and batches share lie in shared memory once', { timeout: 20_000 }, async () => {
    await drainedOf(session());
    const table = here.build(N);
    const expected = here.layout(table);
    assert.deepEqual([expected.isTable, expected.buffers, expected.dictionaries], [true, 3, 1]);
    const ref = put(table);
    assert.ok(used(session()) >= BYTES - PAGE);
    assert.ok(used(session()) <= BYTES + SLACK, `${used(session())} bytes for ${BYTES}`);
    const bytes = await through(async () => {
      assert.deepEqual(await there.layout(ref).value, expected, 'views, buffers, offsets and what is shared');
      assert.deepEqual(await there.rows(ref, 7).value, here.rows(table, 7));
      assert.deepEqual(await there.rows(ref, 8).value, here.rows(table, 8));
    });
    assert.ok(bytes < 16 * 1024, `${bytes} bytes beside shared memory`);
    assert.equal(here.rows(table, 7)[0]?.[1], null, 'a row without a price');
    assert.deepEqual(here.rows(table, 8)[1], [N + 8, 0.5, 2n ** 60n, 'aaaa', 'word-8']);
    ref.release();
    await drainedOf(session());
  });

  test('what arrives shows that memory, and is not a copy of it', { timeout: 20_000 }, async () => {
    const ref = put(here.build(N));
    const before = used(session());
    const mine = await ref.value;
    assert.equal(used(session()), before);
    assert.equal(prices(mine)[9], 0.5);
    assert.equal(await there.scribble(ref, 77).value, true);
    assert.equal(prices(mine)[9], 77, 'it is the memory of the task');
    prices(mine)[9] = 78;
    assert.equal((await there.rows(ref, 9).value)[1]?.[1], 78);
    ref.release();
  });

  test('a table that is passed on, whole or in part, is shared as it is', { timeout: 20_000 }, async () => {
    await drainedOf(session());
    const ref = put(here.build(N));
    const before = used(session());
    const again = there.same(ref);
    const part = there.part(again, 80, 96) as Ref<Table>;
    assert.deepEqual(await there.rows(part, 3).value, await there.rows(ref, 83).value);
    assert.deepEqual(
      await there.rows(there.same(part), 3).value,
      await there.rows(ref, 83).value,
      'through one more task',
    );
    assert.equal(used(session()), before, 'and takes no memory of its own');
    await there.scribble(again, 5).value;
    assert.equal(prices(await ref.value)[9], 5);
    // What the first one was is gone; its memory is not.
    ref.release();
    assert.equal((await there.rows(again, 9).value)[1]?.[1], 5);
  });

  test('a table that a task builds in shared memory is never copied', { timeout: 20_000 }, async () => {
    await drainedOf(session());
    const ref = there.buildShared(N);
    const { isTable, buffers } = await there.layout(ref).value;
    assert.deepEqual([isTable, buffers], [true, 3]);
    assert.ok(used(session()) <= BYTES + SLACK + PAGE, `${used(session())} bytes for ${BYTES}`);
    ref.release();
  });

  test('a small table goes inside of messages, and its columns still share their buffers', {
    timeout: 20_000,
  }, async () => {
    await drainedOf(session());
    const table = here.build(80);
    assert.deepEqual(await there.layout(table).value, here.layout(table));
    const back = await there.same(table).value;
    assert.deepEqual(here.layout(back), here.layout(table));
    assert.deepEqual(here.rows(back, 6), here.rows(table, 6));
    assert.equal(used(session()), 0);
  });

  test('nothing is left', { timeout: 20_000 }, async () => {
    await drainedOf(session());
    assert.ok(BYTES > 5 * MiB);
  });
});
