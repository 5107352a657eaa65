import { shown, UsageError } from '../base/index.ts';
import { callSite } from '../code/index.ts';
import { shapeText } from '../nd/index.ts';
import { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkOptions } from './checks.ts';
import type { Expression } from './compile/expression.ts';
import { floatsOf, instantiate } from './compile/instantiate.ts';
import { wrap } from './lazy.ts';
import { type CompileOptions, type ComputedIn, checkCount, compiled } from './map.ts';
import { constantOf } from './operations.ts';
import { sourceOf } from './place.ts';
import type { D } from './types.ts';
import { broadcast, joined, part, takenAlong, viewOf, whole } from './views.ts';

/** What a stencil's function sees of an array: elements around the one that it computes. */
export interface Neighbourhood {
  /** The element that is so far away along each axis; `near(0, 0)` is the one at the same place. */
  near(...offset: number[]): number;
}

/** What `stencil` takes. */
export interface StencilOptions extends CompileOptions {
  /**
   * What is beyond the ends of the array. `'keep'`, if nothing is said: elements at an edge, whose neighbours are not all there, stay as they
   * are. `'wrap'`: what is at the other end. `'nearest'`: the element at the edge. `'reflect'`: the elements from the edge back, that at the
   * edge first (`b a | a b c | c b`, as scipy.ndimage has it). A number: that number.
   */
  edge?: 'keep' | EdgeName | number;
}

/** Where elements beyond the ends come from. */
type EdgeName = 'wrap' | 'nearest' | 'reflect';

/** A stencil as a function of arrays of one shape. */
export type Stencil<P extends readonly unknown[]> = <T extends D>(
  ...arrays: { [K in keyof P]: Arr<T> }
) => Arr<ComputedIn<T>>;

/** How far a stencil looks along an axis, to both sides. */
interface Reach {
  readonly before: number;
  readonly after: number;
}

/** All looks at neighbours in an expression. */
function looksOf(root: Expression): Extract<Expression, { kind: 'near' }>[] {
  const seen = new Set<Expression>([root]);
  for (const each of seen) {
    if (each.kind === 'element') for (const arg of each.args) seen.add(arg);
    else if (each.kind === 'fround') seen.add(each.arg);
  }
  return [...seen].filter((each) => each.kind === 'near');
}

function reachesOf(looks: readonly { readonly offset: readonly number[] }[], rank: number): Reach[] {
  return Array.from({ length: rank }, (_, axis) => {
    const along = looks.map(({ offset }) => offset[axis] as number);
    return { before: Math.max(0, ...along.map((each) => -each)), after: Math.max(0, ...along) };
  });
}

/**
 * Makes a function of the elements around a place one of arrays. As with `map` it is read and not called; how far it looks is found in it.
 *
 * @param fn of one or several neighbourhoods; the arrays have one shape.
 * @throws as `map`.
 */
export function stencil<P extends Neighbourhood[]>(fn: (...u: P) => number, o: StencilOptions = {}): Stencil<P> {
  checkOptions('stencil', o, ['edge', 'captures']);
  const edge = o.edge ?? 'keep';
  if (edge !== 'keep' && typeof edge !== 'number' && !Object.hasOwn(BEYOND, edge)) {
    throw new UsageError(`stencil: edge is ${shown(edge)}; give 'keep', 'wrap', 'nearest', 'reflect' or a number`, {
      details: { operation: 'stencil' },
    });
  }
  const { expression, count } = compiled('stencil', fn, callSite(stencil), o.captures, (index) => ({
    kind: 'field',
    index,
  }));
  if (expression.of !== 'number') {
    throw new UsageError('stencil: the function gives a boolean; write c ? 1 : 0 for a number', {
      code: 'ERR_SHEAF_KERNEL',
      details: { operation: 'stencil' },
    });
  }
  const looks = looksOf(expression);
  const ranks = new Set(looks.map(({ offset }) => offset.length));
  if (ranks.size > 1) {
    throw new UsageError(
      `stencil: near() is given ${[...ranks].join(' and ')} distances; give one for each axis, everywhere`,
      {
        code: 'ERR_SHEAF_KERNEL',
        details: { operation: 'stencil' },
      },
    );
  }
  return ((...arrays: readonly Arr[]) => {
    checkCount('stencil', arrays, count);
    const { nodes, dtype } = floatsOf('stencil', arrays);
    const [first] = nodes as [Node];
    checkShapes(nodes, [...ranks][0] ?? first.shape.length);
    const reaches = reachesOf(looks, first.shape.length);
    return wrap(
      edge === 'keep' ? kept(expression, nodes, dtype, reaches) : padded(expression, nodes, dtype, reaches, edge),
    );
  }) as Stencil<P>;
}

function checkShapes(nodes: readonly Node[], rank: number): void {
  const { shape } = nodes[0] as Node;
  const other = nodes.find((node) => shapeText(node.shape) !== shapeText(shape));
  if (other !== undefined) {
    throw badShapes(
      'stencil',
      `the shapes ${shapeText(shape)} and ${shapeText(other.shape)} differ`,
      shape,
      other.shape,
    );
  }
  if (rank !== shape.length) {
    throw badShapes(
      'stencil',
      `near() is given ${rank} distances, and the shape ${shapeText(shape)} has ${shape.length} axes`,
      shape,
    );
  }
}

/** Elements from a place of each axis on. */
const window = (node: Node, starts: readonly number[], shape: readonly number[]): Node =>
  viewOf(
    node,
    shape.map((_, axis) => ({ start: starts[axis] as number, step: 1, axis })),
    shape,
  );

/** The inner part is computed, and put into the array as it was. */
function kept(expression: Expression, nodes: readonly Node[], dtype: 'f32' | 'f64', reaches: readonly Reach[]): Node {
  const [first] = nodes as [Node];
  const inner = first.shape.map((length, axis) => {
    const { before, after } = reaches[axis] as Reach;
    return Math.max(0, length - before - after);
  });
  if (inner.includes(0)) return first;
  const starts = reaches.map(({ before }) => before);
  const result = instantiate(expression, dtype, (leaf) => {
    const offset = leaf.kind === 'near' ? leaf.offset : [];
    return window(
      nodes[leaf.index] as Node,
      starts.map((start, axis) => start + (offset[axis] ?? 0)),
      inner,
    );
  });
  if (reaches.every(({ before, after }) => before + after === 0)) return broadcast('stencil', result, first.shape);
  const at = [first.shape.map((_, axis) => whole(axis)), starts.map((start, axis) => ({ start, step: 1, axis }))];
  return new Node({ kind: 'assemble', at }, first.shape, dtype, [first, broadcast('stencil', result, inner)]);
}

/** Arrays are made larger by what is beyond their ends. */
function padded(
  expression: Expression,
  nodes: readonly Node[],
  dtype: 'f32' | 'f64',
  reaches: readonly Reach[],
  edge: EdgeName | number,
): Node {
  const { shape } = nodes[0] as Node;
  if (shape.includes(0)) return nodes[0] as Node;
  const large = nodes.map((node) =>
    typeof edge === 'number' ? surrounded(node, reaches, edge) : continued(node, reaches, edge),
  );
  const result = instantiate(expression, dtype, (leaf) => {
    const offset = leaf.kind === 'near' ? leaf.offset : [];
    return window(
      large[leaf.index] as Node,
      reaches.map(({ before }, axis) => before + (offset[axis] ?? 0)),
      shape,
    );
  });
  return broadcast('stencil', result, shape);
}

function surrounded(node: Node, reaches: readonly Reach[], value: number): Node {
  const shape = node.shape.map((length, axis) => {
    const { before, after } = reaches[axis] as Reach;
    return before + length + after;
  });
  if (shape.every((length, axis) => length === node.shape[axis])) return node;
  const at = [
    shape.map((_, axis) => whole(axis)),
    reaches.map(({ before }, axis) => ({ start: before, step: 1, axis })),
  ];
  return new Node({ kind: 'assemble', at }, shape, node.dtype, [constantOf(value, shape, node.dtype), node]);
}

const mod = (i: number, n: number): number => ((i % n) + n) % n;

/** How an axis goes on: by the index of one element, and where one copy of the axis is enough, as what comes before it and behind it. */
const BEYOND: Readonly<
  Record<
    EdgeName,
    { from(i: number, length: number): number; sides(node: Node, axis: number, reach: Reach): readonly [Node, Node] }
  >
> = {
  wrap: {
    from: mod,
    sides: (node, axis, { before, after }) => [
      part(node, axis, lengthOf(node, axis) - before, before),
      part(node, axis, 0, after),
    ],
  },
  nearest: {
    from: (i, length) => Math.max(0, Math.min(length - 1, i)),
    sides: (node, axis, { before, after }) => [
      stretched(part(node, axis, 0, 1), axis, before),
      stretched(part(node, axis, lengthOf(node, axis) - 1, 1), axis, after),
    ],
  },
  reflect: {
    from(i, length) {
      const there = mod(i, 2 * length);
      return there < length ? there : 2 * length - 1 - there;
    },
    sides: (node, axis, { before, after }) => [
      part(node, axis, Math.max(0, before - 1), before, -1),
      part(node, axis, lengthOf(node, axis) - 1, after, -1),
    ],
  },
};

const lengthOf = ({ shape }: Node, axis: number): number => shape[axis] as number;

/** An axis of one element, so many times. */
const stretched = (node: Node, axis: number, length: number): Node =>
  broadcast(
    'stencil',
    node,
    node.shape.map((own, i) => (i === axis ? length : own)),
  );

/** Larger by what is beyond its ends, one axis after the other. */
function continued(node: Node, reaches: readonly Reach[], edge: EdgeName): Node {
  const { from, sides } = BEYOND[edge];
  let result = node;
  for (const [axis, reach] of reaches.entries()) {
    const { before, after } = reach;
    const length = lengthOf(node, axis);
    if (before + after === 0) continue;
    if (before > length || after > length) {
      // Further than one copy of the axis.
      const indices = BigInt64Array.from({ length: before + length + after }, (_, i) =>
        BigInt(from(i - before, length)),
      );
      result = takenAlong(result, sourceOf(indices, [indices.length], 'i64'), axis);
      continue;
    }
    const [left, right] = sides(result, axis, reach);
    result = joined([...(before > 0 ? [left] : []), result, ...(after > 0 ? [right] : [])], axis);
  }
  return result;
}
