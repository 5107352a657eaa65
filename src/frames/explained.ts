import { dtOf } from './column-types.ts';
import { inputsOf, type Plan, printedPlan } from './plan.ts';
import { columnsOf, relationOf } from './relations.ts';
import type { Run } from './run.ts';

/** A plan for people: its columns, what it does from the last step to the first, and for each source the partitions and the SQL of the first one. */
export async function explained(plan: Plan, run: Run): Promise<string> {
  const columns = await columnsOf(plan, run);
  const lines = [
    `columns: ${columns.map((column) => `${column.name}: ${dtOf(column)}`).join(', ')}`,
    '',
    ...tree(plan, ''),
  ];
  for (const stage of stages(plan)) {
    const { parts } = await relationOf(stage, run);
    const sql = parts[0]!.build(() => '"a partition in memory"');
    lines.push(
      '',
      `${parts.length} ${parts.length === 1 ? 'partition' : 'partitions'} of ${sourceOf(stage)}, each a task; the first one:`,
      ...sql.split('\n').map((line) => `  ${line}`),
    );
  }
  return lines.join('\n');
}

function tree(plan: Plan, indent: string): string[] {
  const [of, right] = inputsOf(plan);
  const own = `${indent}${printedPlan(plan)}`;
  if (of === undefined) return [own];
  return right === undefined
    ? [own, ...tree(of, indent)]
    : [own, ...tree(of, `${indent}  `), ...tree(right, `${indent}  `)];
}

/** What is done to the files where they lie: as far up as no partition needs another one. */
function stages(plan: Plan): Plan[] {
  if (plan.op === 'scan') return [plan];
  if ((plan.op === 'where' || plan.op === 'derive' || plan.op === 'select') && isStage(plan)) return [plan];
  return inputsOf(plan).flatMap(stages);
}

function isStage(plan: Plan): boolean {
  if (plan.op === 'where' || plan.op === 'derive' || plan.op === 'select') return isStage(plan.of);
  return plan.op === 'scan';
}

function sourceOf(plan: Plan): string {
  return plan.op === 'scan' ? plan.glob : sourceOf(inputsOf(plan)[0]!);
}
