import { NotAvailableError } from '../base/index.ts';
import { shapeText } from '../nd/index.ts';
import type { Node, Op } from '../pipelines/index.ts';
import type { Arr, ExplainOptions } from './arr.ts';
import { partOf, resolved } from './lazy.ts';
import { pipelinesFor } from './place.ts';

/** `explain`: the graph, arguments before what takes them. */
export async function explain(x: Arr, o: ExplainOptions = {}): Promise<string> {
  if (o.svg) throw new NotAvailableError('explain({ svg }) is not in this version; explain() gives a text');
  const of = partOf('explain', x);
  pipelinesFor('explain');
  const numbers = new Map<Node, number>();
  const lines: string[] = [];
  const open: { readonly node: Node; next: number }[] = [{ node: await resolved(of), next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const arg = top.node.args[top.next++];
    if (arg !== undefined) {
      if (!numbers.has(arg)) open.push({ node: arg, next: 0 });
      continue;
    }
    open.pop();
    const { node } = top;
    if (numbers.has(node)) continue;
    numbers.set(node, lines.length);
    const args = node.args.map((each) => `%${numbers.get(each)}`).join(', ');
    lines.push(`%${lines.length} = ${nameOf(node.op)}(${args}): ${node.dtype} ${shapeText(node.shape)}`);
  }
  return lines.join('\n');
}

function nameOf(op: Op): string {
  switch (op.kind) {
    case 'element':
      return op.op;
    case 'constant':
      return `constant ${op.value}`;
    case 'position':
      return `position along ${op.axis}`;
    case 'reduce':
      return `${op.reducer} along ${op.axes.join(' and ')}`;
    case 'place':
      return `place of ${op.of} along ${op.axis}`;
    case 'take':
      return `take along ${op.axis}`;
    case 'call':
      return op.routine;
    case 'output':
      return `result ${op.index} of`;
    default:
      return op.kind;
  }
}
