import { closeSync, openSync, readSync } from 'node:fs';
import { type Dialect, fastFor, type MakeRoom, ScanFault, type Scanned, Scanner } from './csv-scan.ts';
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
export function scanPart(path: string, range: Range, columns: number, dialect: Dialect, make?: MakeRoom): Part {
  const lines = new LinesOfFile(path, range, columns, dialect);
  try {
    const scanner = new Scanner(columns, dialect, range.to - range.from, make);
    const fault = lines.feed(scanner, range.from, range.to);
    return fault === undefined ? { scanned: scanner.result() } : { fault };
  } finally {
    lines.close();
  }
}

/** The lines of a file, read in windows, straight to where they are scanned, so that a part of any size takes no more memory than its numbers. */
export class LinesOfFile {
  readonly #file: number;
  readonly #start: number;
  readonly #size: number;
  #room: Uint8Array;
  /** Where the first line is that begins from `bound` on. */
  #known: { readonly bound: number; readonly line: number };

  constructor(
    path: string,
    { start, size }: { readonly start: number; readonly size: number },
    columns: number,
    dialect: Dialect,
  ) {
    this.#file = openSync(path, 'r');
    this.#start = start;
    this.#size = size;
    this.#known = { bound: start, line: start };
    this.#room = fastFor(columns, dialect)?.room ?? new Uint8Array(WINDOW + 1);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Feeds a scanner with the lines that begin from `from` on and before `to`. Gives what is wrong with the first that is wrong. */
  feed(scanner: Scanner, from: number, to: number): Part['fault'] {
    const first = this.#known.bound === from ? this.#known.line : this.#firstLine(from, to);
    if (first === undefined) return undefined;
    let at = first;
    while (at < to) {
      let read = this.#read(at);
      let end = this.#room.lastIndexOf(10, read - 1) + 1;
      const isLast = at + read >= this.#size;
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
        scanner.feed(this.#room, 0, end);
      } catch (error) {
        if (error instanceof ScanFault) return { at: at + error.at, text: error.text };
        throw error;
      }
      at += end;
    }
    this.#known = { bound: to, line: at };
    return undefined;
  }

  /** Where the first line begins: the byte before tells whether that is where the part does. Undefined: none does before `to`. */
  #firstLine(from: number, to: number): number | undefined {
    if (from <= this.#start) return this.#start;
    for (let at = from - 1; at < to; ) {
      const read = this.#read(at);
      const newline = this.#room.subarray(0, read).indexOf(10);
      if (newline >= 0) return at + newline + 1;
      at += read;
    }
    return undefined;
  }

  #read(at: number): number {
    const wanted = Math.min(this.#room.length - 1, this.#size - at);
    let done = 0;
    while (done < wanted) {
      const read = readSync(this.#file, this.#room, done, wanted - done, at + done);
      if (read === 0) throw new Error(`the file has shrunk: it had ${this.#size} bytes, and ends at ${at + done} now`);
      done += read;
    }
    return done;
  }
}

/** Scans lines that are here, from `first` on. `offset` is where the bytes are in their file. */
export function scanBytes(
  bytes: Uint8Array,
  first: number,
  columns: number,
  dialect: Dialect,
  offset: number,
  make?: MakeRoom,
): Part {
  const ended = withNewline(bytes);
  try {
    const scanner = new Scanner(columns, dialect, ended.length - first, make);
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
