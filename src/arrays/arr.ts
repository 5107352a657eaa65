import type { Dense, Partitioned } from '../partitioned/index.ts';
import type { ElementwiseMethods } from './elementwise-types.ts';
import type { LinearMethods } from './linear-types.ts';
import type { ManipulationMethods } from './manipulation-types.ts';
import type { NetworkMethods } from './network-types.ts';
import type { ReductionMethods } from './reduction-types.ts';
import type { SearchMethods } from './search-types.ts';
import type { Sparse } from './sparse/types.ts';
import type { StatisticsMethods } from './statistics-types.ts';
import type { D, ElementsOf, Nested, Scalar } from './types.ts';

/**
 * One index of `at` and `set`: a number, from the end when it is negative; a slice `'start:stop:step'`, each part of which may be
 * left out; `'...'` for all axes that no other index names; `'new'` for a new axis of length 1; an array of indices; or a mask.
 */
export type Ix =
  | number
  | ':'
  | `${number}:`
  | `:${number}`
  | `${number}:${number}`
  | `${string}:${string}`
  | '...'
  | 'new'
  | Arr<'bool'>
  | Arr<'i32' | 'i64'>;

/** What `explain` takes. */
export interface ExplainOptions {
  /** A drawing as SVG, and not a text. */
  svg?: boolean;
  /** The graph and the plan as JSON, for tools; what is in it goes by the version. */
  json?: boolean;
}

/**
 * An array that is not computed before its values are asked for, by `item`, `data`, `toNested`, `show` or `persist`. Its methods make
 * new arrays; none changes it. Every function of `sheaf/array` whose first argument is an array is a method as well.
 */
export interface Arr<T extends D = D>
  extends ElementwiseMethods,
    ReductionMethods,
    ManipulationMethods,
    SearchMethods,
    StatisticsMethods,
    LinearMethods,
    NetworkMethods {
  /** The lengths of its axes; `[]` of a single value. Throws a UsageError (ERR_SHEAF_UNKNOWN_SHAPE) while it depends on values: see `at`. */
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly dtype: T;
  /** How many axes there are. */
  readonly ndim: number;
  /** How many elements there are. */
  readonly size: number;
  /** It described by its partitions, as the protocol of that name has it. Nothing is computed for that; its `get` computes. */
  readonly __partitioned__: Partitioned<unknown, Dense>;
  /** Of two axes: the transpose. */
  readonly T: Arr<T>;
  /** The transpose of the last two axes. */
  readonly mT: Arr<T>;
  /**
   * A part of it: one index for each axis, from the first; axes that are left out come whole. Numbers drop their axis. Arrays of indices are
   * broadcast together, and where they stand, or in front when a slice is between them, their axes are.
   *
   * A mask covers as many axes as it has, and how many elements it selects depends on values. So the result has no `shape` yet: ask for
   * its values, or go on with `await x.at(mask).persist()`.
   */
  at(...ix: Ix[]): Arr<T>;
  /** A new array in which the part that `at(...ix)` gives is replaced with `v`, broadcast to it. Of an index that is named twice, the last one counts. */
  set(ix: readonly Ix[], v: Arr | Scalar<T>): Arr<T>;
  /** A matrix as a sparse one: its elements that are not 0. */
  toSparse(): Sparse<T>;
  /** The value of an array of one element. */
  item(): Promise<Scalar<T>>;
  /** The elements, row by row. They may be shared with others: take a `slice()` of what you want to change. */
  data(): Promise<ElementsOf<T>>;
  /** The values in lists of lists; of an array without axes, the value. */
  toNested(): Promise<Nested<Scalar<T>>>;
  /** A text for people, shortened where there are more than 1,000 elements. */
  show(): Promise<string>;
  /** Computes it and keeps the elements, so that what is made of it begins there. Gives itself; of an array without a shape, one that has it. */
  persist(): Promise<Arr<T>>;
  /**
   * Lets go of the elements that were computed, at once: the memory is used for the next array, which is quicker than waiting for the garbage
   * collector, and than memory that is touched for the first time. It may be called at any time; a computation that has begun comes to its end,
   * but for one in blocks, of more than there is memory for, which is a ReleasedError. Later this array, its parts and what is yet to be made of
   * it are a ReleasedError. Typed arrays that `data` gave are good for as long as you hold them. `using y = await x.persist()` does it at the end
   * of the block.
   */
  release(): void;
  /** The same, by `using`. */
  [Symbol.dispose](): void;
  /** What would be computed, and how. */
  explain(o?: ExplainOptions): Promise<string>;
}
