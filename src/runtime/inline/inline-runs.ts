import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledError } from '../../base/index.ts';
import type { Run, RunId } from '../../protocol/index.ts';
import type { Call, FunctionEntry } from '../call.ts';
import { timedOut } from '../deadlines.ts';
import { cancelledHere, Execution, wroteToShared } from '../execution.ts';
import type { HostedActor } from '../hosted-actor.ts';
import { type AnyFunction, Loaded } from '../loaded.ts';
import { Producers } from '../producers.ts';
import { Results } from '../results.ts';
import { settle, type Then, thenOf } from '../thenable.ts';
import { InlineArguments } from './inline-arguments.ts';
import type { InlineHost } from './inline-host.ts';
import type { Hosted } from './inline-hosted.ts';
import { InlineItems } from './inline-items.ts';
import { outside } from './outside.ts';

/** What runs on a lease counts as a worker of its own: the number of that. The first is the program. */
export function incarnationOf(lease: number): number {
  return lease + 1;
}

/** The runs of tasks in the program's own thread: begun one by one, and interleaved where they wait. */
export class InlineRuns {
  readonly #host: InlineHost;
  readonly #results: Results;
  readonly #producers: Producers;
  readonly #storage = new AsyncLocalStorage<Execution>();
  /** By the slots of their calls. */
  readonly #active = new Map<number, Execution>();
  /** What runs on a lease; a method runs where its actor is. */
  readonly #leases = new Map<Run, number>();
  /** Of actors: where their code runs, its own run and those of methods. */
  readonly #hosted = new WeakMap<Run, Hosted>();
  /** Runs that are cancelled, and do not know it yet. */
  readonly #marked = new Set<Execution>();
  readonly #functions = new WeakMap<FunctionEntry, Loaded>();
  readonly #originals = new WeakMap<FunctionEntry, AnyFunction>();
  readonly #arguments: InlineArguments;

  constructor(host: InlineHost, checkWrites: boolean) {
    this.#host = host;
    this.#results = new Results(host);
    this.#producers = new Producers(this, new InlineItems(host), () => host.kick());
    this.#arguments = new InlineArguments(host, checkWrites);
  }

  current(): Execution | undefined {
    return this.#storage.getStore();
  }

  within<T>(run: Run, fn: () => T): T {
    return this.#storage.run(run as Execution, fn);
  }

  /** The same, for the code of a stream. */
  inContext<T>(run: Execution, fn: () => T): T {
    return this.within(run, fn);
  }

  gathers(run: Execution, value: boolean): void {
    run.gathers = value;
  }

  /** So many items of a stream are consumed. */
  more({ slot, sequence }: RunId, taken: number): void {
    const run = this.#active.get(slot);
    const { party } = this.#host.self;
    this.#producers.more(run?.sequence === sequence ? run : undefined, party, slot, sequence, taken);
    this.#host.kick();
  }

  /** Lets a stream that may go on do so; false when there is none. */
  goOn(): boolean {
    return this.#producers.goOn();
  }

  /** Who makes the calls of the code that runs: a task, or an actor with all of its methods; undefined: the program. */
  caller(): object | undefined {
    const run = this.current();
    return run === undefined ? undefined : (this.#hosted.get(run) ?? run);
  }

  suspend(run: Run): void {
    if ((run as Execution).over || run.suspended++ > 0) return;
    const lease = this.#leases.get(run);
    if (lease !== undefined) this.#host.turns.suspended(lease);
    this.#host.kick();
  }

  resume(run: Run): void {
    if ((run as Execution).over || run.suspended === 0 || --run.suspended > 0) return;
    const lease = this.#leases.get(run);
    if (lease !== undefined) this.#host.turns.resumed(lease);
  }

  /** The program's own function, for one that may run in place of a loaded copy. */
  original(entry: FunctionEntry, fn: AnyFunction): void {
    if (!this.#originals.has(entry)) this.#originals.set(entry, fn);
  }

  at(slot: number): Execution | undefined {
    return this.#active.get(slot);
  }

  /** The run at a slot is about to be cancelled. */
  mark(slot: number): void {
    const run = this.#active.get(slot);
    if (run !== undefined) this.#marked.add(run);
  }

  /** Whether nobody waits for the run any more: it is cancelled, or its time is up. */
  isUnwanted(slot: number): boolean {
    const run = this.#active.get(slot);
    if (run === undefined) return false;
    return this.#marked.has(run) || (run.deadline > 0 && performance.now() > run.deadline);
  }

  /** Whether a task or a method runs; an actor at rest does nothing. */
  get busy(): boolean {
    for (const { actorId } of this.#active.values()) if (actorId === null) return true;
    return false;
  }

  /** What a call calls. An actor has a class of its own, unless it is the program's: on a worker it would have its own, too. */
  #loaded(entry: FunctionEntry): Loaded {
    if (entry.actor !== null) {
      const loaded = new Loaded(entry, 0);
      loaded.fn = this.#originals.get(entry);
      return loaded;
    }
    let loaded = this.#functions.get(entry);
    if (loaded === undefined) {
      loaded = new Loaded(entry, 0);
      loaded.fn = this.#originals.get(entry);
      this.#functions.set(entry, loaded);
    }
    return loaded;
  }

  // ---- running

  start(call: Call, lease: number, gpus: readonly number[]): void {
    const loaded = this.#loaded(call.plan.fn);
    const run = this.#newRun(call, loaded);
    run.gpus = gpus;
    run.actorId = call.actorId;
    this.#leases.set(run, lease);
    if (run.actorId !== null) this.#hosted.set(run, this.#host.hosted.add(run, incarnationOf(lease)));
    this.#afterFiles(run, call, () => this.#begin(run, loaded, call));
  }

  /** Begins a call of a method, which the actor's mailbox lets begin. */
  startMethod(call: Call, hosted: Hosted): void {
    const { mailbox, refusal } = hosted.actor;
    const run = this.#newRun(call, this.#loaded(call.plan.fn));
    if (refusal !== undefined) {
      this.end(run, true, refusal);
      return;
    }
    run.group = mailbox.groupOf(call.plan.fn.method as string);
    run.keeper = hosted.handles;
    this.#hosted.set(run, hosted);
    mailbox.began(run.group);
    this.#afterFiles(run, call, () => {
      let fn: AnyFunction;
      try {
        fn = run.loaded.stopping(hosted.actor.method(run.loaded));
      } catch (error) {
        this.end(run, true, error);
        return;
      }
      this.#call(run, fn, call);
    });
  }

  #newRun(call: Call, loaded: Loaded): Execution {
    const { attempt } = call.runName;
    const run = new Execution(
      this.#host,
      loaded,
      this.#host.self.party,
      call.slot,
      call.depth,
      false,
      attempt,
      call.plan.returns,
      call.sequence,
      call.plan.timeout,
      performance.now(),
      call.key.id,
    );
    run.streamStart = call.stream?.start() ?? null;
    this.#active.set(call.slot, run);
    return run;
  }

  /** Files among the arguments are opened first. */
  #afterFiles(run: Execution, call: Call, begin: () => void): void {
    const { values } = this.#host;
    const files = call.dependencies.flatMap((cell) => (cell.pinned ? values.unopened(cell.value) : []));
    if (files.length === 0) begin();
    else {
      void Promise.all(files.map((file) => file.open())).then(() => {
        if (run.over) this.left(run);
        else begin();
      });
    }
  }

  #begin(run: Execution, loaded: Loaded, call: Call): void {
    if (loaded.fn !== undefined) {
      this.#call(run, loaded.fn, call);
      return;
    }
    // A slice of the file, or a module of its own. Source maps are the program's to switch on, whose process this is.
    void loaded.load(false).then((error) => {
      if (run.over) return;
      if (error !== undefined) this.end(run, true, error);
      else this.#call(run, loaded.fn as AnyFunction, call);
    });
  }

  #call(run: Execution, fn: AnyFunction, call: Call): void {
    let args: unknown[];
    try {
      args = this.within(run, () => this.#arguments.decode(run, call));
    } catch (error) {
      this.end(run, true, error);
      return;
    }
    if (run.actorId !== null) {
      const { actor } = this.#hosted.get(run) as Hosted;
      this.inContext(run, () => void actor.begin(fn, args, run.loaded.actor?.packed ?? null));
      return;
    }
    if (run.timeout > 0) {
      run.deadline = performance.now() + run.timeout;
      run.timer = setTimeout(() => this.#expire(run), run.timeout);
    }
    if (run.streamStart !== null) {
      this.#producers.begin(run, run.streamStart, fn, args);
      return;
    }
    let result: unknown;
    let then: Then | undefined;
    try {
      result = this.#storage.run(run, fn, ...args);
      then = this.within(run, () => thenOf(result));
    } catch (error) {
      this.end(run, true, error);
      return;
    }
    // Nothing could end a function that gave no turn to anybody; that it took too long is a failure all the same.
    if (run.timeout > 0 && performance.now() > run.deadline) this.#expire(run);
    else if (then === undefined) this.end(run, false, result);
    else this.#await(run, result as object, then);
  }

  #await(run: Execution, result: object, then: Then): void {
    const done = (failed: boolean, value: unknown): void => this.end(run, failed, value);
    // A `then` of its own is code of the task.
    if (then !== Promise.prototype.then) this.#storage.run(run, settle, result, then, done);
    else
      then.call(
        result,
        (value) => done(false, value),
        (error) => done(true, error),
      );
  }

  // ---- ending

  #expire(run: Execution): void {
    if (run.over) return;
    const error = timedOut(run.name, run.timeout);
    outside(() =>
      this.#host.cancelChildren(run, new CancelledError(`the task that called it timed out: ${error.message}`)),
    );
    run.abort(error);
    this.#leave(run, error);
  }

  /**
   * Ends a run whose code may go on, unheard. A method keeps its place among those of its actor for as long: the next one is not
   * to find the actor in the middle of something.
   */
  #leave(run: Execution, error: unknown): void {
    run.lingers = run.group >= 0;
    this.end(run, true, error);
  }

  /** Another run may have the slot by now, if this comes late. What ignores its signal goes on, unheard. */
  cancel({ slot, sequence }: RunId, recursive: boolean): void {
    const run = this.#active.get(slot);
    if (run === undefined || run.sequence !== sequence) return;
    const error = cancelledHere(run.name);
    if (recursive) this.#host.cancelChildren(run, error);
    run.abort(error);
    this.#leave(run, error);
  }

  /** The actor ends before its calls do: those that have begun are told to stop, and those that have not are refused. */
  stopCalls(actor: HostedActor<Call>, kept: readonly Call[]): void {
    const own = [...this.#active.values()].filter((run) => run.group >= 0 && this.#hosted.get(run)?.actor === actor);
    for (const run of own) {
      if (run.over) continue;
      const error = cancelledHere(run.name);
      this.#host.cancelChildren(run, error);
      run.abort(error);
      this.#leave(run, error);
    }
    const hosted = this.#hosted.get(actor.run) as Hosted;
    hosted.kept -= kept.length;
    for (const call of kept) this.startMethod(call, hosted);
    this.#host.hosted.look(hosted);
    this.#host.kick();
  }

  end(run: Execution, failed: boolean, result: unknown): void {
    if (run.over) this.left(run);
    else outside(() => this.#end(run, failed, result));
  }

  /** The code of a run that was ended before has come to its end. */
  left(run: Execution): void {
    if (run.lingers) outside(() => this.#release(run));
  }

  /** A method has come to its end: another one may begin. */
  #release(run: Execution): void {
    run.lingers = false;
    const hosted = this.#hosted.get(run) as Hosted;
    hosted.actor.mailbox.ended(run.group);
    hosted.actor.ended();
    this.#host.hosted.look(hosted);
    this.#host.kick();
  }

  #end(run: Execution, failed: boolean, result: unknown): void {
    const host = this.#host;
    const { lingers } = run;
    this.#over(run);
    const hosted = this.#hosted.get(run);
    if (hosted?.run === run) host.hosted.end(hosted, false);
    const written = run.checks?.map((check) => check()).find((text) => text !== undefined);
    const made =
      written === undefined || failed
        ? this.#results.make(run, failed, result)
        : this.#results.make(run, true, wroteToShared(run.name, written));
    const { references } = host.party;
    for (const cell of made.granted) references.hold(cell);
    run.expireHandles();
    const micros = (performance.now() - run.begun) * 1000;
    host.replied({ slot: run.slot, micros, failed: made.failed, results: made.results, kept: [], receipt: 0 });
    for (const cell of made.granted) references.drop(cell);
    for (const each of made.payload) host.values.unpin(each);
    host.settleUp();
    if (run.group >= 0 && !lingers) this.#release(run);
    host.kick();
  }

  #over(run: Execution): void {
    run.over = true;
    if (run.production !== null) this.#producers.close(run, run.production);
    clearTimeout(run.timer);
    this.#active.delete(run.slot);
    this.#leases.delete(run);
    this.#marked.delete(run);
  }

  /** What runs a task of that name, as a worker: the number of that, the lease of it, and its runs. */
  workerOf(
    task: string,
  ): { incarnation: number; lease: number; runs: Execution[]; hosted: Hosted | undefined } | undefined {
    const found = [...this.#active.values()].find(({ name }) => name === task);
    if (found === undefined) return undefined;
    const hosted = this.#hosted.get(found);
    const lease = this.#leases.get(hosted?.run ?? found) as number;
    const runs = [...this.#active.values()].filter(
      (run) => run === found || (hosted !== undefined && this.#hosted.get(run) === hosted),
    );
    return { incarnation: incarnationOf(lease), lease, runs, hosted };
  }

  /** Its worker has died: what it goes on with is unheard, and its caller is told by others. */
  died(run: Execution, error: Error): void {
    this.#over(run);
    this.#host.cancelChildren(run, error);
    run.abort(error);
    run.expireHandles();
  }

  /** Ends a run from outside, because of an error that belongs to it but was not thrown through it. */
  failCurrent(error: unknown): boolean {
    const run = this.current();
    if (run === undefined || run.over) return false;
    this.end(run, true, error);
    return true;
  }

  /** The session is over: nobody waits for what still runs. */
  abandon(error: Error): void {
    for (const run of this.#active.values()) {
      run.over = true;
      clearTimeout(run.timer);
      if (run.production !== null) this.#producers.close(run, run.production);
      run.abort(error);
      run.expireHandles();
    }
    this.#active.clear();
  }
}
