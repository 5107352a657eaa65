import {
  CancelledError,
  InternalError,
  ObjectLostError,
  OwnerDiedError,
  SheafError,
  UnschedulableError,
  WorkerDiedError,
} from '../base/index.ts';
import type { SharedStore } from '../memory/index.ts';
import {
  type Address,
  type Cell,
  FAILED,
  type FromControl,
  type Item,
  type Lease,
  NO_CELLS,
  OWNER_LIMITS,
  Party,
  type PartyPort,
  READY,
  type Reply,
  type Run,
  type Shape,
  type TaskRecord,
  type ToControl,
} from '../protocol/index.ts';
import { type Bell, type ControlBlock, Reactor, type ReactorHost, type RingReader } from '../transport/index.ts';
import type { Call, FunctionEntry } from './call.ts';
import { CallSender } from './call-sender.ts';
import { sharedNow } from './clock.ts';
import { timedOut } from './deadlines.ts';
import type { Engine } from './engine.ts';
import type { Executions } from './executions.ts';
import { Failures } from './failures.ts';
import * as F from './frames.ts';
import { cancelGathering } from './gathering.ts';
import { Housekeeping } from './housekeeping.ts';
import type { Definition } from './loaded.ts';
import { Mailer } from './mailer.ts';
import { type HandleHost, Reference } from './reference.ts';
import { Relief } from './relief.ts';
import { isShared, Stored, Values, type Wire } from './values.ts';
import { Waits } from './waits.ts';

const CONTROL_PARTY = 0;

/** What host and control thread say beside the protocol. */
export type HostMessage =
  | { readonly type: 'hello'; readonly pid: number }
  | { readonly type: 'last-words'; readonly text: string }
  /** The main thread on a worker that it started itself. */
  | { readonly type: 'exited'; readonly party: number; readonly reason: string }
  | { readonly type: 'cancel'; readonly id: string; readonly force: boolean; readonly recursive: boolean }
  | { readonly type: 'ask'; readonly question: number; readonly what: string }
  | { readonly type: 'answer'; readonly question: number; readonly answer: unknown }
  /** To the driver: a signal seems to have come that it has not listened to. */
  | { readonly type: 'signalled' };

/** What the control thread answers when it is asked to close. */
export interface LastAnswer {
  /** Failures of tasks that were called by tasks: nobody has looked at them, though somebody could. */
  readonly unobserved: readonly { readonly id: string; readonly payload: Wire; readonly references: number }[];
}

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

interface PartyCounters {
  submitted: number;
  finished: number;
  failed: number;
  retried: number;
  resubmitted: number;
  bytesIn: number;
  bytesOut: number;
}

/**
 * Hosts one party: carries its protocol's effects out over rings and shared memory, and hands user code its values.
 * Drivers and workers have the same host; a worker's also runs tasks (`executions`).
 */
export class PartyHost implements PartyPort<Wire>, ReactorHost, HandleHost {
  readonly party: Party<Wire>;
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly values: Values;
  readonly reactor: Reactor;
  readonly mailer: Mailer;
  readonly waits: Waits;
  readonly failures: Failures;
  readonly relief: Relief;
  readonly role: 'driver' | 'worker';
  readonly log: (line: string) => void;
  readonly counters: PartyCounters = {
    submitted: 0,
    finished: 0,
    failed: 0,
    retried: 0,
    resubmitted: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  readonly #sender: CallSender;
  readonly #housekeeping = new Housekeeping(
    () => this.counters.submitted + (this.executions?.started ?? 0),
    // On a worker nobody else has a reason to; in a driver it is the program's own affair.
    () => (this.executions?.active === 0 && this.relief.worthwhile ? this.relief : undefined),
  );
  executions: Executions | null = null;
  engine!: Engine;
  closed = false;
  /** Set while a death is taken in: what the control thread said of it. */
  #autopsyReason = '';
  readonly #questions = new Map<number, (answer: unknown) => void>();
  #nextQuestion = 1;
  onHostMessage: ((message: HostMessage) => void) | null = null;
  onPark: (() => void) | null = null;
  onRetry: ((task: Call, charged: boolean, reason: string) => void) | null = null;

  constructor(o: PartyHostOptions) {
    this.block = o.block;
    this.store = o.store;
    this.role = o.role;
    this.log = o.log;
    this.values = new Values(o.store, (cell) => this.handle(cell));
    this.party = new Party<Wire>(o.self, this, { ...OWNER_LIMITS });
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
    this.#sender = new CallSender(this);
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
    const run = this.executions?.current();
    const known = (cell.handle as WeakRef<Reference<unknown>> | null)?.deref();
    if (known !== undefined && Reference.isGoodFor(known, run)) return known;
    const handle = new Reference<unknown>(this, cell, run);
    this.party.references.hold(cell);
    cell.handle = new WeakRef(handle);
    Reference.watch(handle);
    if (run !== undefined && !run.over) run.adopt(handle);
    return handle;
  }

  promiseOf(cell: Cell): Promise<unknown> {
    return this.waits.value(cell);
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

  // ---- OwnerPort

  push(task: TaskRecord, lease: Lease): number {
    return this.#sender.push(task as Call, lease);
  }

  recall(task: TaskRecord, lease: Lease): boolean {
    const taken = this.reactor.taskWriter(lease.worker).recall(task.ticket);
    if (taken) this.#sender.parcels.recalled(task as Call);
    return taken;
  }

  cancelRunning(task: TaskRecord, { worker, incarnation }: Lease, force: boolean, reason: string): void {
    const { slot } = task;
    const call = task as Call;
    const run = { slot, sequence: call.runName.sequence };
    this.block.setCancelled(this.self.party, slot, true);
    const flags = (call.cancelRecursively ? F.CANCEL_RECURSIVE : 0) | (force ? F.CANCEL_BY_FORCE : 0);
    this.mailer.cancel(worker, run, flags);
    if (force) this.control({ type: 'kill', worker, incarnation, run, reason });
  }

  fail(task: TaskRecord, error: unknown, inner: readonly Cell[] = NO_CELLS): void {
    const call = task as Call;
    const { references } = this.party;
    call.eachResult((cell) => {
      if (cell.settled) return;
      const value = error instanceof Stored ? error : toError(error);
      const pinned = isShared(value);
      if (pinned) this.values.pin(value);
      for (const each of inner) references.hold(each);
      references.settle(cell, true, value, pinned, inner);
    });
    this.#ended(call, true);
  }

  workerDied(task: TaskRecord, reason: string): unknown {
    const call = task as Call;
    return new WorkerDiedError(
      `the worker that ran ${call.name} died: ${reason}; it was attempt ${call.attempt + 1} and no retries are left` +
        ' (option `retries`)',
      { details: { task: call.name, attempts: call.attempt + 1, reason } },
    );
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return new UnschedulableError(
      `no worker of this node can ever run the task: ${reason}; ask for less, or connect with more`,
    );
  }

  retrying(task: TaskRecord, charged: boolean, reason: string): void {
    this.#sender.parcels.forget(task as Call);
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
    return new CancelledError(`the stream of ${(task as Call).name} was let go`);
  }

  wantsRetry(task: TaskRecord, failure: Cell): boolean {
    const { retryErrors } = (task as Call).plan;
    if (retryErrors === false || task.retries <= 0) return false;
    if (typeof retryErrors === 'function') {
      const error = this.#readError(failure);
      try {
        if (!retryErrors(error)) return false;
      } catch (thrown) {
        this.log(`the retryErrors function of ${(task as Call).name} threw: ${String(thrown)}`);
        return false;
      }
    }
    this.retrying(task, true, 'its own error');
    return true;
  }

  /** The error of a failed cell; what keeps it from being read here is one, too. */
  #readError(cell: Cell): Error {
    try {
      return toError(this.values.read(cell));
    } catch (error) {
      return toError(error);
    }
  }

  drain(party: number): void {
    this.reactor.drain(party);
  }

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    const started = (each: TaskRecord): boolean => this.reactor.taskWriter(worker).claimed(each.ticket);
    const reason = this.#autopsyReason;
    const timeout = reason.startsWith('timeout: ');
    if (timeout) this.#timedOut(worker);
    // A worker that was ended on purpose did nothing wrong by itself.
    if (timeout || reason.startsWith('ended: ')) return { guilty: -1, started };
    return { guilty: this.block.currentSlot(worker, this.self.party), started };
  }

  /**
   * A worker was ended because of a run that gave its event loop no turn. Shared memory still names it, unless it came to its
   * end at that very moment: then nobody is to blame.
   */
  #timedOut(worker: number): void {
    const run = this.block.overdue(worker, sharedNow());
    if (run === undefined || run.caller !== this.self.party) return;
    const call = this.party.owner.inFlight[run.slot] as Call | null | undefined;
    if (call === null || call === undefined || call.lease?.worker !== worker) return;
    if (call.runName.sequence !== run.sequence || call.runName.attempt !== run.attempt) return;
    call.cancelled ??= timedOut(
      call.name,
      call.plan.timeout,
      ', without giving the event loop a turn; its worker was ended and other tasks on it run again',
    );
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

  lostError(id: string, reason: string): unknown {
    return reason.includes('owner')
      ? new OwnerDiedError(
          `the object ${id} is gone: ${reason}, and only its owner could make it again; run the task that made it from a ` +
            'process that lives as long as the value is needed',
          { details: { id } },
        )
      : new ObjectLostError(`the object ${id} is gone: ${reason}`, { details: { id } });
  }

  acknowledge(worker: number, receipt: number): void {
    this.mailer.acknowledge(worker, receipt);
  }

  // ---- messages

  message(from: number, reader: RingReader): void {
    const { words, bytes } = reader.views;
    const at = reader.at >> 2;
    this.frame(from, words[at] as number, words, bytes, reader.at, reader.views.floats);
  }

  /** One frame, in a ring or put together from its parts. */
  frame(from: number, kind: number, words: Int32Array, bytes: Uint8Array, at: number, floats: Float64Array): void {
    const w = at >> 2;
    const { party } = this;
    switch (kind) {
      case F.REPLY_NUMBER: {
        this.counters.bytesIn += 8;
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, floats[(at >> 3) + 2]);
        break;
      }
      case F.REPLY_PLAIN: {
        const length = words[w + 3] as number;
        this.counters.bytesIn += length;
        const value = this.values.decoder.decode(bytes, at + 16, at + 16 + length);
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.REPLY_VALUE: {
        const length = words[w + 3] as number;
        this.counters.bytesIn += length;
        const value = new Stored(bytes.slice(at + 16, at + 16 + length), null, []);
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.REPLY: {
        const reply = this.mailer.open(bytes, at) as Reply<Wire>;
        this.counters.bytesIn += words[w + 1] as number;
        const call = party.owner.inFlight[reply.slot] as Call | null | undefined;
        party.replied(this.addressOf(from), { ...reply, micros: reply.micros / F.MICROS_SCALE });
        if (call !== null && call !== undefined && call.state === 3) this.#ended(call, reply.failed);
        break;
      }
      case F.ITEM_NUMBER:
        this.counters.bytesIn += 8;
        party.yielded(from, words[w + 1] as number, words[w + 2] as number, floats[(at >> 3) + 2]);
        break;
      case F.ITEM_PLAIN:
      case F.ITEM_VALUE: {
        const length = words[w + 3] as number;
        this.counters.bytesIn += length;
        const value =
          kind === F.ITEM_PLAIN
            ? this.values.decoder.decode(bytes, at + 16, at + 16 + length)
            : new Stored(bytes.slice(at + 16, at + 16 + length), null, []);
        party.yielded(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.ITEM:
        this.counters.bytesIn += words[w + 1] as number;
        party.item(this.addressOf(from), this.mailer.open(bytes, at) as Item<Wire>);
        break;
      case F.MORE: {
        const run = { slot: words[w + 1] as number, sequence: words[w + 2] as number };
        this.executions?.more(from, run, words[w + 3] as number);
        break;
      }
      case F.ACKNOWLEDGE:
        this.discard(party.executor.acknowledged(words[w + 1] as number));
        break;
      case F.CANCEL:
        this.executions?.cancel(
          from,
          { slot: words[w + 1] as number, sequence: words[w + 2] as number },
          words[w + 3] as number,
        );
        break;
      case F.DEFINE:
        this.executions?.define(from, words[w + 1] as number, () => this.mailer.open(bytes, at + 4));
        break;
      case F.CONTROL:
        this.#fromControl(this.mailer.open(bytes, at) as FromControl<Wire> | HostMessage);
        break;
      case F.PARCEL:
        this.executions?.parcels.piece(from, words, bytes, at);
        break;
      case F.DROP_PARCEL:
        this.executions?.parcels.drop(from, words[w + 1] as number);
        break;
      case F.PART:
        this.mailer.part(from, words, bytes, at, (whole) => {
          const view = new DataView(whole.buffer);
          this.frame(
            from,
            view.getInt32(0, true),
            new Int32Array(whole.buffer),
            whole,
            0,
            new Float64Array(whole.buffer, 0, whole.length >> 3),
          );
        });
        break;
      default:
        throw new InternalError(`party ${from} sent a frame of kind ${kind}`);
    }
  }

  #completed(worker: number, slot: number, ticks: number, value: unknown): void {
    const call = this.party.owner.inFlight[slot] as Call | null | undefined;
    this.party.completed(worker, slot, ticks / F.MICROS_SCALE, value);
    if (call !== null && call !== undefined) this.#ended(call, false);
  }

  /** What the host itself kept for a call is let go. */
  #ended(call: Call, failed: boolean): void {
    const { handles, shared } = call;
    if (call.submittedAt < 0) return;
    this.#sender.parcels.forget(call);
    call.submittedAt = -1;
    call.plan.pending--;
    this.counters.finished++;
    if (failed) this.counters.failed++;
    if (shared !== null) {
      call.shared = null;
      this.values.unpin(shared);
    }
    call.onEnd?.();
    call.handles = null;
    if (handles === null) {
      // Nothing but the reader keeps the handle of a stream.
      const end =
        call.stream === null ? undefined : ((call.results as Cell).handle as WeakRef<Reference<unknown>>).deref();
      if (end !== undefined) this.#afterSettling(end, call);
      return;
    }
    if (Array.isArray(handles)) for (const handle of handles) this.#afterSettling(handle, call);
    else this.#afterSettling(handles as Reference<unknown>, call);
  }

  #afterSettling(handle: Reference<unknown>, call: Call): void {
    const cell = Reference.peek(handle);
    if (cell.pinned || cell.inner.length > 0 || cell.alias !== null) Reference.watch(handle);
    if (cell.state === FAILED && !cell.observed) this.failures.watch(handle, cell, call);
    else if (cell.alias !== null) cell.addWaiter(this.failures.delegated(call));
  }

  #fromControl(message: FromControl<Wire> | HostMessage): void {
    switch (message.type) {
      case 'died':
        this.#autopsyReason = message.reason;
        this.party.fromControl(message);
        this.#autopsyReason = '';
        this.reactor.forget(message.party, message.incarnation);
        this.mailer.forget(message.party);
        this.executions?.callerDied(message.party);
        break;
      case 'answer':
        this.#questions.get(message.question)?.(message.answer);
        this.#questions.delete(message.question);
        break;
      case 'cancel': {
        const cell = this.party.references.owned.get(message.id);
        const error = new CancelledError('the task was cancelled by a borrower of its result');
        if (cell !== undefined) this.cancel(cell, error, message.force, message.recursive);
        break;
      }
      case 'exited':
      case 'hello':
      case 'last-words':
      case 'ask':
      case 'signalled':
        this.onHostMessage?.(message);
        break;
      default:
        this.party.fromControl(message);
    }
  }

  /** Asks the control thread something that people want to know. */
  ask(what: string): Promise<unknown> {
    const question = this.#nextQuestion++;
    return new Promise((resolve) => {
      this.#questions.set(question, resolve);
      this.mailer.post(CONTROL_PARTY, { type: 'ask', question, what });
      this.reactor.kick();
    });
  }

  /** Ends the workers of the session. What nobody has looked at of what they called is reported here. */
  async askToClose(): Promise<void> {
    const { unobserved } = (await this.ask('close')) as LastAnswer;
    for (const { id, payload, references } of unobserved) {
      if (this.party.references.borrowed.get(id)?.observed !== true)
        this.failures.elsewhere(this.values.parse(payload), references);
    }
  }

  /** Tells a worker what a function number means, once. */
  tell(worker: number, incarnation: number, fn: FunctionEntry): void {
    if (fn.told[worker] === incarnation) return;
    fn.told[worker] = incarnation;
    const definition: Definition = { spec: fn.spec, name: fn.name, maxCalls: fn.maxCalls };
    this.mailer.define(worker, fn.number, definition);
  }

  /** Cancels a pending task; a borrowed reference's owner is asked to. */
  cancel(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
    if (cell.settled) return;
    if (cell.owner !== null) {
      this.mailer.post(CONTROL_PARTY, { type: 'cancel', id: cell.id, force, recursive });
      return;
    }
    // Its task has returned a reference, and is over: what is to be stopped is the one behind that.
    if (cell.alias !== null) {
      this.cancel(cell.alias, error, force, recursive);
      return;
    }
    const call = cell.task as Call | null;
    if (call === null) {
      cancelGathering(cell, error, force, recursive);
      return;
    }
    call.cancelRecursively = recursive;
    this.party.owner.cancel(call, error, force);
    this.settleUp();
    this.reactor.kick();
  }

  /** Cancels what a run has called and not got back. */
  cancelChildren(run: Run, error: Error): void {
    const { owner } = this.party;
    const children: Call[] = [];
    const visit = (task: TaskRecord | null): void => {
      if (task !== null && (task as Call).parent === run) children.push(task as Call);
    };
    for (const queue of owner.queues) queue.waiting.forEach(visit);
    for (const task of owner.inFlight) visit(task);
    for (const call of this.#blocked) if (call.parent === run) children.push(call);
    for (const call of children) owner.cancel(call, error, false);
    this.settleUp();
  }

  /** Calls that wait for their arguments: in no queue yet. */
  readonly #blocked = new Set<Call>();

  /** Hands a call to the protocol. */
  submit(call: Call): void {
    this.counters.submitted++;
    call.plan.pending++;
    this.party.owner.now = performance.now();
    this.party.owner.submit(call);
    if (call.state === 0) {
      this.#blocked.add(call);
      // Left when it is queued or done; looked at rarely, so it is cleaned up rarely.
      if (this.#blocked.size > this.#blockedLimit) {
        for (const each of this.#blocked) if (each.state !== 0) this.#blocked.delete(each);
        this.#blockedLimit = Math.max(1024, this.#blocked.size * 2);
      }
    }
    if (call.key.waiting.size > 0 || this.role === 'worker') this.reactor.kick();
  }

  #blockedLimit = 1024;

  // ---- ReactorHost

  runTasks(idle: boolean): boolean {
    return this.executions === null ? false : this.executions.runNext(idle);
  }

  settleUp(): void {
    this.party.owner.now = performance.now();
    this.party.owner.settleUp();
    if (this.#idlers.length > 0 && this.party.owner.pending === 0) {
      for (const resolve of this.#idlers.splice(0)) resolve();
    }
  }

  readonly #idlers: (() => void)[] = [];

  drained(): Promise<void> {
    if (this.closed || this.party.owner.pending === 0) return Promise.resolve();
    this.reactor.kick();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  expecting(): boolean {
    return this.role === 'worker' || this.party.owner.pending > 0 || this.waits.waiting > 0 || this.#questions.size > 0;
  }

  busy(): boolean {
    return this.executions !== null && this.party.executor.running > 0;
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
    for (const queue of this.party.owner.queues) {
      for (const task of queue.waiting.remove(() => true)) this.fail(task, error);
    }
    for (const task of this.party.owner.inFlight) if (task !== null) this.fail(task, error);
    for (const call of this.#blocked) if (call.state === 0) this.fail(call, error);
    this.waits.close(error);
    this.failures.close();
    for (const resolve of this.#idlers.splice(0)) resolve();
    this.closed = true;
    this.#housekeeping.close();
    this.reactor.close();
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new SheafError(String(error));
}
