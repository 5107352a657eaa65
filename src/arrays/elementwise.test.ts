import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applied, ELEMENTWISE, type ElementOpName, elementOp } from '../kernels/index.ts';
import { SPECIAL_CASES } from '../kernels/special-cases.ts';
import { commonType, DTYPE_NAMES, type DType, isBig, kindOf } from '../nd/index.ts';
import { anyShape, asArr, at, build, plainOf, same, withSession } from './arrays.fixture.ts';
import * as sf from './index.ts';
import { type Arr, asarray, fromTyped, ones, zeros } from './index.ts';

withSession();

type AnyFunction = (...args: unknown[]) => Arr;
const functions = sf as unknown as Readonly<Record<string, AnyFunction>>;
const call = (name: string, ...args: unknown[]): Arr => (functions[name] as AnyFunction)(...args);
const names = Object.keys(ELEMENTWISE) as ElementOpName[];

test('every operator is a function and a method, and gives the same as one', async () => {
  for (const name of names) {
    const { arity, takes } = elementOp(name);
    const dtype = DTYPE_NAMES.findLast((each) => (takes as readonly string[]).includes(kindOf(each))) as DType;
    const args: Arr[] = Array.from({ length: arity }, () => ones([2], { dtype }));
    if (name === 'where') args[0] = zeros([2], { dtype: 'bool' });
    const [first, ...rest] = args as [Arr, ...Arr[]];
    const method = (first as unknown as Readonly<Record<string, AnyFunction>>)[name] as AnyFunction;
    assert.deepEqual(await method.apply(first, rest).data(), await call(name, ...args).data(), name);
  }
});

test('the special cases of the standard hold for arrays of both types of floats', async () => {
  let cases = 0;
  for (const [name, rows] of Object.entries(SPECIAL_CASES)) {
    for (const dtype of ['f32', 'f64'] as const) {
      const columns = rows[0]!
        .slice(0, -1)
        .map((_, i) => fromTyped(Float64Array.from(rows, (row) => row[i]!)).astype(dtype));
      const results = await call(name, ...columns).data();
      for (const [i, row] of rows.entries()) {
        const expected = dtype === 'f32' ? Math.fround(row.at(-1)!) : row.at(-1)!;
        const found = Number(results[i]);
        // Libraries of the platform differ in the last place of what is irrational.
        const near = Math.abs(found - expected) <= (dtype === 'f32' ? 2 ** -23 : 2 ** -52) * Math.abs(expected);
        assert.ok(Object.is(found, expected) || (near && expected !== 0), `${name} ${dtype} ${row}: ${found}`);
        cases++;
      }
    }
  }
  assert.ok(cases > 400);
});

test('powers that are another operation have the same special cases, and the same errors', async () => {
  const values = [0, -0, 1, -1, 1.5, -3, 1e200, 1e-200, 5e-324, Infinity, -Infinity, Number.NaN];
  const x = fromTyped(Float64Array.from(values));
  for (const power of [2, -1])
    assert.deepEqual(
      [...(await sf.pow(x, power).data())],
      values.map((each) => each ** power),
      `to the power ${power}`,
    );
  assert.deepEqual(
    [
      ...(await asarray([-3n, 2n ** 32n])
        .pow(2)
        .data()),
    ],
    [9n, 0n],
  );
  assert.deepEqual([...(await asarray([-1n, 3n]).pow(-1).data())], [-1n, 0n]);
  assert.throws(() => ones([2], { dtype: 'bool' }).pow(2 as never), { code: 'ERR_SHEAF_DTYPE', message: /^pow/ });
});

test('types that an operator does not take are refused by name', () => {
  for (const name of names) {
    const { arity, takes } = elementOp(name);
    for (const dtype of DTYPE_NAMES) {
      const args: Arr[] = Array.from({ length: arity }, () => zeros([2], { dtype }));
      if (name === 'where') args[0] = zeros([2], { dtype: 'bool' });
      const good = (takes as readonly string[]).includes(kindOf(dtype));
      if (good) assert.equal(call(name, ...args).dtype, elementOp(name).gives === 'bool' ? 'bool' : dtype);
      else {
        assert.throws(() => call(name, ...args), {
          code: 'ERR_SHEAF_DTYPE',
          message: new RegExp(`^${name} takes \\w+.*, and not ${dtype}; `),
        });
      }
    }
  }
});

test('two arrays have the type of both, or are refused', () => {
  for (const a of DTYPE_NAMES) {
    for (const b of DTYPE_NAMES) {
      const run = (): Arr => call('equal', zeros([1], { dtype: a }), zeros([1], { dtype: b }));
      if (commonType(a, b) === undefined) assert.throws(run, { code: 'ERR_SHEAF_DTYPE', message: /^equal: / });
      else {
        assert.equal(run().dtype, 'bool');
        if (a !== 'bool')
          assert.equal(call('maximum', zeros([1], { dtype: a }), zeros([1], { dtype: b })).dtype, commonType(a, b));
      }
    }
  }
});

test('values take the type of their array, on either side', async () => {
  assert.equal(call('add', ones([2], { dtype: 'i8' }), 3).dtype, 'i8');
  assert.equal(call('subtract', 3, ones([2], { dtype: 'f32' })).dtype, 'f32');
  assert.deepEqual([...(await call('subtract', 3n, ones([2], { dtype: 'i64' })).data())], [2n, 2n]);
  assert.throws(() => call('add', ones([2], { dtype: 'i8' }), 300), {
    code: 'ERR_SHEAF_DTYPE',
    message: /300 is no i8/,
  });
  assert.throws(() => call('add', ones([2], { dtype: 'i8' }), 0.5), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => call('add', 1, 2), { code: 'ERR_SHEAF_USAGE', message: /^add takes at least one array/ });
  assert.throws(() => call('add', ones([2]), 'x'), {
    code: 'ERR_SHEAF_USAGE',
    message: /^add takes an array, and not string/,
  });
  assert.throws(() => call('add', null, ones([2])), { code: 'ERR_SHEAF_USAGE' });
  assert.throws(() => call('abs', 1), { code: 'ERR_SHEAF_USAGE', message: /asarray\(\)/ });
});

const pair = fc
  .tuple(anyShape, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.nat(4))
  .chain(([shape, thin, cut]) => {
    const other = shape.slice(Math.min(cut, shape.length)).map((length, axis) => (thin[axis] ? 1 : length));
    return fc.tuple(plainOf(shape), plainOf(other));
  });

test('shapes broadcast', () =>
  fc.assert(
    fc.asyncProperty(pair, fc.boolean(), async ([x, y], swap) => {
      const expected = build(x.shape, 'f64', (p) => Number(at(x, p)) * 10 + Number(at(y, p)));
      const [a, b] = [asArr(x).mul(10) as Arr, asArr(y)];
      await same(swap ? call('add', b, a) : call('add', a, b), expected);
    }),
  ));

test('shapes that do not fit are shown', () => {
  assert.throws(() => zeros([2, 3]).mul(zeros([4])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^multiply: the shapes 2 x 3 and 4 don't fit together: axis -1 has the lengths 3 and 4;/,
  });
});

test('integers are exact and wrap, in every type', async () => {
  const one = fc.constantFrom(...DTYPE_NAMES.filter((name) => kindOf(name) === 'int' || kindOf(name) === 'uint'));
  const op = fc.constantFrom<ElementOpName>('add', 'subtract', 'multiply', 'floorDivide', 'remainder', 'bitwiseXor');
  await fc.assert(
    fc.asyncProperty(
      one,
      op,
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.bigInt(-9n, 9n),
      async (dtype, name, a, b) => {
        const big = (value: bigint): Arr => asarray([value], { dtype: 'i64' }).astype(dtype);
        const [x, y] = [big(a), big(b)];
        const [p, q] = [(await x.data())[0]!, (await y.data())[0]!];
        assert.equal((await call(name, x, y).data())[0], applied(elementOp(name), dtype, [p, q]));
      },
    ),
  );
});

test('astype: integers wrap, floats are cut off and saturate, what is not 0 is true', async () => {
  assert.deepEqual([...(await asarray([300, -1], { dtype: 'i32' }).astype('u8').data())], [44, 255]);
  assert.deepEqual([...(await asarray([1e30, -2.9, Number.NaN]).astype('i16').data())], [32767, -2, 0]);
  assert.deepEqual(await asarray([0, -0, 0.5, Number.NaN]).astype('bool').toNested(), [false, false, true, true]);
  assert.deepEqual(await asarray([true, false]).astype('i64').toNested(), [1n, 0n]);
  for (const dtype of DTYPE_NAMES) {
    const x = ones([1], { dtype });
    assert.equal(x.astype(dtype).dtype, dtype);
    assert.equal(typeof (await x.item()), dtype === 'bool' ? 'boolean' : isBig(dtype) ? 'bigint' : 'number');
  }
  assert.throws(() => zeros([1]).astype('float' as 'f32'), {
    code: 'ERR_SHEAF_DTYPE',
    message: /no element type "float"/,
  });
});

test('clip keeps elements within bounds, NaN included', async () => {
  const x = asarray([-5, 0.5, 7, Number.NaN]);
  assert.deepEqual(await x.clip(0, 1).toNested(), [0, 0.5, 1, Number.NaN]);
  assert.deepEqual(await x.clip(undefined, 1).toNested(), [-5, 0.5, 1, Number.NaN]);
  assert.deepEqual(await x.clip(asarray([0, 1, 2, 3])).toNested(), [0, 1, 7, Number.NaN]);
  assert.equal(zeros([2], { dtype: 'u8' }).clip(1, 4).dtype, 'u8');
  assert.throws(() => zeros([2], { dtype: 'i8' }).clip(zeros([2], { dtype: 'i16' }) as never), {
    code: 'ERR_SHEAF_SHAPE',
    message: /make a i16 .* out of a i8/,
  });
  assert.throws(() => x.clip(zeros([2, 4])), { code: 'ERR_SHEAF_SHAPE' });
});

test('where chooses, and takes booleans only', async () => {
  const c = asarray([true, false]);
  assert.deepEqual(await sf.where(c, asarray([1, 2]), 5).toNested(), [1, 5]);
  assert.deepEqual(await sf.where(c, 5, asarray([[1], [2]])).toNested(), [
    [5, 1],
    [5, 2],
  ]);
  assert.deepEqual(await c.where(asarray([1n, 2n]), 0n).toNested(), [1n, 0n]);
  assert.equal(sf.where(c, zeros([2], { dtype: 'i8' }), zeros([2], { dtype: 'u8' })).dtype, 'i16');
  assert.throws(() => sf.where(zeros([2]) as never, zeros([2]), 1), {
    code: 'ERR_SHEAF_DTYPE',
    message: /^where: the condition/,
  });
});
