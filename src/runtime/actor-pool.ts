import { type Cell, type KeyQueue, NO_CELLS } from '../protocol/index.ts';
import { type ActorLink, CALLS, type CallTarget, diedError, type LineBeside, type Methods } from './actor-link.ts';
import type { FunctionEntry } from './call.ts';
import { type PoolLimits, PoolSize } from './pool.rules.ts';
import type { Reference } from './reference.ts';
import type { TaskHost } from './task-host.ts';

/**
 * Equal actors behind one handle. Their calls share one queue: each goes to the replica with the fewest under way, and what a
 * replica has not begun when it dies goes to another. It grows and shrinks as `PoolSize` says.
 */
export class ActorPool implements CallTarget, LineBeside {
  readonly #host: TaskHost;
  readonly name: string;
  readonly queue: KeyQueue;
  readonly uses: readonly Cell[] = NO_CELLS;
  readonly #methods: Methods;
  readonly #size: PoolSize;
  /** With their handles, which keep them: a call that is not over keeps its pool, and so these. */
  readonly #members = new Map<ActorLink, { readonly handle: Reference<unknown>; ready: boolean }>();
  readonly #limits: PoolLimits;
  /** Makes one more; null for a pool that came from elsewhere, which stays as it is. */
  #make: (() => { link: ActorLink; handle: Reference<unknown> }) | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;
  #failure: Error | undefined;
  pending = 0;

  constructor(host: TaskHost, methods: Methods, name: string, limits: PoolLimits) {
    this.#host = host;
    this.#methods = methods;
    this.name = name;
    this.#limits = limits;
    this.#size = new PoolSize(limits);
    this.queue = host.party.owner.orderedQueue(CALLS);
  }

  method(name: string): FunctionEntry {
    return this.#methods.get(name);
  }

  get handles(): Reference<unknown>[] {
    return [...this.#members.values()].map(({ handle }) => handle);
  }

  get limits(): PoolLimits {
    return this.#limits;
  }

  get refusal(): Error | undefined {
    if (this.#closing) return diedError(this.name, 'the pool is being drained, or has been, and takes no more calls');
    if (this.#failure !== undefined && this.#members.size === 0) return this.#failure;
    return undefined;
  }

  /** Begins with as many as it has at least; `make` creates one. */
  fill(make: () => { link: ActorLink; handle: Reference<unknown> }): void {
    this.#make = make;
    this.#look();
  }

  add(link: ActorLink, handle: Reference<unknown>): void {
    this.#members.set(link, { handle, ready: false });
    this.#size.made(1);
    link.joined(this);
    link.watch();
    if (link.worker >= 0) this.#host.party.owner.attach(this.queue, link.worker, link.incarnation);
    this.changed(link);
  }

  /** Something was heard of a replica. */
  changed(link: ActorLink): void {
    const member = this.#members.get(link);
    if (member === undefined) return;
    if (link.ready && !member.ready) {
      member.ready = true;
      this.#size.ready();
    }
    if (!link.over) {
      // It waits for the calls that were made before, and may end at any moment once they are over.
      if (link.refusal !== undefined && link.worker >= 0)
        this.#host.party.owner.detach(this.queue, link.worker, link.incarnation);
      return;
    }
    this.#members.delete(link);
    link.left(this);
    this.#size.died(member.ready);
    this.#failure = link.refusal ?? this.#failure;
    this.#look();
    if (this.#members.size > 0) return;
    const error = this.refusal ?? diedError(this.name, 'none of the pool is left');
    this.#host.party.owner.failLine(this.queue, () => error);
  }

  /** What waits here goes to others. */
  hasCallsOf({ worker, incarnation }: ActorLink): boolean {
    return this.#host.party.owner.inFlightAt(this.queue, worker, incarnation) > 0;
  }

  began(): void {
    this.#look();
  }

  ended(): void {
    this.pending--;
    for (const link of this.#members.keys()) link.tellIfQuiet();
    if (!this.#closing) this.#look();
  }

  #look(): void {
    if (this.#make === null || this.#closing || this.#host.closed) return;
    let change = this.#size.look(this.pending, performance.now());
    for (; change > 0; change--) {
      const { link, handle } = this.#make();
      this.add(link, handle);
    }
    for (const link of [...this.#members.keys()].reverse()) {
      if (change === 0) break;
      if (link.busy) continue;
      change++;
      this.#letGo(link);
    }
    const next = this.#size.nextLook;
    if (next === undefined || this.#timer !== undefined) return;
    // A pool that nobody has any more is not kept by what it waits for.
    const self = new WeakRef(this);
    this.#timer = setTimeout(() => self.deref()?.lookAgain(), Math.max(1, next - performance.now()));
    this.#timer.unref();
  }

  /** Some time has passed. */
  lookAgain(): void {
    this.#timer = undefined;
    this.#look();
    this.#host.settleUp();
    this.#host.reactor.kick();
  }

  #letGo(link: ActorLink): void {
    const member = this.#members.get(link);
    this.#members.delete(link);
    if (link.worker >= 0) this.#host.party.owner.detach(this.queue, link.worker, link.incarnation);
    link.left(this);
    this.#size.letGo(member?.ready === true);
    link.drain().catch(() => {});
  }

  /** When all that it began with are ready. */
  async untilReady(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((link) => link.until('ready')));
  }

  /** Ends all of them, after what has been called. */
  async drain(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await Promise.all([...this.#members.keys()].map((link) => link.drain()));
  }
}
