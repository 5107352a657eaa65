import { type Cell, DONE, FAILED, FREED, type OwnerLimits, PENDING, PUSHED, QUEUED } from '../../protocol/index.ts';
import type { SimTask } from './task.ts';
import { type Failure, Violation } from './values.ts';

/**
 * What the rules promise of cancellations and of deaths, said once more in the plainest way and compared with what they do.
 * Results alone do not tell: a task that is cancelled too late, or charged for the crash of another one, has a right one.
 */

/** How often what is checked here has happened; a check of what never happens is none. */
export class Counts {
  /** Cancelled before they had begun, and while they ran. */
  cancelledEarly = 0;
  cancelledRunning = 0;
  /** Begun on a worker that died, and run again without a charge; and with one. */
  bystanders = 0;
  charged = 0;
  /** Items of streams: sent, and skipped by a later run; and words of consumption that came before their run. */
  items = 0;
  skippedItems = 0;
  earlyCredits = 0;
  /** Losses: found by a worker before it began a run, found by the directory; and tasks that ran again because of one. */
  unread = 0;
  missing = 0;
  remade = 0;
}

const stateOf = (cell: Cell): string => ['PENDING', 'READY', 'FAILED', 'FREED'][cell.state] as string;

function resultsOf(task: SimTask): Cell[] {
  const cells: Cell[] = [];
  task.eachResult((cell) => cells.push(cell));
  return cells;
}

/**
 * Cancels a task, and checks that those who wait for it hear of that at once, that one which has not begun is over, and
 * that the worker of one which has is told. `told` and `begun` are what the host has seen.
 */
export function checkCancel(
  task: SimTask,
  error: Failure,
  counts: Counts,
  begun: boolean,
  cancel: () => { readonly told: boolean },
): void {
  const name = `task ${task.spec.seed}`;
  const cells = resultsOf(task);
  const before = cells.map((cell) => cell.state);
  const over = task.state === DONE;
  const { told } = cancel();
  cells.forEach((cell, i) => {
    if (over || before[i] !== PENDING) {
      if (cell.state !== before[i]) throw new Violation(`cancelling ${name} changed what had settled`);
    } else if (cell.state !== FREED && (cell.state !== FAILED || cell.value !== error)) {
      throw new Violation(`${name} is cancelled, and its result is ${stateOf(cell)}`);
    }
  });
  if (over) return;
  if (begun) {
    if (!told) throw new Violation(`${name} is cancelled while it runs, and its worker does not hear of it`);
    counts.cancelledRunning++;
  } else {
    if (task.state !== DONE) throw new Violation(`${name} is cancelled before it has begun, and is not over`);
    counts.cancelledEarly++;
  }
  task.stopped = true;
}

/** Of a task on its way to a worker, or about to begin there. */
export function checkMayRun(task: SimTask): void {
  if (task.stopped) throw new Violation(`task ${task.spec.seed} goes on after it was cancelled`);
  checkRetries(task);
}

/** Every attempt beyond the first has been charged, and nothing else has. */
function checkRetries(task: SimTask): void {
  if (task.retries < 0 || task.attempt + task.retries !== task.spec.retries) {
    throw new Violation(
      `task ${task.spec.seed} had ${task.spec.retries} retries, and has ${task.retries} in attempt ${task.attempt}`,
    );
  }
}

/** Of a task that fails by the death of its worker. */
export function checkWorkerDied(task: SimTask): void {
  checkRetries(task);
  if (task.retries > 0) throw new Violation(`task ${task.spec.seed} fails with ${task.retries} retries left`);
}

interface Before {
  readonly task: SimTask;
  readonly retries: number;
  readonly uncharged: number;
  readonly begun: boolean;
  readonly pays: boolean;
}

/** What the death of a worker means for the tasks of one owner that were on it: taken down before, checked after. */
export class DeathCheck {
  readonly #before: readonly Before[];
  readonly #counts: Counts;

  constructor(
    tasks: readonly SimTask[],
    guilty: number,
    started: (task: SimTask) => boolean,
    limits: OwnerLimits,
    counts: Counts,
  ) {
    this.#counts = counts;
    this.#before = tasks.map((task) => {
      const begun = started(task);
      const { retries, uncharged } = task;
      const alone = task.spec.retries === 0;
      return { task, retries, uncharged, begun, pays: alone || task.slot === guilty || uncharged >= limits.uncharged };
    });
  }

  done(): void {
    for (const { task, retries, uncharged, begun, pays } of this.#before) {
      const name = `task ${task.spec.seed}`;
      checkRetries(task);
      const paid = retries - task.retries;
      const over = task.stopped || (begun && pays && retries === 0);
      if (over !== (task.state === DONE)) throw new Violation(`${name} is ${over ? 'not ' : ''}over with its worker`);
      if (over) {
        if (paid !== 0) throw new Violation(`${name} is over, and charged`);
        continue;
      }
      if (task.state !== QUEUED) throw new Violation(`${name} does not run again after its worker has died`);
      const due = begun && pays ? 1 : 0;
      if (paid !== due) throw new Violation(`${name} is charged ${paid} instead of ${due} for the death of its worker`);
      if (begun && !pays && task.uncharged !== uncharged + 1) throw new Violation(`${name} is let off without a limit`);
      if (!begun && task.uncharged !== uncharged) throw new Violation(`${name} had not begun, and is counted`);
      if (begun && pays) this.#counts.charged++;
      else if (begun) this.#counts.bystanders++;
    }
  }
}

/** Of a task that was cancelled a long time ago. */
export function checkOver(task: SimTask): void {
  if (task.state === PUSHED || task.state === QUEUED) {
    throw new Violation(`task ${task.spec.seed} was cancelled long ago, and is not over`);
  }
}
