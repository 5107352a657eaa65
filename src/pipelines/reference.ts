import { InternalError } from '../base/index.ts';
import { interpret, type Kernel, KernelBuilder, reducer, routine } from '../kernels/index.ts';
import { broadcastStrides, type Elements, elements, isBig, rowMajor, type Shape, sizeOf } from '../nd/index.ts';
import type { Buffer } from './buffers.ts';
import type { AxisMap, Node, Op } from './graph.ts';
import { noSuchIndex } from './missing.rules.ts';
import type { DenseArray, Routines } from './routines.ts';
import { nothingToPlace } from './values.rules.ts';
import { copy, dense, inOrder, viewed } from './walk.ts';

/** What a node is, with its elements row by row. */
type OpOf<K extends Op['kind']> = Extract<Op, { kind: K }>;

/**
 * Computes nodes slowly, one after the other, each of them whole. This is what they mean: everything faster gives the same, sums and products
 * of floats up to rounding. `read` gives the elements of sources.
 */
export function evaluate(
  nodes: readonly Node[],
  read: (buffer: Buffer) => Elements,
  routines: Routines = routine,
): Map<Node, Elements> {
  const order = inOrder(nodes);
  const uses = new Map<Node, number>();
  for (const node of [...nodes, ...order.flatMap(({ args }) => args)]) uses.set(node, (uses.get(node) ?? 0) + 1);
  /** A call has several results. */
  const values = new Map<Node, readonly DenseArray[]>();
  for (const node of order) {
    const args = node.args.map((arg) => values.get(arg) as readonly DenseArray[]);
    values.set(node, computed(node, args));
    for (const arg of node.args) {
      const left = (uses.get(arg) as number) - 1;
      uses.set(arg, left);
      if (left === 0) values.delete(arg);
    }
  }
  return new Map(nodes.map((node) => [node, (values.get(node) as [DenseArray])[0].elements]));

  function computed({ op, shape, dtype }: Node, args: readonly (readonly DenseArray[])[]): readonly DenseArray[] {
    if (op.kind === 'call') {
      const results = op.outputs.map((type) => ({ ...type, elements: elements(type.dtype, sizeOf(type.shape)) }));
      routines(op.routine).run(
        args.map(([arg]) => arg as DenseArray),
        op.params,
        results,
      );
      return results;
    }
    if (op.kind === 'output') return [args[0]?.[op.index] as DenseArray];
    const own: DenseArray = { shape, dtype, elements: elements(dtype, sizeOf(shape)) };
    compute(
      op,
      own,
      args.map(([arg]) => arg as DenseArray),
      read,
    );
    return [own];
  }
}

function compute(
  op: Exclude<Op, { kind: 'call' | 'output' }>,
  own: DenseArray,
  args: readonly DenseArray[],
  read: (buffer: Buffer) => Elements,
): void {
  const [first, second] = args as [DenseArray, DenseArray];
  switch (op.kind) {
    case 'source':
      copy(own.shape, read(op.buffer), op, own.elements, dense(own.shape));
      return;
    case 'constant':
      own.elements.fill(op.value as never);
      return;
    case 'position': {
      const builder = new KernelBuilder(own.shape.length);
      run(builder.result(builder.position(op.axis)).build(), own.shape, [], own);
      return;
    }
    case 'element': {
      const builder = new KernelBuilder(own.shape.length);
      const loaded = args.map(({ dtype }) => builder.operand(dtype));
      run(builder.result(builder.apply(op.op, loaded, own.dtype)).build(), own.shape, args, own);
      return;
    }
    case 'cast': {
      const builder = new KernelBuilder(own.shape.length);
      run(builder.result(builder.cast(builder.operand(first.dtype), own.dtype)).build(), own.shape, args, own);
      return;
    }
    case 'view':
      copy(
        own.shape,
        first.elements,
        viewed(op.maps, dense(first.shape), own.shape.length),
        own.elements,
        dense(own.shape),
      );
      return;
    case 'reshape':
      own.elements.set(first.elements as never);
      return;
    case 'reduce':
      reduced(op, own, first);
      return;
    case 'place':
      placed(op, own, first);
      return;
    case 'matmul':
      product(own, first, second);
      return;
    case 'take':
      taken(op, own, first, second);
      return;
    case 'assemble':
      for (const [i, arg] of args.entries()) put(op.at[i] as readonly AxisMap[], arg, own);
      return;
  }
}

/** Every point of the space into `own`, operands broadcast to it. */
function run(kernel: Kernel, space: Shape, operands: readonly DenseArray[], own: DenseArray): void {
  interpret(kernel, {
    space,
    operands: operands.map((each) => ({
      elements: each.elements,
      offset: 0,
      strides: broadcastStrides(each.shape, rowMajor(each.shape), space),
    })),
    scalars: [],
    results: [{ elements: own.elements, ...dense(own.shape) }],
  });
}

function reduced({ reducer: name, axes }: OpOf<'reduce'>, own: DenseArray, of: DenseArray): void {
  if (axes.length === 0) {
    own.elements.set(of.elements as never);
    return;
  }
  own.elements.fill(reducer(name).identity(own.dtype) as never);
  const builder = new KernelBuilder(of.shape.length);
  const kept = rowMajor(own.shape);
  interpret(builder.result(builder.operand(of.dtype), name).build(), {
    space: of.shape,
    operands: [{ elements: of.elements, ...dense(of.shape) }],
    scalars: [],
    results: [
      {
        elements: own.elements,
        offset: 0,
        strides: of.shape.map((_, axis) => (axes.includes(axis) ? 0 : (kept.shift() as number))),
      },
    ],
  });
}

function placed({ of, axis }: OpOf<'place'>, own: DenseArray, from: DenseArray): void {
  const length = from.shape[axis] as number;
  if (length === 0 && own.elements.length > 0) {
    throw nothingToPlace(of, axis, from.shape);
  }
  const step = rowMajor(from.shape)[axis] as number;
  for (let at = 0; at < own.elements.length; at++) {
    // Places before the axis are blocks of all that comes after them.
    const start = Math.floor(at / step) * step * length + (at % step);
    let best = 0;
    for (let i = 1; i < length; i++) {
      const [x, y] = [from.elements[start + i * step], from.elements[start + best * step]] as [number, number];
      if (Number.isNaN(y)) break;
      if (Number.isNaN(x) || (of === 'min' ? x < y : x > y)) best = i;
    }
    own.elements[at] = BigInt(best);
  }
}

function product(own: DenseArray, left: DenseArray, right: DenseArray): void {
  const outer = own.shape.slice(0, -2);
  const [m, n] = own.shape.slice(-2) as [number, number];
  const k = left.shape.at(-1) as number;
  const space = [...outer, m, n, k];
  const operand = ({ shape }: DenseArray) => {
    const strides = broadcastStrides(shape, rowMajor(shape), [...outer, ...shape.slice(-2)]);
    return { outer: strides.slice(0, -2), row: strides.at(-2) as number, column: strides.at(-1) as number };
  };
  const [ofLeft, ofRight] = [operand(left), operand(right)];
  const builder = new KernelBuilder(space.length);
  const [x, y] = [builder.operand(own.dtype), builder.operand(own.dtype)];
  own.elements.fill((isBig(own.dtype) ? 0n : 0) as never);
  interpret(builder.result(builder.apply('multiply', [x, y], own.dtype), 'sum').build(), {
    space,
    operands: [
      { elements: left.elements, offset: 0, strides: [...ofLeft.outer, ofLeft.row, 0, ofLeft.column] },
      { elements: right.elements, offset: 0, strides: [...ofRight.outer, 0, ofRight.column, ofRight.row] },
    ],
    scalars: [],
    results: [{ elements: own.elements, offset: 0, strides: [...rowMajor(own.shape), 0] }],
  });
}

function taken({ axis, of }: OpOf<'take'>, own: DenseArray, from: DenseArray, indices: DenseArray): void {
  const length = from.shape[axis] as number;
  const [strides, ownStrides] = [rowMajor(from.shape), rowMajor(own.shape)];
  const slice = own.shape.map((each, i) => (i === axis ? 1 : each));
  for (const [i, index] of (indices.elements as BigInt64Array).entries()) {
    if (index < 0n || index >= length) throw noSuchIndex(index, length, of);
    copy(slice, from.elements, { offset: Number(index) * (strides[axis] as number), strides }, own.elements, {
      offset: i * (ownStrides[axis] as number),
      strides: ownStrides,
    });
  }
}

/** Writes an argument of `assemble` to its place. */
function put(maps: readonly AxisMap[], arg: DenseArray, own: DenseArray): void {
  const where = viewed(maps, dense(own.shape), arg.shape.length);
  copy(arg.shape, arg.elements, dense(arg.shape), own.elements, where);
}

/** A node whose elements are there, as it has them. */
export function sourceOf(node: Node): OpOf<'source'> {
  if (node.op.kind !== 'source') throw new InternalError(`a node (${node.op.kind}) was read before it was computed`);
  return node.op;
}
