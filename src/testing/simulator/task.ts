import { type Cell, type KeyQueue, TaskRecord, type Timing } from '../../protocol/index.ts';
import type { TaskSpec } from './program.ts';
import type { Wire } from './values.ts';

export type Argument = { readonly dependency: Cell } | { readonly wire: Wire; readonly cells: readonly Cell[] };

export class SimTask extends TaskRecord {
  readonly spec: TaskSpec;
  readonly args: readonly Argument[];
  /** The program has cancelled it before it was done. Kept apart from what the rules note down, which is what is checked. */
  stopped = false;

  constructor(
    spec: TaskSpec,
    args: readonly Argument[],
    key: KeyQueue,
    timing: Timing,
    results: Cell | Cell[],
    depth: number,
  ) {
    super(key, timing, results, spec.retries, depth);
    this.spec = spec;
    this.args = args;
  }
}
