import { BackPressureError, CancelledError, UsageError } from '../base/index.ts';
import type { FunctionSpec } from '../code/index.ts';
import type { SharedStore } from '../memory/index.ts';
import { Cell, Intake, READY } from '../protocol/index.ts';
import type { CallTarget } from './actor-link.ts';
import type { ActorPool } from './actor-pool.ts';
import type { ArraySettings, EngineWithArrays } from './array-settings.ts';
import { ArgumentArena, Call, FunctionEntry, type Plan } from './call.ts';
import {
  type ActorEngine,
  type ActorPlan,
  ByReference,
  type CurrentTask,
  type EngineWithActors,
  type PackedPlan,
  type Prepared,
  type ResolvedOptions,
} from './engine.ts';
import type { Execution } from './execution.ts';
import { Gathering } from './gathering.ts';
import { IncomingStream } from './incoming-stream.ts';
import type { AnyClass, Hosting } from './loaded.ts';
import type { PoolLimits } from './pool.rules.ts';
import { cellOf, isReference, Reference } from './reference.ts';
import { callSiteOf, lasting, objectSite } from './sites.ts';
import { refuseForce } from './submissions.ts';
import type { TaskHost } from './task-host.ts';
import { INLINE_LIMIT, INLINE_TOTAL } from './values.ts';
import type { WaitLimits } from './waits.ts';

export interface OwnedPlan extends Plan, Prepared {
  /** As in `ResolvedOptions`. */
  readonly internal?: boolean;
}

/** The default engine: the caller owns what its calls return. */
export class OwnedEngine implements EngineWithActors, EngineWithArrays, ActorEngine {
  get actors(): ActorEngine {
    return this;
  }

  readonly host: TaskHost;
  readonly isolation: 'process' | 'thread';
  readonly arrays: ArraySettings | undefined;
  readonly #functions = new Map<string, FunctionEntry>();
  readonly #arena = new ArgumentArena();
  #sequence = 0;

  constructor(host: TaskHost, isolation: 'process' | 'thread', arrays?: ArraySettings) {
    this.host = host;
    this.isolation = isolation;
    this.arrays = arrays;
    host.engine = this;
  }

  get store(): SharedStore {
    return this.host.values.store;
  }

  /** The names of the tasks that were called from here, and of the classes of actors. */
  get called(): ReadonlySet<string> {
    return new Set([...this.#functions.values()].map(({ name }) => name));
  }

  prepare(spec: FunctionSpec, o: ResolvedOptions): OwnedPlan {
    const key = `${spec.digest}\n${o.name}\n${o.maxCalls}`;
    let fn = this.#functions.get(key);
    if (fn === undefined) {
      fn = new FunctionEntry(this.#functions.size, o.name, spec, o.maxCalls);
      this.#functions.set(key, fn);
    }
    return {
      name: o.name,
      fn,
      queue: this.host.party.owner.queue(o.shape),
      retries: o.retries,
      retryErrors: o.retryErrors,
      timeout: o.timeout,
      returns: o.returns,
      copy: o.copy,
      ahead: o.ahead,
      maxPending: o.maxPending,
      pending: 0,
      actor: null,
      internal: o.internal === true,
    };
  }

  pool(
    className: string,
    limits: PoolLimits,
    handles: readonly Reference<unknown>[],
    make: (() => Reference<unknown>) | null,
  ): ActorPool {
    const { actors } = this.host;
    const pool = actors.pool(className, limits);
    const member = (handle: Reference<unknown>) => ({ link: actors.link(this.#own(handle), className), handle });
    for (const handle of handles) pool.add(member(handle).link, handle);
    if (make !== null) pool.fill(() => member(make()));
    return pool;
  }

  prepareMethod(
    target: Reference<unknown> | ActorPool,
    className: string,
    method: string,
    o: ResolvedOptions,
  ): OwnedPlan {
    const actor: CallTarget =
      target instanceof Reference ? this.host.actors.target(this.#own(target), className) : target;
    return {
      name: o.name,
      fn: actor.method(method),
      queue: actor.queue,
      retries: o.retries,
      retryErrors: false,
      timeout: o.timeout,
      returns: o.returns,
      copy: o.copy,
      ahead: o.ahead,
      maxPending: o.maxPending,
      pending: 0,
      actor,
    };
  }

  /** What a class is called by. */
  protected classEntry(spec: FunctionSpec, o: ActorPlan | PackedPlan, _original?: AnyClass): FunctionEntry {
    const actor = hostingOf(o);
    const key = `${spec.digest}\n${o.className}\n${JSON.stringify(actor)}`;
    let fn = this.#functions.get(key);
    if (fn === undefined) {
      fn = new FunctionEntry(this.#functions.size, o.className, spec, 1, { actor });
      this.#functions.set(key, fn);
    }
    return fn;
  }

  create(
    spec: FunctionSpec,
    o: ActorPlan | PackedPlan,
    args: readonly unknown[],
    original?: AnyClass,
  ): Reference<unknown> {
    const { host } = this;
    if (o.detached && host.role === 'worker') return this.#createElsewhere(spec, o, args);
    const plan: OwnedPlan = {
      name: o.className,
      fn: this.classEntry(spec, o, original),
      queue: host.party.owner.queue(o.shape),
      retries: o.restarts,
      retryErrors: false,
      timeout: 0,
      returns: 0,
      copy: false,
      ahead: 0,
      maxPending: Number.POSITIVE_INFINITY,
      pending: 0,
      actor: null,
    };
    const run = host.executions?.current();
    const call = this.#newCall(plan, args, run);
    const cell = call.results as Cell;
    call.resident = true;
    const handle = new Reference<unknown>(host, cell, run?.holder);
    run?.adopt(handle);
    cell.handle = new WeakRef(handle);
    Reference.watch(handle);
    call.actorId = host.promote(cell);
    const link = this.host.actors.link(cell, o.className);
    this.host.actors.made = true;
    const begin = (): void => {
      if (o.detached) this.host.actors.keep(cell);
      host.control({ type: 'create-actor', id: call.actorId as string, namespace: o.namespace, name: o.name });
      host.submit(call);
    };
    // As long as the actor lives: whose method has made it may have the handle, and is not to be kept by it.
    call.site = lasting(callSiteOf(this.create));
    // Whoever has asked for it hears what becomes of it.
    const known = 'known' in o ? o.known : undefined;
    if (known !== undefined) cell.observed = true;
    const { namespace, name, join } = o;
    if (name !== null) {
      void host.actors.claim(link, { namespace, name, join }, begin, () => host.endings.refused(call), known);
      return handle;
    }
    begin();
    known?.({ id: call.actorId, of: o.className });
    return handle;
  }

  /** One that is to outlive the worker on which this task runs has the driver as its owner. */
  #createElsewhere(spec: FunctionSpec, o: ActorPlan, args: readonly unknown[]): Reference<unknown> {
    const { host } = this;
    const run = host.executions?.current();
    // Values from here on, which stay when those die who own them here.
    const wrapped = args.flatMap((arg, i) => (ByReference.is(arg) ? [i] : []));
    const all = this.gather(
      null,
      args.map((arg) => (ByReference.is(arg) ? [arg.ref] : arg)),
    );
    const cell = new Cell();
    const handle = new Reference<unknown>(host, cell, run?.holder);
    run?.adopt(handle);
    cell.handle = new WeakRef(handle);
    Reference.watch(handle);
    host.promote(cell);
    void host.actors.createElsewhere(host.actors.link(cell, o.className), spec, o, cellOf(all), wrapped);
    all.release();
    return handle;
  }

  async lookup(className: string, namespace: string, name: string): Promise<Reference<unknown> | undefined> {
    const { host } = this;
    const cell = await this.host.actors.lookup(className, namespace, name);
    if (cell === undefined) return undefined;
    const handle = host.handle(cell);
    host.drop(cell);
    this.host.actors.link(cell, className);
    return handle;
  }

  ready(handle: Reference<unknown>, className: string): Promise<void> {
    return this.host.actors.link(this.#own(handle), className).until('ready');
  }

  drain(handle: Reference<unknown>, className: string): Promise<void> {
    return this.host.actors.link(this.#own(handle), className).drain();
  }

  submit(task: Prepared, args: readonly unknown[]): Reference<unknown> | Reference<unknown>[] | IncomingStream {
    const plan = task as OwnedPlan;
    const { host } = this;
    const run = host.executions?.current();
    const call = this.#newCall(plan, args, run);
    if (plan.ahead > 0) return this.#open(plan, call, run);

    if (plan.returns === 0) {
      const handle = new Reference<unknown>(host, call.results as Cell);
      call.handles = handle;
      if (run !== undefined) {
        call.parent = run;
        run.adopt(handle);
      }
      this.#submit(call, plan);
      // On its way first: a stack takes longer than all the rest.
      if (plan.internal !== true) this.#sited(call, this.submit);
      return handle;
    }
    const handles = (call.results as readonly Cell[]).map((cell) => new Reference<unknown>(host, cell));
    call.handles = handles;
    if (run !== undefined) {
      call.parent = run;
      for (const handle of handles) run.adopt(handle);
    }
    this.#submit(call, plan);
    this.#sited(call, this.submit);
    return handles;
  }

  #submit(call: Call, { actor }: OwnedPlan): void {
    this.host.submit(call);
    if (actor !== null) this.host.actors.submitted(call, actor);
  }

  /** Remembers where it was called, of a few calls. */
  #sited(call: Call, skip: (...args: never[]) => unknown): void {
    call.site = callSiteOf(skip);
    if (call.shared !== null) this.host.origins?.sent(call, call.shared);
  }

  #open(plan: OwnedPlan, call: Call, run: Execution | undefined): IncomingStream {
    const { host } = this;
    const cell = call.results as Cell;
    call.stream = new Intake(plan.ahead);
    const end = new Reference<unknown>(host, cell);
    // The call does not keep it: a stream that nobody can read any more is to end.
    cell.handle = new WeakRef(end);
    Reference.watch(end);
    if (run !== undefined) {
      call.parent = run;
      run.adopt(end);
    }
    this.#submit(call, plan);
    this.#sited(call, this.submit);
    return new IncomingStream(host, call, call.stream, end);
  }

  #newCall(plan: OwnedPlan, args: readonly unknown[], run: Execution | undefined): Call {
    const { host } = this;
    if (host.closed) throw new CancelledError(`${plan.name} was called after its session was closed`);
    const pending = plan.actor?.pending ?? plan.pending;
    if (pending >= plan.maxPending) {
      throw new BackPressureError(
        `${plan.name} has ${pending} calls pending, as many as maxPending allows; await some of them first, or use .map()`,
        { details: { task: plan.name, maxPending: plan.maxPending } },
      );
    }
    let rich = false;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      // A function may be a task, whose captured values are as rich as any.
      if ((typeof arg === 'object' && arg !== null) || typeof arg === 'function') {
        rich = true;
        break;
      }
    }
    const call = rich ? this.#richCall(plan, args, run) : this.#plainCall(plan, args, run);
    // The actor lives at least as long as what it was called for.
    if (plan.actor !== null) call.uses = call.uses.length === 0 ? plan.actor.uses : [...call.uses, ...plan.actor.uses];
    return call;
  }

  #results(plan: OwnedPlan): Cell | Cell[] {
    if (plan.returns === 0) return new Cell();
    return Array.from({ length: plan.returns }, () => new Cell());
  }

  #call(plan: OwnedPlan, run: Execution | undefined, bytes: Uint8Array, start: number, length: number): Call {
    const results = this.#results(plan);
    const depth = run === undefined ? 0 : run.depth + 1;
    const call = new Call(plan, results, depth, ++this.#sequence, bytes, start, length);
    call.eachResult((cell) => {
      cell.task = call;
    });
    return call;
  }

  #plainCall(plan: OwnedPlan, args: readonly unknown[], run: Execution | undefined): Call {
    const encoded = this.host.values.encoder.encodeArgs(args, undefined, INLINE_LIMIT, INLINE_TOTAL);
    if (!encoded.inline) return this.#richCall(plan, args, run);
    const bytes = this.#arena.add(encoded.bytes, encoded.length);
    return this.#call(plan, run, bytes, this.#arena.start, encoded.length);
  }

  /** Arguments that may hold references or much binary data. */
  #richCall(plan: OwnedPlan, args: readonly unknown[], run: Execution | undefined): Call {
    const { host } = this;
    // In the order of their numbers.
    let dependencies: Map<Cell, number> | undefined;
    const plain = args.map((arg) => (ByReference.is(arg) ? arg.ref : arg));
    // Said here, because the encoder would wrap what its visitor throws.
    for (const arg of plain) if (isReference(arg)) this.#own(arg);
    const slot = (arg: object): number => {
      if (!isReference(arg)) return -1;
      const cell = this.#own(arg);
      dependencies ??= new Map();
      const known = dependencies.get(cell);
      if (known !== undefined) return known;
      dependencies.set(cell, dependencies.size);
      return dependencies.size - 1;
    };
    // A reference given both as a value and as a reference is told apart by its place.
    const encoded = host.values.encoder.encodeArgs(
      plain,
      (arg, place) => (ByReference.is(args[place]) ? -1 : slot(arg)),
      INLINE_LIMIT,
      INLINE_TOTAL,
    );
    const refs = encoded.refs as readonly Reference<unknown>[];
    const nested = refs.map((ref) => this.#own(ref));
    encoded.refs = [];

    let call: Call;
    if (encoded.buffers.length > 0 || !encoded.inline) {
      const stored = host.values.stored(encoded);
      const body = stored.body ?? EMPTY;
      call = this.#call(plan, run, body, 0, body.length);
      call.shared = stored;
    } else {
      const bytes = this.#arena.add(encoded.bytes, encoded.length);
      call = this.#call(plan, run, bytes, this.#arena.start, encoded.length);
    }
    if (nested.length > 0) {
      call.nested = nested;
      for (const ref of refs) Reference.watch(ref);
      for (const cell of nested) host.promote(cell);
    }
    if (dependencies !== undefined) call.dependencies = [...(dependencies as Map<Cell, number>).keys()];
    call.uses = nested.length === 0 ? call.dependencies : [...call.dependencies, ...nested];
    return call;
  }

  /** The cell of a reference that belongs to this session. */
  #own(ref: Reference<unknown>): Cell {
    const cell = cellOf(ref);
    if (Reference.host(ref) !== this.host) {
      throw new UsageError('the Ref belongs to another session; fetch its value there, and pass that');
    }
    cell.observed = true;
    return cell;
  }

  put(value: unknown): Reference<unknown> {
    const { host } = this;
    if (host.closed) throw new CancelledError('put was called after the session was closed');
    const run = host.executions?.current();
    const cell = new Cell();
    const kept = host.values.keep(value, 'value');
    if (kept.pinned) host.origins?.kept('put', kept.value, objectSite(this.put));
    cell.state = READY;
    cell.value = kept.value;
    cell.pinned = kept.pinned;
    cell.inner = kept.inner;
    for (const each of kept.inner) host.party.references.hold(each);
    const handle = new Reference<unknown>(host, cell);
    if (kept.pinned || kept.inner.length > 0) Reference.watch(handle);
    run?.adopt(handle);
    return handle;
  }

  gather(keys: readonly string[] | null, items: readonly unknown[]): Reference<unknown> {
    const { host } = this;
    const { references } = host.party;
    const cells = items.map((item) => {
      if (isReference(item)) {
        const cell = this.#own(item);
        Reference.watch(item);
        references.hold(cell);
        return cell;
      }
      const cell = new Cell();
      const kept = host.values.keep(item, 'item');
      if (kept.pinned) host.origins?.kept('all', kept.value, objectSite(this.gather));
      cell.state = READY;
      cell.value = kept.value;
      cell.pinned = kept.pinned;
      cell.inner = kept.inner;
      for (const each of kept.inner) references.hold(each);
      return cell;
    });
    const result = new Cell();
    const handle = new Reference<unknown>(host, result);
    host.executions?.current()?.adopt(handle);
    new Gathering(host, result, keys, cells).begin();
    Reference.watch(handle);
    return handle;
  }

  settled(refs: readonly Reference<unknown>[], count: number, failFast: boolean, limits: WaitLimits): Promise<boolean> {
    const cells = refs.map(cellOf);
    for (const cell of cells) cell.observed = true;
    return this.host.waits.settled(cells, count, failFast, limits);
  }

  cancel(ref: Reference<unknown>, error: Error, force: boolean, recursive: boolean): void {
    const cell = cellOf(ref);
    if (force) refuseForce(cell);
    this.host.cancel(cell, error, force, recursive);
  }

  current(): CurrentTask | undefined {
    const run = this.host.executions?.current();
    return run === undefined ? undefined : new Current(this.host, run);
  }
}

const EMPTY = new Uint8Array(0);

/** How the class of an actor is to be hosted. */
export function hostingOf(o: ActorPlan | PackedPlan): Hosting {
  return { ...o.concurrency, shared: o.shape.shared === true, packed: 'packed' in o ? o.packed : null };
}

class Current implements CurrentTask {
  readonly #host: TaskHost;
  readonly #run: Execution;

  constructor(host: TaskHost, run: Execution) {
    this.#host = host;
    this.#run = run;
  }

  get id(): string {
    const { caller, sequence } = this.#run;
    return `${this.#host.self.node}-${caller}-${sequence}`;
  }

  get name(): string {
    return this.#run.name;
  }

  get attempt(): number {
    return this.#run.attempt;
  }

  get node(): string {
    return this.#host.self.node;
  }

  get worker(): string {
    return `${this.#host.self.party}.${this.#host.self.incarnation}`;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get gpus(): readonly number[] {
    return this.#run.gpus;
  }

  cancelled(): boolean {
    return this.#run.cancelled();
  }

  random(): number {
    return this.#run.random();
  }
}
