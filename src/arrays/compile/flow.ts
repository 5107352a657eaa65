import type { AnyNode } from '../../code/index.ts';
import type { Refusals } from './refusal.ts';

type NodeOf<T extends AnyNode['type']> = Extract<AnyNode, { type: T }>;

/** Statements that go round. */
export type Loop = NodeOf<'ForStatement' | 'WhileStatement' | 'DoWhileStatement' | 'ForOfStatement'>;

export const isLoop = (node: AnyNode): node is Loop =>
  node.type === 'ForStatement' ||
  node.type === 'WhileStatement' ||
  node.type === 'DoWhileStatement' ||
  node.type === 'ForOfStatement';

/** Whether a statement has one of a type that is its own: inside of loops and switches only where those are named. */
function has(
  node: AnyNode,
  type: AnyNode['type'],
  within: { readonly loops: boolean; readonly switches: boolean },
): boolean {
  if (node.type === type) return true;
  const inner = (each: AnyNode): boolean => has(each, type, within);
  if (node.type === 'IfStatement') return inner(node.consequent) || (node.alternate ? inner(node.alternate) : false);
  if (node.type === 'BlockStatement') return node.body.some(inner);
  if (node.type === 'SwitchStatement')
    return within.switches && node.cases.some(({ consequent }) => consequent.some(inner));
  return within.loops && isLoop(node) && inner(node.body);
}

/** Whether a statement has a return of its own. */
export const returns = (node: AnyNode): boolean => has(node, 'ReturnStatement', { loops: true, switches: true });

const breaks = (node: AnyNode): boolean => has(node, 'BreakStatement', { loops: false, switches: false });

/** Whether a statement may end the round of the loop around it. */
export const jumps = (node: AnyNode): boolean =>
  breaks(node) || has(node, 'ContinueStatement', { loops: false, switches: true });

/** Statements of a case without the `break` at their end, and whether anything ends them. */
function ended(statements: readonly AnyNode[]): { readonly body: readonly AnyNode[]; readonly ends: boolean } {
  const [only] = statements;
  if (statements.length === 1 && only?.type === 'BlockStatement') return ended(only.body);
  const last = statements.at(-1);
  if (last?.type === 'BreakStatement' && !last.label) return { body: statements.slice(0, -1), ends: true };
  return { body: statements, ends: last?.type === 'ReturnStatement' || last?.type === 'ContinueStatement' };
}

/** Nodes that nobody has written, at the place of one that somebody has. */
const made = (at: AnyNode, node: Readonly<Record<string, unknown>>): AnyNode =>
  ({ start: at.start, end: at.end, ...node }) as unknown as AnyNode;

/**
 * A switch as if and else. What its cases are compared with is under `name`.
 *
 * @throws UsageError (ERR_SHEAF_KERNEL) for one whose cases go on into each other.
 */
export function asConditions(node: NodeOf<'SwitchStatement'>, name: string, refuse: Refusals): AnyNode {
  const cases: { readonly at: AnyNode; readonly test: AnyNode | undefined; readonly body: AnyNode }[] = [];
  let test: AnyNode | undefined;
  let isDefault = false;
  for (const [i, each] of node.cases.entries()) {
    if (each.test) {
      const right = each.test as AnyNode;
      const own = made(right, {
        type: 'BinaryExpression',
        operator: '===',
        left: made(right, { type: 'Identifier', name }),
        right,
      });
      test =
        test === undefined ? own : made(right, { type: 'LogicalExpression', operator: '||', left: test, right: own });
    } else isDefault = true;
    const isLast = i === node.cases.length - 1;
    if (each.consequent.length === 0 && !isLast) continue;
    const { body, ends } = ended(each.consequent as AnyNode[]);
    if (!ends && !isLast) {
      throw refuse.construct(each, 'a case that goes on into the next one', 'End it with break, return or continue.');
    }
    const inside = body.find(breaks);
    if (inside !== undefined) {
      throw refuse.construct(inside, 'a break inside of a case', 'Put what comes after it under an if, or else.');
    }
    cases.push({ at: each, test: isDefault ? undefined : test, body: made(each, { type: 'BlockStatement', body }) });
    test = undefined;
    isDefault = false;
  }
  const otherwise =
    cases.find((each) => each.test === undefined)?.body ?? made(node, { type: 'BlockStatement', body: [] });
  return cases.reduceRight<AnyNode>(
    (alternate, { at, test, body }) =>
      test === undefined ? alternate : made(at, { type: 'IfStatement', test, consequent: body, alternate }),
    otherwise,
  );
}
