import type { Builtin } from './builtin.ts';

export const GENERATION: readonly Builtin[] = [];
