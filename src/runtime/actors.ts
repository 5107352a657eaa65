import { ActorDiedError, CancelledError, SheafError, UnschedulableError, UsageError } from '../base/index.ts';
import type { FunctionSpec } from '../code/index.ts';
import {
  type ActorNews,
  type Cell,
  type KeyQueue,
  NO_CELLS,
  type Shape,
  type TaskRecord,
  Timing,
} from '../protocol/index.ts';
import { ActorPool } from './actor-pool.ts';
import { type Call, FunctionEntry } from './call.ts';
import { type ActorPlan, actorsOf } from './engine.ts';
import type { CreateQuestion, NameAnswer } from './host-messages.ts';
import type { PoolLimits } from './pool.rules.ts';
import { lasting } from './sites.ts';
import type { TaskHost } from './task-host.ts';
import { isShared, type Wire } from './values.ts';

/** Calls of an actor run where it is: what they need in cores and memory is the actor's. None of them can be run again as if nothing
 * had happened, which `exclusive` says. */
export const CALLS: Shape = { cpus: 0, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: true };

type State = ActorNews<Wire>['state'];

/** What calls have to do with: an actor, or a pool of them, as one party that calls it knows it. */
export interface CallTarget {
  readonly name: string;
  readonly queue: KeyQueue;
  /** Held by each call until it is over. */
  readonly uses: readonly Cell[];
  /** Calls that are not over. */
  pending: number;
  /** Why it takes no calls any more; undefined while it does. */
  readonly refusal: Error | undefined;
  /** It is being made: its constructor or `[init]` is not over. */
  readonly making?: boolean;
  method(name: string): FunctionEntry;
  /** A call has been made, or is over. */
  began(): void;
  ended(): void;
}

/** A line of calls to an actor beside its link's own. */
export interface LineBeside {
  readonly queue: KeyQueue;
  /** Something was heard of the actor. */
  changed(link: ActorLink): void;
  /** Whether calls of it are under way to the actor, or can go nowhere else. */
  hasCallsOf(link: ActorLink): boolean;
}

/** The methods of one target. Their calls keep their order, because they share one `Timing`. */
export class Methods {
  readonly #host: TaskHost;
  readonly #name: string;
  readonly #target: (() => string) | null;
  readonly #timing = new Timing();
  readonly #entries = new Map<string, FunctionEntry>();

  /** `target`: the id of the actor, once there are calls to be sent; null for a pool, each of which has a worker of its own. */
  constructor(host: TaskHost, name: string, target: (() => string) | null) {
    this.#host = host;
    this.#name = name;
    this.#target = target;
  }

  get(name: string): FunctionEntry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      const number = this.#host.actors.methodNumber();
      const options = { timing: this.#timing, method: name, target: this.#target };
      entry = new FunctionEntry(number, `${this.#name}.${name}`, null, 0, options);
      this.#entries.set(name, entry);
    }
    return entry;
  }
}

/** An actor as one party that calls it knows it: where it is, and the line of calls to it. */
export class ActorLink implements CallTarget {
  readonly #host: TaskHost;
  /** The reference that stands for it: whoever holds it keeps the actor. */
  readonly cell: Cell;
  readonly uses: readonly Cell[];
  readonly queue: KeyQueue;
  name: string;
  readonly #methods: Methods;
  #watching = false;
  #state: State = 'pending';
  making = false;
  /** Why it died; the host's error. */
  #error: Error | null = null;
  #ended = false;
  #draining = false;
  /** Its name is asked for: nothing is sent before it has one. */
  #unnamed = false;
  #joined: string | null = null;
  /** Where it is; negative: nowhere. */
  worker = -1;
  incarnation = -1;
  /**
   * Of the pools that it is in here, and of those who have a line of their own, by their queues. It keeps none of them: pools keep it, and
   * end when nobody has them any more.
   */
  readonly #beside = new Map<KeyQueue, WeakRef<LineBeside>>();
  readonly #waiters: { state: 'ready' | 'dead'; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(host: TaskHost, cell: Cell, name: string) {
    this.#host = host;
    this.cell = cell;
    this.uses = [cell];
    this.name = name;
    this.#methods = new Methods(host, name, () => this.id);
    this.queue = host.party.owner.orderedQueue(CALLS);
  }

  /** That of the actor that it is, which may be another one than was to be created. */
  get id(): string {
    return this.#joined ?? this.#host.promote(this.cell);
  }

  /** It is that one. */
  join(id: string): void {
    this.#joined = id;
    this.#watching = false;
    this.known();
    if (this.#draining) this.#host.control({ type: 'drain-actor', id });
  }

  method(name: string): FunctionEntry {
    return this.#methods.get(name);
  }

  /** Calls of it that are not over. */
  pending = 0;

  /** Why it takes no calls any more; undefined while it does. */
  get refusal(): Error | undefined {
    if (this.#error !== null) return this.#error;
    if (this.#ended) return diedError(this.name, 'it has ended: it was drained, or let go');
    if (this.#state === 'closing') return diedError(this.name, 'it is being drained and takes no more calls');
    return undefined;
  }

  joined(line: LineBeside): void {
    const { owner } = this.#host.party;
    for (const [queue, known] of this.#beside) {
      if (known.deref() !== undefined) continue;
      this.#beside.delete(queue);
      if (this.worker >= 0) owner.detach(queue, this.worker, this.incarnation);
    }
    this.#beside.set(line.queue, new WeakRef(line));
  }

  left(line: LineBeside): void {
    this.#beside.delete(line.queue);
  }

  /** Hears of it from now on. */
  watch(): void {
    if (this.#watching || this.#unnamed) return;
    this.#watching = true;
    // Whoever calls it hears of its failure.
    this.cell.observed = true;
    this.#host.control({ type: 'watch-actor', id: this.id });
    this.#host.reactor.kick();
  }

  /** While its name is asked for, it is where nobody can reach it. */
  unnamed(): void {
    this.#unnamed = true;
  }

  known(): void {
    this.#unnamed = false;
    if (this.busy || this.#waiters.length > 0) this.watch();
  }

  /** When it is ready, or dead; a death rejects it unless that is what is waited for: that it ends otherwise than it was to. */
  until(state: 'ready' | 'dead'): Promise<void> {
    if (this.#isOver())
      return state === 'dead' || this.#error === null ? Promise.resolve() : Promise.reject(this.#error);
    if (state === 'ready' && this.#state === 'ready') return Promise.resolve();
    if (this.#host.closed) return Promise.reject(new CancelledError(`${this.name} ended with its session`));
    this.watch();
    this.#host.waits.waiting++;
    this.#host.actors.awaited.add(this);
    return new Promise((resolve, reject) => this.#waiters.push({ state, resolve, reject }));
  }

  #isOver(): boolean {
    return this.#error !== null || this.#ended;
  }

  news(news: ActorNews<Wire>): void {
    if (this.#isOver()) return;
    const wasClosing = this.#state === 'closing';
    this.#state = news.state;
    this.making = news.state === 'hosted' || (news.state === 'closing' && news.making === true);
    switch (news.state) {
      case 'pending':
        this.#moved(-1, -1);
        break;
      case 'hosted':
      case 'ready':
      case 'closing':
        this.#moved(news.worker, news.incarnation);
        break;
      case 'dead':
        if (news.why === null) this.#ended = true;
        else this.#error = this.#host.actors.errorOf(this.name, news.why);
        this.#failAll();
        break;
    }
    this.#wake(wasClosing);
    for (const line of [...this.#beside.values()]) line.deref()?.changed(this);
  }

  #moved(worker: number, incarnation: number): void {
    const { owner } = this.#host.party;
    const before = { worker: this.worker, incarnation: this.incarnation };
    if (before.worker === worker && before.incarnation === incarnation) return;
    this.worker = worker;
    this.incarnation = incarnation;
    for (const queue of [this.queue, ...this.#beside.keys()]) {
      if (before.worker >= 0) owner.detach(queue, before.worker, before.incarnation);
      if (worker >= 0) owner.attach(queue, worker, incarnation);
    }
  }

  /** It can't be had: its name is taken, say. */
  fail(error: Error): void {
    if (this.#isOver()) return;
    this.#unnamed = false;
    this.#error = error;
    this.#failAll();
    this.#wake();
    for (const line of [...this.#beside.values()]) line.deref()?.changed(this);
  }

  #failAll(): void {
    const { owner } = this.#host.party;
    const error = this.refusal as Error;
    const { worker, incarnation } = this;
    // What has not begun comes back: others of a pool do it.
    this.#moved(-1, -1);
    owner.failLine(this.queue, () => error);
    // What it was at when it died is told by the death of its worker; one that goes on does so unheard.
    for (const queue of [this.queue, ...this.#beside.keys()]) {
      for (const task of [...owner.inFlight]) {
        const lease = task?.lease;
        if (task?.key !== queue || lease?.worker !== worker || lease.incarnation !== incarnation) continue;
        owner.cancel(task, error, false);
      }
    }
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  get over(): boolean {
    return this.#isOver();
  }

  /** Calls of it that are under way or wait here, those of pools included. */
  get busy(): boolean {
    if (this.pending > 0) return true;
    for (const line of this.#beside.values()) if (line.deref()?.hasCallsOf(this)) return true;
    return false;
  }

  /** Says, when it is being drained, that it has no call from here left. */
  tellIfQuiet(): void {
    if (this.#state === 'closing') this.#host.actors.tellIfQuiet(this.id);
  }

  began(): void {
    this.watch();
  }

  /** `wasClosing`: it was to end in order, and a failure is one of that. */
  #wake(wasClosing = false): void {
    const over = this.#isOver();
    for (const waiter of this.#waiters.splice(0)) {
      const fails = waiter.state === 'ready' || wasClosing;
      if (over && fails && this.#error !== null) waiter.reject(this.#error);
      else if (over || (waiter.state === 'ready' && this.#state === 'ready')) waiter.resolve();
      else {
        this.#waiters.push(waiter);
        continue;
      }
      this.#host.waits.waiting--;
    }
    if (this.#waiters.length === 0) this.#host.actors.awaited.delete(this);
  }

  /** A call is over: whether that was the last one of an actor that is being drained. */
  ended(): void {
    this.pending--;
    this.tellIfQuiet();
  }

  drain(): Promise<void> {
    const ended = this.until('dead');
    if (!this.#isOver()) {
      this.#draining = true;
      this.#host.control({ type: 'drain-actor', id: this.id });
      this.#host.reactor.kick();
    }
    return ended;
  }

  /** What those wait for who await `ready`, or its end. */
  get waitsFor(): string {
    const on = `on worker ${this.worker}`;
    if (this.making) return `${this.#awaited} waits for its constructor or \`[init]\`, which is not over ${on}`;
    if (this.#state === 'pending') return `${this.#awaited} waits for a worker that hosts it`;
    if (this.worker < 0) return `${this.#awaited} waits for its disposal`;
    return `${this.#awaited} waits for the calls that were made before, ${on}`;
  }

  get #awaited(): string {
    const ends = this.#waiters.some(({ state }) => state === 'dead');
    return `${ends ? 'drain()' : '`ready`'} of the actor ${this.name}`;
  }

  close(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) {
      this.#host.waits.waiting--;
      if (waiter.state === 'dead') waiter.resolve();
      else waiter.reject(error);
    }
  }
}

/** `has`: the class of the actor that has the name. */
function nameTaken(
  actor: string,
  { namespace, name, join }: { readonly namespace: string; readonly name: string; readonly join: boolean },
  has: string | null,
): UsageError {
  const taken = `the name ${JSON.stringify(name)} is taken in namespace ${JSON.stringify(namespace)}`;
  const text =
    join && has !== null && has !== actor
      ? `the actor ${actor} was not created: ${taken}, by an actor of the class ${has}, which ${actor} is not; give another one, or ` +
        `get that actor by its own class: ${has}.lookup(${JSON.stringify(name)})`
      : `the actor ${actor} was not created: ${taken}; give another one, or { getIfExists: true } to get the actor that has it`;
  const others = has === null || has === actor ? {} : { has };
  const details = { actor, name, namespace, ...others };
  return lasting(new UsageError(text, { code: 'ERR_SHEAF_ACTOR_NAME', details }));
}

function ofOtherClass(actor: string, namespace: string, name: string, has: string): UsageError {
  const text =
    `the actor ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)} is of the class ${has}, and was looked up as one of ` +
    `${actor}; look it up by its own class: ${has}.lookup(${JSON.stringify(name)})`;
  return lasting(new UsageError(text, { code: 'ERR_SHEAF_ACTOR_NAME', details: { actor, has, name, namespace } }));
}

export function diedError(name: string, why: string, cause?: unknown): ActorDiedError {
  const options = cause === undefined ? {} : { cause };
  return lasting(
    new ActorDiedError(`the actor ${name} can't be called: ${why}`, { ...options, details: { actor: name } }),
  );
}

/** The actors that one party calls, or owns. */
export class Actors {
  readonly #host: TaskHost;
  readonly #links = new WeakMap<Cell, ActorLink>();
  /** Some have been created here. */
  made = false;
  /** Those that somebody waits for. */
  readonly awaited = new Set<ActorLink>();

  constructor(host: TaskHost) {
    this.#host = host;
  }

  link(cell: Cell, name: string): ActorLink {
    let link = this.#links.get(cell);
    if (link === undefined) {
      link = new ActorLink(this.#host, cell, name);
      this.#links.set(cell, link);
    }
    return link;
  }

  /** What whoever calls the actor just now makes his calls to. */
  target(cell: Cell, name: string): CallTarget {
    return this.link(cell, name);
  }

  news(news: ActorNews<Wire>): void {
    const links = this.#linksOf(news.id);
    if (news.state === 'dead') this.#aliases.delete(news.id);
    for (const link of links) link.news(news);
    // It was called from here once, and perhaps is not any more.
    if (news.state === 'closing') this.tellIfQuiet(news.id);
  }

  /** All that is known here of an actor: more than one where it was got by its name. */
  #linksOf(id: string): ActorLink[] {
    const { references } = this.#host.party;
    const cell = references.owned.get(id) ?? references.borrowed.get(id);
    const own = cell === undefined ? undefined : this.#links.get(cell);
    const links = this.#aliases.get(id)?.flatMap((ref) => ref.deref() ?? []) ?? [];
    if (own !== undefined) links.push(own);
    return links;
  }

  /** Says, of one that is being drained, that it has no call from here left, by whatever handle. */
  tellIfQuiet(id: string): void {
    if (this.#linksOf(id).every((link) => !link.busy)) this.#host.control({ type: 'quiet-actor', id });
  }

  /** By the id of the actor: what was to be another one, here or elsewhere, and turned out to be it. */
  readonly #aliases = new Map<string, WeakRef<ActorLink>[]>();

  #alias(link: ActorLink, of: string): void {
    const known = this.#aliases.get(of)?.filter((each) => each.deref() !== undefined) ?? [];
    this.#aliases.set(of, [...known, new WeakRef(link)]);
    link.join(of);
    link.watch();
  }

  /** What is known here as `id` is the actor `of`. Whoever gave it away keeps that as long as it is held here. */
  joined(id: string, of: string): void {
    const { references } = this.#host.party;
    const cell = references.owned.get(id) ?? references.borrowed.get(id);
    const link = cell === undefined ? undefined : this.#links.get(cell);
    if (link !== undefined) this.#alias(link, of);
  }

  /**
   * Has the name looked up that a new actor is to have. `begin` is called when it has got it; `join`: otherwise its reference
   * becomes that of whoever has it, or has failed, of which `refused` is told.
   */
  async claim(
    link: ActorLink,
    { namespace, name, join }: { readonly namespace: string; readonly name: string; readonly join: boolean },
    begin: () => void,
    refused: () => void,
    known: (answer: NameAnswer) => void = () => {},
  ): Promise<void> {
    const host = this.#host;
    link.unnamed();
    const { references } = host.party;
    // Nobody else holds it until the answer is there.
    references.hold(link.cell);
    try {
      const { id, of } = await host.nameActor({ namespace, name, id: link.id, of: link.name, join });
      if (host.closed) return;
      if (id === null) {
        begin();
        link.known();
        known({ id: link.id, of: link.name });
      } else if (join && of === link.name) {
        this.#join(link, id);
        known({ id, of });
      } else {
        this.#refuse(link, nameTaken(link.name, { namespace, name, join }, of));
        refused();
        known({ id: null, of });
      }
      host.settleUp();
      host.reactor.kick();
    } catch (error) {
      link.fail(error as Error);
    } finally {
      host.drop(link.cell);
    }
  }

  /** Like a task that returns a reference: whoever holds the one holds the other, which the control thread has given. */
  #join(link: ActorLink, id: string): void {
    const { references } = this.#host.party;
    const other = references.served(id);
    references.delegate(link.cell, other);
    this.#host.control({ type: 'alias-actor', id: link.id, of: id });
    this.#alias(link, id);
  }

  /** Those who were given it meanwhile hear of that, too. */
  #refuse(link: ActorLink, error: Error): void {
    const { id } = link;
    link.fail(error);
    this.#host.party.references.settle(link.cell, true, error, false, NO_CELLS);
    this.#host.control({ type: 'create-actor', id, namespace: '', name: null });
    this.#host.control({ type: 'actor-over', id, why: this.#host.values.toWire(error) });
  }

  /** Has the driver create a detached actor, which is to outlive this worker. `args` is one array of them, as in `PackedPlan`. */
  async createElsewhere(
    link: ActorLink,
    spec: FunctionSpec,
    plan: ActorPlan,
    args: Cell,
    packed: readonly number[],
  ): Promise<void> {
    const host = this.#host;
    const { references } = host.party;
    link.unnamed();
    references.hold(link.cell);
    references.hold(args);
    try {
      const wish = { spec, plan, args: host.promote(args), packed };
      const { id, of } = await (host.createDetached?.(wish) ?? Promise.resolve({ id: null, of: null }));
      if (host.closed) return;
      if (id !== null) this.#join(link, id);
      // The driver has one of its own that fails, of which it tells if nobody looks.
      else this.#refuse(link, nameTaken(link.name, { ...plan, name: plan.name ?? '' }, of));
      host.settleUp();
      host.reactor.kick();
    } finally {
      host.drop(args);
      host.drop(link.cell);
    }
  }

  /** Creates what a worker has asked for in that way; `known` is told which actor it is in the end. */
  createFor({ spec, plan, args, packed }: CreateQuestion, known: (answer: NameAnswer) => void): void {
    const host = this.#host;
    const cell = host.party.references.served(args);
    actorsOf(host.engine)?.create(spec, { ...plan, packed, known }, [host.handle(cell)]);
    host.drop(cell);
    host.settleUp();
    host.reactor.kick();
  }

  /** The reference of the actor of a class that has the name; held once. Undefined when nobody has. */
  async lookup(className: string, namespace: string, name: string): Promise<Cell | undefined> {
    const { id, of } = await this.#host.nameActor({ namespace, name, id: null, of: className, join: true });
    if (id === null) return undefined;
    if (of !== className) throw ofOtherClass(className, namespace, name, of ?? '');
    return this.#host.party.references.served(id);
  }

  /** A call of an actor has been handed to the protocol. */
  submitted(call: Call, target: CallTarget): void {
    const { refusal } = target;
    if (refusal !== undefined) this.#host.party.owner.cancel(call, refusal, false);
    else target.began();
  }

  #methodCount = 0;

  /** One number for each method of each actor: a worker may host several. */
  methodNumber(): number {
    return this.#methodCount++;
  }

  pool(name: string, limits: PoolLimits): ActorPool {
    return new ActorPool(this.#host, new Methods(this.#host, name, null), name, limits);
  }

  /** Nobody has the actor any more that the task hosts. */
  unheld(call: Call): void {
    const id = call.actorId as string;
    queueMicrotask(() => {
      const host = this.#host;
      if (host.closed) return;
      // One that has not begun need not.
      if (call.lease === null)
        host.party.owner.cancel(call, lasting(new CancelledError(`the actor ${call.name} was let go`)), false);
      else host.control({ type: 'drain-actor', id });
      host.settleUp();
      host.reactor.kick();
    });
  }

  /** An actor that is to live on without handles, until it is drained. */
  keep(cell: Cell): void {
    this.#host.party.references.hold(cell);
    this.#detached.add(cell);
  }

  readonly #detached = new Set<Cell>();

  /** The task that hosted an actor is over. */
  over(call: Call, failed: boolean): void {
    const { values } = this.#host;
    const cell = call.results as Cell;
    const { value } = cell;
    if (this.#detached.delete(cell)) this.#host.drop(cell);
    let why: Wire | null = null;
    if (failed) {
      const known = value !== undefined && !isShared(value);
      why = values.toWire(known ? value : new ActorDiedError(`the actor ${call.name} failed`));
    }
    if (!this.#host.closed) this.#host.control({ type: 'actor-over', id: call.actorId as string, why });
  }

  errorOf(name: string, why: Wire): Error {
    const { values } = this.#host;
    let cause: unknown;
    try {
      const { value } = values.fromWire(why);
      cause = values.readValue(value, NO_CELLS, true);
    } catch (error) {
      cause = error;
    }
    if (cause instanceof ActorDiedError || cause instanceof UnschedulableError) return cause;
    // Errors of this library say what they are in their text.
    const text = cause instanceof SheafError ? cause.message : String(cause);
    return diedError(name, `it died: ${text}`, cause);
  }

  /** The error for a call that was under way when the worker of its actor died. */
  died(task: TaskRecord, reason: string): Error {
    const call = task as Call;
    const { name } = call.plan.actor as CallTarget;
    const attempts = call.attempt + 1;
    const again =
      attempts === 1
        ? 'so it was not called again (option `callRetries` of the actor)'
        : `and it had been called ${attempts} times by then, as often as it may be (option \`callRetries\` of the actor, or \`retries\` of the call)`;
    return lasting(
      new ActorDiedError(
        `the worker of the actor ${name} died while ${call.name} was under way: ${reason}; whether it has had an effect is not ` +
          `known, ${again}; the actor may go on, if it has \`restarts\` left`,
        { details: { actor: name, method: call.name, attempts, reason } },
      ),
    );
  }

  close(error: Error): void {
    for (const each of this.awaited) each.close(error);
    this.awaited.clear();
  }
}
