import { kindOf, shown, UsageError } from '../base/index.ts';
import { columnsOfArrow } from './arrow.ts';
import { columnsOfSchema } from './column-types.ts';
import { batchOf } from './columns.ts';
import { frameOf } from './frame.ts';
import type { ColumnInput, DT, Frame, ReadOptions, Schema } from './types.ts';

/**
 * A frame of Parquet files. Only the columns and groups of rows that are needed are read.
 *
 * @param glob the path of a file, or a pattern of paths: `*`, `?`, `[ab]`, and `**` for any folders. Relative ones begin at the working directory.
 * @param schema the columns that are wanted, with their types, which TypeScript then knows. Default: all, as the files have them.
 */
export function readParquet<const S extends Schema = Schema>(glob: string, schema?: S, o: ReadOptions = {}): Frame<S> {
  return scan('parquet', 'readParquet', glob, schema, o) as unknown as Frame<S>;
}

/**
 * A frame of CSV files, whose first line has the names of the columns. Each file is in one partition.
 *
 * @param glob as for `readParquet`.
 * @param schema likewise. Default: all columns, with types that are guessed from the first file.
 */
export function readCsv<const S extends Schema = Schema>(glob: string, schema?: S, o: ReadOptions = {}): Frame<S> {
  return scan('csv', 'readCsv', glob, schema, o) as unknown as Frame<S>;
}

function scan(
  format: 'parquet' | 'csv',
  what: string,
  glob: string,
  schema: Schema | undefined,
  o: ReadOptions,
): Frame {
  if (typeof glob !== 'string' || glob === '')
    throw new UsageError(`${what} takes a path, or a pattern of paths, not ${kindOf(glob)}`);
  return frameOf({
    op: 'scan',
    format,
    glob,
    columns: schema === undefined ? undefined : columnsOfSchema(schema, what),
    partitions: partitionsOf(o, what),
  });
}

function partitionsOf(o: ReadOptions, what: string): number | undefined {
  const { partitions } = o;
  if (partitions === undefined || (Number.isSafeInteger(partitions) && partitions > 0)) return partitions;
  throw new UsageError(`${what}: partitions is ${shown(partitions)}; give a number of 1 or more`);
}

/** The type of a column as `fromColumns` takes it from its values. */
export type TypeOf<V> = V extends Float64Array
  ? 'f64'
  : V extends Float32Array
    ? 'f32'
    : V extends BigInt64Array | Uint32Array
      ? 'i64'
      : V extends Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array
        ? 'i32'
        : V extends readonly string[]
          ? 'str'
          : V extends readonly number[]
            ? 'f64'
            : V extends readonly bigint[]
              ? 'i64'
              : V extends readonly boolean[]
                ? 'bool'
                : V extends readonly Date[]
                  ? 'timestamp'
                  : DT;

/**
 * A frame of columns that are here: typed arrays, or lists of strings, numbers, bigints, booleans or Dates, with null for what is missing.
 *
 * @param schema their types. Default: as their values are; numbers in a list are `f64`.
 */
export function fromColumns<const C extends Readonly<Record<string, ColumnInput>>>(
  columns: C,
  schema?: undefined,
  o?: ReadOptions,
): Frame<{ -readonly [K in keyof C]: TypeOf<C[K]> }>;
export function fromColumns<const S extends Schema>(
  columns: Readonly<Record<keyof S, ColumnInput>>,
  schema: S,
  o?: ReadOptions,
): Frame<S>;
export function fromColumns(
  columns: Readonly<Record<string, ColumnInput>>,
  schema?: Schema,
  o: ReadOptions = {},
): unknown {
  const kinds = schema === undefined ? undefined : columnsOfSchema(schema, 'fromColumns');
  const batch = batchOf(columns, kinds, 'fromColumns');
  columnsOfSchema(Object.fromEntries(batch.columns.map(({ kind }) => [kind.name, kind.base])), 'fromColumns');
  return frameOf({ op: 'given', batch, partitions: partitionsOf(o, 'fromColumns') });
}

/** A frame of an Arrow file or stream (IPC), with the package apache-arrow: of numbers, booleans, strings, dates and timestamps. */
export async function fromArrow(bytes: Uint8Array): Promise<Frame> {
  return fromColumns(await columnsOfArrow(bytes)) as unknown as Frame;
}
