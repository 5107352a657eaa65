import { ordered } from './ordered.ts';
import type { Plan } from './plan.ts';
import { blockPart, namesOf, type Part, type Relation, together } from './relation.ts';
import { relationOf } from './relations.ts';
import type { Run } from './run.ts';

/** The first rows: of each partition no more than these are computed, and of the later ones nothing once there are enough. */
export async function headOf(plan: Plan & { readonly op: 'head' }, run: Run): Promise<Relation> {
  const { rows } = plan;
  if (plan.of.op === 'order') return ordered(plan.of, run, rows);
  const { columns, parts } = await relationOf(plan.of, run);
  const limited = (part: Part): Part => ({
    ...part,
    build: (use) => `SELECT ${namesOf(columns)} FROM (${part.build(use)}) LIMIT ${rows}`,
  });
  if (parts.length <= 1) return { columns, parts: parts.map(limited) };
  const taken: Part[] = [];
  let [found, next] = [0, 0];
  while (next < parts.length && found < rows) {
    // The first one is often enough.
    const some = parts.slice(next, next === 0 ? 1 : next + run.cpus);
    next += some.length;
    for (const { stats, blocks } of await run.blocks(some.map(limited))) {
      found += stats.rows;
      if (stats.rows > 0) taken.push(blockPart(blocks[0]!, stats.bytes));
    }
  }
  const bytes = taken.reduce((sum, part) => sum + part.bytes, 0);
  const part: Part = {
    bytes,
    build: (use) => `SELECT ${namesOf(columns)} FROM (${together(taken, columns, use)}) LIMIT ${rows}`,
  };
  return { columns, parts: [part] };
}
