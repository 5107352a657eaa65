import type { Builtin } from './builtin.ts';

export const AGGREGATION: readonly Builtin[] = [];
