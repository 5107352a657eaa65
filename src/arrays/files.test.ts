import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { collectGarbage } from '../memory/index.ts';
import { inThread, type LocalBuffers } from '../pipelines/index.ts';
import { connect } from '../tasks/index.ts';
import { readCsv, readCsvColumns } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-arrays-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = 5;

/** A file of numbers, and these. */
function numbers(name: string, rows: number, of: (i: number) => number): { path: string; values: Float64Array } {
  const values = Float64Array.from({ length: rows * COLUMNS }, (_, i) => of(i));
  const path = join(folder, name);
  const lines = Array.from({ length: rows }, (_, row) => values.subarray(row * COLUMNS, (row + 1) * COLUMNS).join(','));
  writeFileSync(path, lines.join('\n'));
  return { path, values };
}

test('arrays that were read keep their numbers: when others are read, without those, and after the session', async () => {
  // The second one has lines much shorter than the first ones say, so that there is less room than it needs.
  const long = numbers('long.csv', 30_000, (i) => i / 7);
  const short = numbers('short.csv', 90_000, (i) => (i < 90_000 ? i / 7 : i % 10));
  const small = numbers('small.csv', 3, (i) => i);
  const buffers = inThread().buffers as LocalBuffers;
  const session = await connect({ cpus: 2 });
  const arrays = [];
  for (const { path, values } of [long, short, small, long]) arrays.push({ x: await readCsv(path), values });
  await arrays[0]!.x.add(1).data();
  await session[Symbol.asyncDispose]();
  const again = await readCsv(long.path);
  again.release();
  collectGarbage();
  await new Promise<void>((resolve) => setImmediate(resolve));
  await readCsv(short.path);
  await using _session = await connect({ cpus: 1 });
  for (const { x, values } of arrays) {
    assert.deepEqual(x.shape, [values.length / COLUMNS, COLUMNS]);
    assert.deepEqual(await x.data(), values);
    x.release();
  }
  collectGarbage();
  await new Promise<void>((resolve) => setTimeout(resolve, 5));
  assert.ok(buffers.used < 8 * short.values.length, `${buffers.used} bytes are in use`);
});

test('a file that is wrong leaves no room taken', async () => {
  const { path, values } = numbers('wrong.csv', 60_000, (i) => i);
  const buffers = inThread().buffers as LocalBuffers;
  const before = buffers.used;
  const text = values.join(',').replace('299998', 'x');
  writeFileSync(path, text.replace(/((?:[^,]*,){4}[^,]*),/g, '$1\n'));
  await assert.rejects(readCsv(path), { name: 'FormatError', message: /wrong\.csv:60000: field 4 is "x"/ });
  assert.equal(buffers.used, before);
  await using _session = await connect({ cpus: 1 });
  const { 0: first } = await readCsvColumns(join(folder, 'small.csv'));
  assert.deepEqual([...(await first!.data())], [0n, 5n, 10n]);
});
