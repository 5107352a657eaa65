import { readdirSync, readFileSync, realpathSync } from 'node:fs';

/** Files as the compiler sees them: those of imports, and what describes data. */
export interface Files {
  /** Undefined: there is none, or it can't be read. */
  read(path: string): string | undefined;
  /** Names in a folder; undefined: there is none. */
  list(directory: string): readonly string[] | undefined;
  /** One name for each file; undefined: there is none. */
  realPath(path: string): string | undefined;
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Those of this machine. */
export const LOCAL_FILES: Files = {
  read: (path) => orUndefined(() => readFileSync(path, 'utf8')),
  list: (directory) => orUndefined(() => readdirSync(directory)),
  realPath: (path) => orUndefined(() => realpathSync(path)),
};
