import { ActorDiedError, CancelledError } from '../base/index.ts';
import type { RunId } from '../protocol/index.ts';
import type { RingReader } from '../transport/index.ts';
import { diedError } from './actor-link.ts';
import { Answers } from './answers.ts';
import { CallArguments } from './call-arguments.ts';
import { CallInboxes } from './call-inboxes.ts';
import { timedOut } from './deadlines.ts';
import { cancelledHere, Execution, wroteToShared } from './execution.ts';
import { FilesFirst, type FileValue } from './files.ts';
import * as F from './frames.ts';
import { CONTROL_PARTY } from './host-messages.ts';
import { HostedActor, isBatch, type KeptCall } from './hosted-actor.ts';
import { HostedActors } from './hosted-actors.ts';
import { ItemSender } from './item-sender.ts';
import type { AnyFunction, Hosting, Loaded } from './loaded.ts';
import type { PartyHost } from './party-host.ts';
import { Producers } from './producers.ts';
import { Stage } from './stage.ts';
import { settle, type Then, thenOf } from './thenable.ts';

/** A task that takes longer than this is worth a message or two before it starts. */
const LONG_MICROS = 2000;

const ONE_AT_A_TIME: Hosting = { concurrency: 1, groups: [], shared: false, packed: null };

/** Why a call does not begin. */
type Refusal = (name: string) => Error;

/** The worker's part of a party host: finds the next call, runs it, answers. */
export class Executions extends Stage {
  readonly #host: PartyHost;
  readonly #answers: Answers;
  readonly #producers: Producers;
  readonly actors = new HostedActors();
  readonly inboxes: CallInboxes;
  readonly #active = new Map<number, Execution>();
  readonly #args: CallArguments;
  /** Why this worker is to end as soon as nothing is lost by that; null while it is as good as new. */
  #wornOut: string | null = null;
  /** Runs so far. */
  started = 0;
  onRetire: ((why: string) => void) | null = null;
  /** A run is over: there while somebody wants to know. */
  onEnd: ((run: Execution) => void) | null = null;
  /** This worker has to end, because a run here does. */
  onForced: ((why: string) => void) | null = null;

  constructor(host: PartyHost, checkWrites: boolean) {
    super(host);
    this.#host = host;
    this.#answers = new Answers(host);
    this.#producers = new Producers(this, new ItemSender(host), () => host.reactor.kick());
    this.inboxes = new CallInboxes(host, this);
    this.#args = new CallArguments(host, this, checkWrites);
  }

  callerDied(caller: number): void {
    for (const { mailbox } of this.actors) mailbox.remove((kept) => 'caller' in kept && kept.caller === caller);
    this.inboxes.callerDied(caller);
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
      for (const kept of removed) this.startKept(kept, actor, -1, (name) => cancelledHere(name));
      if (removed.length > 0) actor.ended();
    }
  }

  /** The session ends, and with it the actor. */
  async closeActor(id: string, ms: number): Promise<void> {
    await this.actors.get(id)?.close(ms);
    this.#host.mailer.post(CONTROL_PARTY, { type: 'actor-ended', id });
    this.#host.reactor.kick();
  }

  /** @internal */
  startKept({ caller, loaded, frame }: KeptCall, actor: HostedActor, group: number, refused?: Refusal): void {
    const words = new Int32Array(frame.buffer);
    this.#host.block.setKept(caller, words[0] as number, false);
    this.start(caller, loaded, { words, bytes: frame }, 0, null, 0, actor, group, refused);
  }

  /** @internal A call has joined those that wait for a batch, or that begins. */
  gathers(run: Execution, value: boolean): void {
    // The slot of one that is over may be another one's.
    if (run.over || run.gathers === value) return;
    run.gathers = value;
    this.#host.block.setKept(run.caller, run.slot, value);
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
    for (const each of kept) this.startKept(each, actor, -1, () => actor.refusal as Error);
  }

  /** So many items of a stream are consumed. */
  more(caller: number, { slot, sequence }: RunId, taken: number): void {
    const run = this.#active.get(Executions.#key(caller, slot));
    this.#producers.more(run?.sequence === sequence ? run : undefined, caller, slot, sequence, taken);
  }

  /** Goes on with a stream whose reader wants more; true if there was one. */
  goOn(): boolean {
    return this.#producers.goOn();
  }

  /** @internal Starts the call whose record lies at `at`; `reader` stands at it, unless it was taken out of its ring before. */
  start(
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
    this.show(run);
    this.tellOccupancy(false);

    let source = bytes;
    let start = at + F.CALL_HEADER;
    if ((flags & F.CALL_PARCEL) !== 0) {
      source = this.inboxes.parcels.take(caller, words[start >> 2] as number);
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
      return this.#args.decode(run, flags, bytes, at, length, extraLength);
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
    if (run.timeout > 0) this.deadlines.begin(run);
    if (run.streamStart !== null) {
      this.#active.set(Executions.#key(run.caller, run.slot), run);
      if (run.timeout > 0) this.deadlines.arm(run);
      this.#producers.begin(run, run.streamStart, fn, args);
      return;
    }
    if (run.loaded.synchronous) {
      this.#runSynchronously(run, fn, args);
      return;
    }
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    if (run.timeout > 0) this.deadlines.arm(run);
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
    this.inContext(run, () => void actor.begin(loaded.fn as AnyFunction, args, settings.packed));
  }

  /** The time of a run is up, and its event loop is free. What it goes on with is unheard, and what it has called ends. */
  protected expire(run: Execution): void {
    if (run.over) return;
    const error = timedOut(run.name, run.timeout);
    this.#host.cancelChildren(run, new CancelledError(`the task that called it timed out: ${error.message}`));
    run.abort(error);
    this.#leave(run, error);
    this.#host.reactor.kick();
  }

  // ---- running

  #runSynchronously(run: Execution, fn: AnyFunction, args: unknown[]): void {
    this.top = run;
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
    this.top = undefined;
    if (then === undefined) {
      this.end(run, failed, result);
      return;
    }
    this.#active.set(Executions.#key(run.caller, run.slot), run);
    if (run.timeout > 0) this.deadlines.arm(run);
    this.#await(run, result as object, then);
  }

  #runAsynchronously(run: Execution, fn: AnyFunction, args: unknown[]): void {
    let result: unknown;
    let then: Then | undefined;
    try {
      result = this.inContext(run, fn as (...a: unknown[]) => unknown, ...args);
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
    if (then !== Promise.prototype.then) this.inContext(run, settle, result, then, done);
    else
      then.call(
        result,
        (value) => done(false, value),
        (error) => done(true, error),
      );
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
    if (run.actor?.run === run) this.#endActor(run.actor, failed ? result : undefined);
    if (run.production !== null) this.#producers.close(run, run.production);
    if (run.suspended > 0) this.waits(run, -1);
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
    this.hide(run);
    if (run.timeout > 0) this.deadlines.end(run);
    run.expireHandles();
    const { loaded } = run;
    if (loaded.maxCalls > 0 && ++loaded.calls >= loaded.maxCalls) {
      this.#wornOut ??= 'it had run as many calls as maxCalls allows';
    }
    if (this.#wornOut !== null) this.#retireIfNotNeeded(this.#wornOut);
    if (run.group >= 0 && !lingers) this.#release(run);
  }

  /** `failure`: undefined when it has ended in order. */
  #endActor(actor: HostedActor, failure: unknown): void {
    this.actors.remove(actor);
    // Their callers may have heard of its end already, and wait for these answers all the same.
    const kept = actor.mailbox.remove((each) => !isBatch(each)) as KeptCall[];
    const { name } = actor.run;
    const error =
      failure === undefined
        ? diedError(name, 'it has ended: it was drained, or let go')
        : diedError(name, `it died: ${String(failure)}`, failure);
    for (const each of kept) this.startKept(each, actor, -1, () => error);
    void actor.leave();
    if (this.actors.size > 0) this.inboxes.forget(actor.id);
    // What it leaves behind, timers and sockets, goes with its worker.
    this.#wornOut = 'its actor had ended';
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
  #retireIfNotNeeded(why: string): void {
    const { party, reactor } = this.#host;
    if (this.#active.size > 0 || party.owner.pending > 0 || party.references.owned.size > 0 || reactor.unsent) return;
    this.onRetire?.(why);
  }

  // ---- sleeping

  parking(): void {
    this.tellOccupancy(true);
    // What it owned may have been let go since.
    if (this.#wornOut !== null) this.#retireIfNotNeeded(this.#wornOut);
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
