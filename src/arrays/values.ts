import { UsageError } from '../base/index.ts';
import { type DType, type Elements, shapeText, sizeOf } from '../nd/index.ts';
import { buffersOf, type Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { nodeOf, partOf, resolved, wrap } from './lazy.ts';
import { pipelinesFor } from './place.ts';
import type { D, ElementsOf, Nested, Scalar } from './types.ts';

/** Elements that were computed, row by row. */
export interface Computed {
  readonly node: Node;
  readonly elements: Elements;
}

/** Computes an array in the open session. */
export async function settled(operation: string, x: Arr): Promise<Node> {
  const of = partOf(operation, x);
  const pipelines = pipelinesFor(operation);
  const found = resolved(of);
  // Of what is known there is nothing to wait for: then it has its sources before the caller can release them.
  const node = found instanceof Promise ? await found : found;
  await pipelines.compute([node]);
  return node;
}

/** The same, with its elements. */
export async function computed(operation: string, x: Arr): Promise<Computed> {
  const node = await settled(operation, x);
  return { node, elements: pipelinesFor(operation).read(node) };
}

/** An element as JavaScript has it. */
export const scalarOf = (element: number | bigint, dtype: DType): number | bigint | boolean =>
  dtype === 'bool' ? element !== 0 : element;

/** `item`. */
export async function item<T extends D>(x: Arr<T>): Promise<Scalar<T>> {
  const of = partOf('item', x);
  if (!('resolve' in of)) checkOne(of);
  const { node, elements } = await computed('item', x);
  checkOne(node);
  return scalarOf(elements[0] as number | bigint, node.dtype) as Scalar<T>;
}

function checkOne({ shape }: Node): void {
  const size = sizeOf(shape);
  if (size === 1) return;
  throw new UsageError(
    `item: an array of the shape ${shapeText(shape)} has ${size} elements, and not one; choose one with at(), or use data()`,
    { code: 'ERR_SHEAF_SHAPE', details: { operation: 'item', shapes: [[...shape]] } },
  );
}

/** `data`. */
export async function data<T extends D>(x: Arr<T>): Promise<ElementsOf<T>> {
  return (await computed('data', x)).elements as ElementsOf<T>;
}

/** `toNested`. */
export async function toNested<T extends D>(x: Arr<T>): Promise<Nested<Scalar<T>>> {
  const { node, elements } = await computed('toNested', x);
  let next = 0;
  const level = (axis: number): Nested<number | bigint | boolean> => {
    const length = node.shape[axis];
    if (length === undefined) return scalarOf(elements[next++] as number | bigint, node.dtype);
    return Array.from({ length }, () => level(axis + 1));
  };
  return level(0) as Nested<Scalar<T>>;
}

/** `persist`. */
export async function persist<T extends D>(x: Arr<T>): Promise<Arr<T>> {
  const of = partOf('persist', x);
  const pipelines = pipelinesFor('persist');
  const found = resolved(of);
  const node = found instanceof Promise ? await found : found;
  await pipelines.compute([node]);
  return 'resolve' in of ? wrap<T>(node) : x;
}

/** Computes several arrays together, so that what they share is computed once. */
export async function computeAll(operation: string, arrays: readonly Arr[]): Promise<void> {
  const nodes = arrays.map((each) => nodeOf(operation, each));
  await pipelinesFor(operation).compute(nodes);
}

/** `release`. What is not computed yet holds nothing. */
export function release(x: Arr): void {
  const of = partOf('release', x);
  if ('resolve' in of) return;
  for (const buffer of buffersOf(of)) buffer.home.release(buffer);
}
