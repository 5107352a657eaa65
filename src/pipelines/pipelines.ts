import { type Elements, elements, rowMajor, sizeOf } from '../nd/index.ts';
import type { Buffers } from './buffers.ts';
import type { Node } from './graph.ts';
import { evaluate, sourceOf } from './reference.ts';
import type { Routines } from './routines.ts';
import { copy, dense, isDense } from './walk.ts';

/** Computes arrays, with their elements in one storage. */
export class Pipelines {
  readonly buffers: Buffers;
  readonly #routines: Routines;

  constructor(buffers: Buffers, routines: Routines = new Map()) {
    this.buffers = buffers;
    this.#routines = routines;
  }

  /** Computes the nodes, all together, and settles them: they are sources then. */
  async compute(nodes: readonly Node[]): Promise<void> {
    const wanted = [...new Set(nodes)].filter(({ op }) => op.kind !== 'source');
    const values = evaluate(wanted, (buffer) => this.buffers.view(buffer, 'read'), this.#routines);
    for (const [node, value] of values) {
      const buffer = this.buffers.allocate(node.dtype, value.length);
      this.buffers.view(buffer, 'write').set(value as never);
      node.settle({ kind: 'source', buffer, offset: 0, strides: rowMajor(node.shape) });
    }
  }

  /**
   * The elements of a node that was computed, row by row; those that lie so are not copied, and nobody may change them.
   */
  read(node: Node): Elements {
    const { buffer, offset, strides } = sourceOf(node);
    const all = this.buffers.view(buffer, 'read');
    const size = sizeOf(node.shape);
    if (isDense(node.shape, strides)) return all.subarray(offset, offset + size) as Elements;
    const own = elements(node.dtype, size);
    copy(node.shape, all, { offset, strides }, own, dense(node.shape));
    return own;
  }
}
