import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, NotAvailableError, SheafError } from '../base/index.ts';
import { DTYPE_NAMES, elements } from '../nd/index.ts';
import { type Column, readArrow, readParquet, writeArrow, writeParquet } from './index.ts';
import { loadPeer } from './peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-tables-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const missing = async (name: string): Promise<string | false> => {
  try {
    await loadPeer(name, 'this test');
    return false;
  } catch (error) {
    return (error as Error).message;
  }
};
const [noArrow, noWriter] = [await missing('apache-arrow'), await missing('hyparquet-writer')];

const tables = fc.record({ rows: fc.nat(40), seed: fc.nat(100) }).map(({ rows, seed }): Column[] =>
  DTYPE_NAMES.map((dtype) => {
    const made = elements(dtype, rows);
    const bytes = new Uint8Array(made.buffer);
    for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === 'bool' ? (i + seed) % 2 : (i * 89 + seed) % 251;
    return { name: `the ${dtype}`, dtype, elements: made };
  }),
);

const same = (got: readonly Column[], expected: readonly Column[]): void => {
  assert.deepEqual(
    got.map(({ name, dtype, elements }) => [name, dtype, ...elements]),
    expected.map(({ name, dtype, elements }) => [name, dtype, ...elements]),
  );
};

async function damaged(path: string, read: (bytes: Uint8Array) => Promise<unknown>): Promise<void> {
  const whole = new Uint8Array(readFileSync(path));
  for (let end = 0; end < whole.length; end += Math.ceil(whole.length / 40)) {
    await assert.rejects(
      read(whole.slice(0, end)),
      (error: unknown) => error instanceof FormatError || error instanceof NotAvailableError,
    );
  }
}

describe('Parquet', () => {
  test('is read again as it was written, of every type', { skip: noWriter }, async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        const path = join(folder, 'x.parquet');
        await writeParquet(path, table);
        same(await readParquet(path), table);
        const two = ['the u8', 'the bool'];
        same(
          await readParquet(path, { columns: two }),
          two.map((name) => table.find((each) => each.name === name)!),
        );
      }),
      { numRuns: 20 },
    );
    await damaged(join(folder, 'x.parquet'), (bytes) => readParquet(bytes));
  });

  test('of others is read: the flights of the demo', async () => {
    const path = join(process.env.SHEAF_ROOT ?? process.cwd(), 'node_modules/vega-datasets/data/flights-3m.parquet');
    const [delay] = await readParquet(path, { columns: ['DELAY'] }).catch(async () =>
      readParquet(path, { columns: ['delay'] }),
    );
    assert.equal(delay!.elements.length, 3_000_000);
    await assert.rejects(readParquet(path, { columns: ['nobody'] }), {
      name: 'UsageError',
      message: /there is no column "nobody"/,
    });
  });

  test('that is none is refused', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode('PAR1 nothing PAR1')]) {
      await assert.rejects(readParquet(bytes), {
        name: 'FormatError',
        message: /the bytes given: can't be read as Parquet/,
      });
    }
  });
});

describe('Arrow', () => {
  test('is read again as it was written, of every type', { skip: noArrow }, async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.constantFrom('file', 'stream'), async (table, format) => {
        const path = join(folder, 'x.arrow');
        await writeArrow(path, table, { format });
        same(await readArrow(path), table);
        same(
          await readArrow(path, { columns: ['the f32'] }),
          table.filter(({ dtype }) => dtype === 'f32'),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('that is none, or cut, is refused', { skip: noArrow }, async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100).fill(7)]) {
      await assert.rejects(readArrow(bytes), FormatError);
    }
  });
});

test('a package that is not there is an error with the command that brings it', async () => {
  await assert.rejects(loadPeer('sheaf-no-such-package', 'readArrow'), (error: unknown) => {
    assert.ok(error instanceof NotAvailableError);
    assert.equal(error.code, 'ERR_SHEAF_NO_PEER');
    assert.equal(
      error.message,
      'readArrow needs the package sheaf-no-such-package, which is not installed: npm i sheaf-no-such-package',
    );
    return true;
  });
});

const root = process.env.SHEAF_ROOT ?? process.cwd();
const python = [process.env.SHEAF_NUMPY_PYTHON ?? '', join(root, '.venv/bin/python'), 'python3'].find(
  (each) =>
    each !== '' && (each === 'python3' || existsSync(each)) && spawnSync(each, ['-c', 'import pyarrow']).status === 0,
);

test('tables of pyarrow are read: missing values, several pieces, types that hold no numbers', {
  skip: python === undefined && 'no Python with pyarrow: python3 -m venv .venv && .venv/bin/pip install pyarrow',
}, async () => {
  const program = `
import sys, pyarrow as pa, pyarrow.parquet as pq
t = pa.table({'a': pa.array([1, None, 3], pa.int64()), 'b': [True, False, True], 'c': pa.array([1.5, None, -2], pa.float32()), 's': ['x', 'y', 'z'],
  'u': pa.array([0, 2**64 - 1, 5], pa.uint64()), 'big': pa.array([2**53 + 1, None, 0], pa.int64())})
pq.write_table(t, sys.argv[1] + '/p.parquet', row_group_size=2)
with pa.ipc.new_file(sys.argv[1] + '/p.arrow', t.schema) as f:
  f.write_table(t, max_chunksize=2)
`;
  const done = spawnSync(python!, ['-c', program, folder], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const readers = [
    [readParquet, 'p.parquet'] as const,
    ...(noArrow === false ? [[readArrow, 'p.arrow'] as const] : []),
  ];
  for (const [read, name] of readers) {
    const path = join(folder, name);
    const columns = await read(path, { columns: ['a', 'b', 'c', 'u'] });
    assert.deepEqual(
      columns.map(({ name, dtype, elements }) => [name, dtype, ...elements]),
      [
        ['a', 'f64', 1, Number.NaN, 3],
        ['b', 'bool', 1, 0, 1],
        ['c', 'f32', 1.5, Number.NaN, -2],
        ['u', 'u64', 0n, 2n ** 64n - 1n, 5n],
      ],
    );
    await assert.rejects(read(path), (error: unknown) => {
      assert.ok(error instanceof NotAvailableError);
      assert.match(error.message, /the column "s" of .* is of type .*, and arrays hold numbers and booleans/);
      return true;
    });
    await assert.rejects(read(path, { columns: ['big'] }), (error: unknown) => {
      assert.ok(error instanceof SheafError);
      assert.match(error.message, /has missing values.*and 9007199254740993, which no f64 holds/);
      return true;
    });
  }
});
