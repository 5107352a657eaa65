import { blockPart, type Part, type Relation } from './relation.ts';
import type { Run } from './run.ts';

/** A bucket of about so many bytes is a good partition. */
const GOOD_BYTES = 16 << 20;
const MOST_BUCKETS = 64;
/** So few take what is theirs out of blocks of all by themselves: reading a key costs less than writing a row once more. */
const FEW_BUCKETS = 8;

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
  const apart = many > FEW_BUCKETS;
  const computed = await run.blocks(of.parts, apart ? { bucket, buckets: many } : undefined);
  return Array.from({ length: many }, (_, i) => {
    const parts = computed.map(({ blocks, stats }) => blockPart(blocks[apart ? i : 0]!, stats.bytes / many));
    const filter = apart || many === 1 ? '' : ` WHERE ${bucket} = ${i}`;
    return {
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      build: (use) => parts.map((part) => `${part.build(use)}${filter}`).join('\nUNION ALL '),
    };
  });
}

export const bytesOf = ({ parts }: Relation): number => parts.reduce((sum, part) => sum + part.bytes, 0);
