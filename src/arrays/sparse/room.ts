import { UsageError } from '../../base/index.ts';
import type { Elements } from '../../nd/index.ts';
import { inThread, type Node } from '../../pipelines/index.ts';

/** More room than this is not made for what would need less. */
const MOST = 2 ** 28;

/** The elements of a node, if they are there. */
export const elementsOf = (node: Node): Elements | undefined =>
  node.op.kind === 'source' ? inThread().read(node) : undefined;

/** Room for as many elements as can come of it: `most` by the shapes, `exact` by values, where those are there. */
export function roomFor(operation: string, most: number, exact: number | undefined): number {
  const room = Math.min(most, exact ?? Number.POSITIVE_INFINITY);
  if (room <= MOST) return room;
  const why = `there could be ${room} elements, as far as is known`;
  throw new UsageError(
    `${operation}: ${why}; compute what it is made of first, with \`await x.persist()\`, so that it is known`,
    {
      code: 'ERR_SHEAF_UNKNOWN_SHAPE',
      details: { operation, why },
    },
  );
}
