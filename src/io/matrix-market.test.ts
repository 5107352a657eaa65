import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, SheafError } from '../base/index.ts';
import type { Dense } from '../partitioned/index.ts';
import { type Coordinates, readMatrixMarket, writeMatrixMarket } from './index.ts';
import { matrixMarketText } from './matrix-market.ts';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-mtx-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = <T>(text: string): Promise<T> => readMatrixMarket(bytes(text)) as Promise<T>;

const side = fc.nat(5);
const matrices = fc.tuple(side, side).chain(([m, n]) =>
  fc.oneof(
    fc
      .array(fc.double(), { minLength: m * n, maxLength: m * n })
      .map((all): Dense => ({ shape: [m, n], dtype: 'f64', elements: Float64Array.from(all) })),
    fc
      .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: m * n, maxLength: m * n })
      .map((all): Dense => ({ shape: [m, n], dtype: 'i64', elements: BigInt64Array.from(all) })),
  ),
);

describe('what is written is read again', () => {
  test('of dense matrices', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async (matrix) => {
        const again = await read<Dense>([...matrixMarketText(matrix, 'made\nby a test')].join(''));
        assert.deepEqual([again.shape, again.dtype], [matrix.shape, matrix.dtype]);
        assert.deepEqual([...again.elements], [...matrix.elements]);
      }),
    );
  });

  test('of sparse ones', async () => {
    const entry = fc.tuple(fc.nat(8), fc.nat(3), fc.double({ noNaN: true }));
    await fc.assert(
      fc.asyncProperty(fc.array(entry), async (entries) => {
        const matrix: Coordinates = {
          shape: [9, 4],
          dtype: 'f64',
          rows: Int32Array.from(entries, ([i]) => i),
          columns: Int32Array.from(entries, ([, j]) => j),
          elements: Float64Array.from(entries, ([, , x]) => x),
        };
        assert.deepEqual(await read([...matrixMarketText(matrix)].join('')), matrix);
      }),
    );
    const path = join(folder, 'x.mtx');
    const one: Coordinates = {
      shape: [1, 1],
      dtype: 'f64',
      rows: Int32Array.of(0),
      columns: Int32Array.of(0),
      elements: Float64Array.of(0.1),
    };
    await writeMatrixMarket(path, one);
    assert.deepEqual(await readMatrixMarket(path), one);
  });
});

/** Row by row. */
function dense({ shape, rows, columns, elements }: Coordinates): number[][] {
  const all = Array.from({ length: shape[0] }, () => new Array<number>(shape[1]).fill(0));
  for (const [k, i] of rows.entries()) all[i]![columns[k]!]! += Number(elements[k]);
  return all;
}

test('the other half of symmetric matrices is there', async () => {
  const symmetric =
    '%%MatrixMarket matrix coordinate real symmetric\n% a comment\n\n3 3 4\n1 1 1.5\n2 1 -2\n3 3 4e0\n 3   2\t7 \n';
  assert.deepEqual(dense(await read(symmetric)), [
    [1.5, -2, 0],
    [-2, 0, 7],
    [0, 7, 4],
  ]);
  const skew = '%%MatrixMarket MATRIX Coordinate Integer skew-symmetric\n2 2 1\n2 1 5\n';
  assert.deepEqual(dense(await read(skew)), [
    [0, -5],
    [5, 0],
  ]);
  const pattern = '%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n';
  assert.deepEqual(dense(await read(pattern)), [
    [1, 1],
    [1, 0],
  ]);
  const rows = async (text: string): Promise<unknown[]> => [...(await read<Dense>(text)).elements];
  assert.deepEqual(
    await rows('%%MatrixMarket matrix array real symmetric\n3 3\n1\n2\n3\n4\n5\n6\n'),
    [1, 2, 3, 2, 4, 5, 3, 5, 6],
  );
  assert.deepEqual(
    await rows('%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n'),
    [0, -1, -2, 1, 0, -3, 2, 3, 0],
  );
  assert.deepEqual(await rows('%%MatrixMarket matrix array integer general\n2 3\n1\n2\n3\n4\n5\n6'), [
    1n,
    3n,
    5n,
    2n,
    4n,
    6n,
  ]);
});

test('what is wrong is said with its line', async () => {
  const head = '%%MatrixMarket matrix coordinate real general\n% x\n';
  for (const [text, message] of [
    ['', /:1: does not begin with %%MatrixMarket/],
    ['1 2 3\n', /:1: does not begin/],
    ['%%MatrixMarket vector coordinate real general\n', /:1: the banner says vector, and not matrix/],
    ['%%MatrixMarket matrix list real general\n', /neither array nor coordinate/],
    ['%%MatrixMarket matrix array pattern general\n', /pattern, which that can't be/],
    ['%%MatrixMarket matrix coordinate quaternion general\n', /no field that there is/],
    ['%%MatrixMarket matrix coordinate complex general\n', /holds a complex matrix/],
    ['%%MatrixMarket matrix coordinate real hermitian\n', /holds a hermitian matrix/],
    [head, /:3: ends before its sizes/],
    [`${head}2 2\n`, /:3: has the sizes "2 2", where 3 numbers are expected/],
    [`${head}2 -2 1\n`, /where 3 numbers are expected/],
    [`${head}2 2 2\n1 1 5\n`, /:3: has 1 entries, where its sizes say 2/],
    [`${head}2 2 1\n1 1 5\n2 2 5\n`, /has 2 entries, where its sizes say 1/],
    [`${head}2 2 2\n1 1 5\n%\n3 1 5\n`, /:6: names row 3, where there are 1 to 2/],
    [`${head}2 2 1\n1 0 5\n`, /:4: names column 0, where there are 1 to 2/],
    [`${head}2 2 1\n1 1.5 5\n`, /:4: names column 1.5/],
    [`${head}2 2 1\n1 1 x\n`, /:4: field 3 is "x", which is no number/],
    [`${head}2 2 1\n1 1\n`, /:4: has 2 fields/],
    ['%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 0.5\n', /:3: 0.5 is no i64/],
    ['%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n', /:2: is symmetric, and has 2 rows and 3 columns/],
    ['%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 3\n', /has 3 at \(1, 1\), where 0 has to be/],
  ] as const) {
    await assert.rejects(read(text), (error: unknown) => {
      assert.ok(error instanceof SheafError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  const good = [...matrixMarketText({ shape: [2, 2], dtype: 'f64', elements: Float64Array.of(1, 2, 3, 4) })].join('');
  for (let end = 0; end < good.length - 2; end++) await assert.rejects(read(good.slice(0, end)), FormatError);
});
