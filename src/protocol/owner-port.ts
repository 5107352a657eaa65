import type { Cell } from './cell.ts';
import type { Lease, Shape } from './lease.ts';
import type { TaskMessage } from './messages.ts';
import type { TaskRecord } from './task-record.ts';

/** What the task rules need from their host. */
export interface OwnerPort {
  /** Sends a task to its lease's worker; the ticket for taking it back, or -1 when the link has no room now. */
  push(task: TaskRecord, lease: Lease): number;
  /** Takes a pushed task back: true if it had not started, false if it has. */
  recall(task: TaskRecord, lease: Lease): boolean;
  /**
   * Asks the worker to stop a task that may be running. `force`: the worker is to end if it does, by itself or, when it does
   * not hear, by the control thread (`kill`), for which `reason` is.
   */
  cancelRunning(task: TaskRecord, lease: Lease, force: boolean, reason: string): void;
  control(message: TaskMessage): void;
  /** A task ends without a reply: every result gets this failure, and a hold on each of the references in it. */
  fail(task: TaskRecord, error: unknown, inner: readonly Cell[]): void;
  /** The error for a task whose worker died with no retries left. */
  workerDied(task: TaskRecord, reason: string): unknown;
  unschedulable(shape: Shape, reason: string): unknown;
  /** A task goes back to the queue because its worker died; told to observers. */
  retrying(task: TaskRecord, charged: boolean, reason: string): void;
}

export interface OwnerLimits {
  /** Tasks in flight to one worker. */
  readonly depth: number;
  /** Calls in flight to one actor. */
  readonly calls: number;
  /** Expected work in flight to one worker, in microseconds. */
  readonly window: number;
  /** Below this much expected work a worker is given more before another is woken, in microseconds. */
  readonly stack: number;
  /** An idle lease is returned after so many milliseconds. */
  readonly idle: number;
  /** The same for one that somebody else waits for. */
  readonly idleWanted: number;
  /** A worker silent for so long has what it has not started taken back, in milliseconds. */
  readonly stall: number;
  /** Resubmissions of one task that are not charged to it. */
  readonly uncharged: number;
  /** Bytes of finished tasks that are kept to be run again, should their results be lost. */
  readonly lineage: number;
}

export const OWNER_LIMITS: OwnerLimits = {
  depth: 1000,
  calls: 1000,
  window: 1000,
  stack: 50,
  idle: 500,
  idleWanted: 10,
  stall: 5,
  uncharged: 16,
  lineage: 2 ** 30,
};
