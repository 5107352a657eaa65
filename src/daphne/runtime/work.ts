/** How much there is to compute, and what belongs together. */

import { sizeOf } from '../../nd/index.ts';
import { isComputed, type Node } from '../../pipelines/index.ts';

/** Nodes that are not computed yet, the given ones and what they are made of. Graphs may be deeper than stacks. */
export function pendingOf(nodes: readonly Node[]): Set<Node> {
  const found = new Set<Node>();
  const open = [...nodes];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isComputed(node) || found.has(node)) continue;
    found.add(node);
    for (const arg of node.args) open.push(arg);
  }
  return found;
}

/** Whether a node and all that it is made of, as far as that is not computed, have so many elements at most each; what they read, too. */
export function isSmall(node: Node, most: number): boolean {
  const seen = new Set([node]);
  // What is found while it goes on is looked at in its turn.
  for (const { op, args, shape } of seen) {
    if (sizeOf(shape) > most) return false;
    if (op.kind !== 'source') for (const arg of args) seen.add(arg);
  }
  return true;
}

/** Terms of products take so much less than others, which wait for memory. */
const TERM = 1 / 8;

/** Of what routines do (sorting, factorizations), workers take the least part, and a sparse matrix is copied for them as a whole. */
const ROUTINE = 1 / 4;

/** Operations on single elements that it takes, about: as many as nanoseconds of one core. */
export function workOf(pending: Iterable<Node>): number {
  let work = 0;
  for (const { op, args, shape } of pending) {
    const size = sizeOf(shape);
    switch (op.kind) {
      case 'matmul':
        work += size * (args[0]?.shape.at(-1) ?? 1) * TERM;
        break;
      case 'call':
        work += ROUTINE * args.reduce((sum, arg) => sum + sizeOf(arg.shape), size);
        break;
      case 'reduce':
      case 'place':
        work += args.reduce((sum, arg) => sum + sizeOf(arg.shape), size);
        break;
      default:
        work += size;
    }
  }
  return work;
}

/** What takes next to no time, so that nobody minds doing it twice. */
const IDLE: ReadonlySet<Node['op']['kind']> = new Set(['view', 'reshape', 'constant', 'position']);
const isWork = ({ op }: Node): boolean => !IDLE.has(op.kind);

/** Those of the others that share work with something that will be computed now. */
export function sharing(pending: ReadonlySet<Node>, others: readonly Node[]): Node[] {
  return others.filter((other) => {
    if (isComputed(other)) return false;
    for (const node of pendingOf([other])) if (isWork(node) && pending.has(node)) return true;
    return false;
  });
}
