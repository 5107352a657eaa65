import type { ElementOpName } from '../kernels/elementwise.ts';
import type { DType, Shape } from '../nd/index.ts';
import type { ArrayType, Op } from './graph.ts';
import type { Pipeline } from './pipeline.ts';

/** An array as the plan knows it: elements of one of its arrays, in some layout. */
export interface ArrayView extends ArrayType {
  readonly array: number;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** What is computed by itself. Its results lie row by row, each in an array of its own. */
export interface Whole {
  readonly op: Extract<Op, { kind: 'matmul' | 'take' | 'call' }>;
  readonly args: readonly ArrayView[];
  readonly results: readonly { readonly array: number; readonly shape: Shape; readonly dtype: DType }[];
}

/** One thing to do after the other. Arrays are made before, and let go of when nothing later needs them. */
export type PlanStep = { readonly makes: readonly number[]; readonly drops: readonly number[] } & (
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  | { readonly kind: 'whole'; readonly whole: Whole }
);

/** A scalar that a plan makes: a whole number (i64), or one operation on scalars with smaller numbers. `of`: the type of its operands. */
export type MadeScalar =
  | { readonly kind: 'whole'; readonly value: number }
  | { readonly kind: 'element'; readonly op: ElementOpName; readonly args: readonly number[]; readonly of: DType }
  | { readonly kind: 'cast'; readonly args: readonly number[]; readonly of: DType; readonly to: DType };

/** How a graph is computed: the same for all that differ only in where sources lie and what constants are. Plain data. */
export interface Plan {
  /** So many arrays are given: the sources. They have the first numbers. */
  readonly sources: number;
  /** Those that are made, by number from the sources on. */
  readonly arrays: readonly { readonly dtype: DType; readonly length: number }[];
  /** Scalars behind those that are given. */
  readonly scalars: readonly MadeScalar[];
  readonly steps: readonly PlanStep[];
  /** What was asked for. */
  readonly roots: readonly ArrayView[];
}
