import type { SlotRef } from '../memory/index.ts';
import type { Address, Cell, Party, Run, TaskRecord, ToControl } from '../protocol/index.ts';
import type { Actors } from './actors.ts';
import type { Call } from './call.ts';
import type { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import type { Failures } from './failures.ts';
import type { CreateQuestion, NameAnswer, NameQuestion } from './host-messages.ts';
import type { Origins } from './origins.ts';
import type { Recorder } from './recorder.ts';
import type { HandleHost, Reference } from './reference.ts';
import type { Values, Wire } from './values.ts';
import type { Waits } from './waits.ts';

/** What a party has done so far. */
export interface Counters {
  submitted: number;
  finished: number;
  failed: number;
  retried: number;
  resubmitted: number;
  bytesIn: number;
  bytesOut: number;
}

/** The runs of tasks under way in this thread, as waits and handles see them. */
export interface RunsHere {
  /** The run that the calling code belongs to. */
  current(): Execution | undefined;
  /** Calls `fn` as code of `run`. */
  within<T>(run: Run, fn: () => T): T;
  /** The run waits for other tasks: it gives up its place, until `resume`. */
  suspend(run: Run): void;
  resume(run: Run): void;
}

/**
 * The host of a party, as calls, waits, handles and `all` need it. `PartyHost` is one, over rings and shared memory;
 * `InlineHost` is another, in one thread.
 */
export interface TaskHost extends HandleHost {
  readonly self: Address;
  readonly party: Party<Wire>;
  readonly values: Values;
  readonly waits: Waits;
  readonly failures: Failures;
  readonly endings: Endings;
  /** Where objects of shared memory come from; null where nobody can ask. */
  readonly origins: Origins | null;
  /** While what runs is recorded. */
  readonly recorder: Recorder | null;
  readonly counters: Counters;
  readonly role: 'driver' | 'worker';
  readonly log: (line: string) => void;
  /** Null where no tasks run. */
  readonly executions: RunsHere | null;
  /** Whether the caller has set the flag of a running task. */
  readonly block: { cancelled(caller: number, slot: number): boolean };
  /** What brings messages in, and is told when there is something to do. */
  readonly reactor: { deliveries: number; kick(): void; poll(): boolean | Promise<void>; spinNow(): void };
  readonly actors: Actors;
  readonly closed: boolean;
  engine: Engine;
  /** A handle for a cell, for the code that runs. */
  handle(cell: Cell): Reference<unknown>;
  control(message: ToControl<Wire>): void;
  submit(call: Call): void;
  /** Cancels a pending task. */
  cancel(cell: Cell, error: Error, force: boolean, recursive: boolean): void;
  /** The same for a borrowed cell, by its owner. */
  cancelElsewhere(cell: Cell, force: boolean, recursive: boolean): void;
  settleUp(): void;
  retrying(task: TaskRecord, charged: boolean, reason: string): void;
  /** A call is over: what was kept for sending it is let go. */
  forget(call: Call): void;
  /** Of a value that can't be read: true when it is lost, and either made again now or failed. */
  recover(cell: Cell): boolean;
  /** Brings into memory what is on disk of these slots of the store. */
  fetch(slots: readonly SlotRef[]): Promise<unknown>;
  /** Tells the producer of a stream how many of its items are consumed. */
  consumed(call: Call, taken: number): void;
  /** What a call that was sent does now. */
  stateOf(call: Call): 'running' | 'started' | 'sent';
  /** Milliseconds since it began there, of one that runs. */
  runningFor(call: Call): number;
  /** Asks who has a name, or takes it for a new actor. */
  nameActor(name: NameQuestion): Promise<NameAnswer>;
  /** Of a worker: has the driver create an actor. */
  createDetached?(wish: CreateQuestion): Promise<NameAnswer>;
  /**
   * Where there are no workers: ends what runs a task of that name, as the death of its worker would; false when nothing has begun
   * one. Undefined where there are.
   */
  kill?(task: string): boolean;
  /** Asks the node something that people want to know. */
  ask(what: string): Promise<unknown>;
}
