import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from './execution.ts';
import { LocalBuffers } from './index.ts';

const MIB = 1 << 20;

test('what is released is used again, small and large', () => {
  const buffers = new LocalBuffers(256);
  for (const length of [0, 1, 100, 5000, 100_000]) {
    const first = buffers.allocate('f64', length);
    const { offset } = buffers.place(first) as { offset: number };
    assert.equal(offset % 64, 0);
    assert.equal(buffers.view(first, 'write').length, length);
    buffers.release(first);
    buffers.release(first);
    const second = buffers.allocate('f64', length);
    assert.equal(buffers.place(second)?.offset, offset);
    assert.throws(() => buffers.view(first, 'read'), { code: 'ERR_SHEAF_RELEASED' });
    buffers.release(second);
  }
  const many = Array.from({ length: 1000 }, () => buffers.allocate('f32', 300));
  const places = many.map((buffer) => buffers.place(buffer)?.offset as number).sort((a, b) => a - b);
  for (let i = 1; i < places.length; i++) assert.ok((places[i] as number) - (places[i - 1] as number) >= 1200);
  const full = buffers.used;
  for (const buffer of many) buffers.release(buffer);
  assert.ok(buffers.used < full / 3);
});

test('what does not fit lies elsewhere', () => {
  const buffers = new LocalBuffers(256);
  const large = buffers.allocate('f64', 3 * MIB);
  assert.equal(buffers.place(large), undefined);
  assert.equal(buffers.view(large, 'write').length, 3 * MIB);
});

test('scratch that finds no room is told, and found again when there is some', () => {
  const buffers = new LocalBuffers(256);
  const scratch = new Room(buffers);
  scratch.take(1000);
  const large = buffers.allocate('u8', 14 * MIB);
  assert.ok(buffers.place(large));
  for (let i = 0; i < 2; i++) assert.throws(() => scratch.take(4 * MIB), { code: 'ERR_SHEAF_OUT_OF_MEMORY' });
  buffers.release(large);
  assert.equal(scratch.take(4 * MIB).memory, buffers.memory);
});

test('what was lent stays as it is, whatever becomes of the room', () => {
  const buffers = new LocalBuffers(256);
  const buffer = buffers.allocate('i32', 3);
  buffers.view(buffer, 'write').set([1, 2, 3] as never);
  const lent = buffers.lend(buffer);
  buffers.release(buffer);
  buffers.view(buffers.allocate('i32', 3), 'write').fill(9 as never);
  assert.deepEqual([...(lent as Int32Array)], [1, 2, 3]);
});

test('what is adopted stays whose it was, with a copy where kernels see it', () => {
  const buffers = new LocalBuffers(256);
  const own = new Float64Array([1, 2, 3]);
  const buffer = buffers.adopt('f64', own);
  assert.equal(buffers.lend(buffer), own);
  assert.equal(buffers.used, 0, 'nothing is copied before it is needed');
  const { memory, offset } = buffers.place(buffer) as { memory: WebAssembly.Memory; offset: number };
  assert.deepEqual([...new Float64Array(memory.buffer, offset, 3)], [1, 2, 3]);
  assert.equal(buffers.lend(buffer), own);
  assert.equal(buffers.place(buffer)?.offset, offset);
});

test('buffers that nobody can reach give their room back', async () => {
  const buffers = new LocalBuffers(16_384);
  const forget = (): void => {
    for (let i = 0; i < 10; i++) buffers.allocate('u8', 40 * MIB);
  };
  forget();
  assert.ok(buffers.used >= 400 * MIB);
  await buffers.relieve();
  // The engine tells of what it has collected in a turn of its own choice.
  while (buffers.used > 100 * MIB) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(buffers.relieve(), undefined, 'there is nothing more to be looked for');
});
