import type { Builtin } from './builtin.ts';

export const DNN: readonly Builtin[] = [];
