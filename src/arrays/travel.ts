import { CodecError } from '../base/index.ts';
import type { DType, Elements } from '../nd/index.ts';
import { isComputed } from '../pipelines/index.ts';
import { partOf, wrap } from './lazy.ts';
import { pipelinesFor, sourceOf } from './place.ts';

/** An array on its way to another process: its elements, row by row. */
export interface Travelling {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: Elements;
}

/** What is sent for an array. It has to be computed: computing takes time, and may be done by others, which sending does not wait for. */
export function sent(x: object): Travelling {
  const node = partOf('sending an array', x);
  if ('resolve' in node || !isComputed(node)) {
    throw new CodecError("an array that is not computed yet can't be sent; `await x.persist()` first");
  }
  return { dtype: node.dtype, shape: node.shape, elements: pipelinesFor('sending an array').read(node) };
}

/** The array, where it arrives. */
export const received = ({ dtype, shape, elements }: Travelling): object => wrap(sourceOf(elements, shape, dtype));
