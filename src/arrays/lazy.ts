import { kindOf, UsageError } from '../base/index.ts';
import { registerCodec } from '../codec/index.ts';
import { type DType, shapeText, sizeOf } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { addMethods } from './methods.ts';
import { received, sent } from './travel.ts';
import type { D } from './types.ts';
import { release } from './values.ts';

/** An array whose shape depends on values: its node is there when those have been computed. */
export interface Later {
  readonly dtype: DType;
  /** How it came about, for messages: `at` with a mask. */
  readonly because: string;
  /** What it selects of an array whose first axes a mask covers, for what does not need to know how many those are. */
  readonly chosen?: { readonly from: Node; readonly mask: Node };
  resolve(): Promise<Node>;
}

/** What is behind `Arr`. Its methods are put on the prototype when there is the first one, since they are functions of this room as well. */
class Lazy {
  readonly #of: Node | Later;

  constructor(of: Node | Later) {
    this.#of = of;
    complete();
  }

  /** What is behind an array; undefined of anything else. */
  static of(x: unknown): Node | Later | undefined {
    return typeof x === 'object' && x !== null && #of in x ? x.#of : undefined;
  }

  get dtype(): DType {
    return this.#of.dtype;
  }

  get shape(): readonly number[] {
    return nodeOf('shape', this).shape;
  }

  get ndim(): number {
    return nodeOf('ndim', this).shape.length;
  }

  get size(): number {
    return sizeOf(nodeOf('size', this).shape);
  }

  toString(): string {
    const of = this.#of;
    return `Arr(${of.dtype}, ${isLater(of) ? 'of a shape that depends on values' : shapeText(of.shape)})`;
  }

  [Symbol.dispose](): void {
    release(this as unknown as Arr);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new UsageError(
      'an array has no JavaScript operators, and is not computed yet: write x.add(y), x.less(y), and so on; await x.item() for a number',
    );
  }

  toJSON(): never {
    throw new UsageError('an array has no JSON form, since it is not computed yet: use await x.toNested()');
  }
}

let isComplete = false;

/** @internal Adds to the class what is made of it: its methods, and how it travels. What only receives arrays calls it before there is one. */
export function complete(): void {
  if (isComplete) return;
  isComplete = true;
  addMethods(Lazy.prototype);
  // Its own name is not kept by bundlers.
  Object.defineProperty(Lazy, 'name', { value: 'Arr' });
  registerCodec(Lazy, { id: 'sheaf/array', encode: sent, decode: received });
}

const isLater = (of: Node | Later): of is Later => 'resolve' in of;

/** A node as an array. */
export const wrap = <T extends D>(node: Node): Arr<T> => new Lazy(node) as unknown as Arr<T>;

/** An array whose shape depends on values. */
export const wrapLater = <T extends D>(later: Later): Arr<T> => new Lazy(later) as unknown as Arr<T>;

export const isArr = (x: unknown): x is Arr => Lazy.of(x) !== undefined;

/** The node of an argument, which has to be an array of a known shape. */
export function nodeOf(operation: string, x: unknown): Node {
  const of = Lazy.of(x);
  if (of === undefined) throw notAnArray(operation, x);
  if (!isLater(of)) return of;
  throw new UsageError(
    `${operation}: the shape of this array depends on values (${of.because}); go on with \`await x.persist()\`, which has it`,
    { code: 'ERR_SHEAF_UNKNOWN_SHAPE', details: { operation } },
  );
}

/** What is behind an array, its shape known or not. */
export function partOf(operation: string, x: unknown): Node | Later {
  const of = Lazy.of(x);
  if (of === undefined) throw notAnArray(operation, x);
  return of;
}

/** The node, when it is known. */
export const resolved = (of: Node | Later): Node | Promise<Node> => (isLater(of) ? of.resolve() : of);

export function notAnArray(operation: string, x: unknown): UsageError {
  const isSparse = typeof (x as { toDense?: unknown } | null | undefined)?.toDense === 'function';
  const what = isSparse
    ? 'a sparse matrix; toDense() makes one of it'
    : Array.isArray(x)
      ? 'a list; asarray() makes one of it'
      : undefined;
  return new UsageError(
    `${operation} takes an array, and not ${what ?? `${kindOf(x)}; asarray() makes one of values, typed arrays and lists of lists`}`,
    { details: { operation } },
  );
}
