import { BOOLEAN, type Dialect, FRACTION, ScanFault, scan } from './csv-scan.ts';

/** What the first record says of the rest. */
export interface Head {
  readonly names: readonly string[] | undefined;
  readonly columns: number;
  readonly delimiter: number;
  /** The byte at which the records of numbers begin. */
  readonly start: number;
}

/** What is known of it beforehand. */
export interface HeadOptions {
  readonly delimiter: string | undefined;
  readonly comment: number;
  readonly header: boolean | undefined;
  /** How many lines come before. */
  readonly skip: number;
}

const CANDIDATES = [',', ';', '\t', '|'];

/** Reads the first record of a text, of which `bytes` are the first ones; undefined where it does not end in them. */
export function readHead(
  bytes: Uint8Array,
  all: boolean,
  { delimiter, comment, header, skip }: HeadOptions,
): Head | undefined {
  // A mark of UTF-8 says nothing.
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let skipped = 0;
  for (;;) {
    const blank = start < bytes.length && (bytes[start] === 10 || bytes[start] === 13 || bytes[start] === comment);
    if (skipped >= skip && !blank) break;
    const next = bytes.indexOf(10, start) + 1;
    if (next === 0) return all ? { names: undefined, columns: 0, delimiter: 44, start: bytes.length } : undefined;
    // A line that is skipped is counted, whatever is in it.
    skipped++;
    start = next;
  }
  if (start >= bytes.length)
    return all ? { names: undefined, columns: 0, delimiter: 44, start: bytes.length } : undefined;
  const end = recordEnd(bytes, start);
  if (end === bytes.length && !all) return undefined;
  const record = new TextDecoder().decode(bytes.subarray(start, end)).replace(/[\r\n]+$/, '');
  const text = comment < 0 ? record : (record.split(String.fromCharCode(comment), 1)[0] as string);
  const own = delimiter ?? delimiterIn(text);
  const fields = split(own === ' ' ? text.trim() : text, own);
  const named = header ?? !fields.every((field) => isNumber(field, comment));
  return {
    names: named ? fields : undefined,
    columns: fields.length,
    delimiter: own.charCodeAt(0),
    start: named ? end : start,
  };
}

/** Past the end of the line of a record, whose quoted fields may have line ends in them. */
function recordEnd(bytes: Uint8Array, start: number): number {
  let quoted = false;
  for (let i = start; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === 34) quoted = !quoted;
    else if (!quoted && c === 10) return i + 1;
    else if (!quoted && c === 13 && bytes[i + 1] !== 10 && i + 1 < bytes.length) return i + 1;
  }
  return bytes.length;
}

/** The one that is there most often, outside of quotes; blanks where none is, or where only they leave numbers. */
function delimiterIn(text: string): string {
  const outside = text.replace(/"(?:[^"]|"")*"/g, '');
  const counted = CANDIDATES.map((each) => [each, outside.split(each).length] as const);
  const [best] = counted.sort((a, b) => b[1] - a[1]) as [readonly [string, number]];
  const numbers = (fields: readonly string[]): boolean => fields.every((field) => isNumber(field, -1));
  const blank = outside.trim().split(/[ \t]+/);
  if (blank.length > 1 && numbers(blank) && (best[1] === 1 || !numbers(split(text, best[0])))) return ' ';
  return best[1] > 1 ? best[0] : ',';
}

export function split(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  for (let i = 0; ; ) {
    while (text[i] === ' ' || (text[i] === '\t' && delimiter !== '\t')) i++;
    let field = '';
    if (text[i] === '"') {
      i++;
      while (i < text.length && !(text[i] === '"' && text[i + 1] !== '"')) {
        if (text[i] === '"') i++;
        field += text[i++];
      }
      i++;
      while (i < text.length && text[i] !== delimiter && (delimiter !== ' ' || text[i] !== '\t')) i++;
    } else {
      const begin = i;
      while (i < text.length && text[i] !== delimiter && (delimiter !== ' ' || text[i] !== '\t')) i++;
      field = text.slice(begin, i).trim();
    }
    fields.push(field);
    if (i >= text.length) return fields;
    i++;
  }
}

/** As the scan would have it: a header has at least one field that is none. */
function isNumber(field: string, comment: number): boolean {
  const dialect: Dialect = { delimiter: 0, comment, booleans: true };
  const bytes = new TextEncoder().encode(`${field}\n`);
  if (field === '') return true;
  try {
    const { kinds, rows } = scan(bytes, 0, bytes.length, 1, dialect);
    return rows === 1 && ((kinds[0] as number) & (FRACTION | BOOLEAN | 2 | 4)) !== 0;
  } catch (error) {
    if (error instanceof ScanFault) return false;
    throw error;
  }
}
