import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, NotAvailableError, type SheafError, UsageError } from '../base/index.ts';
import { DTYPE_NAMES, DTYPES, type DType, elements, sizeOf } from '../nd/index.ts';
import type { Dense } from '../partitioned/index.ts';
import { readNpy, writeNpy } from './index.ts';
import { npyPieces } from './npy.ts';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-npy-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const arrays: fc.Arbitrary<Dense> = fc
  .record({ shape: fc.array(fc.nat(4), { maxLength: 3 }), dtype: fc.constantFrom(...DTYPE_NAMES), seed: fc.nat() })
  .map(({ shape, dtype, seed }) => ({ shape, dtype, elements: filled(dtype, sizeOf(shape), seed) }));

/** Any bytes are elements of any type, but for booleans. */
function filled(dtype: DType, length: number, seed: number) {
  const made = elements(dtype, length);
  const bytes = new Uint8Array(made.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === 'bool' ? (seed + i) % 2 : (seed * 31 + i * 101) % 251;
  return made;
}

const fileOf = (array: Dense, options?: Parameters<typeof npyPieces>[1]): Uint8Array =>
  Buffer.concat(npyPieces(array, options));
const sameBytes = (a: Dense, b: Dense): void => {
  assert.deepEqual([a.shape, a.dtype], [b.shape, b.dtype]);
  assert.deepEqual(
    Buffer.from(a.elements.buffer, a.elements.byteOffset, a.elements.byteLength),
    Buffer.from(b.elements.buffer, b.elements.byteOffset, b.elements.byteLength),
  );
};

test('what is written is read again: all types, both orders, all versions', async () => {
  await fc.assert(
    fc.asyncProperty(
      arrays,
      fc.constantFrom('C', 'F'),
      fc.constantFrom(undefined, 1, 2, 3),
      async (array, order, version) => {
        const file = fileOf(array, { order, ...(version === undefined ? {} : { version }) });
        assert.equal((file.length - array.elements.byteLength) % 64, 0);
        sameBytes(await readNpy(file), array);
      },
    ),
  );
});

test('views and the other order of bytes are read and written', async () => {
  const elements = Float64Array.from({ length: 12 }, (_, i) => i);
  const view: Dense = { shape: [3, 2], dtype: 'f64', elements, strides: [1, 4], offset: 1 };
  assert.deepEqual([...(await readNpy(fileOf(view))).elements], [1, 5, 2, 6, 3, 7]);
  const file = fileOf({ shape: [2], dtype: 'i32', elements: Int32Array.of(1, -2) });
  const at = Buffer.from(file).indexOf('<i4');
  file[at] = 62;
  assert.deepEqual([...(await readNpy(file)).elements], [1 << 24, 0xfeffffff | 0]);
});

test('a file cut anywhere, or with a byte changed, is a typed error or an array', async () => {
  const file = fileOf({ shape: [2, 3], dtype: 'i16', elements: Int16Array.of(1, 2, 3, 4, 5, 6) });
  for (let end = 0; end < file.length; end++) {
    await assert.rejects(readNpy(file.slice(0, end)), (error: unknown) => {
      assert.ok(error instanceof FormatError, String(error));
      return typeof error.details?.byte === 'number';
    });
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(127), fc.nat(255), async (at, byte) => {
      const damaged = file.slice();
      damaged[at] = byte;
      try {
        const { shape, elements } = await readNpy(damaged);
        assert.equal(sizeOf(shape), elements.length);
      } catch (error) {
        assert.ok(error instanceof FormatError || error instanceof NotAvailableError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('what is no array of ours is refused by name', async () => {
  const header = (text: string): Uint8Array => {
    const file = Buffer.alloc(128, ' ');
    file.write('\x93NUMPY\x01\0', 'latin1');
    file.writeUInt16LE(118, 8);
    file.write(text, 10);
    return file;
  };
  for (const [text, type, message] of [
    [
      "{'descr': '<c16', 'fortran_order': False, 'shape': (0,), }",
      NotAvailableError,
      /holds <c16, which arrays here can't/,
    ],
    ["{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,), }", NotAvailableError, /holds records/],
    ["{'descr': '<f8', 'shape': (0,), }", FormatError, /without a good `fortran_order`/],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (3), }", FormatError, /without a good `shape`/],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }", FormatError, /without a good `shape`/],
    [
      "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999999,), }",
      FormatError,
      /without a good `shape`/,
    ],
    [
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
      FormatError,
      /has 128 bytes, where 2 elements of f64 end at byte 144/,
    ],
    ['nothing', FormatError, /without a good `descr`/],
  ] as const) {
    await assert.rejects(readNpy(header(text)), (error: unknown) => {
      assert.ok(error instanceof type, String(error));
      assert.match((error as SheafError).message, message);
      return true;
    });
  }
  await assert.rejects(readNpy(new TextEncoder().encode('PK zip file')), /is no NPY file/);
});

test('a file that is written replaces the one that was there only when it is whole', async () => {
  const path = join(folder, 'x.npy');
  const array: Dense = { shape: [3], dtype: 'u8', elements: Uint8Array.of(1, 2, 3) };
  assert.equal(await writeNpy(path, array), readFileSync(path).length);
  sameBytes(await readNpy(path), array);
  await assert.rejects(writeNpy(path, { ...array, shape: [4] }), {
    name: 'UsageError',
    message: /3 elements, which are too few for 4/,
  });
  await assert.rejects(writeNpy(path, { ...array, dtype: 'f64' }), UsageError);
  sameBytes(await readNpy(path), array);
  await assert.rejects(writeNpy(join(folder, 'no/such/x.npy'), array), {
    name: 'UsageError',
    message: /can't be written: ENOENT/,
  });
});

const root = process.env.SHEAF_ROOT ?? process.cwd();
const python = [process.env.SHEAF_NUMPY_PYTHON ?? '', join(root, '.venv/bin/python'), 'python3'].find(
  (each) =>
    each !== '' && (each === 'python3' || existsSync(each)) && spawnSync(each, ['-c', 'import numpy']).status === 0,
);

test('NumPy reads what we write, and we read what it writes', {
  skip: python === undefined && 'no Python with NumPy: python3 -m venv .venv && .venv/bin/pip install numpy',
}, async () => {
  const program = `
import sys, numpy as np
for name in sys.argv[1:]:
    x = np.load(name)
    np.save(name + '.c.npy', x)
    np.save(name + '.f.npy', np.asfortranarray(x) if x.ndim > 0 else x)
    np.save(name + '.big.npy', x.astype(x.dtype.newbyteorder('>')))
`;
  const names: [string, Dense][] = [];
  for (const dtype of DTYPE_NAMES) {
    for (const [shape, order] of [
      [[], 'C'],
      [[5], 'C'],
      [[2, 3], 'F'],
      [[2, 0], 'C'],
      [[2, 3, 4], 'F'],
    ] as const) {
      const array = { shape: [...shape], dtype, elements: filled(dtype, sizeOf(shape), DTYPES[dtype].bytes) };
      const path = join(folder, `${dtype}-${shape.join('x')}.npy`);
      await writeNpy(path, array, { order });
      names.push([path, array]);
    }
  }
  const done = spawnSync(python!, ['-c', program, ...names.map(([path]) => path)], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  for (const [path, array] of names)
    for (const end of ['c', 'f', 'big']) sameBytes(await readNpy(`${path}.${end}.npy`), array);
  writeFileSync(join(folder, 'done'), '');
});
