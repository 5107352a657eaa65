import type { Base } from './column-types.ts';
import { columnsAfter, type OrderKey, type Plan } from './plan.ts';
import { blockPart, namesOf, type Part, type Relation, together } from './relation.ts';
import { relationOf } from './relations.ts';
import type { Run } from './run.ts';
import { bucketsFor } from './shuffled.ts';
import { quoted, SQL_TYPES, text } from './sql-text.ts';

/** So many rows are sorted by one task at once. */
const FEW = 200_000;
/** Values of each partition that the others are told of. */
const SAMPLE = 64;

const orderBy = (keys: readonly OrderKey[]): string =>
  ` ORDER BY ${keys.map(({ name, descending }) => `${quoted(name)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`).join(', ')}`;

/**
 * Rows in order, or the first `most` of them. Many are partitioned by ranges of the first key, which a sample tells, and each range is sorted by itself: the
 * partitions follow each other.
 */
export async function ordered(
  plan: Plan & { readonly op: 'order' },
  run: Run,
  most: number | undefined,
): Promise<Relation> {
  const of = await relationOf(plan.of, run);
  const columns = columnsAfter(plan, of.columns)!;
  const sorted = (rows: string) =>
    `SELECT ${namesOf(columns)} FROM (${rows})${orderBy(plan.keys)}${most === undefined ? '' : ` LIMIT ${most}`}`;
  const one = (parts: readonly Part[]): Part => ({
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    build: (use) => sorted(together(parts, columns, use)),
  });
  if (of.parts.length <= 1) return { columns, parts: [one(of.parts)] };
  const computed = await run.blocks(most === undefined ? of.parts : of.parts.map((part) => one([part])));
  const blocks = computed.map(({ blocks: [block], stats }) => blockPart(block!, stats.bytes));
  const rows = computed.reduce((sum, { stats }) => sum + stats.rows, 0);
  if (most !== undefined || rows <= FEW) return { columns, parts: [one(blocks)] };

  const buckets = bucketsFor(
    blocks.reduce((sum, part) => sum + part.bytes, 0),
    run,
  );
  const bounds = await boundsOf(blocks, plan.keys[0]!, columns, buckets, run);
  const cut = await run.blocks(blocks, {
    bucket: bucketOf(plan.keys[0]!, columns, bounds),
    buckets: bounds.length + 1,
  });
  return {
    columns,
    parts: Array.from({ length: bounds.length + 1 }, (_, i) =>
      one(cut.map((each) => blockPart(each.blocks[i]!, each.stats.bytes / (bounds.length + 1)))),
    ),
  };
}

/** Values of a key, in SQL, between which there are about as many rows. */
async function boundsOf(
  blocks: readonly Part[],
  key: OrderKey,
  columns: Relation['columns'],
  buckets: number,
  run: Run,
): Promise<string[]> {
  const { base } = columns.find(({ name }) => name === key.name)!;
  const c = keyOf(key, base);
  const samples = blocks.map((part) => {
    const { query, inputs } = run.query({
      ...part,
      build: (use) => `SELECT ${c} FROM (${part.build(use)}) WHERE ${c} IS NOT NULL`,
    });
    return run.hold(run.tasks.sampleValues(query, SAMPLE, ...inputs));
  });
  const values = (await Promise.all(samples.map((ref) => ref.value))).flat();
  if (values.length === 0) return [];
  const type = base === 'decimal' ? SQL_TYPES.f64 : SQL_TYPES[base];
  const shares = Array.from({ length: buckets - 1 }, (_, i) => `CAST('${(i + 1) / buckets}' AS DOUBLE)`);
  if (shares.length === 0) return [];
  const list = values.map((value) => `(CAST(${text(value)} AS ${type}))`).join(', ');
  const query = run.plain(
    `SELECT DISTINCT CAST(unnest(quantile_disc(v, [${shares.join(', ')}])) AS VARCHAR) AS b, 1 FROM (VALUES ${list}) AS t(v)`,
  );
  const found = await run.hold(
    run.tasks.textValues({ ...query, sql: `SELECT b FROM (${query.sql}) ORDER BY CAST(b AS ${type})` }),
  ).value;
  return found.map((value) => `CAST(${text(value)} AS ${type})`);
}

/** Decimals have bounds of many scales, floats have one. */
const keyOf = ({ name }: OrderKey, base: Base): string =>
  base === 'decimal' ? `CAST(${quoted(name)} AS DOUBLE)` : quoted(name);

/** The range of a row, in the order of the result: missing values are in the last one. */
function bucketOf({ name, descending }: OrderKey, columns: Relation['columns'], bounds: readonly string[]): string {
  const c = keyOf({ name, descending }, columns.find((column) => column.name === name)!.base);
  const last = bounds.length;
  const cases = bounds.map((bound, i) => `WHEN ${c} < ${bound} THEN ${descending ? last - i : i}`);
  return `CASE WHEN ${c} IS NULL THEN ${last} ${cases.join(' ')} ELSE ${descending ? 0 : last} END`;
}
