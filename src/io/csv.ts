import { kindOf, shown, UsageError } from '../base/index.ts';
import { DTYPE_NAMES, DTYPES, type DType, type Elements, isDType } from '../nd/index.ts';
import type { Dense } from '../partitioned/index.ts';
import { converted, Unfit } from './convert.ts';
import { type Head, readHead } from './csv-head.ts';
import { scanAll, type Wanted } from './csv-parts.ts';
import { BOOLEAN, type Dialect, FRACTION, type MakeRoom, MISSING, ScanFault, type Scanned } from './csv-scan.ts';
import { plainRows } from './plain.ts';
import { type Bytes, malformed, openSource, type Source } from './source.ts';
import { writeWhole } from './target.ts';
import { numberText } from './text.ts';

/** How a file of numbers is written. What is not said is seen in the first record. */
export interface CsvOptions {
  /** What is between fields: one character; a blank stands for any run of blanks and tabs. */
  readonly delimiter?: string;
  /** Whether the first record has names. Without it, whether it has a field that is no number. */
  readonly header?: boolean;
  /** What begins a comment, to the end of the line: one character. */
  readonly comment?: string;
  /** Lines at the beginning that are left out. */
  readonly skip?: number;
}

/** A matrix, and the names of its columns. */
export interface CsvArray extends Dense {
  /** Undefined where the file has none. */
  readonly names: readonly string[] | undefined;
}

/** One column of a file. */
export interface CsvColumn {
  /** From the header, or its number. */
  readonly name: string;
  /** Of its elements. */
  readonly dtype: DType;
  /** One for each record. */
  readonly elements: Elements;
}

/**
 * Reads a text of numbers as a matrix: a record for each row. Fields without value (empty, `NA`, `null` and the like) are NaN. Decimal texts become
 * the nearest double; whole numbers are exact in types of integers. With an open session large files are read by all its workers. `make`: makes the room
 * that doubles are put in, which may be more than they need.
 *
 * @throws FormatError that says the line for what is no number, and for records of another width.
 */
export async function readCsv(
  source: Source,
  options: CsvOptions & { readonly dtype?: DType; readonly make?: MakeRoom } = {},
): Promise<CsvArray> {
  const { dtype = 'f64', make } = options;
  checkDtype(dtype, 'readCsv');
  await using file = await openSource(source, 'readCsv');
  const wanted = { exact: DTYPES[dtype].kind !== 'float', make: dtype === 'f64' ? make : undefined };
  const { head, dialect, scanned } = await read(file, options, dtype === 'bool', wanted, 'readCsv');
  const elements = converted(scanned.values, dtype, scanned.large);
  if (elements instanceof Unfit) throw await misfit(file, head, dialect, elements, scanned.columns);
  return { shape: [scanned.rows, scanned.columns], dtype, elements, names: head.names };
}

/**
 * Reads a text of numbers column by column. Types are those of `dtypes`; of other columns they are seen in the fields: `bool` where all are true or false,
 * `i64` where all are whole numbers that it holds, otherwise `f64`.
 *
 * @throws FormatError that says the line for what is no number, and for records of another width.
 */
export async function readCsvColumns(
  source: Source,
  options: CsvOptions & { readonly dtypes?: Readonly<Record<string, DType>> } = {},
): Promise<CsvColumn[]> {
  const { dtypes = {} } = options;
  for (const dtype of Object.values(dtypes)) checkDtype(dtype, 'readCsvColumns');
  await using file = await openSource(source, 'readCsvColumns');
  const { head, dialect, scanned } = await read(file, options, true, { exact: true }, 'readCsvColumns');
  const names = head.names ?? Array.from({ length: scanned.columns }, (_, i) => String(i));
  const unknown = Object.keys(dtypes).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `readCsvColumns: there is no column ${shown(unknown)} in ${file.name}; it has ${names.slice(0, 20).join(', ')}`,
    );
  }
  const columns: CsvColumn[] = [];
  for (const [i, name] of names.entries()) {
    const dtype = dtypes[name] ?? seenType(scanned, i);
    const elements = converted(scanned.values, dtype, scanned.large, i, scanned.columns);
    if (elements instanceof Unfit) throw await misfit(file, head, dialect, elements, scanned.columns);
    columns.push({ name, dtype, elements });
  }
  return columns;
}

function seenType({ kinds, large, columns }: Scanned, column: number): DType {
  const seen = kinds[column] as number;
  if ((seen & ~BOOLEAN) === 0 && seen !== 0) return 'bool';
  if ((seen & (FRACTION | MISSING | BOOLEAN)) !== 0 || seen === 0) return 'f64';
  for (const [at, value] of large) if (at % columns === column && BigInt.asIntN(64, value) !== value) return 'f64';
  return 'i64';
}

interface Read {
  readonly head: Head;
  readonly dialect: Dialect;
  readonly scanned: Scanned;
}

async function read(file: Bytes, options: CsvOptions, booleans: boolean, wanted: Wanted, what: string): Promise<Read> {
  const comment = characterOf(options.comment, 'comment', what)?.charCodeAt(0) ?? -1;
  const delimiter = characterOf(options.delimiter, 'delimiter', what);
  const { skip = 0, header } = options;
  if (!Number.isSafeInteger(skip) || skip < 0)
    throw new UsageError(`${what}: skip is ${shown(skip)}; give a number of lines`);
  const head = await headOf(file, { delimiter, comment, header, skip });
  const dialect = { delimiter: head.delimiter, comment, booleans };
  try {
    return { head, dialect, scanned: await scanAll(file, head, dialect, wanted) };
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    throw malformed(file.name, error.text, { line: await lineOf(file, error.at), byte: error.at });
  }
}

async function headOf(file: Bytes, options: Parameters<typeof readHead>[2]): Promise<Head> {
  for (let size = 1 << 16; ; size *= 4) {
    const bytes = await file.read(0, Math.min(size, file.size));
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
      throw malformed(file.name, 'is UTF-16; convert it to UTF-8', { byte: 0 });
    }
    const head = readHead(bytes, size >= file.size, options);
    if (head !== undefined) return head;
  }
}

/** The line of a byte, counted only when somebody has to be told. */
async function lineOf(file: Bytes, byte: number): Promise<number> {
  let line = 1;
  for (let from = 0; from < byte; from += 1 << 24) {
    const bytes = await file.read(from, Math.min(byte, from + (1 << 24)));
    for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) line++;
  }
  return line;
}

async function misfit(
  file: Bytes,
  head: Head,
  { comment, delimiter }: Dialect,
  { at, text }: Unfit,
  columns: number,
): Promise<Error> {
  const bytes = await file.read(head.start, file.size);
  let left = Math.floor(at / columns);
  let i = 0;
  for (; i < bytes.length; i = bytes.indexOf(10, i) + 1 || bytes.length) {
    let first = i;
    if (delimiter === 32) while (bytes[first] === 32 || bytes[first] === 9) first++;
    const c = bytes[first];
    if (c === 10 || c === 13 || c === comment) continue;
    if (left-- === 0) break;
  }
  const line = await lineOf(file, head.start + i);
  return malformed(file.name, `field ${(at % columns) + 1}: ${text}`, { line });
}

function characterOf(value: unknown, name: string, what: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length === 1 && value.charCodeAt(0) < 128 && !/[\w.+\-"\r\n]/.test(value))
    return value;
  throw new UsageError(
    `${what}: ${name} is ${typeof value === 'string' ? shown(value) : kindOf(value)}; give one character that numbers don't have`,
  );
}

function checkDtype(dtype: unknown, what: string): void {
  if (!isDType(dtype))
    throw new UsageError(`${what}: ${shown(dtype)} is no type of elements; give one of ${DTYPE_NAMES.join(', ')}`);
}

/** How a matrix is written. */
export interface CsvWriteOptions {
  /** Between fields. Default: a comma. */
  readonly delimiter?: string;
  /** Of the columns, in the first line. */
  readonly names?: readonly string[];
}

/**
 * Writes a matrix, or an array of one axis as one column, as text: numbers in so few digits that they are read as the same again, `nan` for what
 * is none, `true` and `false`. Gives the number of bytes.
 */
export async function writeCsv(target: string | URL, array: Dense, options: CsvWriteOptions = {}): Promise<number> {
  return writeWhole(target, csvText(array, options), 'writeCsv');
}

/** The text of such a file, line by line. */
export function* csvText(array: Dense, options: CsvWriteOptions = {}): IterableIterator<string> {
  const delimiter = characterOf(options.delimiter, 'delimiter', 'writeCsv') ?? ',';
  const { names } = options;
  const { shape, dtype, elements } = plainRows(array, 'writeCsv');
  if (shape.length !== 1 && shape.length !== 2) {
    throw new UsageError(`writeCsv: the array has ${shape.length} axes; give one of 1 or 2`, {
      code: 'ERR_SHEAF_SHAPE',
    });
  }
  const [rows, columns = 1] = shape as [number, number?];
  if (names !== undefined) {
    if (names.length !== columns)
      throw new UsageError(`writeCsv: there are ${names.length} names for ${columns} columns`);
    yield `${names.map((name) => (/^[\w .-]+$/.test(name) && name === name.trim() ? name : `"${name.replaceAll('"', '""')}"`)).join(delimiter)}\n`;
  }
  for (let i = 0; i < rows; i++) {
    let line = '';
    for (let j = 0; j < columns; j++) {
      const value = elements[i * columns + j] as number | bigint;
      line += `${j === 0 ? '' : delimiter}${dtype === 'bool' ? value === 1 : numberText(value)}`;
    }
    yield `${line}\n`;
  }
}
