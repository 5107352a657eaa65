import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { InternalError, ObjectLostError } from '../base/index.ts';

type FileWire = { readonly f: readonly [path: string, size: number, modified: number] };

/**
 * A file of this machine as a value. What travels is where it is, and how large and how old it was when the reference was made; each
 * process opens it for itself, which is asynchronous and so comes before anybody reads the value.
 */
export class FileValue {
  readonly path: string;
  readonly size: number;
  /** Milliseconds of the time of day. */
  readonly modified: number;
  #blob: Blob | undefined;
  #problem: Error | undefined;

  constructor(path: string, size: number, modified: number) {
    this.path = path;
    this.size = size;
    this.modified = modified;
  }

  /** Unlike `instanceof` it asks nothing of an object, which may be a proxy that answers with errors. */
  static is(value: unknown): value is FileValue {
    return typeof value === 'object' && value !== null && #blob in value;
  }

  get opened(): boolean {
    return this.#blob !== undefined;
  }

  /** Never rejects: who reads it hears what is wrong with it, and the next one tries again. */
  async open(): Promise<void> {
    if (this.#blob !== undefined) return;
    try {
      this.#problem = await this.#change();
      if (this.#problem === undefined) this.#blob = await openAsBlob(this.path);
    } catch (error) {
      this.#problem = this.#lost(`can't be opened: ${(error as Error).message}`, error);
    }
  }

  async #change(): Promise<Error | undefined> {
    let now: { size: number; mtimeMs: number; isFile(): boolean };
    try {
      now = await stat(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.#lost('is gone', error);
      throw error;
    }
    if (!now.isFile()) return this.#lost('is no file any more');
    if (now.size !== this.size) return this.#lost(`has ${now.size} bytes now, and had ${this.size}`);
    if (now.mtimeMs !== this.modified) return this.#lost('was written to');
    return undefined;
  }

  #lost(what: string, cause?: unknown): ObjectLostError {
    const { path, size, modified } = this;
    return new ObjectLostError(
      `the file ${path} ${what} since file() was called; leave it alone until its last reader is done, or call file() again`,
      { code: 'ERR_SHEAF_FILE_CHANGED', cause, details: { path, size, modified } },
    );
  }

  read(): Blob {
    if (this.#problem !== undefined) throw this.#problem;
    if (this.#blob === undefined) throw new InternalError(`the file ${this.path} is read before it is opened`);
    return this.#blob;
  }

  toWire(): FileWire {
    return { f: [this.path, this.size, this.modified] };
  }
}

/** The files that one party knows, one value for each: what was opened for one reader is open for all. */
export class Files {
  readonly #known = new Map<string, WeakRef<FileValue>>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  /** The one that stands for the same file at the same time. */
  known(file: FileValue): FileValue {
    const key = `${file.size} ${file.modified} ${file.path}`;
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    this.#known.set(key, new WeakRef(file));
    this.#gone.register(file, key);
    return file;
  }

  /** Undefined when it is something else on the wire. */
  fromWire(wire: object): FileValue | undefined {
    return 'f' in wire ? this.known(new FileValue(...(wire as FileWire).f)) : undefined;
  }
}

/** Whether a value on a wire is of files, or of several values: others are primitives and arrays. Asked of every argument. */
export function mayHaveFiles(wire: unknown): boolean {
  return typeof wire === 'object' && wire !== null && !Array.isArray(wire);
}

/** Values among the arguments of a task are of files that have to be opened first. */
export class FilesFirst extends Error {
  readonly files: readonly FileValue[];

  constructor(files: readonly FileValue[]) {
    super('files have to be opened first');
    this.files = files;
  }
}
