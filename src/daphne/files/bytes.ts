import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { RunError } from '../builtins/builtin.ts';

/** What the system says, for people. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'there is no room left',
  EROFS: 'nothing can be written there',
};

const reasonOf = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
};

export const unreadable = (path: string, error: unknown): RunError =>
  new RunError(`the file ${path} can't be read: ${reasonOf(error)}`);

/** A file that is open, read in pieces from its beginning. */
export class OpenFile {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'r');
    } catch (error) {
      throw unreadable(path, error);
    }
    const stat = fstatSync(this.#descriptor);
    this.size = stat.size;
    if (stat.isFile()) return;
    this.close();
    throw new RunError(`the file ${path} can't be read: it is ${stat.isDirectory() ? 'a folder' : 'no file'}`);
  }

  /** As many bytes as there are from `from` on, up to the length of `into`. */
  read(into: Uint8Array, from: number): number {
    let done = 0;
    try {
      while (done < into.length) {
        const read = readSync(this.#descriptor, into, done, Math.min(into.length - done, 1 << 30), from + done);
        if (read === 0) break;
        done += read;
      }
    } catch (error) {
      throw unreadable(this.path, error);
    }
    return done;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** All of a file, or its first bytes. */
export function bytesOf(path: string, most = Number.POSITIVE_INFINITY): Uint8Array {
  const file = new OpenFile(path);
  try {
    const bytes = new Uint8Array(Math.min(file.size, most));
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}

/** Text of so many characters is worth a call. */
const GATHERED = 1 << 20;

/** Writes a file whole: under another name first, so that nobody reads a part of it. */
export function writeWhole(path: string, pieces: Iterable<string | Uint8Array>): void {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      let text = '';
      for (const piece of pieces) {
        if (typeof piece === 'string') {
          text += piece;
          if (text.length < GATHERED) continue;
        }
        if (text !== '') writeAll(file, Buffer.from(text));
        text = '';
        if (typeof piece !== 'string') writeAll(file, piece);
      }
      if (text !== '') writeAll(file, Buffer.from(text));
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new RunError(`the file ${path} can't be written: ${reasonOf(error)}`);
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, Math.min(bytes.length - done, 1 << 30));
}
