import { type ColumnKind, checkNames } from './column-types.ts';
import { columnOf } from './engine-types.ts';
import type { Plan } from './plan.ts';
import { type Relation, together } from './relation.ts';
import type { Run } from './run.ts';
import { quoted, SQL_TYPES } from './sql-text.ts';

type Sql = Plan & { readonly op: 'sql' };

/** The query over rows called `this`; the line break ends a comment, should it end with one. */
const over = (rows: string, query: string): string =>
  `WITH "this" AS NOT MATERIALIZED (${rows}) SELECT * FROM (${query.trim().replace(/;$/, '')}\n)`;

/** The columns of a query, as ours. */
export async function described(
  plan: Sql,
  of: readonly ColumnKind[],
  run: Run,
): Promise<ReturnType<typeof columnOf>[]> {
  const nothing = `SELECT ${of.map(({ name, base }) => `CAST(NULL AS ${SQL_TYPES[base]}) AS ${quoted(name)}`).join(', ')} WHERE FALSE`;
  const query = { ...run.plain(over(nothing, plan.query)), what: 'sql' };
  const found = await run.hold(run.tasks.describeSql(query, plan.query)).value;
  checkNames(
    found.map(({ name }) => name),
    'sql',
  );
  return found.map((column) => columnOf(column, 'sql'));
}

/** All rows meet in one partition, where the query is a part of its SQL: what it does not need of files is not read. */
export async function queried(plan: Sql, of: Relation, run: Run): Promise<Relation> {
  const found = await described(plan, of.columns, run);
  const list = found.map(({ kind, sql }) => `${sql} AS ${quoted(kind.name)}`).join(', ');
  return {
    columns: found.map(({ kind }) => kind),
    parts: [
      {
        bytes: of.parts.reduce((sum, part) => sum + part.bytes, 0),
        build: (use) => `SELECT ${list} FROM (${over(together(of.parts, of.columns, use), plan.query)})`,
      },
    ],
  };
}
