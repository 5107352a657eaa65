import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libc } from '../native/index.ts';
import { alloc } from '../tasks/index.ts';

/** Below that, bytes travel in messages. */
const SMALL = 100 * 1024;
/** One call reads or writes 2 GiB at most. */
const MOST = 1 << 30;

/**
 * A file for the engine to read or write by its path, that nobody else sees: in memory where the system has such files, so that nothing is left
 * of it when its process is killed; else in the folder for temporary files.
 */
export class MemoryFile implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #folder: string | undefined;

  constructor() {
    const c = process.platform === 'linux' ? libc() : undefined;
    if (c !== undefined) {
      this.#fd = c.memfdCreate('sheaf-frame');
      this.path = `/proc/self/fd/${this.#fd}`;
      return;
    }
    this.#folder = mkdtempSync(join(tmpdir(), 'sheaf-frame-'));
    this.path = join(this.#folder, 'part');
    this.#fd = openSync(this.path, 'wx+', 0o600);
  }

  /** What has been written, in memory that the session shares if it is much. */
  read(): Uint8Array {
    const { size } = fstatSync(this.#fd);
    const bytes = size > SMALL ? alloc(Uint8Array, size) : new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const count = readSync(this.#fd, bytes, done, Math.min(size - done, MOST), done);
      if (count === 0) throw new Error(`${this.path} ends at byte ${done}, before the ${size} that it has`);
      done += count;
    }
    return bytes;
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, Math.min(bytes.length - done, MOST), done);
  }

  [Symbol.dispose](): void {
    if (this.#folder === undefined) {
      // Node did not open it, and warns on threads when it is to close what it has not opened.
      libc()?.close(this.#fd);
      return;
    }
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
