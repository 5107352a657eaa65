import type { Kernel } from '../kernels/kernel.ts';
import type { ReducerName } from '../kernels/reducers.ts';
import type { DType } from '../nd/index.ts';
import type { GivenIndices } from './missing.rules.ts';

/**
 * Where the elements of an operand or a result of a call lie. Steps are in elements: `row` from one row to the next, `strides` along the
 * axes behind it. In an `array` rows are counted from the beginning (`row` 0: it is read, or written, whole by each tile); in the `scratch` from the first row of
 * the tile; an `accumulator` has no rows, since they are combined.
 */
export type Where =
  | {
      readonly at: 'array';
      readonly array: number;
      readonly offset: number;
      readonly row: number;
      readonly strides: readonly number[];
    }
  /** `offset` in bytes. */
  | { readonly at: 'scratch'; readonly offset: number; readonly row: number; readonly strides: readonly number[] }
  | { readonly at: 'accumulator'; readonly accumulator: number; readonly strides: readonly number[] };

/** In the place of a scalar: the number of the tile's first row, an i64. */
export const FIRST_ROW = -1;

/**
 * A kernel and what it is run on. Its space is the rows of the tile, then `inner`.
 *
 * A *gather* copies rows by their numbers: its first operand says for each row (an i64) which row of the second one, of so many, it is.
 */
export interface Call {
  readonly kernel: Kernel;
  readonly inner: readonly number[];
  readonly operands: readonly Where[];
  /** For each scalar of the kernel which one of those of the plan it is, or `FIRST_ROW`. */
  readonly scalars: readonly number[];
  readonly results: readonly Where[];
  readonly gather?: Gathered;
}

/** How many rows there are to choose from, and whose numbers those are. */
export interface Gathered {
  readonly length: number;
  readonly of?: GivenIndices;
}

/** What combines rows: each unit of rows gathers its own, and they are combined in the order of rows, whoever was done first. */
export interface Accumulator {
  readonly reducer: ReducerName;
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
  /** Where it goes, row by row from the beginning: a number of an array. */
  readonly array: number;
  /** Of its elements among those of a unit, in bytes. */
  readonly offset: number;
}

/**
 * Kernels that are run one after the other on tiles of rows. Rows do not depend on each other, so tiles may be run in any order, and at the
 * same time; what lies in the scratch stays in the cache. Plain data: workers get it as it is.
 */
export interface Pipeline {
  readonly rows: number;
  /** Rows of one tile; the last one may have fewer. */
  readonly tile: number;
  /**
   * Rows of one unit, a multiple of the tile: work is handed out in whole units. Which rows are a unit depends on nothing but the pipeline, and
   * so do sums, to the last bit.
   */
  readonly unit: number;
  readonly calls: readonly Call[];
  /** Bytes of scratch, for each of those that run tiles at the same time. */
  readonly scratch: number;
  readonly accumulators: readonly Accumulator[];
  /** Bytes of all accumulators of one unit. */
  readonly gathered: number;
}

/** How many units there are. */
export const unitsOf = ({ rows, unit }: Pipeline): number => Math.ceil(rows / unit);
