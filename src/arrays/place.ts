import type { DType, Elements, Shape } from '../nd/index.ts';
import { rowMajor } from '../nd/index.ts';
import { inThread, Node, type PipelinesAt, pipelinesOf } from '../pipelines/index.ts';
import { currentEngine } from '../tasks/index.ts';
import { watching } from './explaining.ts';

/** Where arrays are computed: in the process's open session, as tasks are. Throws as a task does when there is none, or several. */
export function pipelinesFor(operation: string): PipelinesAt {
  const pipelines = pipelinesOf(currentEngine(operation));
  const watch = watching(operation);
  return watch === undefined ? pipelines : pipelines.watched(watch);
}

/** Elements that are there, row by row, as a node. They may be copied. */
export function sourceOf(elements: Elements, shape: Shape, dtype: DType): Node {
  const buffer = inThread().buffers.adopt(dtype, elements);
  return new Node({ kind: 'source', buffer, offset: 0, strides: rowMajor(shape) }, shape, dtype);
}
