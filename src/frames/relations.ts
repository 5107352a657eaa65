import { batches } from './batches.ts';
import { bind } from './bind.ts';
import type { ColumnKind } from './column-types.ts';
import { given } from './given.ts';
import { grouped } from './grouped.ts';
import { headOf } from './head.ts';
import { joined } from './joined.ts';
import { ordered } from './ordered.ts';
import { columnsAfter, columnsKnown, conditionOf, type Plan } from './plan.ts';
import { blockPart, eachPart, namesOf, type Relation } from './relation.ts';
import type { Run } from './run.ts';
import { scanned } from './scan.ts';
import { described, queried } from './sql-query.ts';
import { quoted } from './sql-text.ts';

/**
 * The rows of a plan. What each partition does by itself is only written down; where rows of several have to meet, what they are made of is
 * computed.
 */
export async function relationOf(plan: Plan, run: Run): Promise<Relation> {
  switch (plan.op) {
    case 'scan':
      return scanned(plan, run);
    case 'kept':
      return { columns: plan.columns, parts: plan.parts.map(({ block, stats }) => blockPart(block, stats.bytes)) };
    case 'given':
      return given(plan, run);
    case 'head':
      return headOf(plan, run);
    case 'order':
      return ordered(plan, run, undefined);
    case 'group':
      return grouped(plan, await relationOf(plan.of, run), run);
    case 'sql':
      return queried(plan, await relationOf(plan.of, run), run);
    case 'batches':
      return batches(plan, await relationOf(plan.of, run), run);
    case 'join':
      return joined(plan, ...(await Promise.all([relationOf(plan.of, run), relationOf(plan.right, run)])), run);
    default: {
      const of = await relationOf(plan.of, run);
      return narrow(plan, of, columnsAfter(plan, of.columns)!);
    }
  }
}

type Narrow = Plan & { readonly op: 'where' | 'derive' | 'select' };

function narrow(plan: Narrow, of: Relation, columns: readonly ColumnKind[]): Relation {
  switch (plan.op) {
    case 'where': {
      const condition = conditionOf(plan.condition, of.columns);
      return eachPart(of, columns, (rows) => `SELECT ${namesOf(columns)} FROM ${rows} WHERE ${condition}`);
    }
    case 'select':
      return eachPart(of, columns, (rows) => `SELECT ${namesOf(columns)} FROM ${rows}`);
    case 'derive': {
      const made = new Map(plan.made.map(([name, expression]) => [name, bind(expression, of.columns, 'derive').sql]));
      const list = columns.map(({ name }) => (made.has(name) ? `${made.get(name)} AS ${quoted(name)}` : quoted(name)));
      return eachPart(of, columns, (rows) => `SELECT ${list.join(', ')} FROM ${rows}`);
    }
  }
}

/** The columns of a plan; files are looked at, and nothing is computed. */
export async function columnsOf(plan: Plan, run: Run): Promise<readonly ColumnKind[]> {
  if (plan.op === 'scan') return (await scanned(plan, run)).columns;
  if (plan.op === 'kept' || plan.op === 'batches' || plan.op === 'given') return columnsKnown(plan)!;
  const of = await columnsOf(plan.of, run);
  if (plan.op === 'sql') return (await described(plan, of, run)).map(({ kind }) => kind);
  return columnsAfter(plan, of, plan.op === 'join' ? await columnsOf(plan.right, run) : [])!;
}
