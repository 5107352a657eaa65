import type { Builtin } from './builtin.ts';

export const SYSTEM: readonly Builtin[] = [];
