import { type Cell, FREED, PENDING } from './cell.ts';
import { DONE, type TaskRecord } from './task-record.ts';

/** Why a value that is lost can't be made again. */
export type Loss = 'not-a-result' | 'cancelled' | 'runs-once' | 'retries-used-up' | 'lineage-dropped' | 'not-kept';

const REASONS: Readonly<Record<Loss, string>> = {
  'not-a-result': 'it was put, or came from a stream, and is not the result of a task',
  cancelled: 'the task that made it was cancelled',
  'runs-once': 'the task that made it may run once only (option `retries`)',
  'retries-used-up': 'the retries of the task that made it are used up (option `retries`)',
  'lineage-dropped': 'how it was made was forgotten to stay within the budget for that',
  'not-kept': 'how it was made was not kept, because the session writes nothing to disk, or because it is a failure',
};

export function describeLoss(why: Loss): string {
  return `every copy of it is lost, and it cannot be made again: ${REASONS[why]}`;
}

/** What is kept of a finished task so that it can be run again. */
export interface Kept {
  readonly uses: readonly Cell[];
  readonly dependencies: readonly Cell[];
  /** Those of `uses` that can't be made again and are therefore held. */
  readonly held: readonly Cell[];
  /** The others: their values may go, because the tasks that make them are kept, too. */
  readonly remade: readonly Cell[];
  readonly bytes: number;
}

/** What the lineage rules need from the rest of the party. */
interface LineageParts {
  hold(cell: Cell): void;
  drop(cell: Cell): void;
  /** Whether the value of a cell is gone without anybody having said so yet. */
  isLost(cell: Cell): boolean;
  /** The cell has no value any more, and will get one. */
  unsettle(cell: Cell): void;
  /** It will not get one. */
  fail(cell: Cell, why: Loss): void;
  resubmit(task: TaskRecord): void;
  /** The host lets the task's arguments go. */
  forgotten(task: TaskRecord): void;
}

/**
 * The tasks whose results would be made again by running them again: those with a result in shared memory, which can
 * be lost without its owner. A value that sits in its owner's heap needs none of this.
 *
 * A kept task does not keep its arguments alive where they can be made again, too; otherwise it holds them. It is kept
 * while one of its results is, or another kept task was given one. Beyond a budget the oldest half is forgotten.
 */
export class Lineage {
  readonly #parts: LineageParts;
  readonly #budget: number;
  /** Oldest first. */
  readonly #tasks = new Set<TaskRecord>();
  #bytes = 0;

  constructor(parts: LineageParts, budget: number) {
    this.#parts = parts;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Oldest first. */
  tasks(): readonly TaskRecord[] {
    return [...this.#tasks];
  }

  /** A task with a result in shared memory has ended, and still holds its arguments. `bytes`: what its record takes. */
  keep(task: TaskRecord, bytes: number): void {
    if (task.kept !== null || task.cancelled !== undefined || task.retries <= 0) return;
    if (bytes > this.#budget) {
      task.dropped = Number.isFinite(bytes);
      return;
    }
    const held: Cell[] = [];
    const remade: Cell[] = [];
    for (const cell of task.uses) {
      if (canRemake(cell)) {
        cell.lineage++;
        remade.push(cell);
      } else {
        this.#parts.hold(cell);
        held.push(cell);
      }
    }
    task.kept = { uses: task.uses, dependencies: task.dependencies, held, remade, bytes };
    this.#tasks.add(task);
    this.#bytes += bytes;
    if (this.#bytes <= this.#budget) return;
    for (const old of this.#tasks) {
      if (this.#bytes <= this.#budget / 2 || old === task) break;
      old.dropped = true;
      this.#forget(old);
    }
  }

  /** A result of a kept task has no holder any more. */
  released(task: TaskRecord): void {
    if (!isNeeded(task)) this.#forget(task);
  }

  #forget(first: TaskRecord): void {
    const tasks = [first];
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      const { kept } = task;
      if (kept === null) continue;
      task.kept = null;
      this.#tasks.delete(task);
      this.#bytes -= kept.bytes;
      for (const cell of kept.remade) {
        cell.lineage--;
        if (cell.task !== null && cell.task.kept !== null && !isNeeded(cell.task)) tasks.push(cell.task);
      }
      for (const cell of kept.held) this.#parts.drop(cell);
      this.#parts.forgotten(task);
    }
  }

  /**
   * The value of an own cell is gone: the task that makes it runs again, and so do those that make what it needs, as far
   * as that is gone, too. Each of them is charged. What can't be made again fails, and with it what depends on it.
   */
  lost(cell: Cell): void {
    if (!cell.settled) return;
    const again: TaskRecord[] = [];
    const failed: [Cell, Loss][] = [];
    const missing = [cell];
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      // On its way already.
      if (next.state === PENDING) continue;
      this.#parts.unsettle(next);
      // Of a borrowed one its owner will hear when it is asked for.
      if (next.owner !== null) continue;
      const { task } = next;
      if (task !== null && task.state !== DONE) continue;
      if (task === null || task.kept === null || task.retries <= 0) failed.push([next, why(task)]);
      else if (!again.includes(task)) {
        again.push(task);
        task.retries--;
        task.attempt++;
        for (const use of task.kept.uses) if (use.state === FREED || this.#parts.isLost(use)) missing.push(use);
      }
    }
    // First what needs them takes hold of them, or they would be freed as they fail.
    for (const task of again) this.#parts.resubmit(task);
    for (const [each, reason] of failed) this.#parts.fail(each, reason);
  }
}

function canRemake(cell: Cell): boolean {
  return cell.owner === null && cell.task !== null && cell.task.kept !== null;
}

function isNeeded(task: TaskRecord): boolean {
  // While it runs again, its results are wanted.
  if (task.state !== DONE) return true;
  let needed = false;
  task.eachResult((cell) => {
    if (cell.lineage > 0 || cell.state !== FREED) needed = true;
  });
  return needed;
}

function why(task: TaskRecord | null): Loss {
  if (task === null) return 'not-a-result';
  if (task.cancelled !== undefined) return 'cancelled';
  if (task.key.shape.exclusive) return 'runs-once';
  if (task.retries <= 0) return 'retries-used-up';
  return task.dropped ? 'lineage-dropped' : 'not-kept';
}
