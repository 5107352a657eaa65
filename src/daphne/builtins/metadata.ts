import type { Builtin } from './builtin.ts';

export const METADATA: readonly Builtin[] = [];
