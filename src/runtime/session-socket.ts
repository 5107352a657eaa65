import { lstatSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from '../base/index.ts';

/** The longest path that a socket can have on every system we know. */
const LONGEST_PATH = 103;

/** The folder where this user's running sessions are found: private to the user. */
export function runtimeFolder(): string {
  const base = process.env.XDG_RUNTIME_DIR;
  return base === undefined || base === '' ? join(tmpdir(), `sheaf-${userInfo().uid}`) : join(base, 'sheaf');
}

/**
 * Why nobody should put a socket into the folder, or believe one that is there; undefined when all is well, or when it
 * does not exist yet. Others could have made it first where everyone may write.
 */
export function folderProblem(folder = runtimeFolder()): string | undefined {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || process.platform === 'win32') return undefined;
  if (!stat.isDirectory()) return `${folder} is not a folder; remove it`;
  const { uid } = userInfo();
  if (stat.uid !== uid)
    return `${folder} belongs to user ${stat.uid} and not to you (${uid}); set XDG_RUNTIME_DIR to a folder of your own`;
  if ((stat.mode & 0o077) !== 0) {
    return `${folder} is open to others (mode 0${(stat.mode & 0o777).toString(8)}); run: chmod 700 '${folder}'`;
  }
  return undefined;
}

/** Where a session listens for `sheaf status`; undefined when no private folder can be had. */
export function sessionSocket(node: string): string | undefined {
  try {
    const folder = runtimeFolder();
    makeFolders(folder, 0o700);
    const path = join(folder, `${node}.sock`);
    return folderProblem(folder) === undefined && path.length <= LONGEST_PATH ? path : undefined;
  } catch {
    return undefined;
  }
}
