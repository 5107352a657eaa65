import type { Builtin } from './builtin.ts';

export const INDEXING: readonly Builtin[] = [];
