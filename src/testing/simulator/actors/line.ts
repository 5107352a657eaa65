import { type ActorNews, type Cell, type KeyQueue, Timing } from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Actor } from './actor.ts';
import { CALLS, type Call } from './call.ts';
import type { Node } from './node.ts';

/** An actor as a party knows it that owns it or calls it, and the line of calls to it. */
export class Line {
  readonly node: Node;
  readonly cell: Cell;
  readonly queue: KeyQueue;
  readonly timing = new Timing();
  actor: Actor;
  calls = 0;
  /** Calls that are not over. */
  pending = 0;
  /** Its name is asked for: until then it is nowhere. */
  unnamed = false;
  #state: ActorNews<unknown>['state'] = 'pending';
  /** Which of its party's words it was that it is called; 0: none yet. */
  #watch = 0;
  #worker = -1;
  #incarnation = -1;

  constructor(node: Node, cell: Cell, actor: Actor) {
    this.node = node;
    this.cell = cell;
    this.actor = actor;
    this.queue = node.party.owner.orderedQueue(CALLS);
  }

  get takesCalls(): boolean {
    return this.#state !== 'closing' && this.#state !== 'dead';
  }

  get closing(): boolean {
    return this.#state === 'closing';
  }

  watch(): void {
    if (this.#watch > 0 || this.unnamed) return;
    this.#watch = ++this.node.watches;
    this.node.control({ type: 'watch-actor', id: this.actor.id });
  }

  /** The name that it was to have has been looked up. */
  named(): void {
    this.unnamed = false;
    if (this.pending > 0) this.watch();
  }

  /** It is another one. */
  join(actor: Actor): void {
    this.actor = actor;
    this.unnamed = false;
    this.#watch = 0;
    this.watch();
  }

  news(news: ActorNews<unknown>): void {
    if (this.#state === 'dead') return;
    this.#state = news.state;
    if ('worker' in news) this.#moved(news.worker, news.incarnation);
    else this.#moved(-1, -1);
    if (news.state === 'dead') this.#failAll();
  }

  /** It can't be had: its name is taken. */
  refuse(): void {
    this.#state = 'dead';
    this.#failAll();
  }

  #failAll(): void {
    const { owner } = this.node.party;
    owner.failLine(this.queue, (task) => this.died(task as Call));
    for (const task of [...owner.inFlight])
      if (task?.key === this.queue) owner.cancel(task, this.died(task as Call), false);
  }

  #moved(worker: number, incarnation: number): void {
    if (this.#worker === worker && this.#incarnation === incarnation) return;
    const { owner } = this.node.party;
    if (this.#worker >= 0) owner.detach(this.queue, this.#worker, this.#incarnation);
    this.#worker = worker;
    this.#incarnation = incarnation;
    if (worker >= 0) owner.attach(this.queue, worker, incarnation);
  }

  /** One that ends in order waits for all of whom it has heard that they call it, and for nobody else. */
  get #isLate(): boolean {
    const { retired } = this.actor;
    return retired !== null && (this.#watch === 0 || this.#watch > (retired.get(this.node) ?? 0));
  }

  /** What a call fails with that is in the line of a dead actor. */
  died(call: Call): string {
    const { actor } = this;
    if (call.cancelled === undefined && actor.excuse === undefined && !this.#isLate)
      throw new Violation(`${call.name} fails, and nothing has happened to its actor`);
    return `the actor died: ${actor.excuse}`;
  }
}
