import type { DType } from '../../nd/index.ts';

/**
 * How an array lies along the last axis of a kernel's space: element after element; one element for all points; or otherwise. Code is
 * made for one way.
 */
export type Along = 'unit' | 'same' | 'any';

/** An array as the code knows it: where it stands inside so many loops, and how far it goes for one step along each axis. */
export interface Cursor {
  readonly dtype: DType;
  readonly along: Along;
  readonly at: readonly number[];
  readonly by: readonly number[];
}
