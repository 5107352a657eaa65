import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scalarCast } from '../program/scalar-casts.ts';
import { scalarFunction } from '../program/scalar-functions.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import type { Scalar } from '../values/values.ts';
import { binaryOf, converted, type Operand, unaryOf } from './arrays.ts';
import { m, runtime } from './builtins.fixture.ts';
import { type FullMatrix, type NumericType, scalarOfElement } from './operands.ts';
import { resultValue } from './rules.ts';

const TYPES: readonly NumericType[] = ['bool', 'si8', 'ui8', 'si32', 'ui32', 'size', 'si64', 'ui64', 'f32', 'f64'];
const VALUES: readonly Scalar[] = [0, 1, -1, 2, 3, -7, 100, 2 ** 31, -(2 ** 31), 2n ** 63n - 1n, 0.5, -2.5, 1.5, 1e30];
const FLOATS: readonly Scalar[] = [Number.NaN, Number.POSITIVE_INFINITY, -0];

const UNARY: readonly ScalarOperation[] = ['minus', 'abs', 'sign', 'exp', 'ln', 'sqrt', 'sin', 'cos', 'tan'];
const MORE: readonly ScalarOperation[] = ['asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'round', 'floor', 'ceil'];
const BINARY: readonly ScalarOperation[] = ['add', 'sub', 'mul', 'div', 'pow', 'mod', 'min', 'max', 'log'];
const LOGICAL: readonly ScalarOperation[] = ['eq', 'neq', 'lt', 'le', 'gt', 'ge', 'and', 'or'];

/** Values of the type, in the way that scalars are cast. */
const cellsOf = (value: NumericType): readonly Scalar[] => {
  const all = value === 'f32' || value === 'f64' ? [...VALUES, ...FLOATS] : VALUES;
  return all.map((cell) => scalarCast(typeof cell === 'bigint' ? 'si64' : 'f64', value)(cell));
};

const arrayOf = (value: NumericType, cells: readonly Scalar[]) =>
  (m(value, [cells]) as Extract<FullMatrix, { kind: 'dense' }>).array;

const elementsOf = (array: ReturnType<typeof arrayOf>, value: NumericType): readonly Scalar[] =>
  Array.from(runtime.computed([array])[0] as ArrayLike<number | bigint>, (each) => scalarOfElement(each, value));

/** What only nearly agrees: functions that the engine and we compute in different ways. */
function agree(found: Scalar | undefined, expected: Scalar, value: NumericType, what: string): void {
  if (Object.is(found, expected)) return;
  const [a, b] = [Number(found), Number(expected)];
  const digits = value === 'f32' ? 4e-7 : value === 'f64' ? 1e-14 : 0;
  // A quotient of logarithms that f32 has rounded may miss an integer.
  const isExact = Number.isInteger(b) && Math.abs(b) <= 2 ** 53 && value !== 'f32';
  const near = !isExact && Math.abs(a - b) <= digits * Math.abs(b);
  assert.ok(near, `${what}: matrices have ${found}, and scalars ${expected}`);
}

/** Undefined: there is no result. */
function byScalars(operation: ScalarOperation, value: NumericType, ...args: Scalar[]): Scalar | undefined {
  try {
    return scalarFunction(operation, value)(...args);
  } catch {
    return undefined;
  }
}

test('matrices have the results that scalars have: unary operations', () => {
  for (const operation of [...UNARY, ...MORE, 'isNan'] as const) {
    for (const from of TYPES) {
      const value = resultValue(operation, [from]) as NumericType;
      const cells = cellsOf(from);
      const { array, bad } = unaryOf(operation, converted(arrayOf(from, cells), from, value), value);
      const found = elementsOf(array, value);
      const fails = bad === undefined ? [] : elementsOf(bad, 'bool');
      for (const [i, cell] of cells.entries()) {
        const what = `${operation} of ${from} ${cell}`;
        const expected = byScalars(operation, value, scalarCast(from, value)(cell));
        assert.equal(fails[i] === true, expected === undefined, `${what}: whether it fails`);
        if (expected !== undefined) agree(found[i], expected, value, what);
      }
    }
  }
});

test('matrices have the results that scalars have: binary operations, with matrices and scalars on either side', () => {
  for (const operation of [...BINARY, ...LOGICAL]) {
    for (const from of TYPES) {
      const value = resultValue(operation, [from]) as NumericType;
      const cells = cellsOf(from).map((cell) => scalarCast(from, value)(cell));
      const array = arrayOf(value, cells);
      for (const one of cells) {
        for (const isLeft of [true, false]) {
          const [a, b]: [Operand, Operand] = isLeft ? [one as number, array] : [array, one as number];
          const { array: result, bad } = binaryOf(operation, a, b, value);
          const found = elementsOf(result, value);
          const fails = bad === undefined ? [] : elementsOf(bad, 'bool');
          for (const [i, cell] of cells.entries()) {
            const [x, y] = isLeft ? [one, cell] : [cell, one];
            const what = `${operation}.${value} of ${x} and ${y}`;
            const expected = byScalars(operation, value, x, y);
            const failed = fails[fails.length === 1 ? 0 : i] === true;
            assert.equal(failed, expected === undefined, `${what}: whether it fails`);
            if (expected !== undefined) agree(found[i], expected, value, what);
          }
        }
      }
    }
  }
});

test('matrices have the results that scalars have: casts', () => {
  for (const from of TYPES) {
    for (const to of TYPES) {
      const cells = cellsOf(from);
      const found = elementsOf(converted(arrayOf(from, cells), from, to), to);
      for (const [i, cell] of cells.entries())
        agree(found[i], scalarCast(from, to)(cell), to, `${from} ${cell} as ${to}`);
    }
  }
});
