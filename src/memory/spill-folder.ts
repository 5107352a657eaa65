import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { constants, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../base/index.ts';
import { libc } from '../native/index.ts';

/** File systems that live in memory: what is written there does not leave it. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];
const LOCK = 'lock';
const DEFAULT = 'sheaf-spill-';
const FOLDER = /^sheaf-(\d+)-[0-9a-f]+$/;

/**
 * Where objects go that have no room in memory, unless told otherwise: a folder of the user's own, on a disk. Undefined
 * where all folders for temporary files lie in memory.
 */
export function defaultSpillFolder(): string | undefined {
  const places = process.platform === 'win32' ? [tmpdir()] : ['/var/tmp', tmpdir()];
  const place = places.find((each) => {
    try {
      return !IN_MEMORY.includes(statfsSync(each).type);
    } catch {
      return false;
    }
  });
  return place === undefined ? undefined : join(place, `${DEFAULT}${userInfo().uid}`);
}

/** How many bytes fit onto the disk of a folder, which may have to be made yet; where it does not say so, any number. */
export function freeOnDisk(folder: string): number {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      return bavail * bsize;
    } catch {
      if (place === dirname(place)) return Number.POSITIVE_INFINITY;
    }
  }
}

/** The folder of one session of this process within `folder`. */
export function spillFolderOf(folder: string, node: string): string {
  return join(folder, `sheaf-${process.pid}-${node}`);
}

export function spillFile(folder: string, serial: number): string {
  return join(folder, `${serial}.spill`);
}

/**
 * Makes the folder of a session, for its user alone. It is locked for as long as the descriptor that this returns is open,
 * and never seen unlocked, so that what killed sessions leave behind can be told from what is in use.
 */
export function makeSpillFolder(path: string): number {
  const unready = `${path}.new`;
  makeFolders(dirname(path), 0o700);
  refuseForeign(dirname(path));
  rmSync(unready, { recursive: true, force: true });
  mkdirSync(unready, { mode: 0o700 });
  const lock = openSync(join(unready, LOCK), 'wx', 0o600);
  try {
    libc()?.lockFile(lock);
    renameSync(unready, path);
    return lock;
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

/** Where everybody may make folders, somebody else may have made the one that is ours by its name. */
function refuseForeign(folder: string): void {
  if (process.platform === 'win32' || basename(folder) !== `${DEFAULT}${userInfo().uid}`) return;
  const { uid, mode } = lstatSync(folder);
  if (uid === userInfo().uid && (mode & 0o077) === 0) return;
  throw Object.assign(new Error(`${folder} belongs to others, or is open to them`), { errno: -constants.errno.EACCES });
}

/** Deletes the folder of a session, at once. */
export function removeSpillFolder(path: string): void {
  try {
    // A file that is being written when the program exits appears after the others have gone: some two seconds in all.
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 10 });
  } catch {
    // Who next spills to the folder around it tries again.
  }
}

/** Deletes what sessions that were killed have left behind in `folder`. Returns the names. */
export function clearAbandoned(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // There is no such folder yet.
    return [];
  }
  const abandoned = names.filter((name) => isAbandoned(folder, name));
  for (const name of abandoned) removeSpillFolder(join(folder, name));
  return abandoned;
}

function isAbandoned(folder: string, name: string): boolean {
  const process = FOLDER.exec(name)?.[1];
  if (process === undefined) return false;
  const path = join(folder, name);
  try {
    const stat = lstatSync(path);
    if (!stat.isDirectory() || stat.uid !== userInfo().uid) return false;
    return libc() === undefined ? !isRunning(Number(process)) : canLock(join(path, LOCK));
  } catch {
    // It has just gone, or is not ours to look at.
    return false;
  }
}

function canLock(path: string): boolean {
  if (!existsSync(path)) return true;
  const fd = openSync(path, 'r+');
  try {
    return libc()!.lockFile(fd);
  } finally {
    closeSync(fd);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
