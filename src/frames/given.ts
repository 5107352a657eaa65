import type { Ref } from '../tasks/index.ts';
import { get } from '../tasks/index.ts';
import type { Batch } from './columns.ts';
import type { Plan } from './plan.ts';
import { blockPart, type Relation } from './relation.ts';
import type { Run } from './run.ts';
import { rangesOf } from './scan.rules.ts';

/** Rows that are cut apart together. */
const PIECE = 10_000;

/** Columns of this process, in partitions. */
export async function given(plan: Plan & { readonly op: 'given' }, run: Run): Promise<Relation> {
  const { rows, columns } = plan.batch;
  const pieces = Array.from({ length: Math.ceil(rows / PIECE) }, (_, i) => ({
    rows: Math.min(PIECE, rows - i * PIECE),
    bytes: 0,
  }));
  const ranges = rangesOf(
    [plan.partitions === undefined ? pieces : singles(rows, plan.partitions)],
    run.cpus,
    plan.partitions,
  );
  const call = run.tasks.blockOfBatch.with({ returns: 2 }) as unknown as (...args: unknown[]) => Ref<unknown>[];
  const made = ranges.map(([range]) =>
    run.computed(call({ ...run.plain(''), what: 'fromColumns' }, sliced(plan.batch, range?.from ?? 0, range?.to ?? 0))),
  );
  const stats = await get(made.map((refs) => refs.stats));
  return {
    columns: columns.map(({ kind }) => kind),
    parts: made.map(({ blocks: [block] }, i) => blockPart(block!, stats[i]!.bytes)),
  };
}

const singles = (rows: number, partitions: number) => {
  const piece = Math.max(1, Math.ceil(rows / partitions));
  return Array.from({ length: Math.ceil(rows / piece) }, (_, i) => ({
    rows: Math.min(piece, rows - i * piece),
    bytes: 0,
  }));
};

const sliced = ({ columns }: Batch, from: number, to: number): Batch => ({
  rows: to - from,
  columns: columns.map(({ kind, values, missing }) => ({
    kind,
    values: values.slice(from, to),
    missing: missing?.slice(from, to),
  })),
});
