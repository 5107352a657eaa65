import { kindOf, type Shape, sizeOf } from '../../nd/index.ts';
import { type AxisMap, isComputed, Node, type Op } from '../graph.ts';
import { noSuchIndex } from '../missing.rules.ts';
import { nothingToPlace } from '../values.rules.ts';
import { inOrder } from '../walk.ts';
import { axisOfLines } from './cutting.rules.ts';

/** What is to be there before anything that needs it is computed block by block. */
export type Stage =
  /** Reductions of arrays of one shape, of which each block gives a part. */
  | { readonly kind: 'reductions'; readonly nodes: readonly Node[] }
  | { readonly kind: 'product'; readonly node: Node }
  /** What needs all of its arguments at once: all that it gives. */
  | { readonly kind: 'routine'; readonly nodes: readonly Node[]; readonly routine: Node }
  /** An array that is looked at anywhere. */
  | { readonly kind: 'array'; readonly node: Node }
  /** Few slices of something large, which are known when the indices are. */
  | { readonly kind: 'slices'; readonly node: Node }
  /** Something that is better computed as something else. */
  | { readonly kind: 'instead'; readonly node: Node; readonly by: Node };

/** So many slices are looked up one by one. */
const FEW = 1024;

type OpOf<K extends Op['kind']> = Extract<Op, { kind: K }>;

/** The stage that comes first, of blocks of so many elements; undefined when there is none left. */
export function nextStage(roots: readonly Node[], most: number): Stage | undefined {
  const order = inOrder(roots);
  const wanted = new Map<Node, Stage>();
  /** What needs something that is not there yet. */
  const waiting = new Set<Node>();
  for (const node of order) {
    if (isComputed(node)) continue;
    if (node.args.some((arg) => waiting.has(arg))) {
      waiting.add(node);
      continue;
    }
    const stage = stageOf(node, most, order);
    if (stage === undefined) continue;
    waiting.add(node);
    const at = stage.kind === 'array' ? stage.node : node;
    wanted.set(at, stage);
  }
  const first = wanted.values().next().value;
  if (first?.kind !== 'reductions') return first;
  const kind = groupOf(first.nodes[0] as Node);
  const nodes = [...wanted.values()].flatMap((stage) =>
    stage.kind === 'reductions' ? stage.nodes.filter((node) => groupOf(node) === kind) : [],
  );
  return { kind: 'reductions', nodes };
}

const groupOf = ({ op, args }: Node): string => `${(op as OpOf<'reduce'>).axes} of ${(args[0] as Node).shape}`;

function stageOf(node: Node, most: number, order: readonly Node[]): Stage | undefined {
  const { op, args } = node;
  const [first, second] = args as [Node, Node];
  switch (op.kind) {
    case 'reduce':
      return needsMany(first.shape, op.axes, most) ? { kind: 'reductions', nodes: [node] } : undefined;
    case 'place':
      return needsMany(first.shape, [op.axis], most) ? { kind: 'instead', node, by: placed(node, op) } : undefined;
    case 'matmul':
      // Where all of the right side is needed for each row, it is to be small.
      return sizeOf(node.shape) > 0 && (sizeOf(second.shape.slice(-2)) > most || (first.shape.at(-1) as number) > most)
        ? { kind: 'product', node }
        : undefined;
    case 'call': {
      const axis = axisOfLines(node);
      if (axis !== undefined && (first.shape[axis] as number) <= most) return undefined;
      const nodes = order.filter((each) => each.op.kind === 'output' && each.args[0] === node);
      return { kind: 'routine', nodes, routine: node };
    }
    case 'take':
      if (sizeOf(first.shape) > most && sizeOf(second.shape) <= FEW && sizeOf(node.shape) > 0)
        return { kind: 'slices', node };
      return isComputed(baseOf(first)) ? undefined : { kind: 'array', node: first };
    default:
      return undefined;
  }
}

/** What views are of. */
function baseOf(node: Node): Node {
  let base = node;
  while (base.op.kind === 'view' || base.op.kind === 'reshape') base = base.args[0] as Node;
  return base;
}

/** Whether what is combined are many blocks, or parts of many. */
function needsMany(shape: Shape, axes: readonly number[], most: number): boolean {
  const lead = shape.findIndex((length) => length !== 1);
  const combined = sizeOf(axes.map((axis) => shape[axis] as number));
  return sizeOf(shape) > most && (axes.includes(lead) || combined > most);
}

/** The first place of the least or greatest by reductions, whose parts can be combined. */
function placed({ shape, args }: Node, { of, axis }: OpOf<'place'>): Node {
  const [given] = args as [Node];
  const length = given.shape[axis] as number;
  if (length === 0) throw nothingToPlace(of, axis, given.shape);
  const arg = given.dtype === 'bool' ? new Node({ kind: 'cast' }, given.shape, 'u8', [given]) : given;
  const element = (op: OpOf<'element'>['op'], dtype: Node['dtype'], own: readonly Node[]): Node =>
    new Node({ kind: 'element', op }, arg.shape, dtype, own);
  const best = new Node({ kind: 'reduce', reducer: of, axes: [axis] }, shape, arg.dtype, [arg]);
  const maps = shape.map((_, i) => ({ start: 0, step: 1, axis: i < axis ? i : i + 1 }));
  const everywhere = new Node({ kind: 'view', maps }, arg.shape, arg.dtype, [best]);
  let found = element('equal', 'bool', [arg, everywhere]);
  // A NaN is what is least and greatest, and equals nothing.
  if (kindOf(arg.dtype) === 'float') found = element('logicalOr', 'bool', [found, element('isNaN', 'bool', [arg])]);
  const none = new Node({ kind: 'constant', value: BigInt(length) }, arg.shape, 'i64');
  const place = new Node({ kind: 'position', axis }, arg.shape, 'i64');
  const places = element('where', 'i64', [found, place, none]);
  return new Node({ kind: 'reduce', reducer: 'min', axes: [axis] }, shape, 'i64', [places]);
}

/** The same nodes, with others in the place of some. */
export function replaced(roots: readonly Node[], by: ReadonlyMap<Node, Node>): Node[] {
  const now = new Map<Node, Node>(by);
  for (const node of inOrder(roots)) {
    if (now.has(node)) continue;
    const args = node.args.map((arg) => now.get(arg) as Node);
    const isSame = args.every((arg, i) => arg === node.args[i]);
    now.set(node, isSame ? node : new Node(node.op, node.shape, node.dtype, args));
  }
  return roots.map((root) => now.get(root) as Node);
}

/** Slices along an axis, put together. */
export function slicesOf({ op, args, shape, dtype }: Node, indices: BigInt64Array): Node {
  const [from] = args as [Node];
  const { axis, of } = op as OpOf<'take'>;
  const length = from.shape[axis] as number;
  const one = from.shape.map((each, i) => (i === axis ? 1 : each));
  const at = (start: number): AxisMap[] => one.map((_, i) => ({ start: i === axis ? start : 0, step: 1, axis: i }));
  const slices = Array.from(indices, (index) => {
    if (index < 0n || index >= length) throw noSuchIndex(index, length, of);
    return new Node({ kind: 'view', maps: at(Number(index)) }, one, dtype, [from]);
  });
  return new Node({ kind: 'assemble', at: slices.map((_, i) => at(i)) }, shape, dtype, slices);
}
