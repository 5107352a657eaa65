import { close, closeSync, constants, fdatasync, open, openSync, read, readSync, unlink, writev } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorName, promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { ObjectLostError } from '../base/index.ts';
import { makeSpillFolder } from './spill-folder.ts';

/** What the one who spills does with a disk, in threads of the system: a slow one holds nobody up. */
export interface Disk {
  /** Returns what keeps the folder in use until it is closed. */
  makeFolder(path: string): number;
  create(path: string): Promise<number>;
  /** All of it, at `position`. That, and the size and address of each part, are multiples of `BLOCK`. */
  write(fd: number, parts: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `into` from `position` on, and returns the checksum; what is missing is missing in that. */
  read(path: string, position: number, into: Uint8Array): Promise<number>;
  /** What has been written is on the disk, or this fails. */
  sync(fd: number): Promise<void>;
  close(fd: number): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Bytes that are read at once, and their checksum taken while they are in the caches. */
const READ_STEP = 1024 * 1024;

const openFile = promisify(open);
const writeParts = promisify(writev);
const readFile = promisify(read);
const closeFile = promisify(close);
const removeFile = promisify(unlink);

/**
 * Past the system's cache of files, where there is such a thing: what is written to free memory is not to take as much of it
 * there, and it is quicker by more than the copy. 0 once a file system has refused.
 */
let past = constants.O_DIRECT ?? 0;

async function writeAll(fd: number, parts: readonly Uint8Array[], position: number): Promise<void> {
  let rest = [...parts];
  for (let at = position; rest.length > 0; ) {
    let { bytesWritten } = await writeParts(fd, rest, at);
    at += bytesWritten;
    // A disk that is nearly full takes a part, and refuses the rest.
    while (rest.length > 0 && bytesWritten >= (rest[0] as Uint8Array).length) {
      bytesWritten -= (rest[0] as Uint8Array).length;
      rest = rest.slice(1);
    }
    if (bytesWritten > 0) rest[0] = (rest[0] as Uint8Array).subarray(bytesWritten);
  }
}

export const realDisk: Disk = {
  makeFolder: makeSpillFolder,
  async create(path) {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    if (past === 0) return openFile(path, flags, 0o600);
    try {
      return await openFile(path, flags | past, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      past = 0;
      // It may have been made all the same.
      await removeFile(path).catch(() => {});
      return openFile(path, flags, 0o600);
    }
  },
  async write(fd, parts, position) {
    try {
      await writeAll(fd, parts, position);
    } catch (error) {
      // The next file is written in the ordinary way.
      if ((error as NodeJS.ErrnoException).code === 'EINVAL') past = 0;
      throw error;
    }
  },
  async read(path, position, into) {
    const fd = await openFile(path, 'r');
    try {
      let sum = 0;
      for (let at = 0; at < into.length; ) {
        const { bytesRead } = await readFile(fd, into, at, Math.min(READ_STEP, into.length - at), position + at);
        if (bytesRead === 0) break;
        sum = crc32(into.subarray(at, at + bytesRead), sum);
        at += bytesRead;
      }
      return sum;
    } finally {
      await closeFile(fd);
    }
  },
  sync: promisify(fdatasync),
  close: closeFile,
  remove: removeFile,
};

/**
 * Reads a copy of an object back, in this thread.
 * @throws ObjectLostError when it is not what was written.
 */
export function readCopy(path: string, position: number, into: Uint8Array, sum: number): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    let found = 0;
    const { length } = into;
    for (let at = 0; at < length; ) {
      const count = readSync(fd, into, at, Math.min(READ_STEP, length - at), position + at);
      if (count === 0) throw damaged(path, `it ends after ${position + at} bytes, and was longer`);
      found = crc32(into.subarray(at, at + count), found);
      at += count;
    }
    if (found !== sum) throw damaged(path, 'its bytes are not those that were written');
  } catch (error) {
    throw error instanceof ObjectLostError ? error : damaged(path, describeDiskError(error), error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function damaged(path: string, what: string, cause?: unknown): ObjectLostError {
  return new ObjectLostError(
    `a value that had been written to disk to save memory can't be read back from ${path}: ${what}. Leave the files in ` +
      `${dirname(path)} alone while the session runs, or name a folder on another disk with connect({ spill })`,
    { code: 'ERR_SHEAF_SPILL_UNREADABLE', cause, details: { file: path, folder: dirname(path) } },
  );
}

/** What a process may be short of for a moment says nothing of the file. */
const PASSING: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'];

/** Whether a copy that could not be read will never be read. */
export function isForGood(error: unknown): boolean {
  if (!(error instanceof ObjectLostError)) return false;
  return !PASSING.includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** What the system says of a failure, in words. */
export function describeDiskError(error: unknown): string {
  const { errno, code, message } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' ? describeErrno(Math.abs(errno)) : (code ?? message);
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the quota of the user is used up',
  EIO: 'the disk failed',
  EROFS: 'the disk can only be read',
  EACCES: 'that is not allowed',
  EPERM: 'that is not allowed',
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of the path is not a folder',
  EFBIG: 'the file would be larger than is allowed',
  EMFILE: 'the process has too many files open',
};

export function describeErrno(errno: number): string {
  const name = getSystemErrorName(-errno);
  return WORDS[name] === undefined ? name : `${WORDS[name]} (${name})`;
}
