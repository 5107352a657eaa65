import type { Node } from './graph.ts';
import { isSmall } from './survey.rules.ts';
import { inOrder } from './walk.ts';

/**
 * A large graph of small arrays in parts that are computed one after the other, each by its roots: what later parts need of it, and what was
 * asked for. Parts of a long chain are alike, so that one plan is made for all of them. Undefined: it is computed as a whole.
 */
export function windowsOf(roots: readonly Node[], window: number): Node[][] | undefined {
  const order = inOrder(roots);
  if (order.length <= 2 * window) return undefined;
  const lastUses = new Map<Node, number>();
  for (const [at, node] of order.entries()) {
    if (!isSmall(node)) return undefined;
    for (const arg of node.args) lastUses.set(arg, at);
  }
  for (const root of roots) lastUses.set(root, order.length);
  const windows: Node[][] = [];
  let inside: Node[] = [];
  for (const [at, node] of order.entries()) {
    // Leaves take no work, and are found again by whoever needs them.
    if (node.args.length > 0) inside.push(node);
    if (inside.length < window && at + 1 < order.length) continue;
    const needed = inside.filter((each) => isKept(each) && (lastUses.get(each) ?? -1) > at);
    if (needed.length > 0) windows.push(needed);
    inside = [];
  }
  const leaves = roots.filter(({ args }) => args.length === 0);
  if (leaves.length > 0) windows.push(leaves);
  return windows;
}

/** A call has no elements of its own: its outputs have. */
const isKept = ({ op }: Node): boolean => op.kind !== 'call';
