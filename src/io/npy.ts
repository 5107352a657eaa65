import { endianness } from 'node:os';
import { NotAvailableError } from '../base/index.ts';
import { DTYPES, type DType, elements, sizeOf } from '../nd/index.ts';
import { copyInto, type Dense } from '../partitioned/index.ts';
import { bytesOf, columnMajor, inColumns, plainRows, swapBytes } from './plain.ts';
import { type Bytes, malformed, openSource, type Source } from './source.ts';
import { writeWhole } from './target.ts';

const MAGIC = '\x93NUMPY';
const LITTLE = endianness() === 'LE';

/** NumPy's names without the order of bytes. */
const TYPES: Readonly<Record<string, DType>> = {
  b1: 'bool',
  i1: 'i8',
  u1: 'u8',
  i2: 'i16',
  u2: 'u16',
  i4: 'i32',
  u4: 'u32',
  i8: 'i64',
  u8: 'u64',
  f4: 'f32',
  f8: 'f64',
};
const NAMES = Object.fromEntries(Object.entries(TYPES).map(([name, dtype]) => [dtype, name])) as Record<DType, string>;

/** The widest header that anybody writes by far; a longer one is damage. */
const LONGEST_HEADER = 1 << 20;

interface Header {
  readonly dtype: DType;
  readonly swapped: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly start: number;
}

/**
 * Reads an array of NumPy's format NPY, of versions 1 to 3, either order of axes and of bytes. The result lies row by row.
 *
 * @throws FormatError that says the byte; NotAvailableError for types of elements that there are not here, such as `complex128`.
 */
export async function readNpy(source: Source): Promise<Dense> {
  await using file = await openSource(source, 'readNpy');
  const { dtype, swapped, fortran, shape, start } = await headerOf(file);
  const size = sizeOf(shape);
  const expected = start + size * DTYPES[dtype].bytes;
  if (file.size !== expected) {
    throw malformed(file.name, `has ${file.size} bytes, where ${size} elements of ${dtype} end at byte ${expected}`, {
      byte: Math.min(file.size, expected),
    });
  }
  const array: Dense = { shape, dtype, elements: elements(dtype, size) };
  const bytes = bytesOf(array);
  await file.readInto(bytes, start);
  if (swapped) swapBytes(bytes, DTYPES[dtype].bytes);
  if (dtype === 'bool') {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) throw malformed(file.name, `has the byte ${bytes[wrong]} for a bool`, { byte: start + wrong });
  }
  if (!fortran || shape.length < 2) return array;
  const rows = { shape, dtype, elements: elements(dtype, size) };
  copyInto(rows, columnMajor(array));
  return rows;
}

async function headerOf(file: Bytes): Promise<Header> {
  const first = await file.read(0, Math.min(12, file.size));
  if (Buffer.from(first.buffer, first.byteOffset, Math.min(6, first.length)).toString('latin1') !== MAGIC) {
    throw malformed(file.name, 'is no NPY file: it does not begin with \\x93NUMPY', { byte: 0 });
  }
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  const version = first[6] as number;
  if (first.length < 12) throw malformed(file.name, 'ends inside of its header', { byte: first.length });
  if (version < 1 || version > 3)
    throw malformed(file.name, `has version ${version} of the format; 1 to 3 are known`, { byte: 6 });
  const [begin, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const start = begin + length;
  if (length > LONGEST_HEADER || start > file.size) {
    throw malformed(file.name, `has a header of ${length} bytes, and ends at byte ${file.size}`, { byte: 8 });
  }
  const bytes = await file.read(begin, start);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(version === 3 ? 'utf8' : 'latin1');
  return { ...fieldsOf(text, file, begin), start };
}

/** The header is a dictionary as Python writes it, and no more of Python is understood than that takes. */
function fieldsOf(text: string, file: Bytes, begin: number): Omit<Header, 'start'> {
  const field = (name: string, value: string): string | undefined =>
    new RegExp(`['"]${name}['"]\\s*:\\s*${value}`).exec(text)?.[1];
  const fail = (name: string): Error =>
    malformed(file.name, `has a header without a good \`${name}\`: ${JSON.stringify(text.trim().slice(0, 80))}`, {
      byte: begin,
    });
  if (!/^\s*\{.*\}\s*$/s.test(text)) throw fail('descr');
  const order = field('fortran_order', '(True|False)');
  if (order === undefined) throw fail('fortran_order');
  const list = field('shape', '\\(([\\dL,\\s]*)\\)');
  const shape = list
    ?.split(',')
    .map((each) => each.trim().replace(/L$/, ''))
    .filter((each) => each !== '')
    .map(Number);
  // (3) without a comma is a number in Python, and no tuple.
  if (list === undefined || shape === undefined || (shape.length === 1 && !list.includes(','))) throw fail('shape');
  if (!shape.every((n) => Number.isSafeInteger(n)) || !Number.isSafeInteger(sizeOf(shape))) throw fail('shape');
  const descr = field('descr', `['"]([^'"]+)['"]`);
  if (descr === undefined) {
    if (/['"]descr['"]\s*:\s*\[/.test(text)) throw unknownType(file, 'records');
    throw fail('descr');
  }
  const [, bytes, type] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  const dtype = type === undefined ? undefined : TYPES[type];
  if (dtype === undefined) throw unknownType(file, descr);
  const swapped = DTYPES[dtype].bytes > 1 && (LITTLE ? bytes === '>' : bytes === '<');
  return { dtype, swapped, fortran: order === 'True', shape };
}

function unknownType(file: Bytes, what: string): NotAvailableError {
  const known = Object.keys(TYPES).join(', ');
  return new NotAvailableError(
    `readNpy: ${file.name} holds ${what}, which arrays here can't; they hold ${known}: convert it with astype() there`,
    {
      details: { path: file.name, descr: what },
    },
  );
}

/** How an NPY file is written. */
export interface NpyOptions {
  /** Which axis runs first in the file: `'C'`, the last one, or `'F'`, the first one. */
  readonly order?: 'C' | 'F';
  /** Of the format. Default: 1, or 2 where the header needs it. */
  readonly version?: 1 | 2 | 3;
}

/** Writes an array in NumPy's format NPY. Gives the number of bytes. */
export async function writeNpy(target: string | URL, array: Dense, options: NpyOptions = {}): Promise<number> {
  return writeWhole(target, npyPieces(array, options), 'writeNpy');
}

/** The bytes of such a file: the header, and the elements as they are. */
export function npyPieces(array: Dense, { order = 'C', version }: NpyOptions = {}): Uint8Array[] {
  const rows = plainRows(array, 'writeNpy');
  const { shape, dtype } = rows;
  const { bytes: width } = DTYPES[dtype];
  const descr = `${width === 1 ? '|' : LITTLE ? '<' : '>'}${NAMES[dtype]}`;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${order === 'F' ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const written = version ?? (text.length + 80 > 0xffff ? 2 : 1);
  const begin = written === 1 ? 10 : 12;
  // The elements begin at a multiple of 64, so that they can be mapped.
  const length = Math.ceil((begin + text.length + 1) / 64) * 64 - begin;
  const header = Buffer.alloc(begin + length, ' ');
  header.write(MAGIC, 'latin1');
  header[6] = written;
  header[7] = 0;
  if (written === 1) header.writeUInt16LE(length, 8);
  else header.writeUInt32LE(length, 8);
  header.write(text, begin, 'latin1');
  header[header.length - 1] = 10;
  return [header, bytesOf(order === 'F' && shape.length > 1 ? inColumns(rows) : rows)];
}
