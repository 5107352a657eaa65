/**
 * Files of CSV: a comma between fields, no header, strings in quotes or not. What is plain numbers is scanned by the reader that arrays have, in
 * WebAssembly; all else goes field by field, and is read as C would.
 */

import { type Scanned, scanNumbers, TextCodes } from '../../io/index.ts';
import { type Elements, elements } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import { ELEMENT_TYPES, isFloat, isWide, type ValueType } from '../types.ts';
import { OpenFile } from './bytes.ts';
import { elementOfField } from './fields.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** What is looked for in a file. Rows that follow are not read, and neither are fields beyond the columns. */
export interface Wanted {
  readonly rows: number;
  readonly columns: number;
  readonly delimiter: string;
}

const FRACTION_OR_MORE = 1 | 4 | 8;

/** Bytes that are read at a time. */
const WINDOW = 1 << 22;

/** All elements, row by row. */
export function readNumbers(path: string, value: NumberType, wanted: Wanted): Elements {
  const { rows, columns } = wanted;
  const scanned = scannedOf(path, wanted);
  if (scanned !== undefined && fits(scanned, value)) {
    if (scanned.rows < rows) throw tooShort(path, rows, scanned.rows);
    const values = scanned.values.subarray(0, rows * columns);
    return typed(values, value, scanned.large);
  }
  const into = elements(ELEMENT_TYPES[value], rows * columns);
  eachField(path, wanted, (field, row, column) => {
    into[row * columns + column] = elementOfField(value, field);
  });
  return into;
}

/** Undefined: there is something in it that is no number, or another number of fields. */
function scannedOf(path: string, { columns, delimiter }: Wanted): Scanned | undefined {
  if (columns === 0 || /[\s\w.+"-]/.test(delimiter)) return undefined;
  // Whether it can be read at all is said here, in our words.
  new OpenFile(path).close();
  const scanned = scanNumbers(path, columns, delimiter.charCodeAt(0));
  // It passes over empty lines, which in one column are fields that are no numbers.
  return columns === 1 && scanned !== undefined && linesIn(path) !== scanned.rows ? undefined : scanned;
}

function linesIn(path: string): number {
  const file = new OpenFile(path);
  try {
    const window = new Uint8Array(Math.min(WINDOW, file.size));
    let lines = 0;
    let last = 10;
    for (let at = 0; at < file.size; ) {
      const read = file.read(window, at);
      if (read === 0) break;
      for (let i = 0; i < read; i++) if (window[i] === 10) lines++;
      last = window[read - 1]!;
      at += read;
    }
    return last === 10 ? lines : lines + 1;
  } finally {
    file.close();
  }
}

/** Whole numbers in a type of integers; all that are numbers in floats. */
const fits = ({ kinds }: Scanned, value: NumberType): boolean =>
  isFloat(value) || kinds.every((kind) => (kind & FRACTION_OR_MORE) === 0);

function typed(values: Float64Array, value: NumberType, large: ReadonlyMap<number, bigint>): Elements {
  // Its room may be larger than what is in it.
  if (value === 'f64') return values.length * 8 === values.buffer.byteLength ? values : values.slice();
  if (!isWide(value)) {
    const own = elements(ELEMENT_TYPES[value], values.length);
    for (let i = 0; i < own.length; i++) own[i] = values[i]!;
    return own;
  }
  const own = elements(ELEMENT_TYPES[value], values.length);
  for (let i = 0; i < own.length; i++) own[i] = BigInt(values[i]!);
  for (const [at, exact] of large) if (at < own.length) own[at] = exact;
  return own;
}

/** Cells row by row. */
export function readTexts(path: string, wanted: Wanted): string[] {
  const cells = new Array<string>(wanted.rows * wanted.columns);
  eachField(path, wanted, (field, row, column) => {
    cells[row * wanted.columns + column] = field;
  });
  return cells;
}

/** Column by column. */
export function readColumns(path: string, types: readonly ValueType[], wanted: Wanted): (Elements | TextCodes)[] {
  const { rows, columns } = wanted;
  if (!types.includes('str')) {
    const scanned = scannedOf(path, wanted);
    const whole = scanned?.kinds.every((kind, i) => isFloat(types[i]!) || (kind & FRACTION_OR_MORE) === 0);
    if (scanned !== undefined && whole === true) {
      if (scanned.rows < rows) throw tooShort(path, rows, scanned.rows);
      return types.map((value, column) => oneColumn(scanned, value as NumberType, column, rows));
    }
  }
  const made = types.map((value) => (value === 'str' ? new TextCodes(rows) : elements(ELEMENT_TYPES[value], rows)));
  eachField(path, { ...wanted, columns }, (field, row, column) => {
    const [own, value] = [made[column]!, types[column]!];
    if (own instanceof TextCodes) own.set(row, field);
    else own[row] = elementOfField(value as NumberType, field);
  });
  return made;
}

function oneColumn({ values, columns, large }: Scanned, value: NumberType, column: number, rows: number): Elements {
  const own = elements(ELEMENT_TYPES[value], rows);
  if (isWide(value)) {
    for (let i = 0, at = column; i < rows; i++, at += columns) own[i] = BigInt(values[at]!);
    for (const [at, exact] of large)
      if (at % columns === column && at < rows * columns) own[(at - column) / columns] = exact;
  } else for (let i = 0, at = column; i < rows; i++, at += columns) own[i] = values[at]!;
  return own;
}

const tooShort = (path: string, wanted: number, found: number): RunError =>
  new RunError(`the file ${path} has ${found} rows, and ${wanted} are expected`);

/** Calls for each field of the rows that are wanted. */
function eachField(
  path: string,
  { rows, columns, delimiter }: Wanted,
  take: (field: string, row: number, column: number) => void,
): void {
  if (rows === 0 || columns === 0) return void new OpenFile(path).close();
  const file = new OpenFile(path);
  try {
    const decoder = new TextDecoder();
    const window = new Uint8Array(WINDOW);
    let text = '';
    let row = 0;
    for (let at = 0; row < rows; ) {
      const read = file.read(window, at);
      at += read;
      const isLast = read < window.length;
      text += decoder.decode(window.subarray(0, read), { stream: !isLast });
      let from = 0;
      for (; row < rows; row++) {
        const next = record(text, from, delimiter, columns, isLast, row, take, path);
        if (next === undefined) break;
        from = next;
      }
      if (isLast && row < rows) throw tooShort(path, rows, row);
      text = text.slice(from);
    }
  } finally {
    file.close();
  }
}

/** Takes a record that begins at `from`; says where the next one does. Undefined: it does not end in this text, and was taken in part. */
function record(
  text: string,
  from: number,
  delimiter: string,
  columns: number,
  isLast: boolean,
  row: number,
  take: (field: string, row: number, column: number) => void,
  path: string,
): number | undefined {
  if (from >= text.length) return undefined;
  const separator = delimiter.charCodeAt(0);
  let i = from;
  for (let column = 0; ; column++) {
    let field: string;
    if (text.charCodeAt(i) === 34) {
      const end = closingQuote(text, i + 1);
      if (end < 0) {
        if (!isLast) return undefined;
        throw new RunError(`the file ${path} ends within quotes, which begin in row ${row}`);
      }
      field = text.slice(i + 1, end).replaceAll('""', '"');
      i = end + 1;
      // What is between the quote and the end of the field says nothing.
      while (i < text.length && text.charCodeAt(i) !== separator && text.charCodeAt(i) !== 10) i++;
    } else {
      const begin = i;
      while (i < text.length && text.charCodeAt(i) !== separator && text.charCodeAt(i) !== 10) i++;
      const end = text.charCodeAt(i) === 10 && text.charCodeAt(i - 1) === 13 && i > begin ? i - 1 : i;
      field = text.slice(begin, end);
    }
    const isEnd = i >= text.length;
    if (isEnd && !isLast) return undefined;
    if (column < columns) take(field, row, column);
    if (isEnd || text.charCodeAt(i) === 10) {
      if (column < columns - 1)
        throw new RunError(`the file ${path} has ${column + 1} fields in row ${row}, and ${columns} are expected`);
      return Math.min(i + 1, text.length);
    }
    i++;
  }
}

/** The quote that ends a string; two are one that is in it. */
function closingQuote(text: string, from: number): number {
  for (let i = text.indexOf('"', from); i >= 0; i = text.indexOf('"', i + 2))
    if (text.charCodeAt(i + 1) !== 34) return i;
  return -1;
}
