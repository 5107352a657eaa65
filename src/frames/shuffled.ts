import { blockPart, type Part, type Relation } from './relation.ts';
import type { Run } from './run.ts';

/** A bucket of about so many bytes is a good partition. */
const GOOD_BYTES = 16 << 20;
const MOST_BUCKETS = 64;

/** How many partitions rows are shared out to: no more than are worth it. */
export function bucketsFor(bytes: number, run: Run): number {
  return Math.max(1, Math.min(MOST_BUCKETS, Math.max(run.cpus, Math.ceil(bytes / GOOD_BYTES))));
}

/** Rows in new partitions, such that those with equal keys are in the same one. Without keys: all in one. */
export async function shuffled(
  of: Relation,
  keys: readonly string[],
  run: Run,
  buckets = bucketsFor(bytesOf(of), run),
): Promise<Part[]> {
  const many = keys.length === 0 ? 1 : buckets;
  const bucket = `hash(${keys.join(', ')}) % ${many}`;
  const computed = await run.blocks(of.parts, many === 1 ? undefined : { bucket, buckets: many });
  return Array.from({ length: many }, (_, i) => {
    const parts = computed.map(({ blocks, stats }) => blockPart(blocks[i]!, stats.bytes / many));
    return {
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      build: (use) => parts.map((part) => part.build(use)).join('\nUNION ALL '),
    };
  });
}

export const bytesOf = ({ parts }: Relation): number => parts.reduce((sum, part) => sum + part.bytes, 0);
