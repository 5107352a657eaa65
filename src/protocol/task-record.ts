import type { Cell, Waiter } from './cell.ts';
import { NO_CELLS } from './cell.ts';
import type { KeyQueue, Lease } from './lease.ts';
import type { Kept } from './lineage.ts';
import type { Intake } from './stream.ts';

export const WAITING = 0;
export const QUEUED = 1;
export const PUSHED = 2;
export const DONE = 3;
type TaskState = typeof WAITING | typeof QUEUED | typeof PUSHED | typeof DONE;

/** What is known of how long runs of one function take; shared by all of its tasks. */
export class Timing {
  /** Smoothed run time in microseconds; negative while no run has ended. */
  micros = -1;

  observe(micros: number): void {
    this.micros = this.micros < 0 ? micros : this.micros + (micros - this.micros) * 0.125;
  }

  /** What an unknown function is taken to cost, so that its first calls spread over workers instead of piling up. */
  get expected(): number {
    return this.micros < 0 ? 1000 : this.micros;
  }
}

/**
 * The owner's record of one task: what it needs, where it runs, what it may still cost. The host extends it with the
 * arguments and options themselves.
 *
 * ```
 * WAITING --arguments settled--> QUEUED --pushed to a leased worker--> PUSHED --reply--> DONE
 *    |                             ^                                      |
 *    |                             +---- recalled, or worker died -------+
 *    +--------------- an argument failed, cancelled ----------------------------------> DONE
 * ```
 */
export class TaskRecord implements Waiter {
  state: TaskState = WAITING;
  readonly key: KeyQueue;
  readonly timing: Timing;
  /** One result, or the results of a task that returns a tuple. */
  readonly results: Cell | readonly Cell[];
  /** Every reference in the arguments, at the top level or nested: held until the task is done. */
  uses: readonly Cell[] = NO_CELLS;
  /** Those of `uses` whose value the task receives, so that it can't start before they are settled. */
  dependencies: readonly Cell[] = NO_CELLS;
  missing = 0;
  retries: number;
  /** Runs that have been charged so far; the first is attempt 0. */
  attempt = 0;
  /** Resubmissions that were not its fault. Bounded, so that a crash nobody can be charged with ends. */
  uncharged = 0;
  /** How deep in nested tasks it was submitted; deeper ones run first. */
  readonly depth: number;
  lease: Lease | null = null;
  /** Its place in the owner's table of pushed tasks. */
  slot = -1;
  /** What the link gave for taking it back. */
  ticket = -1;
  /** The cost it was pushed with, in microseconds. */
  cost = 0;
  /** Set when it is to end early; the host's error. */
  cancelled: unknown = undefined;
  /** What it takes to run it again once it is done; null when it can't be. */
  kept: Kept | null = null;
  /** That was known, and forgotten because there was more than the budget allows. */
  dropped = false;
  /** A stream: what has come of its items. Its one result says how it has ended, and holds the items while it is held itself. */
  stream: Intake | null = null;
  /** It hosts an actor: it runs until nobody wants that any more, and nobody waits for its end. */
  resident = false;

  constructor(key: KeyQueue, timing: Timing, results: Cell | readonly Cell[], retries: number, depth: number) {
    this.key = key;
    this.timing = timing;
    this.results = results;
    this.retries = retries;
    this.depth = depth;
  }

  cellSettled(cell: Cell): void {
    this.key.owner.argumentSettled(this, cell);
  }

  eachResult(visit: (cell: Cell) => void): void {
    if (Array.isArray(this.results)) for (const cell of this.results) visit(cell);
    else visit(this.results as Cell);
  }
}
