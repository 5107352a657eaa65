import { kindOf, shown, UsageError } from '../base/index.ts';
import type * as files from '../io/index.ts';
import * as io from '../io/index.ts';
import { type DType, rowMajor, shapeText } from '../nd/index.ts';
import type { Dense } from '../partitioned/index.ts';
import { type Buffer, inThread, Node, relieveThread } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkOptions } from './checks.ts';
import { isArr, nodeOf, wrap } from './lazy.ts';
import { sourceOf } from './place.ts';
import { fromCoo } from './sparse/make.ts';
import { isSparse, sparseOf, wrapSparse } from './sparse/sparse.ts';
import type { Sparse } from './sparse/types.ts';
import { persisted } from './sparse/values.ts';
import type { D } from './types.ts';
import { computeAll, computed } from './values.ts';

/** Where a file is, or its bytes. */
export type FileSource = string | URL | Uint8Array | ArrayBuffer | Blob;

/** How a text of numbers is written, and what the elements of the array are. */
export interface ReadCsvOptions<T extends D = D> extends files.CsvOptions {
  /** Default: `f64`, in which what is missing is NaN. */
  readonly dtype?: T;
}

/** The same for columns of their own. */
export interface ReadCsvColumnsOptions extends files.CsvOptions {
  /** By the names of columns. Of the others it is seen: `bool`, `i64` or `f64`. */
  readonly dtypes?: Readonly<Record<string, DType>>;
}

/** What is said of a text of numbers. */
const CSV = ['delimiter', 'header', 'comment', 'skip'];

/** Arrays of one axis and the same length, by their names. */
export type Columns = Record<string, Arr>;

const arrayOf = ({ elements, shape, dtype }: Dense): Arr => wrap(sourceOf(elements, shape, dtype));

/** What is smaller is as well in memory of its own. */
const LEAST_ROOM = 1 << 17;

/** Room for doubles in the memory of this thread, whose pages are used again: to touch new ones takes as long as to read numbers into them. */
class Room {
  readonly #made: Buffer[] = [];

  make(length: number): Float64Array {
    if (length < LEAST_ROOM) return new Float64Array(length);
    const { buffers } = inThread();
    const buffer = buffers.allocate('f64', length);
    this.#made.push(buffer);
    return buffers.view(buffer, 'write') as Float64Array;
  }

  /** Elements as an array, in the room that was made last if they are there. What else was made is let go of. */
  arrayOf(dense: Dense): Arr {
    const { elements, shape, dtype } = dense;
    const { buffers } = inThread();
    const buffer = this.#made.pop();
    this.release();
    if (buffer === undefined) return arrayOf(dense);
    const own = buffers.view(buffer, 'read');
    if (own.buffer !== elements.buffer || own.byteOffset !== elements.byteOffset) {
      buffers.release(buffer);
      return arrayOf(dense);
    }
    return wrap(new Node({ kind: 'source', buffer, offset: 0, strides: rowMajor(shape) }, shape, dtype));
  }

  release(): void {
    for (const buffer of this.#made.splice(0)) inThread().buffers.release(buffer);
  }
}

async function denseOf(operation: string, x: Arr): Promise<Dense> {
  const { node, elements } = await computed(operation, x);
  return { shape: node.shape, dtype: node.dtype, elements };
}

const columnsOf = (columns: readonly files.Column[]): Columns =>
  Object.fromEntries(
    columns.map(({ name, dtype, elements }) => [name, arrayOf({ shape: [elements.length], dtype, elements })]),
  );

/** They are computed together. */
async function listOf(operation: string, columns: Columns): Promise<files.Column[]> {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns) || isArr(columns)) {
    throw new UsageError(
      `${operation} takes an object of arrays, by the names of their columns, such as { x, y }, and not ${kindOf(columns)}`,
      { details: { operation } },
    );
  }
  for (const [name, x] of Object.entries(columns)) {
    const { shape } = nodeOf(operation, x);
    if (shape.length === 1) continue;
    throw badShapes(operation, `a column has one axis, and ${shown(name)} has the shape ${shapeText(shape)}`, shape);
  }
  await computeAll(operation, Object.values(columns));
  const list: files.Column[] = [];
  for (const [name, x] of Object.entries(columns)) {
    const { dtype, elements } = await denseOf(operation, x);
    list.push({ name, dtype, elements });
  }
  return list;
}

/**
 * Reads a file in NumPy's format NPY, of versions 1 to 3 and either order.
 *
 * @throws FormatError for a file that is none, or damaged; NotAvailableError for types that arrays don't have.
 */
export async function readNpy(source: FileSource): Promise<Arr> {
  return arrayOf(await io.readNpy(source));
}

/** Writes an array in NumPy's format NPY. Gives the number of bytes. */
export async function writeNpy(target: string | URL, x: Arr, o: files.NpyOptions = {}): Promise<number> {
  checkOptions('writeNpy', o, ['order', 'version']);
  return io.writeNpy(target, await denseOf('writeNpy', x), o);
}

/**
 * Reads a text of numbers as a matrix: a row for each record. Delimiter and header are seen in the first record. Decimal texts become the nearest
 * doubles. With an open session large files are read by all its workers.
 *
 * @throws FormatError with the line of what is no number, and of records of another width.
 */
export async function readCsv<const T extends D = 'f64'>(
  source: FileSource,
  o: ReadCsvOptions<T> = {},
): Promise<Arr<T>> {
  checkOptions('readCsv', o, [...CSV, 'dtype']);
  const dtype = o.dtype === undefined ? 'f64' : checkDType('readCsv', o.dtype);
  const room = new Room();
  try {
    return room.arrayOf(await io.readCsv(source, { ...o, dtype, make: (length) => room.make(length) })) as Arr<T>;
  } finally {
    room.release();
    // What earlier reads have left is found, if that is due, so that its room is used again.
    await relieveThread();
  }
}

/**
 * Reads a text of numbers as arrays for its columns, by the names of its header, or their numbers.
 *
 * @throws FormatError as `readCsv`.
 */
export async function readCsvColumns(source: FileSource, o: ReadCsvColumnsOptions = {}): Promise<Columns> {
  checkOptions('readCsvColumns', o, [...CSV, 'dtypes']);
  return columnsOf(await io.readCsvColumns(source, o));
}

/** Writes an array of one or two axes as text, a line for each row. Gives the number of bytes. */
export async function writeCsv(target: string | URL, x: Arr, o: files.CsvWriteOptions = {}): Promise<number> {
  checkOptions('writeCsv', o, ['delimiter', 'names']);
  return io.writeCsv(target, await denseOf('writeCsv', x), o);
}

/**
 * Reads a file of the Matrix Market: a dense one (`array`) as an array, a sparse one (`coordinate`) as a sparse matrix. Of symmetric ones both halves are
 * there.
 *
 * @throws FormatError with the line; NotAvailableError for complex matrices.
 */
export async function readMatrixMarket(source: FileSource): Promise<Arr | Sparse> {
  const found = await io.readMatrixMarket(source);
  if (!('rows' in found)) return arrayOf(found);
  const values = arrayOf({ shape: [found.elements.length], dtype: found.dtype, elements: found.elements });
  return fromCoo(found.rows, found.columns, values, found.shape);
}

/** Writes a matrix, or the entries of a sparse one, for the Matrix Market. Gives the number of bytes. */
export async function writeMatrixMarket(target: string | URL, x: Arr | Sparse): Promise<number> {
  const what = 'writeMatrixMarket';
  if (!isSparse(x)) return io.writeMatrixMarket(target, await denseOf(what, x));
  const known = wrapSparse(await persisted(sparseOf(what, x)));
  const { rows, columns, values } = known.toCoo();
  await computeAll(what, [rows, columns, values]);
  const [i, j, elements] = await Promise.all([rows.data(), columns.data(), values.data()]);
  return io.writeMatrixMarket(target, { shape: x.shape, dtype: x.dtype, rows: i, columns: j, elements });
}

/**
 * Reads columns of numbers from a Parquet file, with the package hyparquet. Missing values are NaN, and integers that have some `f64`.
 *
 * @throws NotAvailableError for columns of other types, and with the command that installs the package where it is missing.
 */
export async function readParquet(source: FileSource, o: files.ColumnsOptions = {}): Promise<Columns> {
  checkOptions('readParquet', o, ['columns']);
  return columnsOf(await io.readParquet(source, o));
}

/** Writes arrays of one axis as columns of a Parquet file, with the package hyparquet-writer. Gives the number of bytes. */
export async function writeParquet(target: string | URL, columns: Columns): Promise<number> {
  return io.writeParquet(target, await listOf('writeParquet', columns));
}

/**
 * Reads columns of numbers from an Arrow file or stream, with the package apache-arrow. Missing values are NaN, and integers that have some `f64`.
 *
 * @throws NotAvailableError as `readParquet`.
 */
export async function readArrow(source: FileSource, o: files.ColumnsOptions = {}): Promise<Columns> {
  checkOptions('readArrow', o, ['columns']);
  return columnsOf(await io.readArrow(source, o));
}

/** Writes arrays of one axis as columns of an Arrow file, with the package apache-arrow. Gives the number of bytes. */
export async function writeArrow(target: string | URL, columns: Columns, o: files.ArrowOptions = {}): Promise<number> {
  checkOptions('writeArrow', o, ['format']);
  return io.writeArrow(target, await listOf('writeArrow', columns), o);
}
