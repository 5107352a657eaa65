import type { Experiment } from '../harness.ts';

export interface Settings {
  /** Cores that ours and the peers may use. */
  readonly cpus: number;
  /** Fewer and shorter runs. */
  readonly quick: boolean;
}

/** Rows that share what is expensive to set up; `open` runs only when one of them is wanted. */
export interface Group {
  readonly names: readonly string[];
  open(settings: Settings): Promise<{ experiments: readonly Experiment[]; close(): Promise<void> }>;
}
