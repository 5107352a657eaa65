/** What a file without `.meta` says of itself: in its header, or by its first records. */

import { RunError } from '../builtins/builtin.ts';
import { mostGeneral, type ValueType } from '../types.ts';
import { bytesOf } from './bytes.ts';
import type { Description } from './meta.ts';

/** Of a file of CSV, so much is looked at for types and the number of columns. */
const LOOKED_AT = 1 << 20;

const INTEGER = /^\s*[+-]?\d{1,18}\s*$/;
const FLOAT = /^\s*[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)?\s*$/i;

const typeOf = (field: string): ValueType => (INTEGER.test(field) ? 'si64' : FLOAT.test(field) ? 'f64' : 'str');

/** As a matrix has one type for all columns, so that is the most general of theirs. */
const described = (types: readonly ValueType[], rows: number): Sniffed => ({
  rows,
  columns: types.length,
  value: types.length === 0 ? 'f64' : types.reduce(mostGeneral),
  schema: types.map((value, i) => ({ label: `col_${i}`, value })),
  nonZeros: undefined,
});

/** Both ways: the type of a matrix, and the columns of a frame. */
export type Sniffed = Description & { readonly value: ValueType };

/** Types are those of the first records. Rows are counted to the end of the file, unless nobody wants to know: then they are NaN. */
export function sniffCsv(path: string, counts = true): Sniffed {
  const bytes = bytesOf(path, counts ? Number.POSITIVE_INFINITY : LOOKED_AT + 1);
  const head = new TextDecoder().decode(bytes.subarray(0, LOOKED_AT));
  const types: ValueType[] = [];
  let isFirst = true;
  for (const record of records(head, bytes.length <= LOOKED_AT)) {
    if (!isFirst && record.length !== types.length)
      throw new RunError(
        `there is no ${path}.meta, and rows of the file have ${types.length} fields and ${record.length}: write a .meta file that says what it is`,
      );
    isFirst = false;
    for (const [j, field] of record.entries())
      types[j] = mostGeneral(types[j] ?? 'si64', field.quoted ? 'str' : typeOf(field.text));
  }
  return described(types, counts ? countRows(bytes) : Number.NaN);
}

interface Field {
  readonly text: string;
  readonly quoted: boolean;
}

/** Those that end in the text; the last one, too, where the text is all there is. */
function* records(text: string, isAll: boolean): Generator<Field[]> {
  let record: Field[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"[^,\n]*|([^,\n]*))(,|\r?\n|$)/gy;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) return;
    const [, quoted, plain = '', end] = found;
    if (end === '' && !isAll) return;
    record.push({ text: quoted ?? plain.replace(/\r$/, ''), quoted: quoted !== undefined });
    if (end === ',') {
      if (pattern.lastIndex === text.length && isAll) record.push({ text: '', quoted: false });
      else continue;
    }
    yield record;
    record = [];
  }
}

function countRows(bytes: Uint8Array): number {
  const simple = bytes.indexOf(34) < 0;
  let rows = 0;
  let isQuoted = false;
  if (simple) for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) rows++;
  else {
    for (const c of bytes) {
      if (c === 34) isQuoted = !isQuoted;
      else if (c === 10 && !isQuoted) rows++;
    }
  }
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? rows + 1 : rows;
}

const BANNER =
  /^%%MatrixMarket\s+matrix\s+(coordinate|array)\s+(real|double|integer|pattern)\b.*\n(?:\s*(?:%.*)?\n)*\s*(\d+)\s+(\d+)(?:\s+(\d+))?/i;

/** The head of a file of the Matrix Market. Undefined: it has none that is understood here. */
export function sniffMatrixMarket(path: string): Sniffed | undefined {
  const found = BANNER.exec(new TextDecoder().decode(bytesOf(path, 1 << 16)));
  if (found === null) return undefined;
  const [, , field, rows, columns, entries] = found;
  const value = field!.toLowerCase() === 'integer' ? 'si64' : 'f64';
  const own = described(new Array<ValueType>(Number(columns)).fill(value), Number(rows));
  return { ...own, value, nonZeros: entries === undefined ? undefined : Number(entries) };
}
