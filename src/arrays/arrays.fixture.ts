import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import fc from 'fast-check';
import { type DType, type Elements, elements, rowMajor, sizeOf } from '../nd/index.ts';
import { connect, type Session } from '../tasks/index.ts';
import { type Arr, fromTyped } from './index.ts';

/** What the tests of this room share: a session, and arrays whose meaning is written down plainly. */

/** Opens a session in this thread around the tests of a file. */
export function withSession(): void {
  let session: Session;
  before(async () => {
    session = await connect({ mode: 'inline' });
  });
  after(() => session[Symbol.asyncDispose]());
}

export type Element = number | bigint;

/** Values row by row. */
export interface Plain {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: readonly Element[];
}

export type Point = readonly number[];

/** Every point of a shape, row by row. */
export function* points(shape: readonly number[]): Generator<number[]> {
  const strides = rowMajor(shape);
  for (let i = 0; i < sizeOf(shape); i++) {
    yield shape.map((length, axis) => Math.floor(i / (strides[axis] as number)) % length);
  }
}

/** An array of what a function says about each point. */
export const build = (shape: readonly number[], dtype: DType, at: (point: Point) => Element): Plain => ({
  shape,
  dtype,
  values: [...points(shape)].map(at),
});

/** The element at a point; axes of length 1, and those that there are not, stretch. */
export function at({ shape, values }: Plain, point: Point): Element {
  const own = point.slice(point.length - shape.length);
  const strides = rowMajor(shape);
  const index = own.reduce((sum, i, axis) => sum + (shape[axis] === 1 ? 0 : i) * (strides[axis] as number), 0);
  return values[index] as Element;
}

export function asElements({ dtype, values }: Plain): Elements {
  const own = elements(dtype, values.length);
  for (const [i, value] of values.entries()) own[i] = value as never;
  return own;
}

export function asArr(plain: Plain): Arr {
  const made = fromTyped(asElements(plain), plain.shape);
  return plain.dtype === 'bool' ? made.astype('bool') : made;
}

/** That an array has a shape, a type, and values. */
export async function same(x: Arr, expected: Plain, text = ''): Promise<void> {
  assert.deepEqual([...x.shape], [...expected.shape], `${text} shape`);
  assert.equal(x.dtype, expected.dtype, `${text} dtype`);
  assert.deepEqual([...(await x.data())], [...asElements(expected)], text);
}

/** Shapes with axes of length 0 and 1, and without axes. */
export const anyShape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** Small whole numbers: sums and products of them are exact. */
export const plainOf = (shape: readonly number[], dtype: DType = 'f64'): fc.Arbitrary<Plain> =>
  fc
    .array(fc.integer({ min: dtype.startsWith('u') || dtype === 'bool' ? 0 : -9, max: dtype === 'bool' ? 1 : 9 }), {
      minLength: sizeOf(shape),
      maxLength: sizeOf(shape),
    })
    .map((values) => ({
      shape,
      dtype,
      values: dtype === 'i64' || dtype === 'u64' ? values.map(BigInt) : values,
    }));

export const anyPlain = anyShape.chain((shape) => plainOf(shape));
