import { AsyncLocalStorage } from 'node:async_hooks';
import { ActorDiedError, CancelledError } from '../base/index.ts';
import { type Cell, NO_CELLS, type Run, type RunId } from '../protocol/index.ts';
import type { RingReader } from '../transport/index.ts';
import { Answers } from './answers.ts';
import { sharedTicks } from './clock.ts';
import { Deadlines, timedOut } from './deadlines.ts';
import { cancelledHere, Execution, wroteToShared } from './execution.ts';
import { FilesFirst, type FileValue, mayHaveFiles } from './files.ts';
import * as F from './frames.ts';
import { CONTROL_PARTY } from './host-messages.ts';
import { HostedActor, type KeptCall } from './hosted-actor.ts';
import { HostedActors } from './hosted-actors.ts';
import { ItemSender } from './item-sender.ts';
import { type AnyFunction, type Definition, type Hosting, Loaded } from './loaded.ts';
import { IncomingParcels } from './parcels.ts';
import type { PartyHost } from './party-host.ts';
import { Producers } from './producers.ts';
import { settle, type Then, thenOf } from './thenable.ts';
import type { Stored } from './values.ts';

/** A task that takes longer than this is worth a message or two before it starts. */
const LONG_MICROS = 2000;

/** A call whose arguments have no room beside those of others is looked at again after so long, in milliseconds. */
const ADMIT_AGAIN_MS = 2;
/** So often, that is, while nothing goes on. */
const STANDSTILL_LOOKS = 25;

const ONE_AT_A_TIME: Hosting = { concurrency: 1, groups: [], shared: false, packed: null };

/** Why a call does not begin. */
type Refusal = (name: string) => Error;

/** An actor is over, and its worker goes on. */
function forgetMethods(methods: Map<number, Loaded> | undefined, target: string): void {
  if (methods === undefined) return;
  for (const [number, loaded] of methods) if (loaded.target === target) methods.delete(number);
}

/** Bytes of shared memory among the arguments of the call that a reader stands at. */
function sharedBytes({ views: { words }, at }: RingReader): number {
  const w = at >> 2;
  const inRecord =
    (((words[w + 2] as number) >> 16) & F.CALL_PARCEL) === 0
      ? (words[w + 4] as number) + (words[w + 5] as number)
      : F.PARCEL_NUMBER;
  return (words[(at + F.sharedSizeAt(F.CALL_HEADER + inRecord)) >> 2] as number) * 1024;
}

/** The worker's part of a party host: finds the next call, runs it, answers. */
export class Executions {
  readonly #host: PartyHost;
  readonly #answers: Answers;
  readonly #producers: Producers;
  readonly #functions: (Loaded | undefined)[][] = [];
  readonly #methods: Map<number, Loaded>[] = [];
  readonly actors = new HostedActors();
  /** Whose call an actor takes next, where several callers have some. */
  #turn = 0;
  readonly parcels = new IncomingParcels();
  readonly #active = new Map<number, Execution>();
  readonly #storage = new AsyncLocalStorage<Execution>();
  /** The synchronous run on the stack. */
  #top: Execution | undefined = undefined;
  /** The run that shared memory names as the one on the stack, so that a crash is charged to it. */
  #shown: Execution | undefined = undefined;
  readonly #deadlines: Deadlines;
  readonly checkWrites: boolean;
  /** A function has run here as often as its `maxCalls` allows. */
  #wornOut = false;
  /** Runs so far. */
  started = 0;
  onRetire: (() => void) | null = null;
  /** A run is over: there while somebody wants to know. */
  onEnd: ((run: Execution) => void) | null = null;
  /** This worker has to end, because a run here does. */
  onForced: ((why: string) => void) | null = null;

  constructor(host: PartyHost, checkWrites: boolean) {
    this.#host = host;
    this.#answers = new Answers(host);
    this.#producers = new Producers(this, new ItemSender(host), () => host.reactor.kick());
    this.#deadlines = new Deadlines(host.block, host.self.party, (run) => this.#expire(run));
    this.checkWrites = checkWrites;
  }

  /** The run that the calling code belongs to. */
  current(): Execution | undefined {
    return this.#top ?? this.#storage.getStore();
  }

  /** Calls `fn` as code of `run`. */
  within<T>(run: Run, fn: () => T): T {
    const before = this.#top;
    this.#top = run as Execution;
    try {
      return fn();
    } finally {
      this.#top = before;
    }
  }

  /** The same for code that goes on after it has waited. */
  inContext<T>(run: Execution, fn: () => T): T {
    return this.#storage.run(run, fn);
  }

  define(caller: number, number: number, definition: () => unknown): void {
    const loaded = new Loaded(definition() as Definition, this.#host.self.party);
    if (loaded.method === null) {
      this.#functions[caller] ??= [];
      (this.#functions[caller] as (Loaded | undefined)[])[number] = loaded;
    } else if (!this.actors.shared || this.actors.of(loaded) !== undefined) {
      this.#methods[caller] ??= new Map();
      (this.#methods[caller] as Map<number, Loaded>).set(number, loaded);
    }
    // Otherwise its actor has ended here: who calls it hears of that, and takes back what it has sent.
  }

  /** What the call that a reader stands at is a call of. */
  #calledAt(caller: number, { views: { words }, at }: RingReader): Loaded | undefined {
    const w = at >> 2;
    const isMethod = (((words[w + 2] as number) >> 16) & F.CALL_METHOD) !== 0;
    const number = words[w + 1] as number;
    return isMethod ? this.#methods[caller]?.get(number) : this.#functions[caller]?.[number];
  }

  callerDied(caller: number): void {
    for (const { mailbox } of this.actors) mailbox.remove((kept) => 'caller' in kept && kept.caller === caller);
    this.#functions[caller] = [];
    delete this.#methods[caller];
    this.parcels.callerDied(caller);
    this.#producers.callerDied(caller);
    for (const run of this.#active.values()) {
      if (run.caller !== caller) continue;
      run.orphaned = true;
      const error = new CancelledError(`the caller of the task ${run.name} is gone`);
      this.#host.cancelChildren(run, error);
      run.abort(error);
      // What ignores its signal goes on, but it does not keep its place.
      this.#leave(run, error);
    }
    for (const actor of [...this.actors]) actor.ended();
  }

  /**
   * Ends a run whose code may go on, unheard. A method keeps its place among those of its actor for as long: the next one is not
   * to find the actor in the middle of something.
   */
  #leave(run: Execution, error: unknown): void {
    run.lingers = run.group >= 0;
    this.end(run, true, error);
  }

  static #key(caller: number, slot: number): number {
    return caller * 0x100000 + slot;
  }

  /** Another run may have the slot by now, if this comes late. */
  cancel(caller: number, { slot, sequence }: RunId, flags: number): void {
    const run = this.#active.get(Executions.#key(caller, slot));
    if (run?.sequence !== sequence) this.#cancelKept(caller, slot, sequence);
    if (run === undefined || run.over || run.sequence !== sequence) return;
    const error = cancelledHere(run.name);
    if ((flags & F.CANCEL_RECURSIVE) !== 0) this.#host.cancelChildren(run, error);
    run.abort(error);
    // What ignores its signal goes on, but nobody waits for it any more.
    this.#leave(run, error);
    if ((flags & F.CANCEL_BY_FORCE) !== 0) this.onForced?.(error.message);
  }

  /** A call that was taken out of its ring and has not begun never does; it is answered all the same. */
  #cancelKept(caller: number, slot: number, sequence: number): void {
    for (const actor of [...this.actors]) {
      const removed = actor.mailbox.remove((kept) => {
        if (!('frame' in kept) || kept.caller !== caller) return false;
        const words = new Int32Array(kept.frame.buffer);
        return words[0] === slot && words[7] === sequence;
      }) as KeptCall[];
      for (const kept of removed) this.#startKept(kept, actor, -1, (name) => cancelledHere(name));
      if (removed.length > 0) actor.ended();
    }
  }

  /** The session ends, and with it the actor. */
  async closeActor(id: string, ms: number): Promise<void> {
    await this.actors.get(id)?.close(ms);
    this.#host.mailer.post(CONTROL_PARTY, { type: 'actor-ended', id });
    this.#host.reactor.kick();
  }

  #startKept({ caller, loaded, frame }: KeptCall, actor: HostedActor, group: number, refused?: Refusal): void {
    const words = new Int32Array(frame.buffer);
    this.#start(caller, loaded, { words, bytes: frame }, 0, null, 0, actor, group, refused);
  }

  /** The actor ends before its calls do: those that have begun are told to stop, and those that were kept are refused. */
  stopCalls(actor: HostedActor, kept: readonly KeptCall[]): void {
    for (const run of [...this.#active.values()]) {
      if (run.actor !== actor || run.group < 0 || run.over) continue;
      const error = cancelledHere(run.name);
      this.#host.cancelChildren(run, error);
      run.abort(error);
      this.#leave(run, error);
    }
    for (const each of kept) this.#startKept(each, actor, -1, () => actor.refusal as Error);
  }

  /** So many items of a stream are consumed. */
  more(caller: number, { slot, sequence }: RunId, taken: number): void {
    const run = this.#active.get(Executions.#key(caller, slot));
    this.#producers.more(run?.sequence === sequence ? run : undefined, caller, slot, sequence, taken);
  }

  // ---- finding work

  /**
   * Starts one call, the deepest that may; true if there was one. A call whose function is not defined yet stays where it is:
   * a large definition comes in many messages, and is looked for again with each of them. `looked`: messages were looked at
   * just now.
   */
  runNext(idle: boolean, looked = false): boolean {
    if (this.#producers.goOn()) return true;
    const { executor } = this.#host.party;
    if (this.actors.size > 0) return this.#nextOfActors(looked);
    if (executor.running > 0) return false;
    const inboxes = this.#host.reactor.taskInboxes;
    let best: RingReader | undefined;
    let from = -1;
    let deepest = -1;
    let shared = 0;
    for (let i = 0; i < inboxes.length; i++) {
      const { reader, from: sender } = inboxes[i]!;
      if (!reader.next()) continue;
      const word = reader.views.words[(reader.at >> 2) + 2] as number;
      const depth = word & 0xffff;
      if (depth <= deepest) continue;
      if (!executor.mayStart(depth, ((word >> 16) & F.CALL_EXCLUSIVE) !== 0, idle)) continue;
      if (!this.#hasAll(sender, reader)) {
        // It may have come after messages were last looked at, and with it who knows what else.
        if (!looked && this.#host.reactor.poll()) return this.runNext(idle, true);
        looked = true;
        continue;
      }
      best = reader;
      from = sender;
      deepest = depth;
      shared = ((word >> 16) & F.CALL_SHARED) === 0 ? 0 : sharedBytes(reader);
    }
    if (best === undefined) return false;
    if (shared > 0 && !this.#admit(shared, deepest)) return false;
    this.#host.relief.relieve();
    const { store, values, reactor } = this.#host;
    if (!best.claim()) {
      if (shared > 0) store.admission.dismiss(shared);
      return true;
    }
    const viewed = values.bytesViewed;
    this.#start(from, this.#calledAt(from, best) as Loaded, best.views, best.at, best, shared, null, -1);
    // What a task has looked at can be found to be garbage in another turn of the event loop only.
    if (values.bytesViewed !== viewed && store.room.tight) reactor.deliveries++;
    return true;
  }

  /** Begins a call of an actor that is here, or takes one out of its ring that others may overtake; true if there was one. */
  #nextOfActors(looked: boolean): boolean {
    const next = this.actors.next();
    if (next !== undefined) {
      const { actor, kept } = next;
      if ('begin' in kept) actor.batch(kept);
      else this.#startKept(kept, actor, actor.mailbox.groupOf(kept.loaded.method as string));
      return true;
    }
    const inboxes = this.#host.reactor.taskInboxes;
    const count = inboxes.length;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const { reader, from } = inboxes[at]!;
      if (!reader.next()) continue;
      if (!this.#hasAll(from, reader)) {
        if (!looked && this.#host.reactor.poll()) return this.#nextOfActors(true);
        looked = true;
        continue;
      }
      if (!this.#take(from, reader, this.#calledAt(from, reader) as Loaded)) continue;
      this.#turn = at + 1;
      return true;
    }
    return false;
  }

  /** Takes the call that a reader stands at, if it may begin or be kept. */
  #take(from: number, reader: RingReader, loaded: Loaded): boolean {
    const actor = loaded.method === null ? undefined : this.actors.of(loaded);
    // A call that is none of theirs: of one more that shares the worker, or of one that has ended.
    if (actor === undefined && loaded.method === null && !(this.actors.shared && loaded.actor?.shared)) return false;
    const mailbox = actor?.mailbox;
    const group = mailbox?.groupOf(loaded.method as string) ?? -1;
    const begins = mailbox === undefined || mailbox.mayBegin(group) || actor?.refusal !== undefined;
    if (!begins && !mailbox.keeps) return false;
    if (!reader.claim()) return true;
    this.#host.relief.relieve();
    if (!begins) {
      mailbox.keep(group, { caller: from, loaded, frame: reader.views.bytes.slice(reader.at, reader.end) });
      reader.advance();
    } else if (actor?.refusal === undefined)
      this.#start(from, loaded, reader.views, reader.at, reader, 0, actor ?? null, group);
    else this.#start(from, loaded, reader.views, reader.at, reader, 0, actor, -1, () => actor.refusal as Error);
    return true;
  }

  /**
   * Whether the arguments may be in use besides those of all that runs. If not, it is asked again soon. A call that no task has
   * made is looked at more strictly, because more of the same kind may wait already and keep theirs; but when nothing goes on for a
   * while, what they wait for may be this call.
   */
  #admit(bytes: number, depth: number): boolean {
    const { store } = this.#host;
    this.#looks = store.admission.standsStill ? this.#looks + 1 : 0;
    if (store.admission.admit(bytes, depth === 0 && this.#looks < STANDSTILL_LOOKS)) {
      this.#looks = 0;
      return true;
    }
    this.#askAgain ??= setTimeout(() => {
      this.#askAgain = undefined;
      this.#host.reactor.kick();
    }, ADMIT_AGAIN_MS);
    return false;
  }

  #askAgain: NodeJS.Timeout | undefined;
  #looks = 0;

  /** Whether everything has come that the call needs beside its record: its function, and a large body. */
  #hasAll(caller: number, reader: RingReader): boolean {
    if (this.#calledAt(caller, reader) === undefined) return false;
    const { at, views } = reader;
    const { words } = views;
    const w = at >> 2;
    if ((((words[w + 2] as number) >> 16) & F.CALL_PARCEL) === 0) return true;
    return this.parcels.has(caller, words[(at + F.CALL_HEADER) >> 2] as number);
  }

  /** Starts the call whose record lies at `at`; `reader` stands at it, unless it was taken out of its ring before. */
  #start(
    caller: number,
    loaded: Loaded,
    { words, bytes }: Pick<RingReader['views'], 'words' | 'bytes'>,
    at: number,
    reader: RingReader | null,
    shared: number,
    actor: HostedActor | null,
    group: number,
    refused?: Refusal,
  ): void {
    const host = this.#host;
    const w = at >> 2;
    const slot = words[w] as number;
    const depthAndFlags = words[w + 2] as number;
    const flags = depthAndFlags >>> 16;
    const key = flags >>> F.CALL_KEY_SHIFT;
    const attemptAndReturns = words[w + 3] as number;
    const length = words[w + 4] as number;
    const extraLength = words[w + 5] as number;
    const timeout = loaded.inspected ? 0 : (words[w + 6] as number);
    const run = new Execution(
      host,
      loaded,
      caller,
      slot,
      depthAndFlags & 0xffff,
      (flags & F.CALL_EXCLUSIVE) !== 0,
      attemptAndReturns & 0xff,
      attemptAndReturns >> 8,
      words[w + 7] as number,
      timeout,
      performance.now(),
      key === F.CALL_KEY_UNKNOWN ? -1 : key,
    );
    run.admitted = shared;
    run.actor = actor;
    run.group = group;
    if (group >= 0) actor?.mailbox.began(group);
    host.party.executor.started(run);
    this.started++;
    // While a long task is on the stack, nobody here hears that a lease which lies idle is wanted back.
    if (loaded.timing.micros < 0 || loaded.timing.micros > LONG_MICROS) host.party.owner.returnIdle();
    this.#show(run);
    this.#tellOccupancy(false);

    let source = bytes;
    let start = at + F.CALL_HEADER;
    if ((flags & F.CALL_PARCEL) !== 0) {
      source = this.parcels.take(caller, words[start >> 2] as number);
      start = 0;
    }
    if (loaded.fn !== undefined || loaded.method !== null) {
      const args = this.#arguments(run, flags, source, start, length, extraLength);
      reader?.advance();
      // Its arguments have been taken in, so that what they hold is let go.
      if (refused !== undefined) this.end(run, true, refused(run.name));
      else if (args !== undefined) this.#run(run, args);
      return;
    }
    // Loading comes first: the modules that it imports may register what the arguments need.
    const copy = source === bytes ? bytes.slice(start, start + length + extraLength) : source;
    reader?.advance();
    this.#active.set(Executions.#key(caller, slot), run);
    void loaded.load().then((error) => {
      if (run.over) return;
      if (error !== undefined) this.end(run, true, error);
      else {
        const args = this.#arguments(run, flags, copy, 0, length, extraLength);
        if (args !== undefined) this.#run(run, args);
      }
      host.reactor.kick();
    });
  }

  /** The decoded arguments; undefined when that failed, and the run with it. */
  #arguments(
    run: Execution,
    flags: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    extraLength: number,
  ): unknown[] | undefined {
    try {
      if (extraLength === 0) return this.#host.values.decoder.decodeArgs(bytes, at, at + length);
      return this.#richArgs(run, flags, bytes, at, length, extraLength);
    } catch (error) {
      if (error instanceof FilesFirst) {
        const copy = bytes.slice(at, at + length + extraLength);
        this.#afterFiles(run, error.files, () => this.#arguments(run, flags, copy, 0, length, extraLength));
      } else this.end(run, true, error);
      return undefined;
    }
  }

  /** The run has its place meanwhile: it does not take long. */
  #afterFiles(run: Execution, files: readonly FileValue[], decode: () => unknown[] | undefined): void {
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    void Promise.all(files.map((file) => file.open())).then(() => {
      if (run.over) {
        this.left(run);
        return;
      }
      run.filesTried = files;
      const args = decode();
      if (args !== undefined) this.#run(run, args);
      this.#host.reactor.kick();
    });
  }

  #run(run: Execution, args: unknown[]): void {
    if (run.actorId !== null) {
      this.#hostActor(run, args);
      return;
    }
    const fn = this.#functionOf(run);
    if (fn === undefined) return;
    if (run.timeout > 0) this.#deadlines.begin(run);
    if (run.streamStart !== null) {
      this.#active.set(Executions.#key(run.caller, run.slot), run);
      if (run.timeout > 0) this.#deadlines.arm(run);
      this.#producers.begin(run, run.streamStart, fn, args);
      return;
    }
    if (run.loaded.synchronous) {
      this.#runSynchronously(run, fn, args);
      return;
    }
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    if (run.timeout > 0) this.#deadlines.arm(run);
    this.#runAsynchronously(run, fn, args);
  }

  /** What a run calls; undefined when there is no such method, and the run has failed. */
  #functionOf(run: Execution): AnyFunction | undefined {
    const { loaded } = run;
    if (loaded.method === null) return loaded.fn;
    try {
      const { actor } = run;
      if (actor === null) throw new ActorDiedError(`the actor of ${loaded.name} has ended on its worker`);
      loaded.fn ??= loaded.stopping(actor.method(loaded));
      return loaded.fn;
    } catch (error) {
      this.end(run, true, error);
      return undefined;
    }
  }

  /** The run of a class lasts as long as its instance does. */
  #hostActor(run: Execution, args: unknown[]): void {
    const { loaded } = run;
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    const settings = loaded.actor ?? ONE_AT_A_TIME;
    const actor = new HostedActor(this.#host, run, settings, (failed, result) => {
      this.end(run, failed, result);
      this.#host.reactor.kick();
    });
    run.actor = actor;
    this.actors.add(actor, settings.shared);
    this.#storage.run(run, () => void actor.begin(loaded.fn as AnyFunction, args, settings.packed));
  }

  /** The time of a run is up, and its event loop is free. What it goes on with is unheard, and what it has called ends. */
  #expire(run: Execution): void {
    if (run.over) return;
    const error = timedOut(run.name, run.timeout);
    this.#host.cancelChildren(run, new CancelledError(`the task that called it timed out: ${error.message}`));
    run.abort(error);
    this.#leave(run, error);
    this.#host.reactor.kick();
  }

  /** Arguments with references or shared memory among them. */
  #richArgs(
    run: Execution,
    flags: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    extraLength: number,
  ): unknown[] {
    const host = this.#host;
    const { values, store, party } = host;
    const copy = (flags & F.CALL_COPY) !== 0;
    let extra: F.CallExtra;
    if ((flags & F.CALL_EXTRA_SHARED) !== 0) {
      const where = new Uint32Array(bytes.slice(at + length, at + length + extraLength).buffer);
      const slot = { index: where[0] as number, generation: where[1] as number };
      extra = store.reading(slot, (all) => values.decoder.decode(all, 0, where[2] as number)) as F.CallExtra;
    } else {
      extra = values.decoder.decode(bytes, at + length, at + length + extraLength) as F.CallExtra;
    }
    run.gpus = extra.g ?? [];
    run.actorId = extra.a ?? null;
    if (extra.y !== undefined) run.streamStart = { skip: extra.y[0], taken: extra.y[1], ahead: extra.y[2] };

    if (extra.d !== undefined && run.filesTried === null) {
      const files = extra.d.flatMap(([wire]) => (mayHaveFiles(wire) ? values.unopened(values.parse(wire)) : []));
      if (files.length > 0) throw new FilesFirst(files);
    }
    const lent: Cell[] = [];
    run.lent = lent;
    const lend = (ids: readonly string[]): Cell[] =>
      ids.map((id) => {
        const cell = party.references.adopt(id);
        party.references.hold(cell);
        party.executor.own(run, cell);
        lent.push(cell);
        return cell;
      });
    const before = this.#top;
    // Handles that decoding makes belong to this run.
    this.#top = run;
    try {
      const deps = (extra.d ?? []).map(([wire, ids]) => {
        const { value, pinned } = values.fromWire(wire);
        try {
          const result = values.readValue(value, ids.length === 0 ? NO_CELLS : lend(ids), copy);
          if (pinned) this.#check(run, value, values);
          return result;
        } catch (error) {
          if (pinned && values.lostSlot(value) !== undefined) run.unread = true;
          throw error;
        } finally {
          if (pinned) values.unpin(value);
        }
      });
      const nested = extra.r === undefined ? [] : lend(extra.r);
      extra.v?.forEach((known, i) => {
        if (known === null) return;
        const inner = lend(known[1]);
        for (const cell of inner) party.references.hold(cell);
        party.references.lentWith(nested[i] as Cell, known[0], inner);
      });
      const refs = nested.map((cell) => host.handle(cell));
      if (extra.s === undefined) return values.decoder.decodeArgs(bytes, at, at + length, { buffers: [], refs, deps });
      const own = values.fromWire(extra.s).value as Stored;
      try {
        this.#check(run, own, values);
        const buffers = own.buffers.map((extent) => values.view(extent, copy));
        const source = { buffers, refs, deps };
        const extent = length === 0 ? own.bodyExtent : null;
        if (extent === null) return values.decoder.decodeArgs(bytes, at, at + length, source);
        const { slot, offset: start } = extent;
        return store.reading(slot, (all) => values.decoder.decodeArgs(all, start, start + extent.length, source));
      } finally {
        values.unpin(own);
      }
    } finally {
      this.#top = before;
    }
  }

  /** With `checkWrites`: remembers how to tell, after the run, whether shared memory was written to. */
  #check(run: Execution, stored: unknown, values: PartyHost['values']): void {
    if (!this.checkWrites) return;
    const check = values.watchWrites(stored);
    if (check !== undefined) {
      run.checks ??= [];
      run.checks.push(check);
    }
  }

  // ---- running

  #runSynchronously(run: Execution, fn: AnyFunction, args: unknown[]): void {
    this.#top = run;
    let result: unknown;
    let then: Then | undefined;
    let failed = false;
    try {
      result = fn(...args);
      then = thenOf(result);
    } catch (error) {
      failed = true;
      result = error;
    }
    this.#top = undefined;
    if (then === undefined) {
      this.end(run, failed, result);
      return;
    }
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    if (run.timeout > 0) this.#deadlines.arm(run);
    this.#await(run, result as object, then);
  }

  #runAsynchronously(run: Execution, fn: AnyFunction, args: unknown[]): void {
    let result: unknown;
    let then: Then | undefined;
    try {
      result = this.#storage.run(run, fn as (...a: unknown[]) => unknown, ...args);
      then = thenOf(result);
    } catch (error) {
      this.end(run, true, error);
      return;
    }
    if (then === undefined) this.end(run, false, result);
    else this.#await(run, result as object, then);
  }

  #await(run: Execution, result: object, then: Then): void {
    const done = (failed: boolean, value: unknown): void => {
      this.end(run, failed, value);
      this.#host.reactor.kick();
    };
    // A `then` of its own is code of the task.
    if (then !== Promise.prototype.then) this.#storage.run(run, settle, result, then, done);
    else
      then.call(
        result,
        (value) => done(false, value),
        (error) => done(true, error),
      );
  }

  /**
   * The run waits for something: it gives up its place. It is on the stack all the same until the code that began to wait
   * has come to its end, which is when the microtasks have their turn.
   */
  suspend(run: Run): void {
    // One that was cancelled and goes on has given up its place already.
    if ((run as Execution).over) return;
    this.#host.party.executor.suspend(run);
    if (run.suspended === 1) {
      this.#waits(run as Execution, 1);
      this.#host.recorder?.suspended(run as Execution);
    }
    if (this.#leaving) return;
    this.#leaving = true;
    queueMicrotask(this.#left);
  }

  #leaving = false;
  readonly #left = (): void => {
    this.#leaving = false;
    if (this.#shown !== undefined && this.#shown.suspended > 0) this.#showPlaced();
    this.#deadlines.show();
  };

  /** A wait of the run is over: it goes on, and holds the place again. */
  resume(run: Run): void {
    if ((run as Execution).over) return;
    const { executor } = this.#host.party;
    executor.resume(run);
    if (run.suspended > 0) return;
    this.#waits(run as Execution, -1);
    this.#host.recorder?.resumed(run as Execution);
    this.#show(run as Execution);
    if (executor.running > 1) this.#deadlines.enter(run as Execution);
    this.#deadlines.show();
    this.#tellOccupancy(false);
  }

  #waits({ admitted }: Execution, sign: 1 | -1): void {
    if (admitted > 0 && this.#host.store.usable) this.#host.store.admission.waits(admitted, sign);
  }

  #show(run: Execution): void {
    this.#shown = run;
    const { block, self } = this.#host;
    block.setCurrent(self.party, run.caller, run.slot, run.sequence, sharedTicks(run.begun));
  }

  /** The run that was shown is not on the stack any more: one that holds the place may be. */
  #showPlaced(): void {
    const placed = this.#host.party.executor.placed as Execution | undefined;
    if (placed !== undefined) {
      this.#show(placed);
      return;
    }
    this.#shown = undefined;
    this.#host.block.clearCurrent(this.#host.self.party);
  }

  /** @internal The run has come to its end, or is brought to it. */
  end(run: Execution, failed: boolean, result: unknown): void {
    if (run.over) {
      this.left(run);
      return;
    }
    run.over = true;
    const { lingers } = run;
    if (this.#host.recorder !== null) this.#host.recorder.ended(run, failed);
    if (this.onEnd !== null) this.onEnd(run);
    if (run.actor?.run === run) this.#endActor(run.actor);
    if (run.production !== null) this.#producers.close(run, run.production);
    if (run.suspended > 0) this.#waits(run, -1);
    if (run.admitted > 0 && this.#host.store.usable) this.#host.store.admission.dismiss(run.admitted);
    if (this.#active.size > 0) this.#active.delete(Executions.#key(run.caller, run.slot));
    if (run.checks !== null) {
      const written = run.checks.map((check) => check()).find((text) => text !== undefined);
      if (written !== undefined && !failed) {
        failed = true;
        result = wroteToShared(run.name, written);
      }
    }
    const micros = (performance.now() - run.begun) * 1000;
    run.loaded.timing.observe(micros);
    this.#answers.answer(run, failed, result, micros);
    if (this.#shown === run) this.#showPlaced();
    if (run.timeout > 0) this.#deadlines.end(run);
    run.expireHandles();
    const { loaded } = run;
    if (loaded.maxCalls > 0 && ++loaded.calls >= loaded.maxCalls) this.#wornOut = true;
    if (this.#wornOut) this.#retireIfNotNeeded();
    if (run.group >= 0 && !lingers) this.#release(run);
  }

  #endActor(actor: HostedActor): void {
    this.actors.remove(actor);
    void actor.leave();
    if (this.actors.size > 0) for (const methods of this.#methods) forgetMethods(methods, actor.id);
    // What it leaves behind, timers and sockets, goes with its worker.
    this.#wornOut = true;
  }

  /** @internal The code of a run that was ended before has come to its end. */
  left(run: Execution): void {
    if (!run.lingers) return;
    this.#release(run);
    this.#host.reactor.kick();
  }

  /** A method has come to its end: another one may begin. */
  #release(run: Execution): void {
    run.lingers = false;
    run.actor?.mailbox.ended(run.group);
    run.actor?.ended();
  }

  /**
   * A worn-out worker ends as soon as nothing is lost by that: no task is suspended here, none that was called from here is
   * pending, and nobody holds what this party owns. Until then it works on, since the ones that it waits for may have to
   * run here.
   */
  #retireIfNotNeeded(): void {
    const { party, reactor } = this.#host;
    if (this.#active.size > 0 || party.owner.pending > 0 || party.references.owned.size > 0 || reactor.unsent) return;
    this.onRetire?.();
  }

  // ---- sleeping

  parking(): void {
    this.#tellOccupancy(true);
    // What it owned may have been let go since.
    if (this.#wornOut) this.#retireIfNotNeeded();
  }

  #tellOccupancy(idle: boolean): void {
    const occupancy = this.#host.party.executor.occupancy(idle);
    if (occupancy !== undefined) this.#host.control({ type: 'blocked', ...occupancy });
  }

  /** Those that have begun and are not over, as seen between two turns of the event loop. */
  get runs(): Iterable<Execution> {
    return this.#active.values();
  }

  get active(): number {
    return this.#active.size;
  }

  /** The calling code is an actor's that is made, and none of its methods'. */
  get inActor(): boolean {
    const run = this.current();
    return run !== undefined && run.actorId !== null && run.actor?.made === true;
  }

  /**
   * Ends a run from outside, because of an error that belongs to it but was not thrown through it. What an actor does by
   * itself once it is made, outside of its methods, is not ended by this: it may be made anew with another worker.
   */
  failCurrent(error: unknown): boolean {
    const run = this.current();
    if (run === undefined || run.over || this.inActor) return false;
    this.end(run, true, error);
    this.#host.reactor.kick();
    return true;
  }
}
