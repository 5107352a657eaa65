/**
 * DAPHNE's binary format: a header, and blocks of elements with their places, in little endian. One block is written; any number of them, of each
 * kind that the format knows, is read.
 *
 * The format's page numbers value types otherwise than DAPHNE does, which writes the numbers of its own list. Both are read: of the two types that
 * a number may mean, only one uses up the file.
 */

import { type Elements, elements } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import { elementOf } from '../builtins/wanted.ts';
import { ELEMENT_TYPES, type ValueType } from '../types.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** As DAPHNE numbers them. */
const OWN: readonly NumberType[] = ['si8', 'si32', 'si64', 'ui8', 'ui32', 'ui64', 'f32', 'f64'];

/** As the page does; there are no integers of 16 bits here. */
const PAGE: Readonly<Record<number, NumberType>> = {
  ...{ 1: 'ui8', 3: 'ui32', 4: 'ui64', 5: 'si8', 7: 'si32', 8: 'si64', 9: 'f32', 10: 'f64' },
};

const SIZES: Readonly<Record<NumberType, number>> = {
  ...{ bool: 1, si8: 1, ui8: 1, si32: 4, ui32: 4, f32: 4, si64: 8, ui64: 8, size: 8, f64: 8 },
};

const DENSE = 1;
const SPARSE = 2;
const FRAME = 3;
const BLOCK = { empty: 0, dense: 1, sparse: 2, coordinates: 3 } as const;
const MATRIX_HEADER = 19;
const BLOCK_HEADER = 16 + 9;

export interface BinaryColumn {
  readonly label: string;
  readonly value: NumberType;
  readonly cells: Elements;
}

export type Binary =
  | {
      readonly kind: 'matrix';
      readonly rows: number;
      readonly columns: number;
      readonly value: NumberType;
      readonly cells: Elements;
    }
  | { readonly kind: 'frame'; readonly rows: number; readonly columns: readonly BinaryColumn[] };

/** What a header says, before anything else is read. */
export interface Header {
  readonly kind: 'matrix' | 'frame';
  readonly rows: number;
  readonly columns: number;
}

export function headerOf(bytes: Uint8Array, path: string): Header {
  const reader = new Reader(bytes, path);
  const version = reader.byte();
  if (version !== 1) throw reader.wrong(`has version ${version} of the binary format, and 1 is known`);
  const type = reader.byte();
  if (type !== DENSE && type !== SPARSE && type !== FRAME)
    throw reader.wrong(`holds data of the type ${type}, which is not known`);
  return { kind: type === FRAME ? 'frame' : 'matrix', rows: reader.length(), columns: reader.length() };
}

class Reader {
  readonly #view: DataView;
  readonly #path: string;
  at = 0;

  constructor(bytes: Uint8Array, path: string) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#path = path;
  }

  get left(): number {
    return this.#view.byteLength - this.at;
  }

  #take(size: number): number {
    if (this.left < size) throw this.wrong(`ends at byte ${this.#view.byteLength}, and has to go on`);
    const at = this.at;
    this.at += size;
    return at;
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  short(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  length(): number {
    const length = Number(this.#view.getBigUint64(this.#take(8), true));
    if (Number.isSafeInteger(length)) return length;
    throw this.wrong(`says ${length}, where a number of rows or the like has to be`);
  }

  text(size: number): string {
    const at = this.#take(size);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, size));
  }

  element(value: NumberType): number | bigint {
    const at = this.#take(SIZES[value]);
    const view = this.#view;
    switch (value) {
      case 'si8':
        return view.getInt8(at);
      case 'si32':
        return view.getInt32(at, true);
      case 'ui32':
        return view.getUint32(at, true);
      case 'si64':
        return view.getBigInt64(at, true);
      case 'ui64':
      case 'size':
        return view.getBigUint64(at, true);
      case 'f32':
        return view.getFloat32(at, true);
      case 'f64':
        return view.getFloat64(at, true);
      default:
        return view.getUint8(at);
    }
  }

  /** So many elements at once. */
  elements(value: NumberType, count: number): Elements {
    const at = this.#take(count * SIZES[value]);
    // Copied, for the sake of alignment.
    const bytes = new Uint8Array(count * SIZES[value]);
    bytes.set(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, bytes.length));
    const own = elements(ELEMENT_TYPES[value], 0).constructor as new (buffer: ArrayBuffer) => Elements;
    return new own(bytes.buffer);
  }

  wrong(text: string): RunError {
    return new RunError(`the file ${this.#path} ${text}`);
  }
}

/** What numbers of types mean. */
type Numbering = (code: number) => NumberType | undefined;

const NUMBERINGS: readonly Numbering[] = [(code) => OWN[code], (code) => PAGE[code]];

function typeOf(reader: Reader, numbering: Numbering): NumberType {
  const code = reader.byte();
  const type = numbering(code);
  if (type === undefined)
    throw new UnknownType(reader.wrong(`has elements of the type ${code}, which is not known`).message);
  return type;
}

class UnknownType extends RunError {}

/** By the first list of numbers with which all of the file is used up. */
export function decode(bytes: Uint8Array, path: string): Binary {
  const { kind, rows, columns } = headerOf(bytes, path);
  let fault: unknown;
  for (const numbering of NUMBERINGS) {
    const reader = new Reader(bytes, path);
    reader.at = MATRIX_HEADER - 1;
    try {
      return kind === 'matrix'
        ? decodeMatrix(reader, rows, columns, numbering)
        : decodeFrame(reader, rows, columns, numbering);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      // What a list that knows the types has to say is worth more.
      if (fault === undefined || fault instanceof UnknownType) fault = error;
    }
  }
  throw fault;
}

function decodeMatrix(reader: Reader, rows: number, columns: number, numbering: Numbering): Binary {
  const value = typeOf(reader, numbering);
  let cells: Elements | undefined;
  let filled = 0;
  while (reader.left > 0) {
    const [top, side] = [reader.length(), reader.length()];
    const [height, width, block] = [reader.word(), reader.word(), reader.byte()];
    if (top + height > rows || side + width > columns)
      throw reader.wrong(
        `has a block of ${height}x${width} at [${top}, ${side}], and the matrix is ${rows}x${columns}`,
      );
    filled += height * width;
    if (block === BLOCK.empty) continue;
    // A block may have a type of its own.
    const own = typeOf(reader, numbering);
    if (block === BLOCK.dense && own === value && height === rows && width === columns) {
      cells = reader.elements(own, rows * columns);
      continue;
    }
    cells ??= elements(ELEMENT_TYPES[value], rows * columns);
    const into = cells;
    readBlock(reader, block, own, height, width, (i, j, element) => {
      if (i >= height || j >= width)
        throw reader.wrong(`has an element at [${i}, ${j}] of a block of ${height}x${width}`);
      into[(top + i) * columns + side + j] = elementOf(value, element);
    });
  }
  if (filled !== rows * columns) throw reader.wrong(`has ${filled} elements, and ${rows}x${columns} are expected`);
  return { kind: 'matrix', rows, columns, value, cells: cells ?? elements(ELEMENT_TYPES[value], rows * columns) };
}

function readBlock(
  reader: Reader,
  block: number,
  own: NumberType,
  height: number,
  width: number,
  put: (i: number, j: number, element: number | bigint) => void,
): void {
  switch (block) {
    case BLOCK.dense: {
      const cells = reader.elements(own, height * width);
      for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) put(i, j, cells[i * width + j]!);
      return;
    }
    case BLOCK.sparse: {
      reader.length();
      for (let i = 0; i < height; i++)
        for (let left = reader.word(); left > 0; left--) put(i, reader.word(), reader.element(own));
      return;
    }
    case BLOCK.coordinates:
      for (let left = reader.word(); left > 0; left--) {
        const i = reader.word();
        put(i, width === 1 ? 0 : reader.word(), reader.element(own));
      }
      return;
    default:
      throw reader.wrong(`has a block of the kind ${block}, which is not known`);
  }
}

/** Row by row, without a block's header, as DAPHNE writes it. */
function decodeFrame(reader: Reader, rows: number, columns: number, numbering: Numbering): Binary {
  const types: NumberType[] = [];
  for (let j = 0; j < columns; j++) types.push(typeOf(reader, numbering));
  const labels = types.map(() => reader.text(reader.short()));
  reader.length();
  reader.length();
  const expected = rows * types.reduce((sum, each) => sum + SIZES[each], 0);
  if (reader.left !== expected) throw reader.wrong(`has ${reader.left} bytes of rows, and ${expected} are expected`);
  const cells = types.map((value) => elements(ELEMENT_TYPES[value], rows));
  for (let i = 0; i < rows; i++) for (const [j, value] of types.entries()) cells[j]![i] = reader.element(value);
  return {
    kind: 'frame',
    rows,
    columns: types.map((value, j) => ({ label: labels[j]!, value, cells: cells[j]! })),
  };
}

function header(type: number, rows: number, columns: number, more: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(MATRIX_HEADER - 1 + more);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, type);
  view.setBigUint64(2, BigInt(rows), true);
  view.setBigUint64(10, BigInt(columns), true);
  return { bytes, view };
}

/** A matrix as one dense block. */
export function* encodeMatrix(
  rows: number,
  columns: number,
  value: NumberType,
  cells: Elements,
): Generator<Uint8Array> {
  if (rows >= 2 ** 32 || columns >= 2 ** 32)
    throw new RunError(`a matrix of ${rows}x${columns} is larger than a block of the binary format`);
  const { bytes, view } = header(DENSE, rows, columns, 1 + BLOCK_HEADER + 1);
  const code = OWN.indexOf(value);
  view.setUint8(18, code);
  view.setUint32(35, rows, true);
  view.setUint32(39, columns, true);
  view.setUint8(43, BLOCK.dense);
  view.setUint8(44, code);
  yield bytes;
  yield new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
}

/** Row by row. */
export function* encodeFrame(rows: number, columns: readonly BinaryColumn[]): Generator<Uint8Array> {
  const labels = columns.map(({ label }) => new TextEncoder().encode(label));
  const long = labels.findIndex(({ length }) => length > 0xffff);
  if (long >= 0) throw new RunError(`the label of column ${long} is longer than the binary format allows`);
  const text = labels.reduce((sum, { length }) => sum + 2 + length, 0);
  const { bytes, view } = header(FRAME, rows, columns.length, columns.length + text + 16);
  let at = MATRIX_HEADER - 1;
  for (const { value } of columns) view.setUint8(at++, OWN.indexOf(value));
  for (const label of labels) {
    view.setUint16(at, label.length, true);
    bytes.set(label, at + 2);
    at += 2 + label.length;
  }
  yield bytes;
  const parts = columns.map(({ cells }) => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength));
  const sizes = columns.map(({ value }) => SIZES[value]);
  const width = sizes.reduce((sum, each) => sum + each, 0);
  const body = new Uint8Array(rows * width);
  for (let i = 0, to = 0; i < rows; i++) {
    for (let j = 0; j < parts.length; j++) {
      const size = sizes[j]!;
      for (let k = 0; k < size; k++) body[to++] = parts[j]![i * size + k]!;
    }
  }
  yield body;
}
