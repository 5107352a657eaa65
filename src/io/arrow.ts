import type { DType, Elements } from '../nd/index.ts';
import { type Column, type ColumnsOptions, checkColumns, Gathered, noNumbers, wanted } from './columns.ts';
import { loadPeer } from './peers.ts';
import { malformed, openSource, type Source } from './source.ts';
import { writeWhole } from './target.ts';

interface Vector {
  readonly length: number;
  readonly nullCount: number;
  readonly type: { toString(): string };
  toArray(): ArrayLike<unknown>;
  [Symbol.iterator](): Iterator<unknown>;
}

interface Table {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: { toString(): string } }[] };
  getChild(name: string): Vector | null;
}

interface ApacheArrow {
  readonly Table: new (columns: Record<string, Vector>) => Table;
  readonly Bool: new () => object;
  tableFromIPC(bytes: Uint8Array): Table;
  tableToIPC(table: Table, type: 'file' | 'stream'): Uint8Array;
  makeVector(elements: Elements): Vector;
  vectorFromArray(values: readonly boolean[], type: object): Vector;
}

const TYPES: Readonly<Record<string, DType>> = {
  Bool: 'bool',
  Int8: 'i8',
  Int16: 'i16',
  Int32: 'i32',
  Int64: 'i64',
  Uint8: 'u8',
  Uint16: 'u16',
  Uint32: 'u32',
  Uint64: 'u64',
  Float32: 'f32',
  Float64: 'f64',
};

/**
 * Reads columns of numbers from an Arrow file or stream (IPC), with the package apache-arrow. Missing values are NaN; integers that have some become
 * `f64`. A column in one piece without missing values is not copied.
 *
 * @throws NotAvailableError for a column that holds no numbers, and where the package is missing; FormatError for a damaged file.
 */
export async function readArrow(source: Source, options: ColumnsOptions = {}): Promise<Column[]> {
  const what = 'readArrow';
  const { tableFromIPC } = await loadPeer<ApacheArrow>('apache-arrow', what);
  await using file = await openSource(source, what);
  const bytes = await file.read(0, file.size);
  let table: Table;
  try {
    table = tableFromIPC(bytes);
  } catch (error) {
    throw Object.assign(malformed(file.name, `can't be read as Arrow: ${(error as Error).message}`), { cause: error });
  }
  const { fields } = table.schema;
  if (fields.length === 0)
    throw malformed(file.name, 'has no schema: it is no Arrow file, or it is cut', { byte: file.size });
  const names = wanted(
    fields.map(({ name }) => name),
    options.columns,
    file.name,
    what,
  );
  return names.map((name) => {
    const vector = table.getChild(name) as Vector;
    const type = String(vector.type);
    const dtype = TYPES[type];
    if (dtype === undefined) throw noNumbers(what, file.name, name, type);
    if (vector.nullCount === 0 && dtype !== 'bool') {
      const elements = vector.toArray() as Elements;
      if (elements.length !== table.numRows)
        throw malformed(
          file.name,
          `has ${elements.length} values in the column ${JSON.stringify(name)}, where it says ${table.numRows} rows`,
        );
      return { name, dtype, elements };
    }
    const gathered = new Gathered(name, dtype, vector.length, what);
    gathered.add([...vector], 0);
    return gathered.column;
  });
}

/** How an Arrow file is written. */
export interface ArrowOptions {
  /** `'file'`, which can be read in any order, or `'stream'`. */
  readonly format?: 'file' | 'stream';
}

/** Writes columns as an Arrow file (IPC), with the package apache-arrow. Gives the number of bytes. */
export async function writeArrow(
  target: string | URL,
  columns: readonly Column[],
  { format = 'file' }: ArrowOptions = {},
): Promise<number> {
  const what = 'writeArrow';
  checkColumns(columns, what);
  const { Table, Bool, makeVector, vectorFromArray, tableToIPC } = await loadPeer<ApacheArrow>('apache-arrow', what);
  const vectors = columns.map(({ name, dtype, elements }) => {
    const bools = dtype === 'bool' ? Array.from(elements as Uint8Array, (value) => value === 1) : undefined;
    return [name, bools === undefined ? makeVector(elements) : vectorFromArray(bools, new Bool())] as const;
  });
  return writeWhole(target, [tableToIPC(new Table(Object.fromEntries(vectors)), format)], what);
}
