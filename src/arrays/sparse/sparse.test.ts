import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DTYPE_NAMES, type DType, elements, isBig, kindOf } from '../../nd/index.ts';
import type { Arr } from '../arr.ts';
import { asArr, type Element, withSession } from '../arrays.fixture.ts';
import { asarray, concat, csr, fromCoo, isSparse, matmul, ones, type Sparse, zeros } from '../index.ts';

withSession();

const RUNS = { numRuns: Number(process.env.SHEAF_KERNEL_RUNS ?? 40), seed: 7 };

/** A matrix by its entries, some of them at the same place, and all of its elements. */
interface Twin {
  readonly s: Sparse;
  readonly d: Arr;
  /** Places that were named. */
  readonly places: number;
}

const element = (dtype: DType): fc.Arbitrary<Element> => {
  const kind = kindOf(dtype);
  if (kind === 'bool') return fc.constantFrom(0, 1);
  const small = fc.integer({ min: kind === 'uint' ? 0 : -9, max: 9 });
  // So large that sums and products wrap.
  const large = fc.constantFrom(120, 250, 30_000, 2 ** 31 - 5, -100);
  if (kind === 'float') return fc.oneof({ weight: 9, arbitrary: small }, fc.constant(0.5));
  return fc.oneof({ weight: 4, arbitrary: small }, large).map((x) => {
    const own = elements(dtype, 1);
    own[0] = (isBig(dtype) ? BigInt(Math.abs(x)) : x) as never;
    return own[0] as Element;
  });
};

function twin(
  dtype: DType,
  rows: number,
  columns: number,
  entries: readonly (readonly [number, number, Element])[],
): Twin {
  const all = elements(dtype, rows * columns);
  const places = new Set<number>();
  for (const [i, j, x] of entries) {
    const at = i * columns + j;
    places.add(at);
    all[at] = (dtype === 'bool' ? Number(all[at]) | Number(x) : (all[at] as number) + (x as number)) as never;
  }
  const own = asArr({ shape: [entries.length], dtype, values: entries.map(([, , x]) => x) });
  const [i, j] = [0, 1].map((axis) => Int32Array.from(entries, (entry) => entry[axis] as number)) as [
    Int32Array,
    Int32Array,
  ];
  const s = fromCoo(i, j, own, [rows, columns]);
  return { s, d: asArr({ shape: [rows, columns], dtype, values: [...all] as Element[] }), places: places.size };
}

const entriesFor = (dtype: DType, rows: number, columns: number) =>
  fc
    .array(fc.tuple(fc.nat(99), fc.nat(99), element(dtype)), { maxLength: rows * columns === 0 ? 0 : 20 })
    .map((list) => list.map(([i, j, x]) => [i % rows, j % columns, x] as const));

const anyTwins = (dtypes: readonly DType[]): fc.Arbitrary<readonly [Twin, Twin]> =>
  fc
    .record({ dtype: fc.constantFrom(...dtypes), rows: fc.nat(5), columns: fc.nat(5) })
    .chain(({ dtype, rows, columns }) =>
      fc
        .tuple(entriesFor(dtype, rows, columns), entriesFor(dtype, rows, columns))
        .map(([a, b]) => [twin(dtype, rows, columns, a), twin(dtype, rows, columns, b)] as const),
    );

/** Zeros of both signs are one value here. */
const values = async (x: Arr): Promise<Element[]> =>
  [...((await x.data()) as Iterable<Element>)].map((each) => (each === 0 ? 0 : each));

async function same(got: Sparse | Arr, want: Arr, text: string): Promise<void> {
  const dense = isSparse(got) ? got.toDense() : got;
  assert.deepEqual([dense.shape, dense.dtype], [want.shape, want.dtype], text);
  assert.deepEqual(await values(dense), await values(want), text);
}

test('what is made of entries, what is made of that, and their transposes have the elements of dense twins', async () => {
  await fc.assert(
    fc.asyncProperty(anyTwins(DTYPE_NAMES), async ([{ s, d, places }]) => {
      await same(s, d, 'toDense');
      await same(s.T, d.T, 'T');
      await same(s.T.T, d, 'T.T');
      await same(d.toSparse(), d, 'toSparse');
      await same(s.astype('f32'), d.astype('f32'), 'astype');
      assert.throws(() => s.nnz, { code: 'ERR_SHEAF_UNKNOWN_SHAPE' });
      await s.persist();
      assert.equal(s.nnz, places);
      await same(csr(s), d, 'csr of its parts');
      const { rows, columns, values: own } = s.toCoo();
      await same(fromCoo(rows, columns, own, s.shape), d, 'toCoo');
      const t = await s.T.persist();
      await same(t, d.T, 'a transpose that was made');
      await same(csr(t), d.T, 'its parts');
    }),
    RUNS,
  );
});

test('operators give what they give with dense twins', async () => {
  const numbers = DTYPE_NAMES.filter((dtype) => dtype !== 'bool');
  await fc.assert(
    fc.asyncProperty(anyTwins(numbers), fc.boolean(), async ([a, b], computedBefore) => {
      const [{ s, d }, { s: t, d: e }] = [a, b];
      if (computedBefore) await s.persist();
      const scalar = isBig(s.dtype) ? 3n : 3;
      await same(s.mul(scalar), d.mul(scalar), 'mul by a value');
      await same(s.mul(t), d.mul(e), 'mul');
      await same(s.add(t), d.add(e), 'add');
      await same(s.sub(t), d.sub(e), 'sub');
      await same(s.maximum(t), d.maximum(e), 'maximum');
      await same(s.mul(e), d.mul(e), 'mul by an array');
      await same(s.add(e), d.add(e), 'add to an array');
      const [m, n] = s.shape;
      const [down, along] = [e.at(':', '0:1'), e.at('0:1', ':')];
      if (n > 0) await same(s.mul(down), d.mul(down), 'rows are scaled');
      if (m > 0) await same(s.T.mul(along.T), d.T.mul(along.T), 'columns are scaled');
      await same(s.square().neg(), d.square().neg(), 'functions');
      await same(s.greater(scalar), d.greater(scalar), 'greater');
      if (kindOf(s.dtype) === 'float') {
        await same(s.div(4), (d as Arr<'f64'>).div(4), 'div');
        const by = e.abs().add(1) as Arr<'f64'>;
        await same((s as Sparse<'f64'>).div(by), (d as Arr<'f64'>).div(by), 'div by an array');
        if (m * n > 0) await same((s as Sparse<'f64'>).mean({ axis: 0 }), (d as Arr<'f64'>).mean({ axis: 0 }), 'mean');
      }
      for (const o of [{}, { axis: 0 }, { axis: 1, keepdims: true }, { axis: -1 }]) {
        await same(s.sum(o), d.sum(o), 'sum');
        await same(s.T.sum(o), d.T.sum(o), 'sum of the transpose');
        if (m * n > 0) await same(s.max(o), d.max(o), 'max');
        if (m * n > 0) await same(s.T.min(o), d.T.min(o), 'min');
      }
    }),
    RUNS,
  );
});

test('products with vectors and dense matrices, from either side, of matrices and their transposes', async () => {
  const numbers = DTYPE_NAMES.filter((dtype) => dtype !== 'bool');
  await fc.assert(
    fc.asyncProperty(anyTwins(numbers), fc.integer({ min: 1, max: 3 }), async ([{ s, d }, { d: e }], step) => {
      const [m, n] = s.shape;
      const right = e.T;
      const left = e.T;
      const check = async (x: Sparse, y: Arr): Promise<void> => {
        await same(x.matmul(right), y.matmul(right), 'a matrix on the right');
        await same(matmul(left, x), left.matmul(y), 'a matrix on the left');
        if (m === 0) return;
        await same(x.matmul(right.at(':', 0)), y.matmul(right.at(':', 0)), 'a vector on the right');
        await same(x.matmul(right.at(':', '0:1')), y.matmul(right.at(':', '0:1')), 'a column');
        const reversed = right.at(`::-${step}`, 0);
        if (step === 1) await same(x.matmul(reversed), y.matmul(reversed), 'a vector that lies backwards');
        if (n > 0) await same(left.at(0).matmul(x), left.at(0).matmul(y), 'a vector on the left');
      };
      await check(s, d);
      await check(s.T.T, d);
      const turned = d.T.toSparse().T;
      await check(turned, d);
      await turned.persist();
      await check(turned, d);
    }),
    RUNS,
  );
});

test('products of two, parts, and several put together have the elements that dense twins have', async () => {
  const numbers = DTYPE_NAMES.filter((dtype) => dtype !== 'bool');
  const ints = (list: readonly number[]): Arr<'i64'> =>
    asArr({ shape: [list.length], dtype: 'i64', values: list.map(BigInt) }) as Arr<'i64'>;
  await fc.assert(
    fc.asyncProperty(
      anyTwins(numbers),
      fc.boolean(),
      fc.array(fc.nat(9), { maxLength: 4 }),
      async ([a, b], computedBefore, list) => {
        const [{ s, d }, { s: t, d: e }] = [a, b];
        if (computedBefore) await Promise.all([s.persist(), t.persist()]);
        await same(s.matmul(t.T), d.matmul(e.T), 'a product');
        await same(matmul(s.T, t), d.T.matmul(e), 'a product with a transpose on the left');
        await same(concat([s, t, s]), concat([d, e, d]), 'one below the other');
        await same(concat([s, t], { axis: 1 }), concat([d, e], { axis: 1 }), 'beside each other');
        await same(s.at('::-1', '1:3'), d.at('::-1', '1:3'), 'slices');
        const [m, n] = s.shape;
        if (m === 0 || n === 0) return;
        const [rows, columns] = [m, n].map((length) => ints(list.map((each) => (each % (2 * length)) - length))) as [
          Arr<'i64'>,
          Arr<'i64'>,
        ];
        await same(s.at(rows), d.at(rows), 'rows');
        await same(s.at(':', columns), d.at(':', columns), 'columns');
        await same(s.at(rows, '::2'), d.at(rows, '::2'), 'rows, and a slice of columns');
        await same(s.at(-1), d.at('-1:'), 'a row');
        await same(s.at(0, -1), d.at(0, -1), 'an element');
      },
    ),
    RUNS,
  );
});

test('entries in long and short rows, in any order, and several at a place, are those of the matrix', async () => {
  // Rows of none, of few, of many elements, and (the last) of more than are sorted by themselves.
  for (const lengths of [
    [0, 7, 3, 900],
    [2, 5000],
  ]) {
    const entries = lengths.flatMap((length, row) =>
      Array.from({ length }, (_, i) => [row, (i * 7919) % 613, i] as const),
    );
    const shuffled = entries.map((entry, i) => entries[(i * 1009) % entries.length] ?? entry);
    const { s, d } = twin('f64', lengths.length, 613, shuffled);
    await same(s, d, String(lengths));
    const { s: byColumns, d: other } = twin(
      'i64',
      613,
      5000,
      shuffled.map(([i, j, x]) => [j, i, BigInt(x)] as const),
    );
    await same(byColumns, other, 'of bigints');
  }
  // Floats are added up in the order in which they came.
  const s = fromCoo([1, 0, 1, 1], [0, 0, 0, 0], [2 ** 53, 1, 1, 1], [2, 1]);
  assert.deepEqual(await s.toDense().toNested(), [[1], [2 ** 53 + 0]]);
});

test('zeros that were given are there; what becomes 0 beside another matrix is not', async () => {
  const s = await fromCoo([0, 0, 2], [1, 0, 1], [0, 2, -1], [3, 2]).persist();
  assert.equal(s.nnz, 3);
  assert.deepEqual(await s.indptr.toNested(), [0, 2, 2, 3]);
  assert.deepEqual(await s.values.toNested(), [2, 0, -1]);
  assert.equal((await s.add(s).persist()).nnz, 2);
  assert.equal((await s.sub(s).persist()).nnz, 0);
  assert.equal((await s.mul(0).persist()).nnz, 3);
  assert.equal((await s.toDense().toSparse().persist()).nnz, 2);
  assert.equal(await s.show(), 'f64 3 x 2, 3 elements\n  (0, 0)  2.\n  (0, 1)  0.\n  (2, 1) -1.');
  assert.equal(String(s), 'Sparse(f64, 3 x 2)');
});

test('NaN and infinity meet what is there, and no more', async () => {
  const s = fromCoo([0, 1], [0, 1], [Number.NaN, 2], [2, 3]);
  const x = asarray([1, 3, Number.NaN]);
  assert.deepEqual(await s.matmul(x).toNested(), [Number.NaN, 6]);
  assert.deepEqual(await s.mul(x).toDense().toNested(), [
    [Number.NaN, 0, 0],
    [0, 6, 0],
  ]);
  assert.deepEqual(await s.max({ axis: 1 }).toNested(), [Number.NaN, 2]);
  assert.deepEqual(await s.min({ axis: 0 }).toNested(), [Number.NaN, 0, 0]);
  assert.throws(() => s.mul(Number.POSITIVE_INFINITY), { code: 'ERR_SHEAF_SPARSE' });
});

test('what does not fit is refused, with both shapes and the name of the operation', async () => {
  const s = fromCoo([0], [1], [5], [3, 4]);
  const at = (code: string, message: RegExp) => ({ name: 'UsageError', code, message });
  assert.throws(
    () => s.matmul(ones([3])),
    at('ERR_SHEAF_SHAPE', /^matmul: the shapes 3 x 4 and 3 don't fit together: a row of the first has 4/),
  );
  assert.throws(() => matmul(ones([2, 4]), s), at('ERR_SHEAF_SHAPE', /^matmul: the shapes 2 x 4 and 3 x 4 /));
  assert.throws(() => s.matmul(ones([2, 4, 1])), at('ERR_SHEAF_SHAPE', /^matmul: the shapes 3 x 4 and 2 x 4 x 1 /));
  assert.throws(() => s.add(s.T), at('ERR_SHEAF_SHAPE', /^add: the shapes 3 x 4 and 4 x 3 /));
  assert.throws(() => s.mul(ones([3])), at('ERR_SHEAF_SHAPE', /^mul: the shapes 3 x 4 and 3 /));
  assert.throws(() => s.add(1 as never), at('ERR_SHEAF_SPARSE', /^add: of 0 and 1 it gives 1, .* toDense\(\)$/));
  assert.throws(() => s.div(0), at('ERR_SHEAF_SPARSE', /^div: of 0 and 0 it gives NaN/));
  assert.throws(() => s.less(1), at('ERR_SHEAF_SPARSE', /^less: /));
  assert.throws(() => s.matmul(s), at('ERR_SHEAF_SHAPE', /^matmul: the shapes 3 x 4 and 3 x 4 don't fit together: /));
  assert.throws(() => concat([s, s.T]), at('ERR_SHEAF_SHAPE', /^concat: the shapes 3 x 4 and 4 x 3 differ elsewhere/));
  assert.throws(
    () => concat([s, ones([3, 4]) as never]),
    at('ERR_SHEAF_USAGE', /^concat takes a sparse matrix, and not/),
  );
  assert.throws(() => s.at(3), at('ERR_SHEAF_INDEX', /^at: there is no index 3 along axis 0 of the shape 3 x 4/));
  assert.throws(() => s.at(ones([1]) as never), at('ERR_SHEAF_DTYPE', /^at takes integers/));
  const far = asarray([0, 3]).astype('i64');
  await assert.rejects(s.at(far).toDense().data(), at('ERR_SHEAF_INDEX', /^at: there is no row 3 of 3/));
  const large = fromCoo([0], [0], [1], [1e6, 1e6]);
  const many = fromCoo(new Int32Array(1e5), new Int32Array(1e5), new Float64Array(1e5), [1e6, 1e6]);
  assert.throws(
    () => many.matmul(many),
    at('ERR_SHEAF_UNKNOWN_SHAPE', /^matmul: there could be 10000000000 elements, /),
  );
  await large.persist();
  assert.equal((await large.matmul(large).persist()).nnz, 1);
  assert.throws(() => s.matmul(ones([4], { dtype: 'i32' })), at('ERR_SHEAF_DTYPE', /^matmul: f64 and i32 /));
  assert.throws(() => s.max({ axis: 2 }), at('ERR_SHEAF_AXIS', /^max/));
  assert.throws(() => s.astype('bool').matmul(zeros([4], { dtype: 'bool' })), at('ERR_SHEAF_DTYPE', /^matmul takes /));
  assert.throws(
    () => ones([3, 4]).add(s as never),
    at('ERR_SHEAF_USAGE', /^add takes an array, and not a sparse matrix; /),
  );
  assert.throws(() => ones([3]).toSparse(), at('ERR_SHEAF_SHAPE', /^toSparse: a sparse matrix has two axes/));
  assert.throws(() => fromCoo([0], [1, 2], [5], [3, 4]), at('ERR_SHEAF_SHAPE', /1 rows and 2 columns for 1 values/));
  assert.throws(() => fromCoo(ones([1]), [1], [5], [3, 4]), at('ERR_SHEAF_DTYPE', /^fromCoo: the rows are f64/));
  assert.throws(() => csr({ values: [1], indices: [0], indptr: [0, 1], shape: [2, 2] }), {
    code: 'ERR_SHEAF_SHAPE',
    message: /2 rows have 3 row pointers, and there are 2/,
  });
  // What only the elements tell is an error when they are needed.
  const outside = [
    fromCoo([3], [0], [1], [3, 4]).toDense().data(),
    fromCoo([0], [-1], [1], [3, 4]).persist(),
    fromCoo([2n ** 32n], [0], [1], [3, 4])
      .matmul(ones([4]))
      .data(),
    csr({ values: [1, 1], indices: [1, 0], indptr: [0, 2], shape: [1, 2] })
      .matmul(ones([2]))
      .data(),
    csr({ values: [1, 1], indices: [0, 2], indptr: [0, 2], shape: [1, 2] }).persist(),
    csr({ values: [1, 1], indices: [0, 1], indptr: [0, 1], shape: [1, 2] }).persist(),
  ];
  const whys = [
    /row 3 of 3/,
    /column -1 of 4/,
    /row 4294967296 of 3/,
    /column 0 after column 1/,
    /column 2 of 2/,
    /end at 1/,
  ];
  for (const [i, each] of (await Promise.allSettled(outside)).entries()) {
    assert.ok(each.status === 'rejected', `case ${i}`);
    assert.equal((each.reason as { code: string }).code, 'ERR_SHEAF_SPARSE');
    assert.match(String(each.reason), whys[i] as RegExp);
  }
});

test('what is let go of can not be used any more; another matrix at the same places can', async () => {
  const s = await fromCoo([0, 1], [1, 0], [3, 4], [2, 2]).persist();
  const t = await s.mul(2).persist();
  const later = s.mul(3);
  s.release();
  await assert.rejects(later.toDense().data(), { name: 'ReleasedError' });
  assert.deepEqual(await t.toDense().toNested(), [
    [0, 6],
    [8, 0],
  ]);
  t.release();
  await assert.rejects(t.toDense().data(), { name: 'ReleasedError' });
  const { op } = { op: fromCoo([0], [0], [1], [1, 1]) };
  const doubled = await op.mul(2).persist();
  doubled.release();
  assert.deepEqual(await op.toDense().toNested(), [[1]]);
});
