import type { ElementOpName, ReducerName } from '../kernels/index.ts';
import { broadcastShapes, type DType, rowMajor, type Shape, sizeOf } from '../nd/index.ts';
import type { Buffers } from './buffers.ts';
import { Node } from './graph.ts';

/** Writes graphs as one thinks of them. */
export class Programs {
  readonly #buffers: Buffers;

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  /** An array whose elements are what `value` says of their places. */
  array(shape: Shape, value: (at: number) => number = (at) => at % 7, dtype: DType = 'f64'): Node {
    const buffer = this.#buffers.allocate(dtype, sizeOf(shape));
    const elements = this.#buffers.view(buffer, 'write');
    for (let at = 0; at < elements.length; at++) elements[at] = value(at) as never;
    this.#buffers.unuse(buffer);
    return new Node({ kind: 'source', buffer, offset: 0, strides: rowMajor(shape) }, shape, dtype);
  }

  constant(value: number, dtype: DType = 'f64'): Node {
    return new Node({ kind: 'constant', value }, [], dtype);
  }

  element(op: ElementOpName, ...args: (Node | number)[]): Node {
    const nodes = args.map((arg) => (typeof arg === 'number' ? this.constant(arg) : arg));
    const shape = broadcastShapes(
      op,
      nodes.map((node) => node.shape),
    );
    return new Node({ kind: 'element', op }, shape, 'f64', nodes);
  }

  /** With the axes that are gone kept at length 1, if asked for. */
  reduce(reducer: ReducerName, axes: readonly number[], x: Node, keep = false): Node {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    const node = new Node({ kind: 'reduce', reducer, axes }, shape, x.dtype, [x]);
    return keep
      ? this.reshape(
          x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
          node,
        )
      : node;
  }

  reshape(shape: Shape, x: Node): Node {
    return new Node({ kind: 'reshape' }, shape, x.dtype, [x]);
  }

  /** `x[start:start + count]` of the first axis. */
  rows(x: Node, start: number, count: number): Node {
    const maps = x.shape.map((_, axis) => ({ start: axis === 0 ? start : 0, step: 1, axis }));
    return new Node({ kind: 'view', maps }, [count, ...x.shape.slice(1)], x.dtype, [x]);
  }

  softmax(x: Node): Node {
    const axis = x.shape.length - 1;
    const e = this.element('exp', this.element('subtract', x, this.reduce('max', [axis], x, true)));
    return this.element('divide', e, this.reduce('sum', [axis], e, true));
  }

  /** Each column less its mean, by its standard deviation. */
  normalized(x: Node): Node {
    const rows = x.shape[0] as number;
    const centred = this.element('subtract', x, this.element('divide', this.reduce('sum', [0], x), rows));
    const variance = this.element('divide', this.reduce('sum', [0], this.element('square', centred)), rows);
    return this.element('divide', centred, this.element('sqrt', variance));
  }

  /** Squares of the distances of the rows of x from those of y. */
  distances(x: Node, y: Node): Node {
    const [n, d] = x.shape as [number, number];
    const m = y.shape[0] as number;
    const across = (of: Node, axis: number): Node =>
      new Node(
        {
          kind: 'view',
          maps: [
            { start: 0, step: 1, axis },
            { start: 0, step: 1, axis: 2 },
          ],
        },
        [n, m, d],
        of.dtype,
        [of],
      );
    return this.reduce('sum', [2], this.element('square', this.element('subtract', across(x, 0), across(y, 1))));
  }
}
