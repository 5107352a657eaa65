import { createHash } from 'node:crypto';
import { fault } from './faults.ts';
import { keyOf } from './grid.rules.ts';
import type { Partitioned } from './partitioned.ts';

/**
 * A hash (SHA-256, hexadecimal) of what the descriptions of all ranks of an SPMD program have in common: everything but `data`, `get` and
 * `locals`. Ranks that compare it know whether they speak of the same container.
 */
export function metadataHash(description: Partitioned): string {
  const hash = createHash('sha256');
  const add = (value: unknown): unknown => hash.update(`${JSON.stringify(value)}\n`);
  add([
    description.shape,
    description.partition_tiling,
    description['x-dtype'] ?? null,
    description['x-version'] ?? null,
  ]);
  for (const [key, { start, shape, location, ...rest }] of description.partitions) {
    add([key, start, shape, location, rest['x-rank'] ?? null, rest['x-thread'] ?? null, rest['x-port'] ?? null]);
  }
  return hash.digest('hex');
}

/**
 * Checks that the descriptions that the ranks of an SPMD program have of one container, in the order of the ranks, fit together: the same
 * metadata, every partition with somebody, and with so many locations as ranks that have it.
 *
 * @throws FormatError (ERR_SHEAF_PARTITIONED, rule `ranks`).
 */
export function checkRanks(descriptions: readonly Partitioned[]): void {
  const [first, ...others] = descriptions;
  if (first === undefined) return;
  const hash = metadataHash(first);
  for (const [i, other] of others.entries()) {
    if (metadataHash(other) !== hash)
      throw fault('ranks', [], `of rank ${i + 1} says something else of the container than that of rank 0`);
  }
  const holders = new Map<string, number[]>();
  for (const [rank, { locals }] of descriptions.entries()) {
    if (locals === undefined)
      throw fault('locals', ['locals'], `of rank ${rank} is missing; each rank says which partitions are its own`);
    for (const position of locals) {
      const key = keyOf(position);
      holders.set(key, [...(holders.get(key) ?? []), rank]);
    }
  }
  for (const [key, { location }] of first.partitions) {
    const ranks = holders.get(key) ?? [];
    if (ranks.length === 0) throw fault('ranks', ['partitions', key], 'is with no rank: it is in the `locals` of none');
    if (ranks.length > location.length) {
      throw fault(
        'ranks',
        ['partitions', key, 'location'],
        `has ${location.length} entries, where ranks ${ranks.join(', ')} have the data; it lists all of them`,
      );
    }
  }
}
