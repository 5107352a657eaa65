import type { Builtin } from './builtin.ts';

export const PRINTING: readonly Builtin[] = [];
