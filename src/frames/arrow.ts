import { FormatError, UsageError } from '../base/index.ts';
import { loadPeer } from '../io/index.ts';
import type { ColumnKind } from './column-types.ts';
import type { ColumnInput } from './types.ts';

interface Vector {
  readonly type: { toString(): string };
  toArray(): ArrayLike<unknown>;
  readonly nullCount: number;
  [Symbol.iterator](): Iterator<unknown>;
}
interface Table {
  readonly schema: { readonly fields: readonly { readonly name: string }[] };
  getChildAt(index: number): Vector | null;
}
interface ApacheArrow {
  readonly Table: new (columns: Record<string, Vector>) => Table;
  readonly Bool: new () => object;
  readonly Int32: new () => object;
  readonly Int64: new () => object;
  readonly Float32: new () => object;
  readonly Float64: new () => object;
  readonly Utf8: new () => object;
  readonly DateDay: new () => object;
  readonly TimestampMillisecond: new () => object;
  tableFromIPC(bytes: Uint8Array): Table;
  tableToIPC(table: Table, type: 'stream'): Uint8Array;
  makeVector(elements: ArrayLike<unknown>): Vector;
  vectorFromArray(values: ArrayLike<unknown>, type: object): Vector;
}

/** Columns as an Arrow stream. Decimals are text in it. */
export async function toArrow(columns: Record<string, unknown>, kinds: readonly ColumnKind[]): Promise<Uint8Array> {
  const arrow = await loadPeer<ApacheArrow>('apache-arrow', 'toArrow');
  const types = {
    bool: arrow.Bool,
    i32: arrow.Int32,
    i64: arrow.Int64,
    f32: arrow.Float32,
    f64: arrow.Float64,
    str: arrow.Utf8,
    date: arrow.DateDay,
    timestamp: arrow.TimestampMillisecond,
    decimal: arrow.Utf8,
  };
  const vectors = kinds.map(({ name, base }) => {
    const values = columns[name] as ArrayLike<unknown>;
    if (base === 'bool')
      return [
        name,
        arrow.vectorFromArray(
          Array.from(values, (value) => (value === null ? null : value === 1 || value === true)),
          new types.bool(),
        ),
      ] as const;
    // Shared memory is not for Arrow to keep.
    if (ArrayBuffer.isView(values)) return [name, arrow.makeVector((values as unknown as Uint8Array).slice())] as const;
    return [name, arrow.vectorFromArray(values, new types[base]())] as const;
  });
  return arrow.tableToIPC(new arrow.Table(Object.fromEntries(vectors)), 'stream');
}

/** The columns of an Arrow file or stream, as `fromColumns` takes them. */
export async function columnsOfArrow(bytes: Uint8Array): Promise<Record<string, ColumnInput>> {
  const { tableFromIPC } = await loadPeer<ApacheArrow>('apache-arrow', 'fromArrow');
  if (!(bytes instanceof Uint8Array))
    throw new UsageError('fromArrow takes the bytes of an Arrow file or stream, a Uint8Array');
  let table: Table;
  try {
    table = tableFromIPC(bytes);
  } catch (error) {
    throw new FormatError(`fromArrow: the bytes can't be read as Arrow: ${(error as Error).message}`, { cause: error });
  }
  const { fields } = table.schema;
  if (fields.length === 0) throw new FormatError('fromArrow: the bytes have no schema: they are no Arrow, or cut');
  return Object.fromEntries(fields.map(({ name }, i) => [name, valuesOf(table.getChildAt(i)!, name)]));
}

const NUMBERS = /^(U?[Ii]nt(8|16|32)|Int64|Float(32|64))$/;

function valuesOf(vector: Vector, name: string): ColumnInput {
  const type = String(vector.type);
  if (NUMBERS.test(type)) return (vector.nullCount === 0 ? vector.toArray() : [...vector]) as ColumnInput;
  if (type === 'Bool' || /Utf8/.test(type)) return [...vector] as ColumnInput;
  if (/^(Date|Timestamp)/.test(type))
    return Array.from(vector, (value) => (value === null || value instanceof Date ? value : new Date(Number(value))));
  throw new UsageError(
    `fromArrow: the column ${JSON.stringify(name)} is of type ${type}, which frames don't have; leave it out`,
    {
      code: 'ERR_SHEAF_FRAME_TYPE',
      details: { column: name, type },
    },
  );
}
