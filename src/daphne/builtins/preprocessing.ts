import type { Builtin } from './builtin.ts';

export const PREPROCESSING: readonly Builtin[] = [];
