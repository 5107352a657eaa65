import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError, kindOf, UsageError } from '../base/index.ts';

/** Where a file is, or its bytes. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;

/** Bytes that are read where they are wanted. */
export interface Bytes extends AsyncDisposable {
  /** For messages: the path, or what it is. */
  readonly name: string;
  /** Where others can read it, too. */
  readonly path: string | undefined;
  readonly size: number;
  /** The bytes from `from` up to `to`; they may be the source's own. */
  read(from: number, to: number): Promise<Uint8Array>;
  /** The same into an array, whose length says how many. */
  readInto(target: Uint8Array, from: number): Promise<void>;
}

/** Opens a source. `what` begins the message of the UsageError where that is not possible. */
export async function openSource(source: Source, what: string): Promise<Bytes> {
  if (source instanceof Blob) return inBlob(source);
  if (source instanceof ArrayBuffer) return inMemory(new Uint8Array(source));
  // A Buffer is one too, but its `slice` is no copy.
  if (source instanceof Uint8Array) return inMemory(new Uint8Array(source.buffer, source.byteOffset, source.length));
  const path = pathOf(source, what);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error('it is no file');
    return new OpenFile(path, stat.size, handle);
  } catch (error) {
    await handle?.close();
    throw new UsageError(`${what}: ${path} can't be read: ${(error as Error).message}`, {
      cause: error,
      details: { path },
    });
  }
}

export function pathOf(source: unknown, what: string): string {
  if (typeof source === 'string' && source !== '')
    return source.startsWith('file:') ? fileURLToPath(source) : resolve(source);
  if (source instanceof URL && source.protocol === 'file:') return fileURLToPath(source);
  throw new UsageError(
    `${what} takes a path, a file: URL, bytes or a Blob, not ${source instanceof URL ? source.href : kindOf(source)}`,
  );
}

class OpenFile implements Bytes {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(path: string, size: number, handle: FileHandle) {
    this.name = path;
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, to - from));
    await this.readInto(bytes, from);
    return bytes;
  }

  async readInto(target: Uint8Array, from: number): Promise<void> {
    // One read gives 2 GiB at most.
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await this.#handle.read(target, done, Math.min(target.length - done, 1 << 30), from + done);
      if (bytesRead === 0) throw truncated(this, from + target.length);
      done += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

function inMemory(bytes: Uint8Array): Bytes {
  return {
    name: 'the bytes given',
    path: undefined,
    size: bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    async readInto(target, from) {
      if (from + target.length > bytes.length) throw truncated(this, from + target.length);
      target.set(bytes.subarray(from, from + target.length));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function inBlob(blob: Blob): Bytes {
  return {
    name: 'the Blob given',
    path: undefined,
    size: blob.size,
    read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
    async readInto(target, from) {
      const found = await this.read(from, from + target.length);
      if (found.length < target.length) throw truncated(this, from + target.length);
      target.set(found);
    },
    async [Symbol.asyncDispose]() {},
  };
}

const truncated = ({ name, size }: Bytes, wanted: number): FormatError =>
  malformed(name, `ends at byte ${size}, where ${wanted} were expected`, { byte: size });

/** An error that names the file and the place: a line, or a byte. */
export function malformed(
  name: string,
  text: string,
  place: { readonly line?: number; readonly byte?: number } = {},
): FormatError {
  const where = place.line === undefined ? name : `${name}:${place.line}`;
  return new FormatError(`${where}: ${text}`, { details: { path: name, ...place } });
}
