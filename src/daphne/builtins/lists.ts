import type { Builtin } from './builtin.ts';

export const LISTS: readonly Builtin[] = [];
