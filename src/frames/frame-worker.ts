// Runs on workers, for frames: what the other files of this folder call through `remote`.
import { rmSync } from 'node:fs';
import { FormatError, UsageError } from '../base/index.ts';
import { current } from '../tasks/index.ts';
import type { ColumnKind } from './column-types.ts';
import { type Batch, batchOf, joined, readable, readBatch, writeBatch } from './columns.ts';
import { type Connection, duckdb, withConnection } from './engine.ts';
import type { Described } from './engine-types.ts';
import { faultOf } from './faults.ts';
import { type Found, literalPath } from './glob.ts';
import { inputName } from './input-name.ts';
import { MemoryFile } from './memory-file.ts';
import type { Group } from './scan.rules.ts';
import { quoted, text } from './sql-text.ts';

/** Rows between stages: a Parquet file in memory, which has every type of the engine, and is small. */
export interface Block {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** What is known of rows without looking at them. */
export interface Stats {
  readonly rows: number;
  readonly bytes: number;
}

/** A query of one partition. Its inputs are named `inputName(0)` and so on. */
export interface Query {
  readonly sql: string;
  /** What is computed, for messages. */
  readonly what: string;
  /** Bytes that the engine may take. */
  readonly memory: number;
}

/** How the rows of a partition are given to those of the next stage. */
export interface Cut {
  /** The bucket of a row, from 0. */
  readonly bucket: string;
  readonly buckets: number;
}

const COPY = '(FORMAT parquet, COMPRESSION lz4_raw, USE_TMP_FILE false)';

async function querying<T>(
  { memory, what }: Query,
  inputs: readonly Block[],
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const files: MemoryFile[] = [];
  const { signal } = current();
  try {
    return await withConnection(memory, async (connection) => {
      // Who does not want the result any more does not want the engine to go on.
      const interrupt = (): void => connection.interrupt();
      signal.addEventListener('abort', interrupt, { once: true });
      try {
        for (const [i, { bytes }] of inputs.entries()) {
          const file = new MemoryFile();
          files.push(file);
          file.write(bytes);
          await connection.run(
            `CREATE TEMP VIEW ${quoted(inputName(i))} AS SELECT * FROM read_parquet(${text(file.path)})`,
          );
        }
        return await use(connection);
      } finally {
        signal.removeEventListener('abort', interrupt);
      }
    });
  } catch (error) {
    signal.throwIfAborted();
    throw faultOf(error, what);
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
}

async function store(connection: Connection, sql: string): Promise<Block> {
  using file = new MemoryFile();
  const result = await connection.run(`COPY (${sql}) TO ${text(file.path)} ${COPY}`);
  const [[rows]] = (await result.getRows()) as [[bigint]];
  return { rows: Number(rows), bytes: file.read() };
}

/** Computes a partition: what is known of it, and its rows in one block, or in one for each bucket. */
export async function computeBlocks(
  query: Query,
  cut: Cut | undefined,
  ...inputs: Block[]
): Promise<[Stats, ...Block[]]> {
  return querying(query, inputs, async (connection) => {
    const blocks: Block[] = [];
    if (cut === undefined) blocks.push(await store(connection, query.sql));
    else {
      const bucket = quoted('sheaf bucket');
      await connection.run(
        `CREATE TEMP TABLE "sheaf rows" AS SELECT *, CAST(${cut.bucket} AS INTEGER) AS ${bucket} FROM (${query.sql})`,
      );
      for (let i = 0; i < cut.buckets; i++)
        blocks.push(await store(connection, `SELECT * EXCLUDE (${bucket}) FROM "sheaf rows" WHERE ${bucket} = ${i}`));
      await connection.run('DROP TABLE "sheaf rows"');
    }
    const [rows, bytes] = blocks.reduce(([r, b], block) => [r + block.rows, b + block.bytes.length], [0, 0]);
    return [{ rows, bytes }, ...blocks];
  });
}

/** Values here and there of what a query gives in one column, as text. */
export async function sampleValues(query: Query, count: number, ...inputs: Block[]): Promise<string[]> {
  return querying(query, inputs, async (connection) => {
    const result = await connection.run(
      `SELECT CAST(v AS VARCHAR) FROM (SELECT v, row_number() OVER () AS n, count(*) OVER () AS m FROM (${query.sql}) AS t(v)) WHERE n % greatest(1, m // ${count}) = 0`,
    );
    return (await result.getRows()).map(([value]) => value as string);
  });
}

/** The first column of all rows, as text. */
export async function textValues(query: Query, ...inputs: Block[]): Promise<string[]> {
  return querying(query, inputs, async (connection) =>
    (await (await connection.run(query.sql)).getRows()).map(([value]) => String(value)),
  );
}

/** The rows, as columns that JavaScript can read. */
export async function computeBatch(query: Query, columns: readonly ColumnKind[], ...inputs: Block[]): Promise<Batch> {
  return querying(query, inputs, (connection) =>
    readBatch(connection, readable(columns, query.sql), columns, query.what),
  );
}

/** The rows, as `toColumns` gives them. */
export async function computeColumns(
  query: Query,
  columns: readonly ColumnKind[],
  ...inputs: Block[]
): Promise<Record<string, unknown>> {
  return joined([await computeBatch(query, columns, ...inputs)], columns);
}

/** Columns as a task gave them, as a block. */
export const blockOfColumns = async (
  query: Query,
  columns: readonly ColumnKind[],
  given: unknown,
): Promise<[Stats, Block]> => blockOfBatch(query, batchOf(given, columns, query.what));

/** Columns as a block. */
export async function blockOfBatch(query: Query, batch: Batch): Promise<[Stats, Block]> {
  return querying(query, [], async (connection) => {
    const block = await store(connection, await writeBatch(await duckdb(), connection, batch, 'sheaf columns'));
    return [{ rows: block.rows, bytes: block.bytes.length }, block];
  });
}

/** Writes the rows into a file, or into one for each combination of values, below a folder; gives how many there are. */
export async function writeFiles(
  query: Query,
  path: string,
  by: readonly string[],
  ...inputs: Block[]
): Promise<number> {
  return querying(query, inputs, async (connection) => {
    // Of an attempt that was killed.
    rmSync(path, { recursive: true, force: true });
    const options = by.length === 0 ? '' : `, PARTITION_BY (${by.map(quoted).join(', ')}), FILENAME_PATTERN 'part'`;
    const result = await connection.run(`COPY (${query.sql}) TO ${text(path)} (FORMAT parquet${options})`);
    const [[rows]] = (await result.getRows()) as [[bigint]];
    return Number(rows);
  });
}

/** How many rows there are. */
export async function countRows(query: Query, ...inputs: Block[]): Promise<number> {
  return querying(query, inputs, async (connection) => {
    const [[rows]] = (await (await connection.run(`SELECT count(*) FROM (${query.sql})`)).getRows()) as [[bigint]];
    return Number(rows);
  });
}

/** The columns of a query over nothing, after a look whether it is one SELECT and nothing else. */
export async function describeSql(query: Query, own: string): Promise<Described[]> {
  return querying(query, [], async (connection) => {
    const statements = await connection.extractStatements(own);
    if (statements.count !== 1)
      throw new UsageError(`${query.what}: there are ${statements.count} statements; give one SELECT`, {
        code: 'ERR_SHEAF_FRAME_SQL',
      });
    // It stands in parentheses there, which only a SELECT can.
    return described(connection, query.sql);
  });
}

async function described(connection: Connection, sql: string): Promise<Described[]> {
  const rows = await (await connection.run(`DESCRIBE ${sql}`)).getRows();
  return rows.map(([name, type]) => ({ name: name as string, type: type as string }));
}

/** What is known of files before they are read. */
export interface Facts {
  /** Of the first file, and of all. */
  readonly columns: readonly Described[];
  /** Of Parquet: for each file, its groups of rows. */
  readonly groups: readonly (readonly Group[])[];
}

/** Looks at the columns of all files, which have to be the same, and at how their rows lie. */
export async function scanFacts(query: Query, format: 'parquet' | 'csv', files: readonly Found[]): Promise<Facts> {
  return querying(query, [], async (connection) => {
    let columns: readonly Described[] | undefined;
    const groups: Group[][] = [];
    for (const { path } of files) {
      const at = text(literalPath(path));
      // CSV files of one set may look different by chance; they are read with the types of the first one.
      if (format === 'csv')
        return {
          columns: await inFile(path, () => described(connection, `SELECT * FROM read_csv(${at}, header = true)`)),
          groups,
        };
      const own = await inFile(path, () => described(connection, `SELECT * FROM read_parquet(${at})`));
      columns ??= own;
      differ(columns, own, files[0]!.path, path, query.what);
      const found = await connection.run(
        `SELECT row_group_id, any_value(row_group_num_rows), sum(total_compressed_size) FROM parquet_metadata(${at}) GROUP BY 1 ORDER BY 1`,
      );
      groups.push((await found.getRows()).map(([, rows, bytes]) => ({ rows: Number(rows), bytes: Number(bytes) })));
    }
    return { columns: columns ?? [], groups };
  });
}

async function inFile<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const fault = faultOf(error, path);
    if (!(fault instanceof FormatError)) throw fault;
    throw new FormatError(fault.message, { details: { path }, cause: error });
  }
}

function differ(
  first: readonly Described[],
  own: readonly Described[],
  firstPath: string,
  path: string,
  what: string,
): void {
  const other = first.find(({ name, type }) => own.find((each) => each.name === name)?.type !== type);
  if (other === undefined) return;
  const found = own.find(({ name }) => name === other.name);
  throw new FormatError(
    `${what}: the column ${JSON.stringify(other.name)} is of type ${other.type} in ${firstPath}, and ${found === undefined ? 'not there' : `of type ${found.type}`} in ${path}; read such files by themselves`,
    { code: 'ERR_SHEAF_FRAME_SCHEMA', details: { path, column: other.name } },
  );
}
