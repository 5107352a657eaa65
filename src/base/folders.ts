import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder with those above it, if they are missing. Unlike `mkdirSync` with `recursive`, it comes to an end where nothing can be
 * made: below `/proc`, whose answer is that the parent is missing, Node 20 asks for ever.
 */
export function makeFolders(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path) throw error;
    makeFolders(above, mode);
    try {
      mkdirSync(path, { mode });
    } catch (again) {
      // Somebody else may have been faster.
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    }
  }
}
