import type { Builtin } from './builtin.ts';

export const LINEAR: readonly Builtin[] = [];
