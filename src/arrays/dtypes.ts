import { UsageError } from '../base/index.ts';
import {
  commonType,
  DTYPES,
  type DType,
  isDType,
  kindOf,
  promoted,
  type Scalar as ScalarOf,
  scalarAs,
} from '../nd/index.ts';
import type { Arr } from './arr.ts';
import { checkChoice, checkDType } from './checks.ts';
import { isArr, nodeOf, partOf, wrap } from './lazy.ts';
import { cast, checkKind } from './operations.ts';
import type { D, Float, Value } from './types.ts';

/** Truth values, a byte each. */
export const bool = 'bool' as const;
/** Signed integers of 8 bits. */
export const i8 = 'i8' as const;
/** Unsigned integers of 8 bits. */
export const u8 = 'u8' as const;
/** Signed integers of 16 bits. */
export const i16 = 'i16' as const;
/** Unsigned integers of 16 bits. */
export const u16 = 'u16' as const;
/** Signed integers of 32 bits. */
export const i32 = 'i32' as const;
/** Unsigned integers of 32 bits. */
export const u32 = 'u32' as const;
/** Signed integers of 64 bits: bigints in JavaScript. */
export const i64 = 'i64' as const;
/** Unsigned integers of 64 bits: bigints in JavaScript. */
export const u64 = 'u64' as const;
/** Floats of 32 bits. */
export const f32 = 'f32' as const;
/** Floats of 64 bits: JavaScript's numbers. */
export const f64 = 'f64' as const;

/** Each element in another type: integers wrap, floats are cut off and saturate, and whatever is not 0 is true. */
export function astype<const U extends D>(x: Arr, dtype: U): Arr<U> {
  return wrap(cast(nodeOf('astype', x), checkDType('astype', dtype)));
}

/** What `finfo` gives. */
export interface FloatInfo {
  /** Of one element. */
  readonly bits: number;
  /** 1 and the next float are so far apart. */
  readonly eps: number;
  /** The greatest finite value. */
  readonly max: number;
  /** The least finite value. */
  readonly min: number;
  /** The least positive one of full precision. */
  readonly smallestNormal: number;
  /** The type. */
  readonly dtype: 'f32' | 'f64';
}

/** What `iinfo` gives. */
export interface IntegerInfo<T extends D = D> {
  /** Of one element. */
  readonly bits: number;
  /** The greatest value. */
  readonly max: ScalarOf<T>;
  /** The least value. */
  readonly min: ScalarOf<T>;
  /** The type. */
  readonly dtype: T;
}

const typeIn = (operation: string, x: Arr | D): DType =>
  isArr(x) ? partOf(operation, x).dtype : checkDType(operation, x);

/** The limits of a type of floats, or of the type of an array. */
export function finfo(type: Float | Arr<Float>): FloatInfo {
  const dtype = typeIn('finfo', type);
  checkKind('finfo', dtype, ['float']);
  const { bytes, min, max } = DTYPES[dtype];
  const [eps, smallestNormal] = dtype === 'f32' ? [2 ** -23, 2 ** -126] : [2 ** -52, 2 ** -1022];
  return {
    bits: 8 * bytes,
    eps,
    max: max as number,
    min: min as number,
    smallestNormal,
    dtype: dtype as 'f32' | 'f64',
  };
}

/** The limits of a type of integers, or of the type of an array. */
export function iinfo<const T extends Exclude<D, 'bool' | 'f32' | 'f64'>>(type: T | Arr<T>): IntegerInfo<T> {
  const dtype = typeIn('iinfo', type);
  checkKind('iinfo', dtype, ['int', 'uint']);
  const { bytes, min, max } = DTYPES[dtype];
  return { bits: 8 * bytes, max: max as ScalarOf<T>, min: min as ScalarOf<T>, dtype: dtype as T };
}

/** The names that stand for several types. */
export type KindName =
  | 'bool'
  | 'signed integer'
  | 'unsigned integer'
  | 'integral'
  | 'real floating'
  | 'complex floating'
  | 'numeric';

const KINDS: Readonly<Record<KindName, readonly string[]>> = {
  bool: ['bool'],
  'signed integer': ['int'],
  'unsigned integer': ['uint'],
  integral: ['int', 'uint'],
  'real floating': ['float'],
  // Of these there are none here.
  'complex floating': [],
  numeric: ['int', 'uint', 'float'],
};

/** Whether a type is another one, or of a kind, or one of several of them. */
export function isdtype(dtype: D, kind: D | KindName | readonly (D | KindName)[]): boolean {
  const own = checkDType('isdtype', dtype);
  if (Array.isArray(kind)) return (kind as readonly (D | KindName)[]).some((each) => isdtype(own, each));
  if (isDType(kind)) return own === kind;
  const names = Object.keys(KINDS) as KindName[];
  return KINDS[checkChoice('isdtype', 'the kind', kind as KindName, names)].includes(kindOf(own));
}

/** Whether elements of a type become those of another one by promotion, and not only by `astype`. */
export function canCast(from: Arr | D, to: D): boolean {
  return commonType(typeIn('canCast', from), checkDType('canCast', to)) === to;
}

/**
 * The type that arrays, types and values have together.
 *
 * @throws UsageError (ERR_SHEAF_DTYPE) when they have none.
 */
export function resultType(...args: readonly (Arr | D | Value)[]): D {
  const isValue = (arg: unknown): arg is Value =>
    typeof arg === 'number' || typeof arg === 'bigint' || typeof arg === 'boolean';
  const types = args.filter((arg) => !isValue(arg)).map((arg) => typeIn('resultType', arg as Arr | D));
  if (types.length === 0) {
    throw new UsageError(
      'resultType takes at least one array or type, since values take the type of what they are beside',
      {
        details: { operation: 'resultType' },
      },
    );
  }
  const dtype = promoted('resultType', types);
  for (const value of args.filter(isValue)) scalarAs('resultType', value, dtype);
  return dtype;
}
