import { ActorDiedError, CancelledError } from '../base/index.ts';
import { type ActorNews, type Cell, type KeyQueue, type Shape, Timing } from '../protocol/index.ts';
import { FunctionEntry } from './call.ts';
import { lasting } from './sites.ts';
import type { TaskHost } from './task-host.ts';
import type { Wire } from './values.ts';

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

export function diedError(name: string, why: string, cause?: unknown): ActorDiedError {
  const options = cause === undefined ? {} : { cause };
  return lasting(
    new ActorDiedError(`the actor ${name} can't be called: ${why}`, { ...options, details: { actor: name } }),
  );
}
