import type { DType } from '../nd/index.ts';
import { type Column, type ColumnsOptions, checkColumns, Gathered, noNumbers, wanted } from './columns.ts';
import { loadPeer } from './peers.ts';
import { type Bytes, malformed, openSource, type Source } from './source.ts';
import { writeWhole } from './target.ts';
import { type Coded, TextCodes } from './text-codes.ts';

/** An element of a schema, as hyparquet has it. */
interface SchemaElement {
  readonly name: string;
  readonly type?: string;
  readonly repetition_type?: string;
  readonly num_children?: number;
  readonly converted_type?: string;
  readonly logical_type?: { readonly type: string; readonly bitWidth?: number; readonly isSigned?: boolean };
}

interface Metadata {
  readonly schema: readonly SchemaElement[];
  readonly num_rows: bigint;
}

interface AsyncBuffer {
  readonly byteLength: number;
  slice(from: number, to?: number): Promise<ArrayBuffer>;
}

interface Hyparquet {
  parquetMetadataAsync(file: AsyncBuffer): Promise<Metadata>;
  parquetRead(options: {
    readonly file: AsyncBuffer;
    readonly metadata: Metadata;
    readonly columns: string[];
    readonly compressors?: object;
    readonly parsers?: { stringFromBytes(bytes: Uint8Array | undefined): unknown };
    onChunk(chunk: { columnName: string; columnData: ArrayLike<unknown>; rowStart: number; rowEnd: number }): void;
  }): Promise<void>;
}

interface HyparquetWriter {
  parquetWriteBuffer(options: {
    readonly columnData: readonly { name: string; data: ArrayLike<unknown>; type?: string }[];
    readonly schema: readonly SchemaElement[];
  }): ArrayBuffer;
}

/** Types of integers by the names that Parquet has for them. */
const INTEGERS: Readonly<Record<string, DType>> = {
  INT_8: 'i8',
  INT_16: 'i16',
  INT_32: 'i32',
  INT_64: 'i64',
  UINT_8: 'u8',
  UINT_16: 'u16',
  UINT_32: 'u32',
  UINT_64: 'u64',
};

/**
 * Reads columns of numbers from a Parquet file, with the package hyparquet. Missing values are NaN; integers that have some become `f64`.
 *
 * @throws NotAvailableError for a column that holds no numbers, and where the package is missing; FormatError for a damaged file.
 */
export async function readParquet(source: Source, options: ColumnsOptions = {}): Promise<Column[]> {
  return (await read(source, options, false)) as Column[];
}

/** A column of strings. */
export interface TextColumn {
  /** Its name. */
  readonly name: string;
  readonly dtype: 'str';
  /** One for each row; '' where there is none. */
  readonly elements: Coded | readonly string[];
}

/** The same of all columns: strings are there as well, and points of time as `i64`, in nanoseconds since 1970. */
export const readParquetTable = (source: Source): Promise<(Column | TextColumn)[]> => read(source, {}, true);

/**
 * The words of a file. Most columns of texts have few, which their pages tell once, and rows by places among them: what the package makes of a word
 * is its place here, so that rows become numbers without a look at their texts.
 */
class Words {
  readonly all: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #decoder = new TextDecoder();

  /** The place of a text, or the text itself when there are too many. */
  readonly placeOf = (bytes: Uint8Array | undefined): unknown => {
    if (bytes === undefined || bytes === null) return bytes;
    const text = this.#decoder.decode(bytes);
    const place = this.#places.get(text);
    if (place !== undefined) return place;
    if (this.all.length >= MOST_PLACES) return text;
    this.#places.set(text, this.all.length);
    return this.all.push(text) - 1;
  };
}

const MOST_PLACES = 1 << 16;

class GatheredTexts {
  readonly #name: string;
  readonly #texts: TextCodes;
  readonly #words: Words;
  /** Codes in this column by the words' places, and one more; 0: not known yet. */
  #codes = new Int32Array(1024);

  constructor(name: string, rows: number, words: Words) {
    this.#name = name;
    this.#texts = new TextCodes(rows);
    this.#words = words;
  }

  add(values: ArrayLike<unknown>, from: number): void {
    const { all } = this.#words;
    if (all.length > this.#codes.length) {
      const before = this.#codes;
      this.#codes = new Int32Array(Math.max(all.length, 2 * before.length));
      this.#codes.set(before);
    }
    const [texts, codes] = [this.#texts, this.#codes];
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value !== 'number') {
        texts.set(from + i, String(value ?? ''));
        continue;
      }
      const code = codes[value]!;
      if (code > 0 && texts.setCode(from + i, code - 1)) continue;
      const text = all[value]!;
      texts.set(from + i, text);
      codes[value] = (texts.codeOf(text) ?? -1) + 1;
    }
  }

  get length(): number {
    return this.#texts.length;
  }

  get column(): TextColumn {
    return { name: this.#name, dtype: 'str', elements: this.#texts.cells };
  }
}

/** The package gives points of time as dates. */
class GatheredTimes extends Gathered {
  override add(values: ArrayLike<unknown>, from: number): void {
    const line = Array.from(values, (each) => (each instanceof Date ? BigInt(each.getTime()) * 1_000_000n : each));
    super.add(line, from);
  }
}

const isTime = ({ type, repetition_type, converted_type, logical_type }: SchemaElement): boolean =>
  repetition_type !== 'REPEATED' &&
  (type === 'INT96' ||
    logical_type?.type === 'TIMESTAMP' ||
    logical_type?.type === 'DATE' ||
    (logical_type === undefined && /^(?:DATE|TIMESTAMP_M(?:ILLI|ICRO)S)$/.test(converted_type ?? '')));

function gathering(
  field: SchemaElement,
  rows: number,
  words: Words,
  file: Bytes,
  what: string,
): Gathered | GatheredTexts {
  if (isText(field)) return new GatheredTexts(field.name, rows, words);
  if (isTime(field)) return new GatheredTimes(field.name, 'i64', rows, what);
  return new Gathered(field.name, dtypeOf(field, file, what), rows, what);
}

const isText = ({ type, repetition_type, converted_type, logical_type }: SchemaElement): boolean =>
  type === 'BYTE_ARRAY' &&
  repetition_type !== 'REPEATED' &&
  (logical_type?.type === 'STRING' || converted_type === 'UTF8' || converted_type === 'ENUM');

async function read(source: Source, options: ColumnsOptions, takesTexts: boolean): Promise<(Column | TextColumn)[]> {
  const what = 'readParquet';
  const { parquetMetadataAsync, parquetRead } = await loadPeer<Hyparquet>('hyparquet', what);
  await using file = await openSource(source, what);
  const buffer = bufferOf(file);
  const metadata = await reading(file, () => parquetMetadataAsync(buffer));
  const [top, ...elements] = metadata.schema;
  const fields = childrenOf(elements, top?.num_children ?? 0);
  const names = wanted(
    fields.map(({ name }) => name),
    options.columns,
    file.name,
    what,
  );
  const rows = Number(metadata.num_rows);
  const words = new Words();
  const gathered = new Map(
    names.map((name) => {
      const field = fields.find((each) => each.name === name) as SchemaElement;
      const own = takesTexts
        ? gathering(field, rows, words, file, what)
        : new Gathered(name, dtypeOf(field, file, what), rows, what);
      return [name, own] as const;
    }),
  );
  if (names.length > 0 && rows > 0) {
    const compressors = await optional('hyparquet-compressors');
    // What is thrown in there is lost.
    let fault: unknown;
    await reading(file, () =>
      parquetRead({
        file: buffer,
        metadata,
        columns: [...names],
        ...(compressors === undefined ? {} : { compressors }),
        ...(takesTexts ? { parsers: { stringFromBytes: words.placeOf } } : {}),
        onChunk({ columnName, columnData, rowStart }) {
          try {
            gathered.get(columnName)?.add(columnData, rowStart);
          } catch (error) {
            fault ??= error;
          }
        },
      }),
    );
    if (fault !== undefined) throw fault;
  }
  for (const [name, each] of gathered) {
    if (each.length !== rows)
      throw malformed(
        file.name,
        `has ${each.length} values in the column ${JSON.stringify(name)}, where it says ${rows} rows`,
      );
  }
  return [...gathered.values()].map(({ column }) => column);
}

/** Snappy comes with hyparquet; the other ways to compress are a package of their own, without which these files can't be read. */
async function optional(name: string): Promise<object | undefined> {
  try {
    return (await loadPeer<{ compressors: object }>(name, '')).compressors;
  } catch {
    return undefined;
  }
}

function bufferOf(file: Bytes): AsyncBuffer {
  return {
    byteLength: file.size,
    async slice(from, to = file.size) {
      const begin = from < 0 ? Math.max(0, file.size + from) : from;
      const bytes = await file.read(begin, Math.min(to < 0 ? file.size + to : to, file.size));
      const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
      return (whole ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer;
    },
  };
}

async function reading<T>(file: Bytes, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { message, name } = error as Error;
    if (name === 'NotAvailableError' || name === 'FormatError') throw error;
    // Where bytes are missing or others, its reader stumbles over itself, which says nothing to whoever has the file.
    const why = error instanceof TypeError || error instanceof RangeError ? 'it is damaged' : message;
    throw Object.assign(malformed(file.name, `can't be read as Parquet: ${why}`), { cause: error });
  }
}

/** The columns themselves, without what is inside of nested ones. */
function childrenOf(elements: readonly SchemaElement[], count: number): SchemaElement[] {
  const children: SchemaElement[] = [];
  let at = 0;
  const skip = (): void => {
    const inner = elements[at++]?.num_children ?? 0;
    for (let i = 0; i < inner && at < elements.length; i++) skip();
  };
  while (children.length < count && at < elements.length) {
    children.push(elements[at] as SchemaElement);
    skip();
  }
  return children;
}

function dtypeOf(element: SchemaElement, file: Bytes, what: string): DType {
  const { name, type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element;
  const shown = [
    repetition === 'REPEATED' ? repetition : '',
    (element.num_children ?? 0) > 0 ? 'group' : type,
    logical?.type ?? converted ?? '',
  ];
  const refuse = () => noNumbers(what, file.name, name, shown.filter((each) => each !== '').join(' '));
  if (repetition === 'REPEATED' || (element.num_children ?? 0) > 0) throw refuse();
  const plain = logical === undefined && converted === undefined;
  if (type === 'BOOLEAN') return 'bool';
  if (type === 'FLOAT' && plain) return 'f32';
  if (type === 'DOUBLE' && plain) return 'f64';
  if (type !== 'INT32' && type !== 'INT64') throw refuse();
  if (plain) return type === 'INT32' ? 'i32' : 'i64';
  const integer =
    logical?.type === 'INTEGER' ? `${logical.isSigned === false ? 'U' : ''}INT_${logical.bitWidth}` : converted;
  const dtype = logical !== undefined && logical.type !== 'INTEGER' ? undefined : INTEGERS[integer ?? ''];
  if (dtype === undefined) throw refuse();
  return dtype;
}

/** Writes columns as a Parquet file, with the package hyparquet-writer. Gives the number of bytes. */
export async function writeParquet(target: string | URL, columns: readonly Column[]): Promise<number> {
  const what = 'writeParquet';
  checkColumns(columns, what);
  const { parquetWriteBuffer } = await loadPeer<HyparquetWriter>('hyparquet-writer', what);
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)];
  const columnData = columns.map(({ name, dtype, elements }) => ({ name, data: dataOf(dtype, elements) }));
  return writeWhole(target, [new Uint8Array(parquetWriteBuffer({ columnData, schema }))], what);
}

function elementOf({ name, dtype }: Column): SchemaElement {
  const required = { name, repetition_type: 'REQUIRED' };
  if (dtype === 'bool') return { ...required, type: 'BOOLEAN' };
  if (dtype === 'f32') return { ...required, type: 'FLOAT' };
  if (dtype === 'f64') return { ...required, type: 'DOUBLE' };
  const type = dtype === 'i64' || dtype === 'u64' ? 'INT64' : 'INT32';
  if (dtype === 'i32' || dtype === 'i64') return { ...required, type };
  const [converted] = Object.entries(INTEGERS).find(([, own]) => own === dtype) as [string, DType];
  return { ...required, type, converted_type: converted };
}

function dataOf(dtype: DType, elements: Column['elements']): ArrayLike<unknown> {
  if (dtype === 'bool') return Array.from(elements as Uint8Array, (value) => value === 1);
  // The writer takes values above 2**31 of a plain array only.
  if (dtype === 'u32') return Array.from(elements as Uint32Array);
  if (dtype === 'i8' || dtype === 'u8' || dtype === 'i16' || dtype === 'u16')
    return Int32Array.from(elements as Int8Array);
  return elements;
}
