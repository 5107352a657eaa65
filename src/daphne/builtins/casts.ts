import type { Builtin } from './builtin.ts';

export const CASTS: readonly Builtin[] = [];
