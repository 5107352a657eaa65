import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kindOf, UsageError } from '../base/index.ts';

/** A file, and how large it is. */
export interface Found {
  readonly path: string;
  readonly bytes: number;
}

const MAGIC = /[*?[]/;

/** Files that a pattern names, in order: `*`, `?`, `[abc]` within a name, and `**` for any number of folders. */
export function filesOf(pattern: unknown, what: string): Found[] {
  if (typeof pattern !== 'string' || pattern === '')
    throw new UsageError(`${what} takes a path, or a pattern of paths, not ${kindOf(pattern)}`);
  const path = pattern.startsWith('file:') ? fileURLToPath(pattern) : resolve(pattern);
  // A file whose own name looks like a pattern is meant by it.
  const own = statSync(path, { throwIfNoEntry: false });
  const fail = (why: string, cause?: unknown): UsageError =>
    new UsageError(`${what}: ${path} ${why}`, { code: 'ERR_SHEAF_FRAME_FILE', details: { path }, cause });
  if (own?.isDirectory() === true) throw fail(`is a folder; name its files, as in ${join(path, '*.parquet')}`);
  try {
    const names = own !== undefined || !MAGIC.test(path) ? [path] : expand(path);
    const files = names.sort().flatMap((name) => {
      const found = statSync(name, { throwIfNoEntry: false });
      return found?.isFile() ? [{ path: name, bytes: found.size }] : [];
    });
    if (files.length > 0) return files;
  } catch (error) {
    throw fail(`can't be looked at: ${(error as Error).message}`, error);
  }
  throw fail(
    MAGIC.test(path)
      ? 'is the pattern of no file; look whether it names the right folder'
      : 'does not exist; look whether the path is right',
  );
}

function expand(pattern: string): string[] {
  const segments = pattern.split(sep);
  const first = segments.findIndex((segment) => MAGIC.test(segment));
  const found: string[] = [];
  const walk = (folder: string, at: number): void => {
    const segment = segments[at]!;
    const last = at === segments.length - 1;
    if (segment === '**') {
      if (!last) walk(folder, at + 1);
      for (const entry of entries(folder)) {
        if (entry.isDirectory()) walk(join(folder, entry.name), at);
        else if (last) found.push(join(folder, entry.name));
      }
      return;
    }
    const matches = matcher(segment);
    for (const entry of entries(folder)) {
      if (!matches.test(entry.name)) continue;
      const path = join(folder, entry.name);
      if (last) found.push(path);
      else if (entry.isDirectory() || entry.isSymbolicLink()) walk(path, at + 1);
    }
  };
  walk(segments.slice(0, first).join(sep) || sep, first);
  return [...new Set(found)];
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw Object.assign(new Error(`${dirname(folder)}: ${(error as Error).message}`), { cause: error });
  }
}

function matcher(segment: string): RegExp {
  let text = '';
  for (let i = 0; i < segment.length; i++) {
    const letter = segment[i]!;
    const end = letter === '[' ? segment.indexOf(']', i + 2) : -1;
    if (letter === '*') text += '[^/]*';
    else if (letter === '?') text += '[^/]';
    else if (end > 0) {
      const inner = segment.slice(i + 1, end);
      text += `[${inner.startsWith('!') ? '^' : ''}${inner.replace(/^!/, '').replace(/[\\\]^]/g, '\\$&')}]`;
      i = end;
    } else text += letter.replace(/[\\^$.|+(){}[\]]/g, '\\$&');
  }
  // As shells do it: hidden files are meant by their dot only.
  return new RegExp(`^${segment.startsWith('.') ? '' : '(?!\\.)'}${text}$`, 'u');
}

/** A path that the engine, which knows patterns, takes for what it is. */
export const literalPath = (path: string): string => path.replace(/[*?[]/g, '[$&]');
