import { closeSync, openSync, readSync } from 'node:fs';
import { type Dialect, fastFor, ScanFault, type Scanned, Scanner } from './csv-scan.ts';
import { WINDOW } from './csv-wasm.ts';

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

/**
 * Scans the lines that begin in a part of a file. It is read in windows, straight to where they are scanned, so that a part of any size takes no more
 * memory than its numbers.
 */
export function scanPart(path: string, range: Range, columns: number, dialect: Dialect): Part {
  const file = openSync(path, 'r');
  try {
    return new PartOfFile(file, range, columns, dialect).scan();
  } finally {
    closeSync(file);
  }
}

class PartOfFile {
  readonly #file: number;
  readonly #range: Range;
  readonly #scanner: Scanner;
  #room: Uint8Array;

  constructor(file: number, range: Range, columns: number, dialect: Dialect) {
    this.#file = file;
    this.#range = range;
    this.#scanner = new Scanner(columns, dialect, range.to - range.from);
    this.#room = fastFor(columns, dialect)?.room ?? new Uint8Array(WINDOW + 1);
  }

  scan(): Part {
    const { to, size } = this.#range;
    for (let at = this.#firstLine(); at < to; ) {
      let read = this.#read(at);
      let end = this.#room.lastIndexOf(10, read - 1) + 1;
      const isLast = at + read >= size;
      if (isLast && end < read) {
        // The last line has no newline of its own.
        this.#room[read] = 10;
        read += 1;
        end = read;
      } else if (end === 0) {
        // A line that is longer than the room.
        this.#room = new Uint8Array(2 * this.#room.length);
        continue;
      }
      // Lines that begin in the next part are not ours.
      const others = at + end > to ? this.#room.indexOf(10, to - at - 1) + 1 : 0;
      if (others > 0) end = others;
      try {
        this.#scanner.feed(this.#room, 0, end);
      } catch (error) {
        if (error instanceof ScanFault) return { fault: { at: at + error.at, text: error.text } };
        throw error;
      }
      at += end;
    }
    return { scanned: this.#scanner.result() };
  }

  /** Where the first line begins: the byte before the part tells whether that is where the part does. */
  #firstLine(): number {
    const { from, to, start } = this.#range;
    if (from <= start) return start;
    for (let at = from - 1; at < to; ) {
      const read = this.#read(at);
      const newline = this.#room.subarray(0, read).indexOf(10);
      if (newline >= 0) return at + newline + 1;
      at += read;
    }
    return to;
  }

  #read(at: number): number {
    const { size } = this.#range;
    const wanted = Math.min(this.#room.length - 1, size - at);
    let done = 0;
    while (done < wanted) {
      const read = readSync(this.#file, this.#room, done, wanted - done, at + done);
      if (read === 0) throw new Error(`the file has shrunk: it had ${size} bytes, and ends at ${at + done} now`);
      done += read;
    }
    return done;
  }
}

/** Scans lines that are here, from `first` on. `offset` is where the bytes are in their file. */
export function scanBytes(bytes: Uint8Array, first: number, columns: number, dialect: Dialect, offset: number): Part {
  const ended = withNewline(bytes);
  try {
    const scanner = new Scanner(columns, dialect, ended.length - first);
    scanner.feed(ended, first, ended.length);
    return { scanned: scanner.result() };
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
