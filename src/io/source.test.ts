import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSource } from './source.ts';

test('of a Buffer that lies in a larger one, its own bytes are given, and a copy of them is one', async () => {
  const pool = Buffer.from('before, the file, and after');
  const buffer = pool.subarray(8, 16);
  await using file = await openSource(buffer, 'a test');
  assert.equal(file.size, 8);
  const bytes = await file.read(4, 8);
  assert.equal(new TextDecoder().decode(bytes), 'file');
  assert.equal(bytes.slice().buffer.byteLength, 4);
});
