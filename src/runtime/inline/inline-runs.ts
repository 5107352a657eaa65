import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledError } from '../../base/index.ts';
import { type Cell, NO_CELLS, type Run, type RunId } from '../../protocol/index.ts';
import type { Call, FunctionEntry } from '../call.ts';
import { timedOut } from '../deadlines.ts';
import { cancelledHere, Execution, wroteToShared } from '../execution.ts';
import { type AnyFunction, Loaded } from '../loaded.ts';
import { Producers } from '../producers.ts';
import { Results } from '../results.ts';
import { settle, type Then, thenOf } from '../thenable.ts';
import type { Stored } from '../values.ts';
import type { InlineHost } from './inline-host.ts';
import { InlineItems } from './inline-items.ts';
import { outside } from './outside.ts';

/** The runs of tasks in the program's own thread: begun one by one, and interleaved where they wait. */
export class InlineRuns {
  readonly #host: InlineHost;
  readonly #results: Results;
  readonly #producers: Producers;
  readonly #storage = new AsyncLocalStorage<Execution>();
  /** By the slots of their calls. */
  readonly #active = new Map<number, Execution>();
  readonly #leases = new Map<Run, number>();
  /** Runs that are cancelled, and do not know it yet. */
  readonly #marked = new Set<Execution>();
  readonly #functions = new Map<FunctionEntry, Loaded>();
  readonly #originals = new Map<FunctionEntry, AnyFunction>();
  readonly checkWrites: boolean;

  constructor(host: InlineHost, checkWrites: boolean) {
    this.#host = host;
    this.#results = new Results(host);
    this.#producers = new Producers(this, new InlineItems(host), () => host.kick());
    this.checkWrites = checkWrites;
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

  suspend(run: Run): void {
    if ((run as Execution).over || run.suspended++ > 0) return;
    this.#host.turns.suspended(this.#leases.get(run) as number);
    this.#host.kick();
  }

  resume(run: Run): void {
    if ((run as Execution).over || run.suspended === 0 || --run.suspended > 0) return;
    this.#host.turns.resumed(this.#leases.get(run) as number);
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

  get active(): ReadonlyMap<number, Execution> {
    return this.#active;
  }

  #loaded(entry: FunctionEntry): Loaded {
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
    run.gpus = gpus;
    run.streamStart = call.stream?.start() ?? null;
    this.#active.set(call.slot, run);
    this.#leases.set(run, lease);
    const { values } = this.#host;
    const files = call.dependencies.flatMap((cell) => (cell.pinned ? values.unopened(cell.value) : []));
    if (files.length === 0) this.#begin(run, loaded, call);
    else {
      void Promise.all(files.map((file) => file.open())).then(() => {
        if (!run.over) this.#begin(run, loaded, call);
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
      args = this.within(run, () => this.#arguments(run, call));
    } catch (error) {
      this.end(run, true, error);
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

  /** As a worker would have them: decoded from the bytes that the call was given, fresh for each run. */
  #arguments(run: Execution, call: Call): unknown[] {
    const { values } = this.#host;
    const { copy } = call.plan;
    const deps = call.dependencies.map((cell) => {
      if (cell.pinned) this.#check(run, cell.value);
      return values.readValue(cell.value, cell.inner, copy);
    });
    const refs = (call.nested ?? NO_CELLS).map((cell: Cell) => this.#host.handle(cell));
    const { shared } = call;
    if (shared === null) {
      const { bytes, start, length } = call;
      return values.decoder.decodeArgs(bytes, start, start + length, { buffers: [], refs, deps });
    }
    this.#check(run, shared);
    const buffers = shared.buffers.map((extent) => values.view(extent, copy));
    const { bodyExtent } = shared;
    if (bodyExtent === null) {
      const { bytes, start, length } = call;
      return values.decoder.decodeArgs(bytes, start, start + length, { buffers, refs, deps });
    }
    const { slot, offset, length } = bodyExtent;
    return values.decoder.decodeArgs(values.store.bytes(slot), offset, offset + length, { buffers, refs, deps });
  }

  /** With `checkWrites`: remembers how to tell, after the run, whether shared memory was written to. */
  #check(run: Execution, value: unknown): void {
    if (!this.checkWrites) return;
    const check = this.#host.values.watchWrites(value as Stored);
    if (check === undefined) return;
    run.checks ??= [];
    run.checks.push(check);
  }

  // ---- ending

  #expire(run: Execution): void {
    if (run.over) return;
    const error = timedOut(run.name, run.timeout);
    outside(() =>
      this.#host.cancelChildren(run, new CancelledError(`the task that called it timed out: ${error.message}`)),
    );
    run.abort(error);
    this.end(run, true, error);
  }

  /** Another run may have the slot by now, if this comes late. What ignores its signal goes on, unheard. */
  cancel({ slot, sequence }: RunId, recursive: boolean): void {
    const run = this.#active.get(slot);
    if (run === undefined || run.sequence !== sequence) return;
    const error = cancelledHere(run.name);
    if (recursive) this.#host.cancelChildren(run, error);
    run.abort(error);
    this.end(run, true, error);
  }

  end(run: Execution, failed: boolean, result: unknown): void {
    if (!run.over) outside(() => this.#end(run, failed, result));
  }

  #end(run: Execution, failed: boolean, result: unknown): void {
    const host = this.#host;
    run.over = true;
    if (run.production !== null) this.#producers.close(run, run.production);
    clearTimeout(run.timer);
    this.#active.delete(run.slot);
    this.#leases.delete(run);
    this.#marked.delete(run);
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
    host.kick();
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
