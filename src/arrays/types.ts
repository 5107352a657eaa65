import type { DType } from '../nd/index.ts';

/** The element types of arrays. */
export type D = DType;

/** What an element is in JavaScript: 64-bit integers are exact, and therefore `bigint`. */
export type Scalar<T extends D = D> = T extends 'bool' ? boolean : T extends 'i64' | 'u64' ? bigint : number;

/** A single value beside an array; it takes the type of the array, and is refused where that can't hold it. */
export type Value = number | bigint | boolean;

/** Element types of real floating-point numbers. */
export type Float = 'f32' | 'f64';

/** Values in lists of lists, as deep as an array has axes. */
export type Nested<S = Value> = S | readonly Nested<S>[];

/** The typed array that elements of a type are in. A bool takes a byte, 0 or 1. */
export type ElementsOf<T extends D = D> = {
  bool: Uint8Array;
  i8: Int8Array;
  u8: Uint8Array;
  i16: Int16Array;
  u16: Uint16Array;
  i32: Int32Array;
  u32: Uint32Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
  f32: Float32Array;
  f64: Float64Array;
}[T];

/** What two types become together (Python array API standard 2024.12, "Type Promotion Rules"). Pairs that are not here have nothing in common. */
export type Promotion = {
  bool: { bool: 'bool' };
  i8: { i8: 'i8'; i16: 'i16'; i32: 'i32'; i64: 'i64'; u8: 'i16'; u16: 'i32'; u32: 'i64' };
  i16: { i8: 'i16'; i16: 'i16'; i32: 'i32'; i64: 'i64'; u8: 'i16'; u16: 'i32'; u32: 'i64' };
  i32: { i8: 'i32'; i16: 'i32'; i32: 'i32'; i64: 'i64'; u8: 'i32'; u16: 'i32'; u32: 'i64' };
  i64: { i8: 'i64'; i16: 'i64'; i32: 'i64'; i64: 'i64'; u8: 'i64'; u16: 'i64'; u32: 'i64' };
  u8: { u8: 'u8'; u16: 'u16'; u32: 'u32'; u64: 'u64'; i8: 'i16'; i16: 'i16'; i32: 'i32'; i64: 'i64' };
  u16: { u8: 'u16'; u16: 'u16'; u32: 'u32'; u64: 'u64'; i8: 'i32'; i16: 'i32'; i32: 'i32'; i64: 'i64' };
  u32: { u8: 'u32'; u16: 'u32'; u32: 'u32'; u64: 'u64'; i8: 'i64'; i16: 'i64'; i32: 'i64'; i64: 'i64' };
  u64: { u8: 'u64'; u16: 'u64'; u32: 'u64'; u64: 'u64' };
  f32: { f32: 'f32'; f64: 'f64' };
  f64: { f32: 'f64'; f64: 'f64' };
};

/** The type that two types have in common; never, where there is none. */
export type Common<T extends D, U extends D> = T extends D
  ? U extends keyof Promotion[T]
    ? Promotion[T][U] & D
    : never
  : never;

/** What the compiler shows where two element types have nothing in common: convert one of them with `astype`. */
export interface NothingInCommon<T extends D, U extends D> {
  /** The two types. */
  readonly 'convert one of them with astype': readonly [T, U];
}

/** Refuses a second array whose type has nothing in common with that of the first. */
export type With<T extends D, U extends D> = [Common<T, U>] extends [never] ? NothingInCommon<T, U> : unknown;

/** The type of sums and products: integers become those of 64 bits. */
export type Summed<T extends D> = T extends 'i8' | 'i16' | 'i32' | 'i64'
  ? 'i64'
  : T extends 'u8' | 'u16' | 'u32' | 'u64'
    ? 'u64'
    : T;
