import { CancelledError } from '../base/index.ts';
import type { SharedStore, SlotRef } from '../memory/index.ts';
import {
  type Address,
  type Cell,
  type Lease,
  type Loss,
  OWNER_LIMITS,
  Party,
  type PartyPort,
  READY,
  type Run,
  type Shape,
  type TaskRecord,
  type ToControl,
} from '../protocol/index.ts';
import { type Bell, type ControlBlock, Reactor, type ReactorHost, type RingReader } from '../transport/index.ts';
import { Actors } from './actors.ts';
import type { Call, FunctionEntry } from './call.ts';
import { CallSender } from './call-sender.ts';
import { sinceTicks } from './clock.ts';
import { Deaths } from './deaths.ts';
import { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import type { Executions } from './executions.ts';
import { Failures } from './failures.ts';
import * as F from './frames.ts';
import {
  CONTROL_PARTY,
  type CreateQuestion,
  type HostMessage,
  type LastAnswer,
  type NameAnswer,
  type NameQuestion,
} from './host-messages.ts';
import { Housekeeping } from './housekeeping.ts';
import { Incoming } from './incoming.ts';
import type { Definition } from './loaded.ts';
import { Mailer } from './mailer.ts';
import { Origins } from './origins.ts';
import { Questions } from './questions.ts';
import type { Recorder } from './recorder.ts';
import { lineageBudget, Recovery } from './recovery.ts';
import { Reference } from './reference.ts';
import { Relief } from './relief.ts';
import { lasting } from './sites.ts';
import { Submissions } from './submissions.ts';
import type { Counters, TaskHost } from './task-host.ts';
import { Values, type Wire } from './values.ts';
import { Waits } from './waits.ts';

interface PartyHostOptions {
  readonly self: Address;
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly bell: Bell;
  readonly spinners: number;
  /** As in `ReactorOptions`. */
  readonly yieldCore: (() => void) | undefined;
  /** A driver spins in its own microtasks and lets the process end when nothing is pending. */
  readonly role: 'driver' | 'worker';
  readonly log: (line: string) => void;
}

/**
 * Hosts one party: carries its protocol's effects out over rings and shared memory, and hands user code its values.
 * Drivers and workers have the same host; a worker's also runs tasks (`executions`).
 */
export class PartyHost implements PartyPort<Wire>, ReactorHost, TaskHost {
  readonly party: Party<Wire>;
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly values: Values;
  readonly reactor: Reactor;
  readonly mailer: Mailer;
  readonly waits: Waits;
  readonly failures: Failures;
  readonly relief: Relief;
  readonly origins: Origins;
  readonly role: 'driver' | 'worker';
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
  readonly sender: CallSender;
  readonly endings: Endings;
  readonly deaths: Deaths;
  readonly recovery: Recovery;
  readonly questions = new Questions();
  readonly actors: Actors;
  readonly #submissions: Submissions;
  readonly #incoming: Incoming;
  readonly #housekeeping = new Housekeeping(
    () => this.counters.submitted + (this.executions?.started ?? 0),
    // On a worker nobody else has a reason to; in a driver it is the program's own affair.
    () => (this.executions?.active === 0 && this.relief.worthwhile ? this.relief : undefined),
  );
  executions: Executions | null = null;
  engine!: Engine;
  /** There while somebody records. */
  recorder: Recorder | null = null;
  closed = false;
  onHostMessage: ((message: HostMessage) => void) | null = null;
  onPark: (() => void) | null = null;
  onRetry: ((task: Call, charged: boolean, reason: string) => void) | null = null;

  constructor(o: PartyHostOptions) {
    this.block = o.block;
    this.store = o.store;
    this.role = o.role;
    this.log = o.log;
    this.values = new Values(o.store, (cell) => this.handle(cell));
    this.party = new Party<Wire>(o.self, this, { ...OWNER_LIMITS, lineage: lineageBudget(o.store.limit) });
    this.reactor = new Reactor(o.block, o.self.party, o.bell, this, {
      spin: 0.05,
      slice: 2,
      spinners: o.spinners,
      yieldCore: o.yieldCore,
    });
    this.mailer = new Mailer(this.reactor);
    this.relief = new Relief(o.self.party, o.block, o.store, this.reactor, o.role === 'driver');
    this.waits = new Waits(this);
    this.failures = new Failures(this.values, o.log);
    this.origins = new Origins(o.store, () => this.executions?.current()?.name);
    this.sender = new CallSender(this);
    this.endings = new Endings(this);
    this.deaths = new Deaths(this);
    this.recovery = new Recovery(this);
    this.actors = new Actors(this);
    this.#submissions = new Submissions(this);
    this.#incoming = new Incoming(this);
  }

  get self(): Address {
    return this.party.self;
  }

  // ---- handles

  /**
   * A handle for a cell, the living one if there is one. The current run's handles end with it, so it shares them with
   * no other; nor would another one be seen to wait by way of a promise that this one has asked for.
   */
  handle(cell: Cell): Reference<unknown> {
    const current = this.executions?.current();
    const run = current?.lasts ? undefined : current;
    const known = (cell.handle as WeakRef<Reference<unknown>> | null)?.deref();
    if (known !== undefined && Reference.isGoodFor(known, run)) return known;
    const handle = new Reference<unknown>(this, cell, run);
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

  recover(cell: Cell): boolean {
    return this.recovery.recover(cell);
  }

  bring(cells: readonly Cell[]): Promise<void> | undefined {
    return this.waits.bring(cells);
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

  // ---- OwnerPort

  push(task: TaskRecord, lease: Lease): number {
    return this.sender.push(task as Call, lease);
  }

  recall(task: TaskRecord, lease: Lease): boolean {
    const taken = this.reactor.taskWriter(lease.worker).recall(task.ticket);
    if (taken) this.sender.parcels.recalled(task as Call);
    return taken;
  }

  cancelRunning(task: TaskRecord, { worker, incarnation }: Lease, force: boolean, reason: string): void {
    const { slot } = task;
    const call = task as Call;
    const run = { slot, sequence: call.runName.sequence };
    this.block.setCancelled(this.self.party, slot);
    const flags = (call.cancelRecursively ? F.CANCEL_RECURSIVE : 0) | (force ? F.CANCEL_BY_FORCE : 0);
    this.mailer.cancel(worker, run, flags);
    if (force) this.control({ type: 'kill', worker, incarnation, run, reason });
  }

  fail(task: TaskRecord, error: unknown, inner?: readonly Cell[]): void {
    this.endings.fail(task as Call, error, inner);
  }

  workerDied(task: TaskRecord, reason: string): unknown {
    return this.endings.workerDied(task as Call, reason);
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return this.endings.unschedulable(reason);
  }

  retrying(task: TaskRecord, charged: boolean, reason: string): void {
    this.sender.parcels.forget(task as Call);
    if (charged) this.counters.retried++;
    else this.counters.resubmitted++;
    this.onRetry?.(task as Call, charged, reason);
  }

  abandoned(task: TaskRecord): unknown {
    (task.results as Cell).observed = true;
    // Said in the middle of anything: what follows from it has to wait for the end of that.
    queueMicrotask(() => {
      if (this.closed) return;
      this.settleUp();
      this.reactor.kick();
    });
    return lasting(new CancelledError(`the stream of ${(task as Call).name} was let go`));
  }

  unheld(task: TaskRecord): void {
    this.actors.unheld(task as Call);
  }

  wantsRetry(task: TaskRecord, failure: Cell): boolean {
    return this.endings.wantsRetry(task as Call, failure);
  }

  drain(party: number): void {
    this.reactor.drain(party);
  }

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    return this.deaths.autopsy(worker);
  }

  discard(payload: unknown): void {
    if (Array.isArray(payload)) for (const each of payload) this.values.unpin(each);
  }

  // ---- ReferencesPort

  addressOf(party: number): Address {
    return { node: this.self.node, party, incarnation: this.block.incarnation(party) };
  }

  control(message: ToControl<Wire>): void {
    this.mailer.post(CONTROL_PARTY, message);
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

  lostError(id: string, reason: string, of?: { readonly cell: Cell; readonly why: Loss }): unknown {
    return this.recovery.error(id, reason, of);
  }

  isLost(cell: Cell): boolean {
    return this.recovery.isLost(cell);
  }

  recordSize(task: TaskRecord): number {
    return this.recovery.recordSize(task as Call);
  }

  forgotten(task: TaskRecord): void {
    this.recovery.forgotten(task);
  }

  remaking(task: TaskRecord): boolean {
    return this.recovery.remaking(task);
  }

  acknowledge(worker: number, receipt: number): void {
    this.mailer.acknowledge(worker, receipt);
  }

  // ---- messages

  message(from: number, reader: RingReader): void {
    this.#incoming.message(from, reader);
  }

  /** Asks the control thread something that people want to know. */
  ask(what: string): Promise<unknown> {
    return this.questions.ask((question) => {
      this.mailer.post(CONTROL_PARTY, { type: 'ask', question, what });
      this.reactor.kick();
    });
  }

  nameActor(name: NameQuestion): Promise<NameAnswer> {
    return this.questions.ask((question) => {
      this.mailer.post(CONTROL_PARTY, { type: 'name-actor', question, ...name });
      this.reactor.kick();
    }) as Promise<NameAnswer>;
  }

  createDetached(wish: CreateQuestion): Promise<NameAnswer> {
    return this.questions.ask((question) => {
      this.mailer.post(CONTROL_PARTY, { type: 'create-detached', question, from: this.self.party, ...wish });
      this.reactor.kick();
    }) as Promise<NameAnswer>;
  }

  /** Creates what a worker has asked for in that way. */
  createFor(question: number, from: number, wish: CreateQuestion): void {
    this.actors.createFor(wish, (answer) => {
      this.mailer.post(CONTROL_PARTY, { type: 'created-detached', question, to: from, ...answer });
      this.reactor.kick();
    });
  }

  /** Ends the actors and workers of the session. What nobody has looked at of what they called is reported here. */
  async askToClose(how: 'close' | 'exit'): Promise<void> {
    const { unobserved } = (await this.ask(how)) as LastAnswer;
    for (const { id, payload, references } of unobserved) {
      if (this.party.references.borrowed.get(id)?.observed !== true)
        this.failures.elsewhere(this.values.parse(payload), references);
    }
  }

  /** Has the control thread read from disk what is in these slots of the store. */
  fetch(slots: readonly SlotRef[]): Promise<unknown> {
    return this.questions.ask((question) => {
      this.mailer.post(CONTROL_PARTY, { type: 'bring', question, slots });
      this.reactor.kick();
    }, true);
  }

  /** Tells the producer of a stream how many of its items are consumed. */
  consumed(call: Call, taken: number): void {
    this.mailer.more((call.lease as Lease).worker, { slot: call.slot, sequence: call.runName.sequence }, taken);
  }

  /** Tells a worker what a function number means, once. */
  tell(worker: number, incarnation: number, fn: FunctionEntry): void {
    if (fn.told[worker] === incarnation) return;
    fn.told[worker] = incarnation;
    const { spec, name, maxCalls, method, target, actor } = fn;
    const definition: Definition = { spec, name, maxCalls, method, target, actor };
    this.mailer.define(worker, fn.number, definition);
  }

  /** Hands a call to the protocol. */
  submit(call: Call): void {
    this.#submissions.submit(call);
  }

  /** Cancels a pending task; a borrowed reference's owner is asked to. */
  cancel(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
    this.#submissions.cancel(cell, lasting(error), force, recursive);
  }

  /** Asks the owner of a borrowed reference, by way of the control thread. */
  cancelElsewhere(cell: Cell, force: boolean, recursive: boolean): void {
    this.mailer.post(CONTROL_PARTY, { type: 'cancel', id: cell.id, force, recursive });
  }

  forget(call: Call): void {
    this.sender.parcels.forget(call);
    this.#submissions.ended(call);
  }

  stateOf(call: Call): 'running' | 'started' | 'sent' {
    const { worker } = call.lease as Lease;
    if (this.block.currentSlot(worker, this.self.party) === call.slot) return 'running';
    return this.deaths.begun(worker, call) ? 'started' : 'sent';
  }

  runningFor(call: Call): number {
    return sinceTicks(this.block.currentBegan((call.lease as Lease).worker));
  }

  /** Cancels what a run has called and not got back. */
  cancelChildren(run: Run, error: Error): void {
    this.#submissions.cancelChildren(run, error);
  }

  /** All calls that are not over. */
  pendingCalls(): Iterable<Call> {
    return this.#submissions.pending();
  }

  drained(): Promise<void> {
    return this.#submissions.drained();
  }

  // ---- ReactorHost

  runTasks(idle: boolean): boolean {
    return this.executions === null ? false : this.executions.inboxes.runNext(idle);
  }

  settleUp(): void {
    this.party.owner.now = performance.now();
    this.party.owner.settleUp();
    this.#submissions.settledUp();
  }

  expecting(): boolean {
    return this.role === 'worker' || this.party.owner.pending > 0 || this.waits.waiting > 0 || this.questions.size > 0;
  }

  busy(): boolean {
    if (this.executions === null) return false;
    // The task that hosts an actor is one that only waits for calls.
    return this.party.executor.running > this.executions.actors.size;
  }

  parking(): void {
    this.relief.relieve();
    this.executions?.parking();
    this.onPark?.();
    if (this.party.owner.pending === 0) this.#housekeeping.idle();
  }

  nextTick(): number | undefined {
    this.party.owner.now = performance.now();
    return this.party.owner.nextTick;
  }

  tick(): void {
    this.party.owner.now = performance.now();
    this.party.owner.tick();
  }

  /** Fails everything that is pending; the links close after it. */
  close(why: string): void {
    if (this.closed) return;
    const error = new CancelledError(`${why} before the task was done`);
    this.#submissions.failAll(error);
    this.waits.close(error);
    this.actors.close(error);
    this.questions.close();
    this.failures.close();
    this.#submissions.close();
    this.closed = true;
    this.#housekeeping.close();
    this.reactor.close();
  }
}
