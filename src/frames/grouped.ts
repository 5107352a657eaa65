import { aggregateSql, COUNTED, withRanks } from './aggregates.ts';
import { columnsAfter, type Plan } from './plan.ts';
import { blockPart, type Part, type Relation } from './relation.ts';
import type { Run } from './run.ts';
import { shuffled } from './shuffled.ts';
import { quoted } from './sql-text.ts';

/** So many partial results are combined in one task; more are shared out. */
const FEW = 500_000;

/**
 * Groups. Each partition aggregates its own rows first; what comes of it is combined, by one task or by several who have different keys. A
 * quantile needs all values of a group at once: whole numbers are counted by each partition, with others rows of the same keys come together before.
 */
export async function grouped(plan: Plan & { readonly op: 'group' }, of: Relation, run: Run): Promise<Relation> {
  const columns = columnsAfter(plan, of.columns)!;
  const keys = plan.keys.map(quoted);
  const made = plan.aggregates.map(([name, aggregate], i) => aggregateSql(aggregate, name, of.columns, `sheaf ${i} `));
  const by = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`;
  const list = (sql: readonly string[]) =>
    [...keys, ...sql.map((each, i) => `${each} AS ${quoted(made[i]!.column.name)}`)].join(', ');
  const whole = (rows: string) => `SELECT ${list(made.map((each) => each.whole))} FROM (${rows})${by}`;
  const bytes = of.parts.reduce((sum, part) => sum + part.bytes, 0);

  if (of.parts.length === 1) return { columns, parts: [{ bytes, build: (use) => whole(of.parts[0]!.build(use)) }] };
  const counted = countedColumn(plan, of);
  if (counted === undefined && made.some(({ parts }) => parts === undefined)) {
    const needed = [
      ...new Set([
        ...plan.keys,
        ...plan.aggregates.flatMap(([, aggregate]) => ('column' in aggregate ? [aggregate.column] : [])),
      ]),
    ];
    const narrowed: Relation = {
      columns: of.columns.filter(({ name }) => needed.includes(name)),
      parts: of.parts.map((part) => ({
        ...part,
        build: (use) => `SELECT ${needed.map(quoted).join(', ') || '1 AS "sheaf one"'} FROM (${part.build(use)})`,
      })),
    };
    const met = await shuffled(narrowed, plan.keys.map(quoted), run);
    return { columns, parts: met.map((part) => ({ ...part, build: (use) => whole(part.build(use)) })) };
  }

  const { value, count } = COUNTED;
  const parts = made.flatMap((each) => each.parts ?? []);
  const listed = counted === undefined ? parts : [`${counted} AS ${value}`, `count(${counted}) AS ${count}`, ...parts];
  const finer = counted === undefined ? by : ` GROUP BY ${[...keys, counted].join(', ')}`;
  const partial = of.parts.map(
    (part): Part => ({
      ...part,
      build: (use) => `SELECT ${[...keys, ...listed].join(', ')} FROM (${part.build(use)})${finer}`,
    }),
  );
  const combine = (rows: string) =>
    `SELECT ${list(made.map((each) => each.combined))} FROM (${counted === undefined ? rows : withRanks(rows, keys)})${by}`;
  const computed = await run.blocks(partial);
  const blocks = computed.map(({ stats, blocks: [block] }) => blockPart(block!, stats.bytes));
  const rows = computed.reduce((sum, { stats }) => sum + stats.rows, 0);
  const all = (parts: readonly Part[]): Part => ({
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    build: (use) => combine(parts.map((part) => part.build(use)).join('\nUNION ALL ')),
  });
  if (keys.length === 0 || rows <= FEW) return { columns, parts: [all(blocks)] };
  const met = await shuffled({ columns: of.columns, parts: blocks }, keys, run);
  return { columns, parts: met.map((part) => all([part])) };
}

/**
 * The column whose values are counted before groups are made of them, quoted: that of all quantiles, if it is one of whole numbers. Those of a group are
 * often few different ones; floats seldom are.
 */
function countedColumn(plan: Plan & { readonly op: 'group' }, of: Relation): string | undefined {
  const names = new Set(
    plan.aggregates.flatMap(([, aggregate]) => (aggregate.name === 'quantile' ? [aggregate.column] : [])),
  );
  const [name] = names;
  const base = of.columns.find((column) => column.name === name)?.base;
  return names.size === 1 && (base === 'i32' || base === 'i64') ? quoted(name!) : undefined;
}
