import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { kindOf, UsageError } from '../base/index.ts';
import { columnNamed } from './column-types.ts';
import type { Relation } from './relation.ts';
import type { Run } from './run.ts';
import type { Written } from './types.ts';

/** Writes each partition into a file of its own, beside which nobody sees them until all are there. */
export async function written(of: Relation, dir: string, by: readonly string[], run: Run): Promise<Written> {
  const folder = folderFor(dir);
  for (const name of by) columnNamed(of.columns, name, 'writeParquet: partitionBy');
  if (by.length > 0 && by.length === of.columns.length)
    throw new UsageError('writeParquet: partitionBy names all columns, and files need one at least', {
      code: 'ERR_SHEAF_FRAME_COLUMN',
    });
  const staging = join(folder, `.sheaf-${randomBytes(6).toString('hex')}`);
  mkdirSync(staging, { recursive: true });
  try {
    const parts = of.parts.map((part, i) => {
      const { query, inputs } = run.query(part);
      const path = join(staging, `part-${String(i).padStart(5, '0')}${by.length === 0 ? '.parquet' : ''}`);
      return {
        path,
        rows: run.hold(run.tasks.writeFiles({ ...query, what: `writeParquet: ${folder}` }, path, by, ...inputs)),
      };
    });
    // Those that still write would make again what is removed here after a failure of another one.
    const ended = await Promise.allSettled(parts.map(({ rows }) => rows.value));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const counts = ended.map((each) => (each.status === 'fulfilled' ? each.value : 0));
    const rows = counts.reduce((sum, count) => sum + count, 0);
    // A file without rows says what the columns are, where no other one does.
    for (const [i, { path }] of parts.entries())
      if (counts[i] === 0 && (rows > 0 || i > 0)) rmSync(path, { recursive: true, force: true });
    let [files, bytes] = [0, 0];
    for (const file of filesBelow(staging)) {
      const [part, ...rest] = relative(staging, file).split(/[\\/]/);
      const target = rest.length === 0 ? join(folder, part!) : join(folder, dirname(join(...rest)), `${part}.parquet`);
      bytes += statSync(file).size;
      files++;
      mkdirSync(dirname(target), { recursive: true });
      renameSync(file, target);
    }
    return { files, rows, bytes };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function folderFor(dir: unknown): string {
  if (typeof dir !== 'string' || dir === '')
    throw new UsageError(`writeParquet takes the path of a folder, not ${kindOf(dir)}`);
  const folder = resolve(dir);
  try {
    mkdirSync(folder, { recursive: true });
    const other = filesBelow(folder).find((file) => file.endsWith('.parquet'));
    if (other !== undefined)
      throw new Error(
        `it has ${relative(folder, other)} already, which would be read with the new files; remove it, or name another folder`,
      );
  } catch (error) {
    throw new UsageError(`writeParquet: ${folder} can't be written to: ${(error as Error).message}`, {
      code: 'ERR_SHEAF_FRAME_FILE',
      details: { path: folder },
      cause: error,
    });
  }
  return folder;
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
