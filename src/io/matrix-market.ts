import { NotAvailableError, UsageError } from '../base/index.ts';
import { DTYPES, type DType, type Elements, elements } from '../nd/index.ts';
import type { Dense } from '../partitioned/index.ts';
import { converted, Unfit } from './convert.ts';
import { withNewline } from './csv-part.ts';
import { type Dialect, ScanFault, type Scanned, scan } from './csv-scan.ts';
import { plainRows } from './plain.ts';
import { type Bytes, malformed, openSource, type Source } from './source.ts';
import { writeWhole } from './target.ts';
import { numberText } from './text.ts';

/** A sparse matrix by its entries: `elements[k]` is at `rows[k]`, `columns[k]`, counted from 0. */
export interface Coordinates {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The type of the elements. */
  readonly dtype: DType;
  /** Of each entry. */
  readonly rows: Int32Array;
  /** Of each entry. */
  readonly columns: Int32Array;
  /** Its value. */
  readonly elements: Elements;
}

type Symmetry = 'general' | 'symmetric' | 'skew-symmetric';

interface Banner {
  readonly format: 'array' | 'coordinate';
  readonly field: 'real' | 'integer' | 'pattern';
  readonly symmetry: Symmetry;
  /** Bytes up to the line of sizes. */
  readonly start: number;
}

const PERCENT = 37;
const DIALECT: Dialect = { delimiter: 32, comment: PERCENT, booleans: false };

/**
 * Reads a file of the Matrix Market: `coordinate` as the entries of a sparse matrix, in their order; `array` as a matrix. Of symmetric and skew-symmetric ones
 * the other half is there as well, after the entries of the file. Integers are `i64`, reals `f64`, and entries of a pattern are 1.
 *
 * @throws FormatError that says the line; NotAvailableError for complex and hermitian matrices.
 */
export async function readMatrixMarket(source: Source): Promise<Coordinates | Dense> {
  await using file = await openSource(source, 'readMatrixMarket');
  const bytes = withNewline(await file.read(0, file.size));
  const banner = bannerOf(bytes, file);
  const { format, field, symmetry } = banner;
  const sizes = format === 'array' ? 2 : 3;
  const { end, values } = sizesOf(bytes, banner, sizes, file);
  const [rows, columns, entries = 0] = values;
  if (symmetry !== 'general' && rows !== columns) {
    throw malformed(file.name, `is ${symmetry}, and has ${rows} rows and ${columns} columns`, {
      line: lineAt(bytes, end - 1),
    });
  }
  const width = format === 'array' ? 1 : field === 'pattern' ? 2 : 3;
  const scanned = scanEntries(bytes, end, width, file);
  const expected = format === 'array' ? storedIn(rows as number, columns as number, symmetry) : entries;
  if (scanned.rows !== expected) {
    throw malformed(file.name, `has ${scanned.rows} entries, where its sizes say ${expected}`, {
      line: lineAt(bytes, end - 1),
    });
  }
  const dtype: DType = field === 'integer' ? 'i64' : 'f64';
  if (format === 'array') {
    const stored = typed(scanned, 0, dtype, file, bytes, end);
    return unfolded(stored, rows as number, columns as number, dtype, symmetry);
  }
  const i = places(scanned, 0, rows as number, 'row', file, bytes, end);
  const j = places(scanned, 1, columns as number, 'column', file, bytes, end);
  const own = field === 'pattern' ? new Float64Array(entries).fill(1) : typed(scanned, 2, dtype, file, bytes, end);
  const shape = [rows, columns] as [number, number];
  return symmetry === 'general'
    ? { shape, dtype, rows: i, columns: j, elements: own }
    : mirrored({ shape, dtype, rows: i, columns: j, elements: own }, symmetry, file);
}

function bannerOf(bytes: Uint8Array, file: Bytes): Banner {
  const first = bytes.indexOf(10);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(first, 200)).toString('latin1');
  const [mark, object, format, field, symmetry] = text.trim().toLowerCase().split(/\s+/);
  if (mark !== '%%matrixmarket') throw malformed(file.name, 'does not begin with %%MatrixMarket', { line: 1 });
  const fail = (what: string): Error =>
    malformed(file.name, `the banner says ${what}: ${JSON.stringify(text.trim())}`, { line: 1 });
  if (object !== 'matrix') throw fail(`${object ?? 'nothing'}, and not matrix`);
  if (format !== 'array' && format !== 'coordinate') throw fail(`neither array nor coordinate`);
  if (field === 'complex' || symmetry === 'hermitian') {
    throw new NotAvailableError(
      `readMatrixMarket: ${file.name} holds a ${field === 'complex' ? 'complex' : 'hermitian'} matrix, and arrays here have no complex numbers`,
    );
  }
  const [known, sym] = [field === 'double' ? 'real' : field, symmetry];
  if (known !== 'real' && known !== 'integer' && known !== 'pattern') throw fail(`no field that there is`);
  if (sym !== 'general' && sym !== 'symmetric' && sym !== 'skew-symmetric') throw fail(`no symmetry that there is`);
  if (known === 'pattern' && (format === 'array' || sym === 'skew-symmetric'))
    throw fail(`pattern, which that can't be`);
  return { format, field: known, symmetry: sym, start: first + 1 };
}

/** The first line after the comments. */
function sizesOf(bytes: Uint8Array, { start }: Banner, count: number, file: Bytes): { end: number; values: number[] } {
  for (let from = start; from < bytes.length; ) {
    const end = bytes.indexOf(10, from) + 1;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(end - from, 200))
      .toString('latin1')
      .trim();
    if (text !== '' && !text.startsWith('%')) {
      const values = text.split(/\s+/).map((each) => (/^\d+$/.test(each) ? Number(each) : Number.NaN));
      const good =
        values.length === count && values.every(Number.isSafeInteger) && values.slice(0, 2).every((n) => n < 2 ** 31);
      if (!good)
        throw malformed(
          file.name,
          `has the sizes ${JSON.stringify(text.slice(0, 60))}, where ${count} numbers are expected`,
          { line: lineAt(bytes, from) },
        );
      return { end, values };
    }
    from = end;
  }
  throw malformed(file.name, 'ends before its sizes', { line: lineAt(bytes, bytes.length) });
}

function scanEntries(bytes: Uint8Array, start: number, width: number, file: Bytes): Scanned {
  try {
    return scan(bytes, start, bytes.length, width, DIALECT);
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    throw malformed(file.name, error.text, { line: lineAt(bytes, error.at), byte: error.at });
  }
}

function lineAt(bytes: Uint8Array, byte: number): number {
  let line = 1;
  for (let i = bytes.indexOf(10); i >= 0 && i < byte; i = bytes.indexOf(10, i + 1)) line++;
  return line;
}

/** The line of an entry, for messages. */
function lineOfEntry(bytes: Uint8Array, start: number, entry: number): number {
  let left = entry;
  for (let from = start; from < bytes.length; from = bytes.indexOf(10, from) + 1) {
    let first = from;
    while (bytes[first] === 32 || bytes[first] === 9) first++;
    if (bytes[first] === 10 || bytes[first] === 13 || bytes[first] === PERCENT) continue;
    if (left-- === 0) return lineAt(bytes, from);
  }
  return lineAt(bytes, bytes.length);
}

function typed(
  { values, large, columns }: Scanned,
  column: number,
  dtype: DType,
  file: Bytes,
  bytes: Uint8Array,
  start: number,
): Elements {
  const found = converted(values, dtype, large, column, columns);
  if (!(found instanceof Unfit)) return found;
  throw malformed(file.name, found.text, { line: lineOfEntry(bytes, start, Math.floor(found.at / columns)) });
}

/** They are counted from 1 in files. */
function places(
  { values, columns }: Scanned,
  column: number,
  size: number,
  what: string,
  file: Bytes,
  bytes: Uint8Array,
  start: number,
): Int32Array {
  const found = new Int32Array(values.length / columns);
  for (let k = 0, at = column; k < found.length; k++, at += columns) {
    const place = values[at] as number;
    if (!Number.isInteger(place) || place < 1 || place > size) {
      throw malformed(file.name, `names ${what} ${place}, where there are 1 to ${size}`, {
        line: lineOfEntry(bytes, start, k),
      });
    }
    found[k] = place - 1;
  }
  return found;
}

const storedIn = (rows: number, columns: number, symmetry: Symmetry): number =>
  symmetry === 'general'
    ? rows * columns
    : symmetry === 'symmetric'
      ? (rows * (rows + 1)) / 2
      : (rows * (rows - 1)) / 2;

/** Columns one after the other, of which symmetric matrices have the part from the diagonal on. */
function unfolded(stored: Elements, rows: number, columns: number, dtype: DType, symmetry: Symmetry): Dense {
  const all = elements(dtype, rows * columns);
  let k = 0;
  for (let j = 0; j < columns; j++) {
    const first = symmetry === 'general' ? 0 : symmetry === 'symmetric' ? j : j + 1;
    for (let i = first; i < rows; i++) {
      const value = stored[k++] as never;
      all[i * columns + j] = value;
      if (symmetry !== 'general' && i !== j)
        all[j * columns + i] = (symmetry === 'symmetric' ? value : -value) as never;
    }
  }
  return { shape: [rows, columns], dtype, elements: all };
}

function mirrored(half: Coordinates, symmetry: Symmetry, file: Bytes): Coordinates {
  const { rows, columns, dtype } = half;
  const others: number[] = [];
  for (const [k, row] of rows.entries()) {
    if (row !== columns[k]) others.push(k);
    else if (symmetry === 'skew-symmetric' && Number(half.elements[k]) !== 0) {
      throw malformed(
        file.name,
        `is skew-symmetric, and has ${half.elements[k]} at (${row + 1}, ${row + 1}), where 0 has to be`,
      );
    }
  }
  const count = rows.length + others.length;
  const [i, j, values] = [new Int32Array(count), new Int32Array(count), elements(dtype, count)];
  i.set(rows);
  j.set(columns);
  values.set(half.elements as never);
  for (const [at, k] of others.entries()) {
    i[rows.length + at] = columns[k] as number;
    j[rows.length + at] = rows[k] as number;
    const value = half.elements[k] as never;
    values[rows.length + at] = (symmetry === 'symmetric' ? value : -value) as never;
  }
  return { shape: half.shape, dtype, rows: i, columns: j, elements: values };
}

/** Writes a matrix, or the entries of a sparse one, for the Matrix Market. Gives the number of bytes. */
export async function writeMatrixMarket(
  target: string | URL,
  matrix: Dense | Coordinates,
  comment = '',
): Promise<number> {
  return writeWhole(target, matrixMarketText(matrix, comment), 'writeMatrixMarket');
}

/** The text of such a file, piece by piece. */
export function* matrixMarketText(matrix: Dense | Coordinates, comment = ''): IterableIterator<string> {
  const sparse = 'rows' in matrix;
  const { shape, dtype } = matrix;
  if (shape.length !== 2) {
    throw new UsageError(`writeMatrixMarket: the array has ${shape.length} axes; a matrix has 2`, {
      code: 'ERR_SHEAF_SHAPE',
    });
  }
  const field = DTYPES[dtype].kind === 'float' ? 'real' : 'integer';
  yield `%%MatrixMarket matrix ${sparse ? 'coordinate' : 'array'} ${field} general\n`;
  for (const line of comment === '' ? [] : comment.split('\n')) yield `%${line}\n`;
  const [m, n] = shape as [number, number];
  if (sparse) {
    const { rows, columns, elements: own } = matrix;
    yield `${m} ${n} ${own.length}\n`;
    for (let k = 0; k < own.length; k++)
      yield `${(rows[k] as number) + 1} ${(columns[k] as number) + 1} ${numberText(own[k] as number)}\n`;
    return;
  }
  const { elements: own } = plainRows(matrix, 'writeMatrixMarket');
  yield `${m} ${n}\n`;
  for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) yield `${numberText(own[i * n + j] as number)}\n`;
}
