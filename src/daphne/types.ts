/**
 * Types of DaphneDSL. What the compiler knows of a value is its type with as much of its shape as follows from the script; what it does not know
 * yet is `undefined`, and the run finds out.
 */

import type { DType } from '../nd/index.ts';

/** From the least general to the most general one: of two, an operation takes the later one. `size` is what counts rows and the like. */
export const VALUE_TYPES = ['bool', 'si8', 'ui8', 'si32', 'ui32', 'size', 'si64', 'ui64', 'f32', 'f64', 'str'] as const;

export type ValueType = (typeof VALUE_TYPES)[number];

const RANKS: Readonly<Record<ValueType, number>> = Object.fromEntries(
  VALUE_TYPES.map((type, rank) => [type, rank]),
) as Record<ValueType, number>;

/** The more general one of two. */
export const mostGeneral = (a: ValueType, b: ValueType): ValueType => (RANKS[a] >= RANKS[b] ? a : b);

/** The names that programs print. */
export const PRINTED_NAMES: Readonly<Record<ValueType, string>> = {
  bool: 'bool',
  si8: 'int8_t',
  ui8: 'uint8_t',
  si32: 'int32_t',
  ui32: 'uint32_t',
  size: 'uint64_t',
  si64: 'int64_t',
  ui64: 'uint64_t',
  f32: 'float',
  f64: 'double',
  str: 'std::string',
};

/** How elements of matrices are stored; strings are no array. */
export const ELEMENT_TYPES: Readonly<Record<Exclude<ValueType, 'str'>, DType>> = {
  bool: 'bool',
  si8: 'i8',
  ui8: 'u8',
  si32: 'i32',
  ui32: 'u32',
  size: 'u64',
  si64: 'i64',
  ui64: 'u64',
  f32: 'f32',
  f64: 'f64',
};

export const isFloat = (type: ValueType): type is 'f32' | 'f64' => type === 'f32' || type === 'f64';
export const isInteger = (type: ValueType): boolean => type !== 'str' && type !== 'bool' && !isFloat(type);
/** Whether scalars of the type may need more than the 53 bits of a number. */
export const isWide = (type: ValueType): boolean => type === 'si64' || type === 'ui64' || type === 'size';

export interface ScalarType {
  readonly data: 'scalar';
  readonly value: ValueType;
}

export interface MatrixType {
  readonly data: 'matrix';
  readonly value: ValueType | undefined;
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  /** The part of elements that are not 0, from 0 to 1, as far as it can be estimated. */
  readonly sparsity?: number | undefined;
  /** Whether it is known to be its own transpose. */
  readonly symmetric?: boolean | undefined;
  /** Stored by compressed rows. The compiler chooses that with `--select-matrix-repr` alone. */
  readonly sparse?: boolean | undefined;
}

export interface ColumnType {
  readonly label: string;
  readonly value: ValueType | undefined;
}

export interface FrameType {
  readonly data: 'frame';
  readonly rows?: number | undefined;
  /** Undefined: how many there are, and what they are, shows at run time. */
  readonly columns: readonly ColumnType[] | undefined;
}

/** A list of matrices with elements of one type. */
export interface ListType {
  readonly data: 'list';
  readonly value: ValueType | undefined;
}

export type Type = ScalarType | MatrixType | FrameType | ListType;

export const scalar = (value: ValueType): ScalarType => ({ data: 'scalar', value });
export const matrix = (
  value: ValueType | undefined,
  rows?: number,
  columns?: number,
  rest: Pick<MatrixType, 'sparsity' | 'symmetric' | 'sparse'> = {},
): MatrixType => ({ data: 'matrix', value, rows, columns, ...rest });
export const frame = (columns: readonly ColumnType[] | undefined, rows?: number): FrameType => ({
  data: 'frame',
  columns,
  rows,
});
export const list = (value: ValueType | undefined): ListType => ({ data: 'list', value });

/** As messages and editors show it: `si64`, `matrix<f64> 3x?`, `frame 2x3 [a: si64, ...]`, `list<f64>`. */
export function typeName(type: Type): string {
  const length = (n: number | undefined): string => (n === undefined ? '?' : String(n));
  switch (type.data) {
    case 'scalar':
      return type.value;
    case 'matrix': {
      const shape =
        type.rows === undefined && type.columns === undefined ? '' : ` ${length(type.rows)}x${length(type.columns)}`;
      return `matrix${type.value === undefined ? '' : `<${type.value}>`}${shape}`;
    }
    case 'frame': {
      if (type.columns === undefined) return 'frame';
      const columns = type.columns.map(({ label, value }) => `${label}: ${value ?? '?'}`);
      return `frame ${length(type.rows)}x${columns.length} [${columns.join(', ')}]`;
    }
    case 'list':
      return type.value === undefined ? 'list' : `list<${type.value}>`;
  }
}
