import type { ElementOpName } from '../kernels/elementwise.ts';
import type { ReducerName } from '../kernels/reducers.ts';
import type { ArrayType, Params } from '../kernels/routines/routine.ts';
import type { DType, Shape } from '../nd/index.ts';
import type { Buffer } from './buffers.ts';
import type { GivenIndices } from './missing.rules.ts';

/** How one axis of an argument is walked: from `start` on, by `step` for each step of the result along its axis `axis`. */
export interface AxisMap {
  readonly start: number;
  readonly step: number;
  /** Undefined: it stays where it is, so the axis is gone from the result. */
  readonly axis: number | undefined;
}

/**
 * What a node does with its arguments. Where nothing else is said, arguments broadcast to the shape of the node.
 *
 * All that is whole-array and has no simpler form is a `call` of a routine by its name: sorting, decompositions. It may have several results;
 * `output` is one of them.
 */
export type Op =
  /** Elements that are there: from `offset` on, so many elements apart along each axis (0 and negative ones are good). */
  | { readonly kind: 'source'; readonly buffer: Buffer; readonly offset: number; readonly strides: readonly number[] }
  /** The same everywhere. */
  | { readonly kind: 'constant'; readonly value: number | bigint }
  /** Where an element lies along an axis, an i64. */
  | { readonly kind: 'position'; readonly axis: number }
  | { readonly kind: 'element'; readonly op: ElementOpName }
  | { readonly kind: 'cast' }
  /**
   * Elements of the argument in another order: slices, transposes, broadcasts, new and dropped axes. One map for each axis of the
   * argument; axes of the result that none names are broadcast.
   */
  | { readonly kind: 'view'; readonly maps: readonly AxisMap[] }
  /** The elements in the order of rows, in another shape. */
  | { readonly kind: 'reshape' }
  /** Combined along some axes (ascending), which are gone from the result; along none it is what it was. */
  | { readonly kind: 'reduce'; readonly reducer: ReducerName; readonly axes: readonly number[] }
  /** The place of the least or greatest along an axis, the first one of several, an i64; NaN wins. The axis is gone. */
  | { readonly kind: 'place'; readonly of: 'min' | 'max'; readonly axis: number }
  /** Of the last two axes, `[..., m, k]` and `[..., k, n]`; those before broadcast. */
  | { readonly kind: 'matmul' }
  /**
   * `x[..., indices[i], ...]` along an axis of the first argument; the second is of one axis, i64, counted from the front. `of`: whose indices those
   * are, from which they were made.
   */
  | { readonly kind: 'take'; readonly axis: number; readonly of?: GivenIndices }
  /**
   * Put together: argument i lies where `at[i]` says, one map for each axis of the result whose `axis` is one of the argument. Later ones cover
   * earlier ones; all of the result is covered. `stored`: the arguments are sources, blocks that do not meet, of what was computed and is too large to be
   * one array.
   */
  | { readonly kind: 'assemble'; readonly at: readonly (readonly AxisMap[])[]; readonly stored?: true }
  | { readonly kind: 'call'; readonly routine: string; readonly params: Params; readonly outputs: readonly ArrayType[] }
  | { readonly kind: 'output'; readonly index: number };

export type { ArrayType, Params };

/**
 * An array, computed or not: a node of a graph without cycles that grows from arguments to results. Nodes are never changed but in one
 * way: a node whose elements were computed and are kept becomes a source (`settle`), and lets go of what it was made of.
 */
export class Node {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Who walked by last, and the number that it gave. A table of all nodes would take longer than the walk. @internal */
  walk: object | undefined = undefined;
  /** @internal */
  number = 0;
  #op: Op;
  #args: readonly Node[];

  constructor(op: Op, shape: Shape, dtype: DType, args: readonly Node[] = []) {
    this.#op = op;
    this.shape = shape;
    this.dtype = dtype;
    this.#args = args;
  }

  get op(): Op {
    return this.#op;
  }

  get args(): readonly Node[] {
    return this.#args;
  }

  /** Its elements are there from now on: in one piece, or in blocks. */
  settle(op: Extract<Op, { kind: 'source' | 'assemble' }>, blocks: readonly Node[] = []): void {
    this.#op = op;
    this.#args = blocks;
  }
}

/** Whether the elements are there, in blocks. */
export const isStored = ({ op }: Node): boolean => op.kind === 'assemble' && op.stored === true;

/** Whether the elements are there. */
export const isComputed = (node: Node): boolean => node.op.kind === 'source' || isStored(node);

/** The buffers in which the elements of a computed node are. */
export const buffersOf = (node: Node): Buffer[] =>
  node.op.kind === 'source' ? [node.op.buffer] : isStored(node) ? node.args.flatMap(buffersOf) : [];
