import { InternalError } from '../../base/index.ts';
import { type Elements, elements, sizeOf } from '../../nd/index.ts';
import type { Buffer, Buffers } from '../buffers.ts';
import { buffersOf, Node } from '../graph.ts';
import { copy, dense } from '../walk.ts';
import { type Box, volumeOf } from './boxes.rules.ts';
import { copyOf, partOfSource } from './cutting.rules.ts';

/** Parts of sources, while one block is computed. */
export class Pieces {
  readonly #here: Buffers;
  readonly #copying: boolean;
  readonly #foreign: Buffer[] = [];
  /** Parts that are to be copied before they are used. */
  readonly copies: Node[] = [];

  constructor(here: Buffers, copying: boolean) {
    this.#here = here;
    this.#copying = copying;
  }

  take(source: Node, box: Box): Node {
    const { op } = source;
    if (op.kind !== 'source') throw new InternalError('a part of a source was asked for of something else');
    const part = partOfSource(source, box);
    if (op.buffer.home !== this.#here) return this.#fetched(part);
    if (!this.#copying || 2 * volumeOf(box) > op.buffer.length) return part;
    const copied = copyOf(part);
    this.copies.push(copied);
    return copied;
  }

  /** Of elements that lie elsewhere no more is brought here than is needed. */
  #fetched(part: Node): Node {
    const { op, shape, dtype } = part;
    if (op.kind !== 'source') return part;
    const { home } = op.buffer;
    const all = home.lend(op.buffer);
    let [least, most] = [op.offset, op.offset];
    for (const [axis, stride] of op.strides.entries()) {
      const reach = stride * ((shape[axis] as number) - 1);
      if (reach < 0) least += reach;
      else most += reach;
    }
    const size = sizeOf(shape);
    let own: Elements;
    let { strides } = op;
    let offset = op.offset - least;
    if (most + 1 - least <= 2 * size) own = all.subarray(least, most + 1);
    else {
      own = elements(dtype, size);
      copy(shape, all, op, own, dense(shape));
      ({ strides, offset } = dense(shape));
    }
    const buffer = home.adopt(dtype, own);
    this.#foreign.push(buffer);
    return new Node({ kind: 'source', buffer, offset, strides }, shape, dtype);
  }

  release(): void {
    for (const buffer of this.#foreign) buffer.home.release(buffer);
    for (const node of this.copies) for (const buffer of buffersOf(node)) buffer.home.release(buffer);
  }
}
