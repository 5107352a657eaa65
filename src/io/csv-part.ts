import { type FileHandle, open } from 'node:fs/promises';
import { type Dialect, ScanFault, type Scanned, scan } from './csv-scan.ts';

/** The records of one part of a text, or what is wrong with the first of them that is wrong. */
export type Part =
  | { readonly scanned: Scanned; readonly fault?: undefined }
  | { readonly fault: { readonly at: number; readonly text: string } };

/** Bytes of a file; the records of numbers are from `start` to `size`. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly size: number;
}

const MORE = 1 << 16;

/** Scans the lines that begin in a part of a file. Runs on a worker. */
export async function scanPart(
  path: string,
  { from, to, start, size }: Range,
  columns: number,
  dialect: Dialect,
): Promise<Part> {
  const file = await open(path, 'r');
  try {
    // The byte before tells whether a line begins here.
    const begin = Math.max(start, from - 1);
    const own = await bytesOf(file, begin, Math.min(size, to + MORE), size);
    let bytes = own;
    let end = to >= size ? bytes.length : bytes.indexOf(10, to - begin - 1) + 1;
    while (end === 0) {
      // The last line is longer than that.
      if (begin + bytes.length >= size) end = bytes.length;
      else {
        const seen = bytes.length;
        bytes = await bytesOf(file, begin, Math.min(size, begin + seen * 2), size);
        end = bytes.indexOf(10, seen) + 1;
      }
    }
    let first = 0;
    if (from > start) {
      const newline = bytes.indexOf(10);
      first = newline < 0 ? bytes.length : newline + 1;
    }
    return scanBytes(bytes.subarray(0, Math.max(end, first)), first, columns, dialect, begin);
  } finally {
    await file.close();
  }
}

async function bytesOf(file: FileHandle, from: number, to: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  let done = 0;
  while (done < to - from) {
    const { bytesRead } = await file.read(bytes, done, to - from - done, from + done);
    if (bytesRead === 0)
      throw new Error(`the file has shrunk: it had ${size} bytes when it was opened, and ends at ${from + done} now`);
    done += bytesRead;
  }
  return bytes;
}

/** Scans lines that are here. `offset` is where the bytes are in their file. */
export function scanBytes(bytes: Uint8Array, first: number, columns: number, dialect: Dialect, offset: number): Part {
  const ended = withNewline(bytes);
  try {
    return { scanned: scan(ended, first, ended.length, columns, dialect) };
  } catch (error) {
    if (error instanceof ScanFault) return { fault: { at: offset + error.at, text: error.text } };
    throw error;
  }
}

/** The scan ends at a newline. Bytes of a caller are left as they are. */
export function withNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0 || bytes[bytes.length - 1] === 10) return bytes;
  const ended = new Uint8Array(bytes.length + 1);
  ended.set(bytes);
  ended[bytes.length] = 10;
  return ended;
}
