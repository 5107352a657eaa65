import { CancelledError, fireDue, InternalError, ObjectLostError } from '../../base/index.ts';
import type { SharedStore } from '../../memory/index.ts';
import {
  type Address,
  type Capacity,
  type Cell,
  DONE,
  type Lease,
  OWNER_LIMITS,
  type OwnerLimits,
  Party,
  type PartyPort,
  READY,
  type Reply,
  type Run,
  type Shape,
  type TaskRecord,
  type ToControl,
} from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { Endings } from '../endings.ts';
import type { Engine } from '../engine.ts';
import { Failures } from '../failures.ts';
import type { NameAnswer, NameQuestion } from '../host-messages.ts';
import { Reference, sweepHandles } from '../reference.ts';
import { lasting } from '../sites.ts';
import { Submissions } from '../submissions.ts';
import type { Counters, TaskHost } from '../task-host.ts';
import type { Values, Wire } from '../values.ts';
import { Waits } from '../waits.ts';
import { InlineActors } from './caller-lines.ts';
import { die } from './inline-deaths.ts';
import { InlineHosted } from './inline-hosted.ts';
import { InlineRegistry } from './inline-registry.ts';
import { InlineRuns, incarnationOf } from './inline-runs.ts';
import { InlineValues } from './inline-values.ts';
import { outside } from './outside.ts';
import { type Turn, Turns } from './turns.rules.ts';

/** One call for each lease but an actor's, so that every start is a decision of its own; and nobody waits for an idle worker. */
const LIMITS: OwnerLimits = { ...OWNER_LIMITS, depth: 1, window: 1, idle: 0, stall: Number.POSITIVE_INFINITY };

interface InlineHostOptions {
  readonly self: Address;
  readonly store: SharedStore;
  readonly capacity: Capacity;
  readonly checkWrites: boolean;
  readonly log: (line: string) => void;
}

/**
 * Hosts program and tasks as one party in one thread. Calls, references, failures and retries follow the same rules as
 * between processes (`protocol/`), and values go through the same codec; what is left out is every link: a call is decoded
 * where it was encoded, and the party is its own worker.
 */
export class InlineHost implements PartyPort<Wire>, TaskHost {
  readonly party: Party<Wire>;
  readonly values: Values;
  readonly waits: Waits;
  readonly failures: Failures;
  readonly endings: Endings;
  readonly origins = null;
  readonly recorder = null;
  readonly executions: InlineRuns;
  readonly turns: Turns;
  readonly actors: InlineActors;
  readonly hosted: InlineHosted;
  readonly registry: InlineRegistry;
  readonly role = 'driver';
  readonly log: (line: string) => void;
  readonly counters: Counters = {
    submitted: 0,
    finished: 0,
    failed: 0,
    retried: 0,
    resubmitted: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  /**
   * Nobody else has a turn while a task is on the stack, so one that asks whether it is cancelled has the time looked at: that
   * of its own timeout, and of the waits and scopes around it.
   */
  readonly block = {
    cancelled: (_caller: number, slot: number): boolean => {
      outside(fireDue);
      return this.executions.isUnwanted(slot);
    },
  };
  readonly reactor = {
    deliveries: 0,
    kick: (): void => this.kick(),
    poll: (): Promise<void> => outside(() => new Promise((resolve) => setImmediate(resolve))),
    spinNow: (): void => this.onWait?.(),
  };
  readonly #submissions: Submissions;
  engine!: Engine;
  closed = false;
  /** Somebody waits, and the thread has nothing else to do for him. */
  onWait: (() => void) | null = null;
  onAsk: ((what: string) => unknown) | null = null;
  onRetry: ((call: Call, charged: boolean, reason: string) => void) | null = null;
  /** The call that the protocol has just sent to this party. */
  #sent: Call | undefined = undefined;
  #armed = false;

  constructor(o: InlineHostOptions) {
    this.log = o.log;
    this.values = new InlineValues(
      o.store,
      (cell) => this.handle(cell),
      () => this.executions.current() !== undefined,
    );
    this.party = new Party<Wire>(o.self, this, LIMITS);
    this.turns = new Turns(o.capacity);
    this.executions = new InlineRuns(this, o.checkWrites);
    this.hosted = new InlineHosted(this);
    this.registry = new InlineRegistry(this, o.self);
    this.actors = new InlineActors(this);
    this.waits = new Waits(this);
    this.failures = new Failures(this.values, o.log);
    this.endings = new Endings(this);
    this.#submissions = new Submissions(this);
    o.store.room.onPressure = (_needed, tryAgain) => {
      o.store.collect();
      sweepHandles();
      return tryAgain();
    };
  }

  get self(): Address {
    return this.party.self;
  }

  // ---- turns

  /** Lets the next call begin as soon as the event loop has its turn: never within the call that made it. */
  kick(): void {
    if (this.#armed || this.closed) return;
    this.#armed = true;
    outside(() => setImmediate(this.#turn));
  }

  /** One call, and one stream, at a time: timers, input and cancelled calls have their say between any two. */
  readonly #turn = (): void => {
    this.#armed = false;
    if (this.closed) return;
    this.settleUp();
    const { owner } = this.party;
    for (const key of owner.queues) {
      if (key.waiting.size === 0) continue;
      const never = this.turns.impossible(key.shape);
      if (never !== undefined) owner.infeasible(key.id, never);
    }
    this.executions.goOn();
    const turn = this.turns.next(owner.queues, (key) => (key.waiting.peek() as Call).sequence);
    if (turn !== undefined) this.#start(turn);
    if (this.hosted.runNext() || turn !== undefined) this.kick();
    else if (this.waits.waiting > 0) this.onWait?.();
  };

  #start({ key, lease, gpus }: Turn): void {
    const { owner } = this.party;
    owner.granted(key.id, lease, this.self.party, incarnationOf(lease), gpus);
    this.settleUp();
    owner.reclaim(lease);
    const call = this.#sent;
    this.#sent = undefined;
    if (call !== undefined) this.executions.start(call, lease, gpus);
  }

  push(task: TaskRecord, lease: Lease): number {
    if (task.key.ordered) return this.hosted.push(task as Call, lease);
    this.#sent = task as Call;
    return 0;
  }

  /** What was sent has begun, unless it waits for its turn at an actor. */
  recall(task: TaskRecord, lease: Lease): boolean {
    return task.key.ordered && this.hosted.recall(task as Call, lease);
  }

  cancelRunning(task: TaskRecord): void {
    const call = task as Call;
    const run = { slot: call.slot, sequence: call.runName.sequence };
    this.executions.mark(call.slot);
    // Those who wait hear of it first.
    queueMicrotask(() => outside(() => this.executions.cancel(run, call.cancelRecursively)));
  }

  replied(reply: Reply<Wire>): void {
    const { party, endings } = this;
    const call = party.owner.inFlight[reply.slot] as Call | null | undefined;
    this.reactor.deliveries++;
    party.owner.now = performance.now();
    party.replied(this.self, reply);
    if (call !== null && call !== undefined && call.state === DONE) endings.ended(call, reply.failed);
  }

  // ---- handles

  handle(cell: Cell): Reference<unknown> {
    const run = this.executions.current();
    const holder = run?.holder;
    const known = (cell.handle as WeakRef<Reference<unknown>> | null)?.deref();
    if (known !== undefined && Reference.isGoodFor(known, holder)) return known;
    const handle = new Reference<unknown>(this, cell, holder);
    this.party.references.hold(cell);
    cell.handle = new WeakRef(handle);
    Reference.watch(handle);
    if (run !== undefined && !run.over) run.adopt(handle);
    return handle;
  }

  promiseOf(cell: Cell, ref: Reference<unknown>): Promise<unknown> {
    return this.waits.value(cell, ref);
  }

  read(cell: Cell): unknown {
    cell.observed = true;
    const value = this.waits.read(cell);
    if (cell.state !== READY) throw value;
    return value;
  }

  need(cell: Cell): void {
    this.party.references.need(cell);
  }

  drop(cell: Cell): void {
    if (!this.closed) this.party.references.drop(cell);
  }

  promote(cell: Cell): string {
    return this.party.references.promote(cell);
  }

  // ---- the party's port

  control(message: ToControl<Wire>): void {
    this.registry.take(message, this.self.incarnation);
  }

  async nameActor(name: NameQuestion): Promise<NameAnswer> {
    return this.registry.name(name);
  }

  unheld(task: TaskRecord): void {
    this.actors.unheld(task as Call);
  }

  addressOf(): Address {
    return this.self;
  }

  encode(cell: Cell): Wire {
    return this.values.toWire(cell.value);
  }

  decode(cell: Cell, payload: Wire): void {
    const { value, pinned } = this.values.fromWire(payload);
    cell.value = value;
    cell.pinned = pinned;
  }

  free(cell: Cell, failed = false): void {
    if (failed && !cell.observed) this.failures.freed(cell);
    if (cell.pinned) this.values.unpin(cell.value);
    cell.pinned = false;
  }

  fail(task: TaskRecord, error: unknown, inner?: readonly Cell[]): void {
    this.endings.fail(task as Call, error, inner);
  }

  wantsRetry(task: TaskRecord, failure: Cell): boolean {
    return this.endings.wantsRetry(task as Call, failure);
  }

  retrying(task: TaskRecord, charged: boolean, reason: string): void {
    if (charged) this.counters.retried++;
    else this.counters.resubmitted++;
    this.onRetry?.(task as Call, charged, reason);
  }

  abandoned(task: TaskRecord): unknown {
    (task.results as Cell).observed = true;
    // Said in the middle of anything: what follows from it has to wait for the end of that.
    queueMicrotask(() => {
      if (!this.closed) outside(() => this.settleUp());
    });
    return lasting(new CancelledError(`the stream of ${(task as Call).name} was let go`));
  }

  consumed(call: Call, taken: number): void {
    this.executions.more({ slot: call.slot, sequence: call.runName.sequence }, taken);
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return this.endings.unschedulable(reason);
  }

  lostError(id: string, reason: string): unknown {
    return new ObjectLostError(`the object ${id} is gone: ${reason}`, { details: { id } });
  }

  workerDied(task: TaskRecord, reason: string): unknown {
    return this.endings.workerDied(task as Call, reason);
  }

  /** Ends what runs a task of that name as if that had a worker, which has died; false when nothing does. */
  kill(task: string): boolean {
    return outside(() => die(this, task));
  }

  // There are no other parties: nobody acknowledges, or keeps something for a dead one.
  autopsy(): never {
    throw new InternalError('in inline mode there is no worker that could die');
  }

  cancelElsewhere(): never {
    throw new InternalError('in inline mode nothing is borrowed');
  }

  drain(): void {}

  acknowledge(): void {}

  discard(): void {}

  forget(call: Call): void {
    this.#submissions.ended(call);
  }

  /** Nothing ever leaves memory, so nothing is lost. */
  recover(): boolean {
    return false;
  }

  fetch(): never {
    throw new InternalError('in inline mode nothing is written to disk');
  }

  // ---- calls

  submit(call: Call): void {
    outside(() => this.#submissions.submit(call));
  }

  cancel(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
    outside(() => this.#submissions.cancel(cell, lasting(error), force, recursive));
  }

  cancelChildren(run: Run, error: Error): void {
    this.#submissions.cancelChildren(run, error);
  }

  runningFor(call: Call): number {
    return performance.now() - (call.lease as Lease).lastUsed;
  }

  stateOf(call: Call): 'running' | 'started' | 'sent' {
    const run = this.executions.at(call.slot);
    if (run === undefined && call.key.ordered) return 'sent';
    return run !== undefined && run.suspended === 0 ? 'running' : 'started';
  }

  settleUp(): void {
    this.party.owner.now = performance.now();
    this.party.owner.settleUp();
    this.#submissions.settledUp();
  }

  drained(): Promise<void> {
    return this.#submissions.drained();
  }

  async ask(what: string): Promise<unknown> {
    return this.onAsk?.(what);
  }

  /** Fails everything that is pending. */
  close(why: string): void {
    if (this.closed) return;
    outside(() => {
      const error = new CancelledError(`${why} before the task was done`);
      this.#submissions.failAll(error);
      this.executions.abandon(error);
      this.waits.close(error);
      this.actors.close(error);
      this.failures.close();
      this.#submissions.close();
      this.closed = true;
    });
  }
}
