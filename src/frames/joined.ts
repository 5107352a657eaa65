import { commonBase } from './bind.ts';
import { columnsAfter, type Plan } from './plan.ts';
import { blockPart, namesOf, type Part, type Relation, together } from './relation.ts';
import type { Run } from './run.ts';
import { bucketsFor, bytesOf, shuffled } from './shuffled.ts';
import { quoted, SQL_TYPES } from './sql-text.ts';

type Join = Plan & { readonly op: 'join' };

/** What is smaller in Parquet goes to every partition of the other side, instead of both being partitioned anew. */
const SMALL = 8 << 20;

/** Rows of two relations together. */
export async function joined(plan: Join, left: Relation, right: Relation, run: Run): Promise<Relation> {
  const columns = columnsAfter(plan, left.columns, right.columns)!;
  const sql = joinSql(plan, left, right);
  if (broadcasts(plan, left, right)) {
    const computed = await run.blocks(right.parts);
    const all = computed.map(({ blocks: [block], stats }) => blockPart(block!, stats.bytes));
    const parts = left.parts.map(
      (part): Part => ({ ...part, build: (use) => sql(part.build(use), together(all, right.columns, use)) }),
    );
    return { columns, parts };
  }
  const buckets = bucketsFor(bytesOf(left) + bytesOf(right), run);
  const keys = keysOf(plan, left, right);
  const [own, other] = await Promise.all([
    shuffled(
      left,
      keys.map(([l]) => l),
      run,
      buckets,
    ),
    shuffled(
      right,
      keys.map(([, r]) => r),
      run,
      buckets,
    ),
  ]);
  return {
    columns,
    parts: own.map((part, i) => ({
      bytes: part.bytes + other[i]!.bytes,
      build: (use) => sql(part.build(use), other[i]!.build(use)),
    })),
  };
}

/** Rows of the right side without partner are found by nobody who has a part of the left side only. */
export function broadcasts({ how, strategy }: Join, left: Relation, right: Relation): boolean {
  if (left.parts.length === 1) return true;
  if (how === 'right' || how === 'full') return false;
  return strategy === 'auto'
    ? bytesOf(right) <= Math.max(SMALL, bytesOf(left) / left.parts.length)
    : strategy === 'broadcast';
}

function keysOf({ on }: Join, left: Relation, right: Relation): [string, string][] {
  return on.map(([l, r]) => {
    const baseOf = (relation: Relation, name: string) => relation.columns.find((column) => column.name === name)!.base;
    const base = commonBase(baseOf(left, l), baseOf(right, r))!;
    // Decimals of different scales are equal, and have different hashes.
    const as = (name: string) => `CAST(${quoted(name)} AS ${base === 'decimal' ? 'DOUBLE' : SQL_TYPES[base]})`;
    return [as(l), as(r)];
  });
}

function joinSql({ on, how }: Join, left: Relation, right: Relation): (l: string, r: string) => string {
  const condition = on.map(([l, r]) => `l.${quoted(l)} = r.${quoted(r)}`).join(' AND ');
  if (how === 'semi' || how === 'anti')
    return (l, r) =>
      `SELECT ${namesOf(left.columns)} FROM (${l}) AS l ${how.toUpperCase()} JOIN (${r}) AS r ON ${condition}`;
  const own = left.columns.map(({ name }) => {
    const shared = on.some(([l, r]) => l === name && r === name);
    return shared ? `coalesce(l.${quoted(name)}, r.${quoted(name)}) AS ${quoted(name)}` : `l.${quoted(name)}`;
  });
  const others = right.columns
    .filter(({ name }) => !left.columns.some((column) => column.name === name))
    .map(({ name }) => `r.${quoted(name)}`);
  const list = [...own, ...others].join(', ');
  return (l, r) => `SELECT ${list} FROM (${l}) AS l ${how.toUpperCase()} JOIN (${r}) AS r ON ${condition}`;
}
