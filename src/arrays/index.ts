// The door of the room for others in the house: what is public, and what is behind an array.

import type { DType, Elements, Shape } from '../nd/index.ts';
import type { Arr } from './arr.ts';
import { wrap } from './lazy.ts';
import { sourceOf } from './place.ts';
import { sparseOf, wrapSparse } from './sparse/sparse.ts';
import type { Sparse } from './sparse/types.ts';
import { persistedHere } from './sparse/values.ts';
import type { D } from './types.ts';

/** @internal */
export { nodeOf } from './lazy.ts';
export * from './public.ts';
/** @internal */
export { nodesOfSparse } from './sparse/sparse.ts';

/** @internal An array of elements that are there, row by row, and that nobody changes afterwards. */
export const arrayOf = (elements: Elements, shape: Shape, dtype: DType): Arr => wrap(sourceOf(elements, shape, dtype));

/** @internal A sparse matrix that is computed now, in this thread, so that what is made of it begins there. */
export const computedHere = <T extends D>(s: Sparse<T>): Sparse<T> =>
  wrapSparse<T>(persistedHere(sparseOf('persist', s)));
