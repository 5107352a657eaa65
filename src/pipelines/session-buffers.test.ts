import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { SharedStore } from '../memory/index.ts';
import { libc } from '../native/index.ts';
import { DTYPE_NAMES, DTYPES, type DType } from '../nd/index.ts';
import type { Buffer } from './buffers.ts';
import { SessionBuffers } from './session-buffers.ts';

const MiB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), 'sheaf-buffers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function open(limit: number, spill?: string) {
  const between = libc() === undefined ? 'threads' : 'processes';
  const store = SharedStore.create({ limit, parties: 2, between, spill });
  return { store, buffers: new SessionBuffers(store), [Symbol.dispose]: () => store.close() };
}

/** Waits for what happens by itself. */
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

test('buffers of all sizes and types hold what was written, beside each other, and all memory comes back', async () => {
  using session = open(64 * MiB);
  const { buffers, store } = session;
  const sizes = fc.oneof(fc.nat(200), fc.nat(5000), fc.nat(10_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ dtype: fc.constantFrom(...DTYPE_NAMES), length: sizes, goes: fc.boolean() }), {
        maxLength: 40,
      }),
      async (wishes) => {
        const kept: { buffer: Buffer; seed: number }[] = [];
        const fill = (dtype: DType, seed: number): never =>
          (DTYPES[dtype].bytes === 8 && !dtype.startsWith('f') ? BigInt(seed) : seed) as never;
        for (const [i, { dtype, length, goes }] of wishes.entries()) {
          const buffer = buffers.allocate(dtype, length);
          buffers.view(buffer, 'write').fill(fill(dtype, i % 100));
          buffers.unuse(buffer);
          kept.push({ buffer, seed: i % 100 });
          if (!goes) continue;
          const [gone] = kept.splice(i % kept.length, 1);
          buffers.release((gone as { buffer: Buffer }).buffer);
        }
        for (const { buffer, seed } of kept) {
          buffers.use(buffer);
          const view = buffers.view(buffer, 'read');
          const place = buffers.place(buffer);
          assert.equal(view.length, buffer.length);
          assert.ok(view.every((x: number | bigint) => x === fill(buffer.dtype, seed)));
          assert.equal(view.byteOffset, place?.offset);
          assert.equal(view.buffer, place?.memory.buffer);
          buffers.unuse(buffer);
          assert.deepEqual(buffers.lend(buffer), view.slice());
          buffers.release(buffer);
          buffers.release(buffer);
        }
      },
    ),
    { numRuns: 20 },
  );
  await eventually(() => {
    store.collect(); // What was lent.
    return store.stats().used === 0;
  });
});

test('what was lent outlives the buffer', () => {
  using session = open(16 * MiB);
  const { buffers } = session;
  for (const length of [10, 100_000]) {
    const buffer = buffers.adopt('f64', new Float64Array(length).fill(7));
    const lent = buffers.lend(buffer);
    buffers.release(buffer);
    const next = buffers.allocate('f64', length);
    (buffers.view(next, 'write') as Float64Array).fill(8);
    assert.ok(lent.every((x: number | bigint) => x === 7));
    buffers.release(next);
  }
});

test('what lies in shared memory already is not copied', { skip: libc() === undefined }, () => {
  using session = open(16 * MiB);
  const { buffers, store } = session;
  const all = new Float64Array(store.alloc(800_000));
  all.fill(3);
  const { used } = store.stats();
  const part = all.subarray(1000, 2000);
  const buffer = buffers.adopt('f64', part);
  assert.equal(store.stats().used, used);
  all[1000] = 4;
  buffers.use(buffer);
  assert.deepEqual([...buffers.view(buffer, 'read').slice(0, 2)], [4, 3]);
  buffers.release(buffer);
});

test('buffers that nobody has any more make room, without a word', async () => {
  using session = open(16 * MiB);
  const { buffers } = session;
  // 25 times as much as there is.
  for (let i = 0; i < 100; i++) {
    const buffer = buffers.allocate('f64', 500_000);
    buffers.view(buffer, 'write')[0] = i;
    buffers.unuse(buffer);
    // Within one job of the event loop nothing becomes garbage that a WeakRef was made of.
    await Promise.resolve();
    if (i % 3 === 2) await sleep(0);
  }
});

test('an array that is larger than the memory is refused, with its size', () => {
  using session = open(4 * MiB);
  assert.throws(() => session.buffers.allocate('f64', 1e6), {
    name: 'OutOfMemoryError',
    code: 'ERR_SHEAF_OUT_OF_MEMORY',
    message: /no room for 7\.6 MiB/,
  });
});

test('what is not in use goes to disk, and comes back where it is used', async () => {
  const control = SharedStore.create({
    limit: 8 * MiB,
    parties: 2,
    between: 'threads',
    spill: join(folder, 'sheaf-1-00'),
  });
  const store = SharedStore.attach(control.handle, 1);
  const spiller = control.spill();
  store.room.onSpill = () => setImmediate(() => spiller.look());
  const buffers = new SessionBuffers(store);
  /** In one thread nobody can wait for the disk. */
  const inTime = async <T>(attempt: () => T): Promise<T> => {
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_SHEAF_OUT_OF_MEMORY') throw error;
        store.room.ask(2 * MiB);
        await sleep(1);
      }
    }
  };
  try {
    const made: Buffer[] = [];
    for (let i = 0; i < 8; i++) made.push(await inTime(() => buffers.adopt('i32', new Int32Array(500_000).fill(i))));
    assert.ok(store.stats().spilled > 0);
    for (const [i, buffer] of made.entries()) {
      await inTime(() => buffers.use(buffer));
      assert.ok(buffers.view(buffer, 'read').every((x: number | bigint) => x === i));
      buffers.unuse(buffer);
    }
  } finally {
    await spiller.close();
    store.close();
    control.close();
  }
});

test('wrong use is said: another storage, after its release, not in use, written too late', () => {
  using session = open(MiB);
  const { buffers } = session;
  const wrong = { code: 'ERR_SHEAF_INTERNAL' };
  assert.throws(() => buffers.use({ dtype: 'f64', length: 1, home: buffers, released: false }), wrong);
  const buffer = buffers.allocate('u8', 10);
  buffers.unuse(buffer);
  assert.throws(() => buffers.unuse(buffer), wrong);
  assert.throws(() => buffers.view(buffer, 'read'), wrong);
  buffers.use(buffer);
  assert.throws(() => buffers.view(buffer, 'write'), wrong);
  buffers.release(buffer);
  assert.throws(() => buffers.use(buffer), { code: 'ERR_SHEAF_RELEASED' });
});

test('what is released while it is in use stays until it is not', () => {
  using session = open(4 * MiB);
  const { buffers } = session;
  for (const length of [10, MiB]) {
    const buffer = buffers.allocate('u8', length);
    buffers.view(buffer, 'write').fill(3 as never);
    buffers.unuse(buffer);
    buffers.use(buffer);
    buffers.release(buffer);
    const other = buffers.allocate('u8', length);
    buffers.view(other, 'write').fill(4 as never);
    assert.ok(buffers.view(buffer, 'read').every((each) => each === 3));
    const { size } = buffers;
    buffers.unuse(buffer);
    if (length === MiB) assert.equal(buffers.size, size - 1);
    buffers.unuse(other);
    buffers.release(other);
  }
});
