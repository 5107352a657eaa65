import type { Dense, Routine } from '../kernels/index.ts';

/** An array as routines get it: its elements lie row by row. */
export type DenseArray = Dense;

/** Routines by name. Throws for a name that there is none of. */
export type Routines = (name: string) => Pick<Routine, 'run' | 'scratch'>;
