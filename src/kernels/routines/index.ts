import { InternalError } from '../../base/index.ts';
import { CUMULATIVE } from './cumulative.ts';
import { GROUPS } from './groups.ts';
import { IMAGES } from './images.ts';
import { LINEAR_ALGEBRA } from './linear-algebra.ts';
import type { Routine } from './routine.ts';
import { SCATTERING } from './scatter.ts';
import { SETS } from './sets.ts';
import { SORTING } from './sorting.ts';
import { SPARSE } from './sparse.ts';

export type { ArrayType, Dense, Params, Routine } from './routine.ts';

/** What is done with whole arrays, by name. */
export const ROUTINES = {
  ...SORTING,
  ...SETS,
  ...CUMULATIVE,
  ...LINEAR_ALGEBRA,
  ...SPARSE,
  ...SCATTERING,
  ...GROUPS,
  ...IMAGES,
} as const satisfies Readonly<Record<string, Routine>>;

export type RoutineName = keyof typeof ROUTINES;

export function routine(name: string): Routine {
  if (Object.hasOwn(ROUTINES, name)) return ROUTINES[name as RoutineName];
  throw new InternalError(`there is no routine ${name}; please report this`);
}
