import { UsageError } from '../base/index.ts';
import { type ColumnKind, checkNames, dtOf } from './column-types.ts';
import { columnOf, holds } from './engine-types.ts';
import type { Facts } from './frame-worker.ts';
import { type Found, filesOf, literalPath } from './glob.ts';
import type { Plan } from './plan.ts';
import type { Part, Relation } from './relation.ts';
import type { Run } from './run.ts';
import { filesInParts, rangesOf } from './scan.rules.ts';
import { quoted, SQL_TYPES, text } from './sql-text.ts';

type Scan = Plan & { readonly op: 'scan' };

/** Files as a relation: its columns as the schema or the first file says, in partitions by files and groups of rows. */
export async function scanned(plan: Scan, run: Run): Promise<Relation> {
  const what = plan.format === 'parquet' ? 'readParquet' : 'readCsv';
  const files = filesOf(plan.glob, what);
  const facts = await run.hold(run.tasks.scanFacts({ ...run.plain(''), what }, plan.format, files)).value;
  const found = wantedColumns(plan, facts, files[0]!.path, what);
  const columns = found.map(({ kind }) => kind);
  const select = `SELECT ${found.map(({ kind, sql }) => `${sql} AS ${quoted(kind.name)}`).join(', ')} FROM `;
  const parts =
    plan.format === 'parquet' ? inGroups(plan, facts, files, select, run) : inFiles(plan, found, files, select);
  return { columns, parts };
}

interface Wanted {
  readonly kind: ColumnKind;
  readonly sql: string;
}

function wantedColumns(plan: Scan, facts: Facts, file: string, what: string): readonly Wanted[] {
  if (plan.columns === undefined) {
    const found = facts.columns.map((described) => columnOf(described, `${what}: ${file}`));
    checkNames(
      found.map(({ kind }) => kind.name),
      `${what}: ${file}`,
    );
    return found;
  }
  return plan.columns.map((kind) => {
    const described = facts.columns.find(({ name }) => name === kind.name);
    if (described === undefined) {
      throw new UsageError(
        `${what}: the schema has a column ${JSON.stringify(kind.name)}, and ${file} has not; it has ${facts.columns
          .map(({ name }) => name)
          .slice(0, 20)
          .join(', ')}`,
        { code: 'ERR_SHEAF_FRAME_SCHEMA', details: { path: file, column: kind.name } },
      );
    }
    // Of a text the schema says what its columns are; whether they are is seen when it is read.
    if (plan.format === 'csv') return { kind, sql: quoted(kind.name) };
    const { kind: own, sql } = columnOf(described, `${what}: ${file}`);
    if (!holds(kind.base, own.base)) {
      throw new UsageError(
        `${what}: the column ${JSON.stringify(kind.name)} of ${file} is ${dtOf(own)} (${described.type}), and the schema calls it ${dtOf(kind)}; call it ${own.base}, and cast it`,
        { code: 'ERR_SHEAF_FRAME_SCHEMA', details: { path: file, column: kind.name, type: described.type } },
      );
    }
    return { kind, sql: own.base === kind.base ? sql : `CAST(${sql} AS ${SQL_TYPES[kind.base]})` };
  });
}

function inGroups(plan: Scan, facts: Facts, files: readonly Found[], select: string, run: Run): Part[] {
  return rangesOf(facts.groups, run.cpus, plan.partitions).map((ranges) => ({
    bytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0),
    build: () => {
      // Nothing in it: the columns are those of the first file all the same.
      if (ranges.length === 0) return `${select}read_parquet(${text(literalPath(files[0]!.path))}) WHERE FALSE`;
      return ranges
        .map(({ file, from, to, whole }) => {
          const path = text(literalPath(files[file]!.path));
          // Whole groups are left out by their row numbers, without being read.
          return whole
            ? `${select}read_parquet(${path})`
            : `${select}read_parquet(${path}, file_row_number = true) WHERE file_row_number BETWEEN ${from} AND ${to - 1}`;
        })
        .join('\nUNION ALL ');
    },
  }));
}

function inFiles(plan: Scan, found: readonly Wanted[], files: readonly Found[], select: string): Part[] {
  const types = found.map(({ kind }) => `${text(kind.name)}: ${text(SQL_TYPES[kind.base])}`).join(', ');
  return filesInParts(
    files.map(({ bytes }) => bytes),
    plan.partitions,
  ).map((part) => ({
    bytes: part.reduce((sum, file) => sum + files[file]!.bytes, 0),
    build: () =>
      part
        .map((file) => `${select}read_csv(${text(literalPath(files[file]!.path))}, header = true, types = {${types}})`)
        .join('\nUNION ALL '),
  }));
}
