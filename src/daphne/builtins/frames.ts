import type { Builtin } from './builtin.ts';

export const FRAMES: readonly Builtin[] = [];
