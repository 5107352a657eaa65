import type { Ref } from '../tasks/index.ts';
import type { ColumnKind } from './column-types.ts';
import type { Block } from './frame-worker.ts';
import { quoted, SQL_TYPES } from './sql-text.ts';

/** Takes a block as an input of the query that is being written, and gives its name in there, quoted. */
export type Use = (block: Ref<Block>) => string;

/** One partition: the SQL of its rows. */
export interface Part {
  build(use: Use): string;
  /** About how many, in Parquet. */
  readonly bytes: number;
}

/** Rows in partitions, of which nothing has been computed that is not in blocks. */
export interface Relation {
  readonly columns: readonly ColumnKind[];
  readonly parts: readonly Part[];
}

export const namesOf = (columns: readonly ColumnKind[]): string => columns.map(({ name }) => quoted(name)).join(', ');

/** The rows of each partition, by SQL of it that needs no other one. */
export const eachPart = (
  relation: Relation,
  columns: readonly ColumnKind[],
  sql: (rows: string) => string,
): Relation => ({
  columns,
  parts: relation.parts.map((part) => ({ ...part, build: (use) => sql(`(${part.build(use)})`) })),
});

/** What several partitions have, in their order. */
export const together = (parts: readonly Part[], columns: readonly ColumnKind[], use: Use): string =>
  parts.length === 0
    ? `SELECT ${columns.map(({ name, base }) => `CAST(NULL AS ${SQL_TYPES[base]}) AS ${quoted(name)}`).join(', ')} WHERE FALSE`
    : parts.map((part) => `SELECT ${namesOf(columns)} FROM (${part.build(use)})`).join('\nUNION ALL ');

/** A partition whose rows are in a block. */
export const blockPart = (block: Ref<Block>, bytes: number): Part => ({
  build: (use) => `SELECT * FROM ${use(block)}`,
  bytes,
});
