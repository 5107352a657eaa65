import { InternalError } from '../../base/index.ts';
import { type DType, isBig, type Shape, sizeOf } from '../../nd/index.ts';
import { type AxisMap, isStored, Node, type Op } from '../graph.ts';
import { inOrder } from '../walk.ts';
import {
  type Box,
  boxesOf,
  contains,
  hullOf,
  inLine,
  lineOf,
  type Range,
  shapeOf,
  volumeOf,
  wholeOf,
} from './boxes.rules.ts';

/** A part of a node. */
export interface Wanted {
  readonly node: Node;
  readonly box: Box;
}

/** What a part of a node is made of, and how. */
interface Recipe {
  readonly needs: readonly Wanted[];
  make(parts: readonly Node[]): Node;
}

/** Boxes become one where that is no more than so much larger. */
const WASTE = 1.25;

/** Routines that look at one line of one axis at a time, by the name of the parameter. */
const BY_LINES: ReadonlySet<string> = new Set(['sort', 'argsort', 'cumulativeSum', 'cumulativeProduct']);

/** The axis along which a routine does what it does, to each line by itself; undefined for one that needs the whole array. */
export function axisOfLines({ op, args }: Node): number | undefined {
  if (op.kind !== 'call' || !BY_LINES.has(op.routine)) return undefined;
  const { axis } = op.params as { axis?: unknown };
  const rank = (args[0] as Node).shape.length;
  const own = typeof axis === 'number' ? axis : -1;
  return own < 0 ? own + rank : own;
}

/**
 * Parts of nodes as graphs of their own, which have as much of each argument as the parts take, and no more. `piece` gives a part of a source. Each node
 * is cut once for all that needs it, so the graphs are no larger than the one that they are cut from.
 */
export function cutOut(wanted: readonly Wanted[], piece: (source: Node, box: Box) => Node): Node[] {
  const asked = new Map<Node, Box[]>();
  for (const { node, box } of wanted) ask(asked, node, box);
  const order = inOrder(wanted.map(({ node }) => node));
  const recipes = new Map<Node, Recipe[]>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const boxes = asked.get(node);
    if (boxes === undefined) continue;
    const own = boxes.map((box) => recipeOf(node, box, piece));
    recipes.set(node, own);
    for (const { needs } of own) for (const need of needs) ask(asked, need.node, need.box);
  }
  const made = new Map<Node, readonly Node[]>();
  const partOf = ({ node, box }: Wanted): Node => {
    const boxes = asked.get(node) as Box[];
    const at = boxes.findIndex((each) => contains(each, box));
    return shownOf((made.get(node) as readonly Node[])[at] as Node, boxes[at] as Box, box);
  };
  for (const node of order) {
    const own = recipes.get(node);
    if (own === undefined) continue;
    made.set(
      node,
      own.map(({ needs, make }) => make(needs.map(partOf))),
    );
  }
  return wanted.map(partOf);
}

function ask(asked: Map<Node, Box[]>, node: Node, wanted: Box): void {
  const box = node.op.kind === 'reshape' && !isSame(node) ? inLine(wanted, node.shape) : wanted;
  let boxes = asked.get(node);
  if (boxes === undefined) {
    boxes = [];
    asked.set(node, boxes);
  }
  if (boxes.some((each) => contains(each, box))) return;
  for (const [at, each] of boxes.entries()) {
    const together = hullOf(each, box);
    if (volumeOf(together) > WASTE * (volumeOf(each) + volumeOf(box))) continue;
    boxes.splice(at, 1);
    ask(asked, node, together);
    return;
  }
  boxes.push(box);
}

const map = (start: number, axis: number | undefined, step = 1): AxisMap => ({ start, step, axis });
/** An axis as it is. */
const same = (_: unknown, axis: number): AxisMap => map(0, axis);

/** A part of a part. */
function shownOf(node: Node, box: Box, part: Box): Node {
  if (contains(part, box)) return node;
  const maps = part.map(([from], axis) => map(from - (box[axis] as Range)[0], axis));
  return new Node({ kind: 'view', maps }, shapeOf(part), node.dtype, [node]);
}

/** A part of a source, as a source. */
export function partOfSource({ op, dtype }: Node, box: Box): Node {
  if (op.kind !== 'source') throw new InternalError('a part of a source was asked for of something else');
  const offset = box.reduce((at, [from], axis) => at + from * (op.strides[axis] as number), op.offset);
  return new Node({ ...op, offset }, shapeOf(box), dtype);
}

/** The same elements in an array of their own. */
export const copyOf = (node: Node): Node =>
  new Node({ kind: 'assemble', at: [node.shape.map(same)] }, node.shape, node.dtype, [node]);

const nothing = (shape: Shape, dtype: DType): Node =>
  new Node({ kind: 'constant', value: isBig(dtype) ? 0n : 0 }, shape, dtype);

/** The axes of a reshape that are more than one place long stay as they are. */
function isSame({ shape, args }: Node): boolean {
  const long = (each: Shape): string => each.filter((length) => length !== 1).join();
  return long(shape) === long((args[0] as Node).shape);
}

function recipeOf(node: Node, box: Box, piece: (source: Node, box: Box) => Node): Recipe {
  const { op, args, dtype } = node;
  const shape = shapeOf(box);
  const [first] = args as [Node];
  if (sizeOf(shape) === 0) return { needs: [], make: () => nothing(shape, dtype) };
  /** The same operation on the parts of all arguments. */
  const of = (needs: readonly Wanted[], own: Op = op): Recipe => ({
    needs,
    make: (parts) => new Node(own, shape, dtype, parts),
  });
  switch (op.kind) {
    case 'source':
      return { needs: [], make: () => piece(node, box) };
    case 'constant':
      return of([]);
    case 'position': {
      const [from] = box[op.axis] as Range;
      const start = new Node({ kind: 'constant', value: BigInt(from) }, [], 'i64');
      const make = (): Node =>
        new Node({ kind: 'element', op: 'add' }, shape, dtype, [new Node(op, shape, dtype), start]);
      return { needs: [], make };
    }
    case 'element':
    case 'cast':
      return of(args.map((arg) => ({ node: arg, box: stretched(arg.shape, box) })));
    case 'view':
      return ofView(first, op.maps, box, dtype);
    case 'reshape':
      return isSame(node) ? ofSame(node, first, box) : ofReshape(node, first, box);
    case 'reduce': {
      const kept = [...box];
      const own = first.shape.map((length, axis) => (op.axes.includes(axis) ? [0, length] : kept.shift()) as Range);
      return of([{ node: first, box: own }]);
    }
    case 'place': {
      const own = [...box];
      own.splice(op.axis, 0, [0, first.shape[op.axis] as number]);
      return of([{ node: first, box: own }]);
    }
    case 'take': {
      const own = box.map((range, axis) => (axis === op.axis ? ([0, first.shape[axis] as number] as const) : range));
      return of([
        { node: first, box: own },
        { node: args[1] as Node, box: [box[op.axis] as Range] },
      ]);
    }
    case 'matmul': {
      const [rows, columns] = box.slice(-2) as [Range, Range];
      return of(productNeeds(node, box.slice(0, -2), rows, columns, [0, first.shape.at(-1) as number]));
    }
    case 'assemble':
      return ofAssembled(node, op.at, box, isStored(node) ? piece : undefined);
    case 'call':
      return of(args.map((arg) => ({ node: arg, box: wholeOf(arg.shape) })));
    case 'output':
      return ofOutput(node, first, box);
  }
}

/** Of an argument that broadcasts. */
const stretched = (shape: Shape, box: Box): Box =>
  shape.map((length, axis) => (length === 1 ? [0, 1] : (box[box.length - shape.length + axis] as Range)));

/** What a part of a product takes: of the left side these rows, of the right one these columns, of both the places `inner`. */
export function productNeeds({ args }: Node, outer: Box, rows: Range, columns: Range, inner: Range): Wanted[] {
  const [left, right] = args as [Node, Node];
  const before = ({ shape }: Node): Box => stretched(shape.slice(0, -2), outer);
  return [
    { node: left, box: [...before(left), rows, inner] },
    { node: right, box: [...before(right), inner, columns] },
  ];
}

function ofView(arg: Node, maps: readonly AxisMap[], box: Box, dtype: DType): Recipe {
  const starts: number[] = [];
  const own = maps.map(({ start, step, axis }): Range => {
    const [from, to] = axis === undefined ? [0, 1] : (box[axis] as Range);
    const first = axis === undefined ? start : start + step * from;
    const last = axis === undefined ? start : start + step * (to - 1);
    const range: Range = [Math.min(first, last), Math.max(first, last) + 1];
    starts.push(first - range[0]);
    return range;
  });
  const moved = maps.map((each, i) => ({ ...each, start: starts[i] as number }));
  return {
    needs: [{ node: arg, box: own }],
    make: ([part]) => new Node({ kind: 'view', maps: moved }, shapeOf(box), dtype, [part as Node]),
  };
}

/** Axes of length 1 come and go. */
function ofSame(node: Node, arg: Node, box: Box): Recipe {
  const long = box.filter((_, axis) => node.shape[axis] !== 1);
  const own = arg.shape.map((length) => (length === 1 ? [0, 1] : long.shift()) as Range);
  return {
    needs: [{ node: arg, box: own }],
    make: ([part]) => new Node({ kind: 'reshape' }, shapeOf(box), node.dtype, [part as Node]),
  };
}

/** The box lies in one line. */
function ofReshape(node: Node, arg: Node, box: Box): Recipe {
  const line = lineOf(box, node.shape);
  const needs = boxesOf(arg.shape, line).map((own) => ({ node: arg, box: own }));
  const shaped = (shape: Shape, part: Node): Node => new Node({ kind: 'reshape' }, shape, node.dtype, [part]);
  return {
    needs,
    make: (parts) => {
      if (parts.length === 1) return shaped(shapeOf(box), parts[0] as Node);
      let start = 0;
      const flat = parts.map((part) => shaped([sizeOf(part.shape)], part));
      const at = flat.map(({ shape }) => {
        const own = [map(start, 0)];
        start += shape[0] as number;
        return own;
      });
      return shaped(shapeOf(box), new Node({ kind: 'assemble', at }, [start], node.dtype, flat));
    },
  };
}

/** Which places of an argument lie in a range of the result, along one axis. */
function within({ start, step }: AxisMap, length: number, [from, to]: Range): Range {
  const [a, b] = step > 0 ? [from, to - 1] : [to - 1, from];
  const first = Math.max(0, Math.ceil((a - start) / step));
  return [first, Math.max(first, Math.min(length, Math.floor((b - start) / step) + 1))];
}

/** `piece`: of parts that are there, which are taken as they are. */
function ofAssembled(
  node: Node,
  at: readonly (readonly AxisMap[])[],
  box: Box,
  piece: ((source: Node, box: Box) => Node) | undefined,
): Recipe {
  const needs: Wanted[] = [];
  const maps: AxisMap[][] = [];
  for (const [i, arg] of node.args.entries()) {
    const own: Range[] = arg.shape.map((length) => [0, length]);
    const moved: AxisMap[] = [];
    let meets = true;
    for (const [axis, each] of (at[i] as readonly AxisMap[]).entries()) {
      const range = box[axis] as Range;
      let { start } = each;
      if (each.axis === undefined) meets &&= start >= range[0] && start < range[1];
      else {
        const inside = within(each, arg.shape[each.axis] as number, range);
        meets &&= inside[0] < inside[1];
        own[each.axis] = inside;
        start += each.step * inside[0];
      }
      moved.push({ ...each, start: start - range[0] });
    }
    if (!meets) continue;
    needs.push({ node: arg, box: own });
    maps.push(moved);
  }
  const shape = shapeOf(box);
  const last = maps.at(-1);
  const covers =
    last?.every(({ start, step, axis }, i) => start === 0 && step === 1 && axis === i) === true &&
    volumeOf((needs.at(-1) as Wanted).box) === sizeOf(shape);
  const used = covers ? needs.slice(-1) : needs;
  const make = (parts: readonly Node[]): Node =>
    covers ? (parts[0] as Node) : new Node({ kind: 'assemble', at: maps }, shape, node.dtype, parts);
  if (piece === undefined) return { needs: used, make };
  return { needs: [], make: () => make(used.map(({ node: own, box: part }) => piece(own, part))) };
}

/** Of a routine for lines some of them; of others all that it gives. */
function ofOutput(node: Node, routine: Node, box: Box): Recipe {
  const { op, args } = routine;
  if (op.kind !== 'call' || node.op.kind !== 'output') throw new InternalError('this is no result of a routine');
  const axis = axisOfLines(routine);
  const whole = wholeOf(node.shape);
  if (axis === undefined) {
    return {
      needs: [{ node: routine, box: wholeOf(routine.shape) }],
      make: ([call]) => shownOf(new Node(node.op, node.shape, node.dtype, [call as Node]), whole, box),
    };
  }
  const [arg] = args as [Node];
  const lines = box.map((range, i) => (i === axis ? (whole[i] as Range) : range));
  const own = box.map((range, i): Range => (i === axis ? [0, arg.shape[i] as number] : range));
  const shape = shapeOf(lines);
  const outputs = [{ shape, dtype: node.dtype }];
  return {
    needs: [{ node: arg, box: own }],
    make: (parts) => {
      const call = new Node({ ...op, outputs }, shape, node.dtype, parts);
      return shownOf(new Node(node.op, shape, node.dtype, [call]), lines, box);
    },
  };
}
