import { Outflow, Run, type RunId } from '../../protocol/index.ts';
import type { Host } from './host.ts';
import type { Push } from './messages.ts';
import type { Body, TaskSpec } from './program.ts';
import { Failure, type Handle, Raised } from './values.ts';

/** Bytes that a stream may run ahead here, where a large item has ten and any other one. */
const MOST_BYTES = 25;

/** One run of a task on a simulated worker, or of the driver's program. */
export class SimRun extends Run {
  readonly from: Host | null;
  readonly spec: TaskSpec;
  readonly push: Push | null;
  program!: Body<Handle>;
  micros = 0;
  ended = false;
  /** It could not begin, because an argument was lost. */
  unread = false;
  /** It is to end without a result: cancelled, or its caller is gone. */
  aborted = false;
  /** Of a stream: how far it may run ahead, and whether it waits for its consumer. */
  readonly outflow: Outflow | null;
  paused = false;
  /** Pending ones of what it waits for. */
  waits = 0;

  is(from: Host, { slot, sequence }: RunId): boolean {
    return this.from === from && this.slot === slot && this.spec.seed === sequence;
  }

  constructor(from: Host | null, push: Push | null, spec: TaskSpec) {
    super(from?.number ?? -1, push?.slot ?? -1, push?.depth ?? 0, push?.exclusive ?? false, push?.key);
    this.from = from;
    this.push = push;
    this.spec = spec;
    const stream = push?.stream ?? null;
    this.outflow = stream === null ? null : new Outflow(stream, MOST_BYTES);
  }
}

/** How a run ends that was told to stop. */
export function cancelled(run: SimRun): Raised {
  return new Raised(new Failure('cancelled', String(run.spec.seed)), 0, false);
}
