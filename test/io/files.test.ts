import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, NotAvailableError } from 'sheaf';
import * as sf from 'sheaf/array';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('arrays go to files and come back', async () => {
  await using _session = await connect({ cpus: 1 });
  const x = sf.arange(12).reshape([3, 4]).mul(0.1);
  const expected = await x.toNested();
  for (const [name, write, read] of [
    ['x.npy', sf.writeNpy, sf.readNpy],
    ['x.csv', sf.writeCsv, sf.readCsv],
    ['x.mtx', sf.writeMatrixMarket, sf.readMatrixMarket],
  ] as const) {
    const path = join(folder, name);
    assert.ok((await write(path, x)) > 0);
    const again = (await read(path)) as sf.Arr;
    assert.deepEqual([again.shape, again.dtype, await again.toNested()], [[3, 4], 'f64', expected], name);
  }
  const integers = await sf.readCsv(new TextEncoder().encode('1,2\n3,4\n'), { dtype: 'i64' });
  assert.deepEqual(await integers.sum().item(), 10n);
  const sparse = (await sf.readMatrixMarket(
    new TextEncoder().encode('%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 3\n2 1 4\n'),
  )) as sf.Sparse;
  const { rows, columns, values } = (await sparse.persist()).toCoo();
  assert.deepEqual(
    [await rows.toNested(), await columns.toNested(), await values.toNested()],
    [
      [0, 0, 1],
      [0, 1, 0],
      [3, 4, 4],
    ],
  );
  const path = join(folder, 'sparse.mtx');
  await sf.writeMatrixMarket(path, sparse);
  assert.deepEqual(await ((await sf.readMatrixMarket(path)) as sf.Sparse).toDense().toNested(), [
    [3, 4],
    [4, 0],
  ]);
});

test('the columns of a text have names and types of their own', async () => {
  await using _session = await connect({ cpus: 1 });
  const text = new TextEncoder().encode('id,ok,delay\n1,true,0.5\n2,false,\n');
  const { id, ok, delay } = await sf.readCsvColumns(text);
  assert.deepEqual([id!.dtype, ok!.dtype, delay!.dtype], ['i64', 'bool', 'f64']);
  assert.deepEqual(await delay!.toNested(), [0.5, Number.NaN]);
  assert.deepEqual(await ok!.toNested(), [true, false]);
});

test('a large text is read with the workers', {
  skip: availableParallelism() < 2 && 'one core has nobody to share with',
}, async () => {
  const path = join(folder, 'large.csv');
  const rows = 80_000;
  writeFileSync(path, Array.from({ length: rows }, (_, i) => `${i},${i / 8},${-i}e-3`).join('\n'));
  await using session = await connect({ cpus: 2 });
  const x = await sf.readCsv(path);
  // What a worker was asked for may have been done here before it came.
  assert.ok(session.stats().tasks.submitted! > 0, 'workers were asked');
  assert.deepEqual(x.shape, [rows, 3]);
  const [a, b, c] = (await x.sum({ axis: 0 }).toNested()) as number[];
  const sum = (rows * (rows - 1)) / 2;
  assert.deepEqual([a, b], [sum, sum / 8]);
  assert.ok(Math.abs(c! + sum / 1000) < 1e-3);
});

test('a package that is missing is named with what brings it', async () => {
  await using _session = await connect({ cpus: 1 });
  try {
    await sf.writeArrow(join(folder, 'x.arrow'), { a: sf.arange(3) });
    const { a } = await sf.readArrow(join(folder, 'x.arrow'));
    assert.deepEqual(await a!.toNested(), [0, 1, 2]);
  } catch (error) {
    assert.ok(error instanceof NotAvailableError, String(error));
    assert.match(
      error.message,
      /^writeArrow needs the package apache-arrow, which is not installed: npm i apache-arrow$/,
    );
  }
});
