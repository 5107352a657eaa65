import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The folder where this user's running sessions are found: private to the user. */
export function runtimeFolder(): string {
  const base = process.env.XDG_RUNTIME_DIR;
  return base === undefined || base === '' ? join(tmpdir(), `sheaf-${userInfo().uid}`) : join(base, 'sheaf');
}

/** Where a session listens for `sheaf status`; undefined when the folder can't be had. */
export function sessionSocket(node: string): string | undefined {
  try {
    const folder = runtimeFolder();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return join(folder, `${node}.sock`);
  } catch {
    return undefined;
  }
}
