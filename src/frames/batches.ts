import { kindOf, UsageError } from '../base/index.ts';
import type { Ref } from '../tasks/index.ts';
import { get } from '../tasks/index.ts';
import type { Plan } from './plan.ts';
import { blockPart, type Relation } from './relation.ts';
import type { Run } from './run.ts';

/** Each partition goes to somebody's task as columns, and what that gives is a partition again; nothing of it passes through here. */
export async function batches(plan: Plan & { readonly op: 'batches' }, of: Relation, run: Run): Promise<Relation> {
  const made = of.parts.map((part) => {
    const { query, inputs } = run.query(part);
    const columns = run.hold(run.tasks.computeColumns(query, of.columns, ...inputs));
    const given: unknown = plan.task(columns);
    if (!isRef(given))
      throw new UsageError(
        `mapBatches takes a task, and what it was given returns ${kindOf(given)}; wrap the function in task(...)`,
        { code: 'ERR_SHEAF_FRAME_TYPE' },
      );
    const call = run.tasks.blockOfColumns.with({ returns: 2 }) as unknown as (...args: unknown[]) => Ref<unknown>[];
    return run.computed(call({ ...run.plain(''), what: 'mapBatches' }, plan.columns, run.hold(given)));
  });
  const stats = await get(made.map((refs) => refs.stats));
  return { columns: plan.columns, parts: made.map(({ blocks: [block] }, i) => blockPart(block!, stats[i]!.bytes)) };
}

const isRef = (value: unknown): value is Ref<unknown> =>
  typeof value === 'object' && value !== null && 'release' in value && 'ignore' in value && 'value' in value;
