import { TimeoutError } from '../base/index.ts';
import type { ControlBlock } from '../transport/index.ts';
import { sharedNow } from './clock.ts';
import type { Execution } from './execution.ts';

/**
 * The timeouts of the runs on one worker. Each is watched in two ways:
 *
 * - By a timer of this thread. It serves every run that lets the event loop go on, whatever it waits for.
 * - By the control thread, for the run that gives the event loop no turn. Shared memory says which of the runs that may be
 *   on the stack has to be over first, and when; if it is still there some time later, its worker is ended. A run that
 *   waits for other tasks is not on the stack, and no worker is ended for it.
 */
export class Deadlines {
  readonly #block: ControlBlock;
  readonly #party: number;
  readonly #expired: (run: Execution) => void;
  /** Runs with a timeout that have begun and not ended. */
  readonly #runs: Execution[] = [];
  /** Those that have gone on in this turn of the event loop while others held the place: one of them is on the stack. */
  #entered: Execution[] = [];
  /** The one that shared memory tells of. */
  #shown: Execution | undefined = undefined;

  /** `expired` is called for a run whose time is up, when the event loop has its turn. */
  constructor(block: ControlBlock, party: number, expired: (run: Execution) => void) {
    this.#block = block;
    this.#party = party;
    this.#expired = expired;
  }

  /** The function of a run with a timeout is about to be called: from now on its time counts. */
  begin(run: Execution): void {
    run.deadline = sharedNow() + run.timeout;
    this.#runs.push(run);
    this.show();
  }

  /** The run may go on after its function has returned. */
  arm(run: Execution): void {
    run.timer ??= setTimeout(() => this.#expired(run), Math.max(0, run.deadline - sharedNow()));
  }

  end(run: Execution): void {
    if (run.timer !== undefined) clearTimeout(run.timer);
    const at = this.#runs.lastIndexOf(run);
    if (at < 0) return;
    this.#runs.splice(at, 1);
    this.show();
  }

  /**
   * The run goes on beside others that hold the place, because they wait for what is no task. Until the event loop has its
   * turn it is on the stack, and they are not.
   */
  enter(run: Execution): void {
    if (this.#runs.length === 0) return;
    if (this.#entered.length === 0) {
      setImmediate(() => {
        this.#entered = [];
        this.show();
      });
    }
    this.#entered.push(run);
  }

  /** Brings shared memory up to date, after a run has begun or ended to wait for other tasks. */
  show(): void {
    const entered = this.#entered.filter(mayBeOnStack);
    let first: Execution | undefined;
    for (const run of entered.length > 0 ? entered : this.#runs) {
      if (run.deadline === 0 || !mayBeOnStack(run)) continue;
      if (first === undefined || run.deadline < first.deadline) first = run;
    }
    if (first === this.#shown) return;
    this.#shown = first;
    if (first === undefined) this.#block.clearDeadline(this.#party);
    else this.#block.setDeadline(this.#party, first.deadline, first);
  }
}

function mayBeOnStack(run: Execution): boolean {
  return run.suspended === 0 && !run.over;
}

/** `how` the run was ended, if not by itself. */
export function timedOut(name: string, timeout: number, how = ''): TimeoutError {
  return new TimeoutError(`${name} ran longer than its timeout of ${timeout} ms${how}`, {
    details: { task: name, timeout },
  });
}
