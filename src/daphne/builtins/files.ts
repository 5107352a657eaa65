import type { Builtin } from './builtin.ts';

export const FILES: readonly Builtin[] = [];
