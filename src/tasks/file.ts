import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown, UsageError } from '../base/index.ts';
import { FileValue } from '../runtime/index.ts';
import { currentEngine } from './context.ts';
import { enterScope } from './scope.ts';
import type { Ref } from './types.ts';

/**
 * A reference to a file of this machine. Its value is a `Blob` that reads the file where it is used, and no byte before that: tasks
 * get it without the bytes passing through here. The file must stay as it is until its last reader is done.
 *
 * @throws UsageError where there is no such file, or it can't be read.
 */
export function file(path: string | URL): Ref<Blob> {
  const place = placeOf(path);
  const { size, mtimeMs } = look(place);
  const result = currentEngine('file').put(new FileValue(place, size, mtimeMs));
  enterScope(result);
  return result as unknown as Ref<Blob>;
}

function placeOf(path: string | URL): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) {
    return path.startsWith('file:') ? fileURLToPath(path) : resolve(path);
  }
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  throw new UsageError(`file takes a path or a file: URL, not ${path instanceof URL ? path.href : shown(path)}`);
}

function look(place: string): Stats {
  let stats: Stats | undefined;
  try {
    stats = statSync(place, { throwIfNoEntry: false });
    if (stats?.isFile()) accessSync(place, constants.R_OK);
  } catch (error) {
    throw new UsageError(`file: ${place} can't be read: ${(error as Error).message}`, { cause: error });
  }
  if (stats === undefined)
    throw new UsageError(`file: there is no ${place}; paths are relative to the working directory`);
  if (stats.isDirectory()) throw new UsageError(`file: ${place} is a folder; give the path of a file in it`);
  if (!stats.isFile())
    throw new UsageError(`file: ${place} is no regular file, so it can't be read twice; read it here`);
  return stats;
}
