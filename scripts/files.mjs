// Lists files, in the same order on every machine.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Absolute or relative paths, as `folder` is, of the files below it that `wanted` accepts; none if it does not exist. */
export function filesUnder(folder, wanted = () => true) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(path, wanted);
      return wanted(path) ? [path] : [];
    });
}
