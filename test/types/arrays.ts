// What the types of arrays say: element types are known, promoted, and refused. Type-checked, never run.

import type { Arr, D, Promotion, Scalar, Sparse } from 'sheaf/array';
import * as sf from 'sheaf/array';
import { type Equal, type Expect, exactly } from './assert.ts';

const f64 = sf.zeros([3, 4]);
const f32 = sf.zeros([3, 4], { dtype: 'f32' });
const i32 = sf.zeros([4], { dtype: 'i32' });
const i64 = sf.ones([2], { dtype: 'i64' });
const u8 = sf.full([2], 1, { dtype: 'u8' });
const u64 = sf.full([2], 1n, { dtype: 'u64' });
const bool = sf.full([2], true);

export function creation(): void {
  exactly<Arr<'f64'>>()(f64);
  exactly<Arr<'f32'>>()(f32);
  exactly<Arr<'bool'>>()(bool);
  exactly<Arr<'i64'>>()(sf.full([], 1n));
  exactly<Arr<'f64'>>()(sf.full([], 1));
  exactly<Arr<'i32'>>()(sf.onesLike(i32));
  exactly<Arr<'u8'>>()(sf.zerosLike(i32, { dtype: 'u8' }));
  exactly<Arr<'f64'>>()(sf.arange(3));
  exactly<Arr<'i16'>>()(sf.arange(3, { dtype: 'i16' }));
  exactly<Arr<'i16'>>()(sf.arange(0, 3, 1, { dtype: 'i16' }));
  exactly<Arr<'f32'>>()(sf.linspace(0, 1, 5, { dtype: 'f32' }));
  exactly<Arr<'f64'>>()(sf.eye(3));
  exactly<Arr<'f64'>>()(
    sf.asarray([
      [1, 2],
      [3, 4],
    ]),
  );
  exactly<Arr<'i64'>>()(sf.fromNested([1n]));
  exactly<Arr<'bool'>>()(sf.fromNested([[true]]));
  exactly<Arr<'u8'>>()(sf.fromNested([1, 2], { dtype: 'u8' }));
  exactly<Arr<'f32'>>()(sf.fromTyped(new Float32Array(2)));
  exactly<Arr<'u64'>>()(sf.fromTyped(new BigUint64Array(2), [2, 1]));
  exactly<Arr<'i8'>>()(sf.asarray(new Int8Array(2)));
  exactly<Arr<'f32'>>()(sf.random([2], { dtype: 'f32', seed: 1 }));
  exactly<Arr<'i64'>>()(sf.randomIntegers(0, 3, [2]));
  // @ts-expect-error there is no such type
  sf.zeros([1], { dtype: 'f16' });
}

export async function values(): Promise<void> {
  exactly<Promise<number>>()(f64.at(1, '1:-1').item());
  exactly<Promise<bigint>>()(i64.at(0).item());
  exactly<Promise<boolean>>()(bool.item());
  exactly<Promise<Float64Array>>()(f64.data());
  exactly<Promise<BigInt64Array>>()(i64.data());
  exactly<Promise<Uint8Array>>()(bool.data());
  exactly<Promise<string>>()(f64.show());
  exactly<Promise<Arr<'f64'>>>()(f64.persist());
  exactly<readonly number[]>()(f64.shape);
  exactly<'f64'>()(f64.dtype);
}

export function promotion(): void {
  exactly<Arr<'f64'>>()(f64.add(f32));
  exactly<Arr<'f64'>>()(f32.add(f64));
  exactly<Arr<'f32'>>()(f32.mul(2));
  exactly<Arr<'f32'>>()(sf.divide(1, f32));
  exactly<Arr<'i32'>>()(i32.sub(u8));
  exactly<Arr<'i16'>>()(u8.maximum(sf.zeros([2], { dtype: 'i8' })));
  exactly<Arr<'i64'>>()(sf.add(i64, i32));
  exactly<Arr<'i64'>>()(i64.pow(2n));
  exactly<Arr<'bool'>>()(f64.less(f32));
  exactly<Arr<'bool'>>()(bool.logicalAnd(true));
  exactly<Arr<'f64'>>()(sf.where(bool, f64, f32));
  exactly<Arr<'f32'>>()(sf.where(bool, 0, f32));
  exactly<Arr<'f64'>>()(sf.concat([f64, f32]));
  exactly<Arr<'i64'>>()(sf.stack([i64, i32, u8]));
  exactly<Arr<'f64'>>()(f64.matmul(f32));
  const s32 = sf.fromCoo([0], [0], new Float32Array(1), [1, 1]);
  exactly<Sparse<'f32'>>()(s32);
  exactly<Sparse<'f64'>>()(sf.csr({ values: [1], indices: [0], indptr: [0, 1], shape: [1, 1] }));
  exactly<Sparse<'f64'>>()(f64.toSparse());
  exactly<Sparse<'bool'>>()(s32.greater(1));
  exactly<Arr<'f64'>>()(s32.matmul(f64));
  exactly<Arr<'f64'>>()(f64.matmul(s32));
  exactly<Arr<'i64'>>()(s32.astype('i8').sum());
  exactly<Sparse<'f32'>>()(s32.mul(f32));
  exactly<Arr<'f32'>>()(s32.add(f32));
  exactly<Sparse<'f32'>>()(s32.add(s32));
  // An array that is made in place has the type that it has by itself.
  exactly<Arr<'f64'>>()(sf.sqrt(sf.zeros([2])));
  exactly<Arr<'f64'>>()(sf.add(sf.zeros([2]), sf.ones([2])));
  exactly<Arr<'f64'>>()(sf.zeros([2]).add(sf.ones([2])));
  exactly<Arr<'f64'>>()(sf.mean(sf.arange(3)));
  exactly<Arr<'f64'>>()(sf.concat([sf.zeros([2]), sf.ones([2])]));
  exactly<Arr<'f64'>>()(sf.svd(sf.eye(3)).u);
  exactly<Arr<'f64'>>()(f32.add(sf.ones([2])));
  exactly<Arr<'f64'>>()(f32.add(sf.random([2], { seed: 1 })));
  // @ts-expect-error integers and floats have nothing in common
  f64.add(i32);
  // @ts-expect-error neither the other way round
  sf.add(i32, f64);
  // @ts-expect-error no integer holds both
  u64.mul(i64);
  // @ts-expect-error a boolean is no number
  f64.add(bool);
  // @ts-expect-error integers have no mean
  i32.mean();
  // @ts-expect-error and no sine
  i32.sin();
  // @ts-expect-error they are not divided into integers
  sf.divide(i32, i32);
  // @ts-expect-error only booleans are
  f64.logicalNot();
  // @ts-expect-error the condition is one of booleans
  sf.where(f64, f64, f64);
  // @ts-expect-error two values are no array
  sf.add(1, 2);
}

export async function others(): Promise<void> {
  exactly<Arr<'i64'>>()(i32.sum());
  exactly<Arr<'u64'>>()(u8.sum({ axis: 0 }));
  exactly<Arr<'f32'>>()(f32.sum({ axis: [0, 1], keepdims: true }));
  exactly<Arr<'f64'>>()(i32.prod({ dtype: 'f64' }));
  exactly<Arr<'i32'>>()(i32.max());
  exactly<Arr<'bool'>>()(f64.any());
  exactly<Arr<'i64'>>()(f64.argmax({ axis: 1 }));
  exactly<Arr<'i64'>>()(i32.cumulativeSum());
  exactly<Arr<'u8'>>()(f64.astype('u8'));
  exactly<Arr<'f64'>>()(f64.T.reshape([-1]).flip().roll(1).expandDims());
  exactly<Arr<'f64'>[]>()(f64.unstack());
  exactly<Arr<'f64'>>()(f64.repeat(2));
  exactly<Promise<Arr<'f64'>>>()(f64.repeat(i64));
  exactly<Promise<Arr<'i64'>[]>>()(f64.nonzero());
  exactly<Arr<'i32'>>()((await i32.uniqueAll()).values);
  exactly<Arr<'f32'>>()(sf.svd(f32).vh);
  exactly<Arr<'f64'>>()(f64.solve(f32));
  exactly<Arr<'i64'>>()(sf.trace(i32));
  exactly<number>()(sf.iinfo('u8').max);
  exactly<bigint>()(sf.iinfo(i64).max);
}

export async function compiled(): Promise<void> {
  exactly<Arr<'f64'>>()(sf.map((x: number, y: number) => x + y)(f64, f64));
  exactly<Arr<'f32'>>()(sf.map((x: number) => x * 2)(f32));
  exactly<Arr<'bool'>>()(sf.map((x: number) => x > 2)(f64));
  exactly<Arr<'f64'>>()(sf.stencil((u) => 0.25 * (u.near(-1, 0) + u.near(1, 0)))(f64));
  const { value, steps, converged } = await sf.iterate(f64, (u) => u.mul(2), {
    max: 10,
    every: 5,
    until: (next, prev) => next.sub(prev).abs().max().less(1e-6),
    onCheck: ({ step }) => exactly<number>()(step),
  });
  exactly<Arr<'f64'>>()(value);
  exactly<number>()(steps);
  exactly<boolean>()(converged);
  // @ts-expect-error the function has two parameters
  sf.map((x: number, y: number) => x + y)(f64);
  // @ts-expect-error a step gives what it was given
  sf.iterate(f64, (u) => u.astype('f32'), { max: 1 });
}

/** An array of a type is one of any type, and code can be written for several types at once. */
export function variance<T extends D>(x: Arr<T>): Arr<T> {
  const any: Arr = x;
  const wide: Arr<'f32' | 'f64'> = f64;
  // @ts-expect-error and not the other way round
  const narrow: Arr<'f64'> = any;
  void [wide, narrow, f64 satisfies Arr];
  exactly<Arr<T>>()(x.add(x).mul(2).at(0, '...'));
  return x.sum({ dtype: x.dtype }).reshape([1]);
}
export function normalized<T extends 'f32' | 'f64'>(x: Arr<T>): Arr<T> {
  return x
    .sub(x.mean())
    .div(x.std({ correction: 1 }))
    .exp();
}

export function indices(): void {
  f64.at(0, '...', '1:', ':2', '::-1', 'new', bool, i32, i64);
  f64.set([0, ':'], 1).set(['1:2'], f32);
  i64.set([0], 1n);
  // @ts-expect-error no index
  f64.at('first');
  // @ts-expect-error floats are no indices
  f64.at(f64);
  // @ts-expect-error a bigint is no f64
  f64.set([0], 1n);
}

/** The table is that of the standard: both ways round the same, and a type with itself itself. */
type Symmetric = {
  [T in D]: {
    [U in keyof Promotion[T]]: U extends D
      ? T extends keyof Promotion[U]
        ? Equal<Promotion[T][U], Promotion[U][T]>
        : false
      : false;
  }[keyof Promotion[T]];
}[D];
export type Table = [
  Expect<Equal<Symmetric, true>>,
  Expect<Equal<{ [T in D]: T extends keyof Promotion[T] ? Promotion[T][T] : never }, { [T in D]: T }>>,
  Expect<Equal<Scalar<'i64' | 'u8' | 'bool'>, bigint | number | boolean>>,
];
