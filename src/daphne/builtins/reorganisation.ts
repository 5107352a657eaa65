import type { Builtin } from './builtin.ts';

export const REORGANISATION: readonly Builtin[] = [];
