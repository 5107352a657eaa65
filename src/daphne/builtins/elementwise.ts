import type { Builtin } from './builtin.ts';

export const ELEMENTWISE: readonly Builtin[] = [];
