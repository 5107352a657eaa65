import type { Elements, Shape } from '../nd/index.ts';
import { rowMajor, sizeOf } from '../nd/index.ts';
import type { AxisMap, Node } from './graph.ts';

/** Everything that the nodes are made of, themselves included, arguments before what takes them. Each once. */
export function inOrder(nodes: readonly Node[]): Node[] {
  const order: Node[] = [];
  const walk = {};
  // A graph may be deeper than the stack of calls.
  const open: Node[] = [];
  const next: number[] = [];
  for (const root of nodes) {
    if (root.walk === walk) continue;
    root.walk = walk;
    open.push(root);
    next.push(0);
    while (open.length > 0) {
      const top = open.length - 1;
      const node = open[top] as Node;
      const arg = node.args[next[top] as number];
      if (arg === undefined) {
        order.push(node);
        open.pop();
        next.pop();
        continue;
      }
      (next[top] as number)++;
      if (arg.walk === walk) continue;
      arg.walk = walk;
      open.push(arg);
      next.push(0);
    }
  }
  return order;
}

/** How elements are seen: from `offset` on, so many apart along each axis. */
export interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** How the result of a view lies in elements in which its argument lies as told. */
export function viewed(maps: readonly AxisMap[], of: Layout, rank: number): Layout {
  const strides = new Array<number>(rank).fill(0);
  let { offset } = of;
  for (const [own, { start, step, axis }] of maps.entries()) {
    const stride = of.strides[own] as number;
    offset += start * stride;
    if (axis !== undefined) (strides[axis] as number) += step * stride;
  }
  return { offset, strides };
}

/** Copies elements of one shape, each in a layout of its own, in the order of rows. */
export function copy(shape: Shape, from: Elements, read: Layout, to: Elements, write: Layout): void {
  const size = sizeOf(shape);
  if (size === 0) return;
  const last = shape.length - 1;
  const inner = last < 0 ? 1 : (shape[last] as number);
  const [readStep, writeStep] = [read.strides[last] ?? 1, write.strides[last] ?? 1];
  const point = shape.map(() => 0);
  for (let done = 0; done < size; done += inner) {
    let [readAt, writeAt] = [read.offset, write.offset];
    for (let axis = 0; axis < last; axis++) {
      readAt += (point[axis] as number) * (read.strides[axis] as number);
      writeAt += (point[axis] as number) * (write.strides[axis] as number);
    }
    if (readStep === 1 && writeStep === 1) {
      to.set(from.subarray(readAt, readAt + inner) as never, writeAt);
    } else {
      for (let i = 0; i < inner; i++) to[writeAt + i * writeStep] = from[readAt + i * readStep] as never;
    }
    for (let axis = last - 1; axis >= 0; axis--) {
      point[axis] = (point[axis] as number) + 1;
      if ((point[axis] as number) < (shape[axis] as number)) break;
      point[axis] = 0;
    }
  }
}

/** Elements that lie row by row from the beginning. */
export const dense = (shape: Shape): Layout => ({ offset: 0, strides: rowMajor(shape) });

/** Whether elements that lie so lie row by row without gaps; where from, is all the same. */
export function isDense(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length === 0) return true;
    if (length > 1 && strides[axis] !== step) return false;
    step *= length;
  }
  return true;
}
