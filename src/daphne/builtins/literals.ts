import type { Builtin } from './builtin.ts';

export const LITERALS: readonly Builtin[] = [];
