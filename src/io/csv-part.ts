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

/** Scans the lines that begin in a part of a file. */
export function scanPart(path: string, range: Range, columns: number, dialect: Dialect): Part {
  const part = new PartOfFile(path, range, columns, dialect);
  try {
    const fault = part.scan(range.to);
    return fault === undefined ? { scanned: part.result() } : { fault };
  } finally {
    part.close();
  }
}

/**
 * Scans a part of a file, line by line, as far as it is told. It is read in windows, straight to where they are scanned, so that a part of any size
 * takes no more memory than its numbers.
 */
export class PartOfFile {
  readonly #file: number;
  readonly #range: Range;
  readonly #scanner: Scanner;
  #room: Uint8Array;
  /** Where the next line begins, unless another place was given: then it is looked for from there. */
  #at: number;
  #atLine = false;

  constructor(path: string, range: Range, columns: number, dialect: Dialect) {
    this.#file = openSync(path, 'r');
    this.#range = range;
    this.#at = range.from;
    this.#scanner = new Scanner(columns, dialect, range.to - range.from);
    this.#room = fastFor(columns, dialect)?.room ?? new Uint8Array(WINDOW + 1);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Goes on with the lines that begin before `to`. Gives what is wrong with the first that is wrong. */
  scan(to: number): Part['fault'] {
    const { size } = this.#range;
    if (!this.#atLine) {
      const first = this.#firstLine(this.#at, to);
      this.#atLine = first !== undefined;
      this.#at = first ?? to;
      if (first === undefined) return undefined;
    }
    for (let at = this.#at; at < to; this.#at = at) {
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
        if (error instanceof ScanFault) return { at: at + error.at, text: error.text };
        throw error;
      }
      at += end;
    }
    return undefined;
  }

  /** Takes what somebody else has found in the lines that begin from here up to `to`. */
  take(found: Scanned, to: number): void {
    this.#scanner.append(found, to - this.#at);
    this.#at = to;
    this.#atLine = false;
  }

  result(): Scanned {
    return this.#scanner.result();
  }

  /** Where the first line begins: the byte before tells whether that is where the part does. Undefined: none does before `to`. */
  #firstLine(from: number, to: number): number | undefined {
    const { start } = this.#range;
    if (from <= start) return start;
    for (let at = from - 1; at < to; ) {
      const read = this.#read(at);
      const newline = this.#room.subarray(0, read).indexOf(10);
      if (newline >= 0) return at + newline + 1;
      at += read;
    }
    return undefined;
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
