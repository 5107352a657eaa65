// The door of the room for others in the house: what is public, and what is behind an array.

import type { DType, Elements, Shape } from '../nd/index.ts';
import type { Arr } from './arr.ts';
import { wrap } from './lazy.ts';
import { sourceOf } from './place.ts';

/** @internal */
export { nodeOf } from './lazy.ts';
export * from './public.ts';

/** @internal An array of elements that are there, row by row, and that nobody changes afterwards. */
export const arrayOf = (elements: Elements, shape: Shape, dtype: DType): Arr => wrap(sourceOf(elements, shape, dtype));
