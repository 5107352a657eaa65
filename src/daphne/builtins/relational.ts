import type { Builtin } from './builtin.ts';

export const RELATIONAL: readonly Builtin[] = [];
