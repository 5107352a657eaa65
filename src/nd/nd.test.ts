import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  axesOf,
  axisOf,
  broadcastShapes,
  broadcastStrides,
  commonType,
  DTYPE_NAMES,
  DTYPES,
  type DType,
  elements,
  promoted,
  rowMajor,
  scalarAs,
  sizeOf,
} from './index.ts';

const dtype = fc.constantFrom(...DTYPE_NAMES);
const numeric = DTYPE_NAMES.filter((name) => name !== 'bool');

/** The tables of the standard's page "Type Promotion Rules" (2024.12), row by row. */
const STANDARD: readonly [string, string][] = [
  ['      i8  i16 i32 i64', 'i8  i8  i16 i32 i64 | i16 i16 i16 i32 i64 | i32 i32 i32 i32 i64 | i64 i64 i64 i64 i64'],
  ['      u8  u16 u32 u64', 'u8  u8  u16 u32 u64 | u16 u16 u16 u32 u64 | u32 u32 u32 u32 u64 | u64 u64 u64 u64 u64'],
  ['      u8  u16 u32', 'i8  i16 i32 i64 | i16 i16 i32 i64 | i32 i32 i32 i64 | i64 i64 i64 i64'],
  ['      f32 f64', 'f32 f32 f64 | f64 f64 f64'],
];

test('types are promoted as the standard says', () => {
  const words = (text: string): DType[] => text.trim().split(/\s+/) as DType[];
  const told = new Set<string>();
  for (const [columns, rows] of STANDARD) {
    for (const row of rows.split('|')) {
      const [own, ...results] = words(row) as [DType, ...DType[]];
      for (const [i, other] of words(columns).entries()) {
        assert.equal(commonType(own, other), results[i], `${own} and ${other}`);
        assert.equal(commonType(other, own), results[i], `${other} and ${own}`);
        told.add(`${own} ${other}`).add(`${other} ${own}`);
      }
    }
  }
  for (const a of DTYPE_NAMES) {
    for (const b of DTYPE_NAMES) {
      if (told.has(`${a} ${b}`)) continue;
      assert.equal(commonType(a, b), a === 'bool' && b === 'bool' ? 'bool' : undefined, `${a} and ${b}`);
    }
  }
});

test('what two integers have in common holds both', () => {
  fc.assert(
    fc.property(fc.constantFrom(...numeric), fc.constantFrom(...numeric), (a, b) => {
      const common = commonType(a, b);
      if (common === undefined) return;
      for (const each of [a, b]) {
        assert.ok(DTYPES[common].min <= DTYPES[each].min && DTYPES[common].max >= DTYPES[each].max);
      }
    }),
  );
});

test('types with nothing in common are refused by name, with what to do', () => {
  const refused = (types: readonly DType[], text: RegExp): void =>
    assert.throws(() => promoted('add', types), { name: 'UsageError', code: 'ERR_SHEAF_DTYPE', message: text });
  refused(['u64', 'i8'], /^add: u64 and i8 have no type in common; no integer holds both: .*astype\('i64'\)/);
  refused(['i32', 'f32'], /^add: i32 and f32 .*astype\('f64'\)$/);
  refused(['f32', 'i16'], /convert the integers with astype\('f32'\)$/);
  refused(['i64', 'f64'], /astype\('f64'\), which is exact up to 2\*\*53$/);
  refused(['bool', 'u8'], /convert the booleans with astype\('u8'\)$/);
  assert.equal(promoted('concat', ['u8', 'i8', 'i32']), 'i32');
});

test('a scalar takes the type of its array, or is refused', () => {
  assert.equal(scalarAs('add', 3, 'i8'), 3);
  assert.equal(scalarAs('add', 3, 'i64'), 3n);
  assert.equal(scalarAs('add', 3n, 'f64'), 3);
  assert.equal(scalarAs('add', 0.1, 'f32'), Math.fround(0.1));
  assert.equal(scalarAs('equal', true, 'bool'), 1);
  const refused = (value: unknown, type: DType, text: RegExp): void =>
    assert.throws(() => scalarAs('add', value, type), { code: 'ERR_SHEAF_DTYPE', message: text });
  refused(128, 'i8', /^add: 128 is no i8 \(signed integers of 8 bits\); it holds -128 to 127$/);
  refused(-1, 'u64', /it holds 0 to 18446744073709551615$/);
  refused(2.5, 'i32', /convert the array with astype\('f64'\)$/);
  refused(Number.NaN, 'i64', /NaN is no i64/);
  refused(1, 'bool', /give true or false/);
  refused(true, 'f64', /give 1$/);
  refused('1', 'f64', /give a number$/);
});

test('shapes broadcast from the last axis', () => {
  assert.deepEqual(broadcastShapes('add', [[3, 1], [4]]), [3, 4]);
  assert.deepEqual(broadcastShapes('add', [[], [2, 0]]), [2, 0]);
  assert.deepEqual(broadcastShapes('add', [[1], [0]]), [0]);
  assert.throws(
    () =>
      broadcastShapes('add', [
        [2, 3],
        [4, 1, 4],
      ]),
    {
      code: 'ERR_SHEAF_SHAPE',
      message: /^add: the shapes 2 x 3 and 4 x 1 x 4 don't fit together: axis -1 has the lengths 3 and 4;/,
    },
  );
});

test('an element of a broadcast array is the one of its own axes', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(shape, shape, (own, wish) => {
      const other = wish.map((length, axis) => {
        const mine = own[own.length - wish.length + axis];
        return mine === undefined || mine === 1 ? length : mine;
      });
      const together = broadcastShapes('add', [own, other]);
      const strides = broadcastStrides(own, rowMajor(own), together);
      assert.equal(strides.length, together.length);
      for (const [axis, stride] of strides.entries()) {
        const mine = axis - (together.length - own.length);
        assert.equal(stride, mine < 0 || own[mine] === 1 ? 0 : rowMajor(own)[mine]);
      }
    }),
  );
});

test('axes count from the end as well', () => {
  assert.equal(axisOf('sum', -1, [2, 3]), 1);
  assert.deepEqual(axesOf('sum', [-1, 0], [2, 3, 4]), [0, 2]);
  assert.deepEqual(axesOf('sum', undefined, [2, 3]), [0, 1]);
  assert.throws(() => axisOf('sum', 2, [2, 3]), {
    code: 'ERR_SHEAF_AXIS',
    message: /no axis 2 in the shape 2 x 3; give -2 to 1$/,
  });
  assert.throws(() => axisOf('sum', 0, []), /in a scalar, which has no axes$/);
  assert.throws(() => axesOf('sum', [1, -1], [2, 3]), /axis 1 is named twice/);
});

test('elements take as many bytes as their type says', () => {
  fc.assert(
    fc.property(dtype, fc.nat(9), (type, length) => {
      const made = elements(type, length);
      assert.equal(made.byteLength, length * DTYPES[type].bytes);
      assert.equal(made.length, sizeOf([length]));
    }),
  );
});
