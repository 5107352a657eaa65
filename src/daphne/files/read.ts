/** Reads a file as a matrix or as a frame, whichever format it has. */

import { existsSync } from 'node:fs';
import { computedHere, fromCoo } from '../../arrays/index.ts';
import type { SheafError } from '../../base/index.ts';
import { type Coded, type Coordinates, readMatrixMarket, readParquetTable, TextCodes } from '../../io/index.ts';
import { type DType, type Elements, elements } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import { scalarOfElement } from '../builtins/operands.ts';
import { elementOf } from '../builtins/wanted.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, mostGeneral, type ValueType } from '../types.ts';
import { stringsOf, type TextCells, Texts } from '../values/texts.ts';
import type { Column, Frame, Matrix, MaybeLater } from '../values/values.ts';
import { bytesOf, OpenFile } from './bytes.ts';
import { readColumns, readNumbers, readTexts } from './csv-read.ts';
import { decode, headerOf } from './dbdf.ts';
import { columnsIn, type Description, elementType, MetaFault, parseMeta } from './meta.ts';
import { sniffCsv } from './sniff.ts';

type NumberType = Exclude<ValueType, 'str'>;
const COMMA = ',';

const FORMATS = ['csv', 'mtx', 'parquet', 'dbdf'] as const;
export type Format = (typeof FORMATS)[number];

/** By the extension, in small letters as DAPHNE has it. */
export const formatOf = (path: string): Format | undefined => FORMATS.find((each) => path.endsWith(`.${each}`));

function readable(path: string): Format {
  const format = formatOf(path);
  if (format !== undefined) return format;
  throw new RunError(`the file ${path} is none that can be read: its name has to end in .csv, .mtx, .parquet or .dbdf`);
}

/** What `.meta` says; undefined: there is none. */
function metaOf(path: string): Description | undefined {
  const own = `${path}.meta`;
  if (!existsSync(own)) return undefined;
  const found = parseMeta(new TextDecoder().decode(bytesOf(own)));
  if (found instanceof MetaFault) throw new RunError(`the file ${own} does not describe a file: ${found.text}`);
  return found;
}

const EXTENT = 2 ** 31;

/** What the compiler took for granted: a `.meta` that is another one now would make nonsense of the rest of the program. */
export interface Expected {
  readonly value: ValueType | undefined;
  readonly rows: number | undefined;
  readonly columns: number | undefined;
  readonly sparse: boolean;
}

function checkExpected(path: string, matrix: Matrix, { value, rows, columns }: Expected): Matrix {
  const same =
    (value === undefined || value === matrix.value) &&
    (rows === undefined || rows === matrix.rows) &&
    (columns === undefined || columns === matrix.columns);
  if (same) return matrix;
  throw new RunError(
    `the file ${path} holds a matrix<${matrix.value}> of ${matrix.rows}x${matrix.columns}, which it did not when the script was compiled; run it again`,
  );
}

export function readMatrix(runtime: Runtime, path: string, expected: Expected): MaybeLater<Matrix> {
  const format = readable(path);
  const meta = metaOf(path);
  return then(matrixIn(runtime, path, format, meta, expected), (matrix) => checkExpected(path, matrix, expected));
}

function matrixIn(
  runtime: Runtime,
  path: string,
  format: Format,
  meta: Description | undefined,
  { sparse }: Expected,
): MaybeLater<Matrix> {
  switch (format) {
    case 'csv':
      return csvMatrix(runtime, path, meta, sparse);
    case 'mtx':
      return fromMarket(runtime, path, meta, sparse);
    case 'parquet':
      return fromParquet(path, meta).then((columns) => sideBySide(runtime, path, columns, meta));
    case 'dbdf':
      return binaryMatrix(runtime, path, meta, sparse);
  }
}

function csvMatrix(runtime: Runtime, path: string, meta: Description | undefined, sparse: boolean): Matrix {
  const own = meta ?? sniffCsv(path);
  const { rows, columns } = own;
  const value = elementType(own);
  if (value === 'str')
    return { kind: 'strings', value, rows, columns, cells: readTexts(path, { rows, columns, delimiter: COMMA }) };
  if (!sparse) {
    const cells = sniffedNumbers(path, value, own, meta === undefined);
    return runtime.matrixOf(cells, value, rows, columns);
  }
  const { nonZeros = 0 } = own;
  const pairs = readNumbers(path, 'f64', { rows: nonZeros, columns: 2, delimiter: COMMA }) as Float64Array;
  const at = (offset: number, limit: number): Int32Array =>
    Int32Array.from({ length: nonZeros }, (_, k) => {
      const place = pairs[2 * k + offset]!;
      if (Number.isInteger(place) && place >= 0 && place < limit) return place;
      throw new RunError(
        `the file ${path} names the place ${pairs[2 * k]}, ${pairs[2 * k + 1]}, which a matrix of ${rows}x${columns} has not`,
      );
    });
  const ones = elements(ELEMENT_TYPES[value], nonZeros).fill(elementOf(value, 1) as never) as Float64Array;
  return {
    kind: 'sparse',
    value,
    rows,
    columns,
    csr: computedHere(fromCoo(at(0, rows), at(1, columns), ones, [rows, columns])),
  };
}

/** Of a file without `.meta`, what comes later may not be of the type that its beginning is. */
function sniffedNumbers(path: string, value: NumberType, { rows, columns }: Description, isSniffed: boolean): Elements {
  const wanted = { rows, columns, delimiter: COMMA };
  if (!isSniffed || value !== 'si64') return readNumbers(path, value, wanted);
  const cells = readNumbers(path, 'f64', wanted) as Float64Array;
  const odd = cells.findIndex((each) => !Number.isInteger(each));
  if (odd < 0) return readNumbers(path, value, wanted);
  throw new RunError(
    `the file ${path} begins with integers, and has ${cells[odd]} in row ${Math.floor(odd / columns)}: write a ${path}.meta that says its type`,
  );
}

function binaryMatrix(runtime: Runtime, path: string, meta: Description | undefined, sparse: boolean): Matrix {
  const found = decode(bytesOf(path), path);
  if (found.kind === 'frame') throw new RunError(`the file ${path} holds a frame, and no matrix; use readFrame`);
  checkShape(path, meta, found.rows, found.columns);
  const value = (meta === undefined ? found.value : elementType(meta)) as NumberType;
  return finished(runtime, converted(found.cells, value, path), value, found.rows, found.columns, sparse);
}

function finished(
  runtime: Runtime,
  cells: Elements,
  value: NumberType,
  rows: number,
  columns: number,
  sparse: boolean,
): Matrix {
  const dense = runtime.matrixOf(cells, value, rows, columns);
  return sparse ? { kind: 'sparse', value, rows, columns, csr: computedHere(dense.array.toSparse()) } : dense;
}

function checkShape(path: string, meta: Description | undefined, rows: number, columns: number): void {
  if (meta === undefined || (meta.rows === rows && meta.columns === columns)) return;
  throw new RunError(
    `the file ${path} holds ${rows}x${columns} elements, and its .meta says ${meta.rows}x${meta.columns}`,
  );
}

/** In another element type, as a cast would have it. */
function converted(cells: Elements, value: NumberType, path: string): Elements;
function converted(cells: Column['cells'], value: ValueType, path: string): Column['cells'];
function converted(cells: Column['cells'], value: ValueType, path: string): Column['cells'] {
  if ((value === 'str') !== isTexts(cells)) {
    const [own, said] = value === 'str' ? ['numbers', value] : ['strings', value];
    throw new RunError(`the file ${path} holds ${own}, where ${said} is expected`);
  }
  if (value === 'str' || isTexts(cells)) return cells;
  const own = elements(ELEMENT_TYPES[value], 0);
  if (own.constructor === cells.constructor) return cells;
  const into = elements(ELEMENT_TYPES[value], cells.length);
  for (let i = 0; i < into.length; i++) into[i] = elementOf(value, cells[i]!);
  return into;
}

const isTexts = (cells: Column['cells']): cells is TextCells => !ArrayBuffer.isView(cells);

/** What the readers of others say of a file, as an error of the script. */
async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  // In our words, if it can't be read at all.
  new OpenFile(path).close();
  try {
    return await read();
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw new RunError(`the file ${path} can't be read: ${reasonIn(error as Error & Partial<SheafError>, path)}`);
  }
}

/** Without what only TypeScript has, such as options, and without the file, which some name, too, and maybe a line. */
function reasonIn({ message, details }: Error & Partial<SheafError>, path: string): string {
  const { column, type } = details ?? {};
  if (column !== undefined && type !== undefined)
    return `its column ${JSON.stringify(column)} is of type ${type}, and columns are numbers, bools, strings and points of time`;
  if (message.startsWith(path)) return message.slice(path.length).replace(/^:(?:(\d+):)? /, inLine);
  return message.replace(/^read\w+: /, '');
}

const inLine = (_: string, line: string | undefined): string => (line === undefined ? '' : `line ${line}: `);

const MARKET_TYPES: Partial<Record<DType, NumberType>> = { i64: 'si64', f64: 'f64' };

async function fromMarket(
  runtime: Runtime,
  path: string,
  meta: Description | undefined,
  sparse: boolean,
): Promise<Matrix> {
  const found = await reading(path, () => readMatrixMarket(path));
  const [rows, columns] = found.shape as [number, number];
  checkShape(path, meta, rows, columns);
  const value = (meta === undefined ? MARKET_TYPES[found.dtype as DType] : elementType(meta)) as NumberType;
  const cells = converted(found.elements as Elements, value, path);
  if (!('rows' in found)) return finished(runtime, cells, value, rows, columns, sparse);
  const entries = found as Coordinates;
  if (sparse && rows < EXTENT && columns < EXTENT) {
    const csr = computedHere(fromCoo(entries.rows, entries.columns, cells as Float64Array, [rows, columns]));
    return { kind: 'sparse', value, rows, columns, csr };
  }
  const all = elements(ELEMENT_TYPES[value], rows * columns) as Float64Array;
  for (let k = 0; k < cells.length; k++)
    all[entries.rows[k]! * columns + entries.columns[k]!]! += (cells as Float64Array)[k]!;
  return runtime.matrixOf(all, value, rows, columns);
}

const VALUE_TYPES_OF: Readonly<Record<DType, NumberType>> = {
  ...{ bool: 'bool', i8: 'si8', u8: 'ui8', i16: 'si32', u16: 'ui32', i32: 'si32', u32: 'ui32' },
  ...{ i64: 'si64', u64: 'ui64', f32: 'f32', f64: 'f64' },
};

interface ReadColumn {
  readonly label: string;
  readonly value: ValueType;
  readonly cells: Column['cells'];
}

const textsOf = (cells: Coded | readonly string[]): TextCells => ('codes' in cells ? Texts.of(cells) : cells);

async function fromParquet(path: string, meta: Description | undefined): Promise<ReadColumn[]> {
  const found = await reading(path, () => readParquetTable(path));
  const columns = found.map(({ name, dtype, elements: cells }): ReadColumn => {
    if (dtype === 'str') return { label: name, value: dtype, cells: textsOf(cells) };
    const value = VALUE_TYPES_OF[dtype];
    return { label: name, value, cells: converted(cells, value, path) };
  });
  checkShape(path, meta, columns[0]?.cells.length ?? 0, columns.length);
  return columns;
}

function sideBySide(
  runtime: Runtime,
  path: string,
  columns: readonly ReadColumn[],
  meta: Description | undefined,
): Matrix {
  const rows = columns[0]?.cells.length ?? 0;
  const value = meta === undefined ? columns.map((each) => each.value).reduce(mostGeneral, 'bool') : elementType(meta);
  if (value === 'str') return textsSideBySide(columns, rows);
  const all = elements(ELEMENT_TYPES[value], rows * columns.length);
  for (const [j, { cells }] of columns.entries()) {
    const own = converted(cells, value, path) as Elements;
    for (let i = 0; i < rows; i++) all[i * columns.length + j] = own[i]!;
  }
  return runtime.matrixOf(all, value, rows, columns.length);
}

/** Beside strings, numbers are what a cast makes of them. */
function textOf({ value, cells }: ReadColumn): (row: number) => string {
  if (isTexts(cells)) {
    const texts = stringsOf(cells);
    return (row) => texts[row]!;
  }
  const cast = scalarCast(value, 'str');
  return (row) => cast(scalarOfElement(cells[row]!, value)) as string;
}

function textsSideBySide(columns: readonly ReadColumn[], rows: number): Matrix {
  const own = columns.map(textOf);
  const cells = Array.from({ length: rows }, (_, i) => own.map((each) => each(i))).flat();
  return { kind: 'strings', value: 'str', rows, columns: columns.length, cells };
}

export function readFrame(path: string): MaybeLater<Frame> {
  const format = readable(path);
  const meta = metaOf(path);
  switch (format) {
    case 'csv':
      return csvFrame(path, meta ?? sniffCsv(path));
    case 'parquet':
      return fromParquet(path, meta).then((columns) => named(path, columns, meta));
    case 'dbdf':
      return binaryFrame(path, meta);
    case 'mtx':
      throw new RunError(`the file ${path} holds a matrix, and no frame; use readMatrix, and as.frame(...) of that`);
  }
}

const columnOf = (label: string, value: ValueType, cells: Column['cells']): Column =>
  (value === 'str' ? { label, value, cells } : { label, value, cells }) as Column;

const cellsOf = (cells: Elements | TextCodes): Column['cells'] =>
  cells instanceof TextCodes ? textsOf(cells.cells) : cells;

function csvFrame(path: string, own: Description): Frame {
  const { rows, columns } = own;
  const schema = columnsIn(own);
  const types = schema.map(({ value }) => value);
  const cells = readColumns(path, types, { rows, columns, delimiter: COMMA });
  return {
    kind: 'frame',
    rows,
    columns: schema.map(({ label, value }, j) => columnOf(label, value, cellsOf(cells[j]!))),
  };
}

function binaryFrame(path: string, meta: Description | undefined): Frame {
  const bytes = bytesOf(path);
  if (headerOf(bytes, path).kind === 'matrix')
    throw new RunError(`the file ${path} holds a matrix, and no frame; use readMatrix`);
  const found = decode(bytes, path);
  return named(path, (found as { columns: readonly ReadColumn[] }).columns, meta, (found as { rows: number }).rows);
}

/** With labels and types of `.meta`, if there is one. */
function named(path: string, own: readonly ReadColumn[], meta: Description | undefined, length?: number): Frame {
  const rows = length ?? own[0]?.cells.length ?? 0;
  checkShape(path, meta, rows, own.length);
  const schema = meta === undefined ? own : columnsIn(meta);
  const columns = schema.map(({ label, value }, j) => columnOf(label, value, converted(own[j]!.cells, value, path)));
  return { kind: 'frame', rows, columns };
}
