import { formatBytes, OutOfMemoryError } from '../base/index.ts';

/** The element types of arrays. `bool` is stored as one byte, 0 or 1. */
export type DType = 'bool' | 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64';

/** What a scalar of an element type is in JavaScript: 64-bit integers are exact, and therefore `bigint`. */
export type Scalar<T extends DType = DType> = T extends 'bool' ? boolean : T extends 'i64' | 'u64' ? bigint : number;

/** What holds elements of a type. */
export type Elements =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type ElementsType = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => Elements;

/** `bool`; signed and unsigned integers; real floating-point numbers. */
export type Kind = 'bool' | 'int' | 'uint' | 'float';

export interface DTypeInfo {
  readonly kind: Kind;
  /** Of one element. */
  readonly bytes: number;
  readonly Elements: ElementsType;
  /** The least and the greatest finite value. */
  readonly min: number | bigint;
  readonly max: number | bigint;
  /** For people. */
  readonly text: string;
}

const integer = (signed: boolean, bits: number): { min: number | bigint; max: number | bigint } => {
  const [min, max] = signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n] : [0n, 2n ** BigInt(bits) - 1n];
  return bits === 64 ? { min, max } : { min: Number(min), max: Number(max) };
};

const F32_MAX = (2 - 2 ** -23) * 2 ** 127;

/** Everything about the element types, in the order in which they are listed to people. */
export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  bool: { kind: 'bool', bytes: 1, Elements: Uint8Array, min: 0, max: 1, text: 'true or false' },
  i8: { kind: 'int', bytes: 1, Elements: Int8Array, ...integer(true, 8), text: 'signed integers of 8 bits' },
  u8: { kind: 'uint', bytes: 1, Elements: Uint8Array, ...integer(false, 8), text: 'unsigned integers of 8 bits' },
  i16: { kind: 'int', bytes: 2, Elements: Int16Array, ...integer(true, 16), text: 'signed integers of 16 bits' },
  u16: { kind: 'uint', bytes: 2, Elements: Uint16Array, ...integer(false, 16), text: 'unsigned integers of 16 bits' },
  i32: { kind: 'int', bytes: 4, Elements: Int32Array, ...integer(true, 32), text: 'signed integers of 32 bits' },
  u32: { kind: 'uint', bytes: 4, Elements: Uint32Array, ...integer(false, 32), text: 'unsigned integers of 32 bits' },
  i64: { kind: 'int', bytes: 8, Elements: BigInt64Array, ...integer(true, 64), text: 'signed integers of 64 bits' },
  u64: {
    kind: 'uint',
    bytes: 8,
    Elements: BigUint64Array,
    ...integer(false, 64),
    text: 'unsigned integers of 64 bits',
  },
  f32: { kind: 'float', bytes: 4, Elements: Float32Array, min: -F32_MAX, max: F32_MAX, text: 'floats of 32 bits' },
  f64: {
    kind: 'float',
    bytes: 8,
    Elements: Float64Array,
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    text: 'floats of 64 bits',
  },
};

export const DTYPE_NAMES = Object.keys(DTYPES) as readonly DType[];

export const isDType = (name: unknown): name is DType => typeof name === 'string' && Object.hasOwn(DTYPES, name);

export const kindOf = (dtype: DType): Kind => DTYPES[dtype].kind;

/** Integers whose elements are `bigint` in JavaScript. */
export const isBig = (dtype: DType): dtype is 'i64' | 'u64' => dtype === 'i64' || dtype === 'u64';

/** New elements, all of them 0. */
export function elements(dtype: DType, length: number): Elements {
  const { Elements, bytes } = DTYPES[dtype];
  try {
    return new Elements(new ArrayBuffer(length * bytes));
  } catch (cause) {
    throw new OutOfMemoryError(
      `${formatBytes(length * bytes)} for ${length} elements of ${dtype} in one piece are more than this process gets; compute smaller parts ` +
        "(rows: x.at('0:1000')), or ask for what the array is combined into",
      { cause, details: { needed: length * bytes } },
    );
  }
}
