import type { ArrayQueues, ArrayScheme, ArrayVictims } from '../base/index.ts';
import type { Engine } from './engine.ts';

/** What a session is told of how its arrays are computed, for all of its threads. */
export interface ArraySettings {
  /** Cores that may work at one array together, the caller's included. */
  readonly cpus: number;
  readonly scheme: ArrayScheme;
  readonly layout: ArrayQueues;
  readonly victims: ArrayVictims;
  /** Rows of a chunk at least; undefined: what the pipeline finds best. */
  readonly grain: number | undefined;
  /** Workers load what computes arrays when they start. */
  readonly preload: boolean;
}

/** An engine whose workers may compute arrays together. */
export interface EngineWithArrays extends Engine {
  readonly arrays: ArraySettings | undefined;
}

/** Undefined where a thread computes its arrays alone. */
export function arraysOf(engine: Engine): ArraySettings | undefined {
  return (engine as Partial<EngineWithArrays>).arrays;
}
