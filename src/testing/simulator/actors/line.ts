import { type ActorNews, type Cell, Cell as CellClass, type KeyQueue, Timing } from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import { CALLS, Call, SHAPE } from './call.ts';
import type { Node } from './node.ts';

/** An actor as the party that owns and calls it knows it. */
export class Line {
  readonly node: Node;
  readonly cell: Cell;
  readonly id: string;
  readonly host: Call;
  readonly queue: KeyQueue;
  readonly timing = new Timing();
  state: ActorNews<unknown>['state'] = 'pending';
  calls = 0;
  pending = 0;
  watching = false;
  told = false;
  /** Something has happened for which its calls may fail. */
  excused = false;
  #worker = -1;
  #incarnation = -1;

  constructor(node: Node, restarts: number) {
    this.node = node;
    const { owner, references } = node.party;
    this.cell = new CellClass();
    this.host = new Call(owner.queue(SHAPE), new Timing(), this.cell, 0, this, restarts);
    this.host.resident = true;
    this.cell.task = this.host;
    this.id = references.promote(this.cell);
    this.queue = owner.orderedQueue(CALLS);
  }

  news(news: ActorNews<unknown>): void {
    if (this.state === 'dead') return;
    this.state = news.state;
    const { owner } = this.node.party;
    if ('worker' in news) this.#moved(news.worker, news.incarnation);
    else this.#moved(-1, -1);
    if (news.state === 'dead') {
      owner.failLine(this.queue, () => this.died());
      for (const task of [...owner.inFlight]) if (task?.key === this.queue) owner.cancel(task, this.died(), false);
    }
    this.quiet();
  }

  #moved(worker: number, incarnation: number): void {
    if (this.#worker === worker && this.#incarnation === incarnation) return;
    const { owner } = this.node.party;
    if (this.#worker >= 0) owner.detach(this.queue, this.#worker, this.#incarnation);
    this.#worker = worker;
    this.#incarnation = incarnation;
    if (worker >= 0) owner.attach(this.queue, worker, incarnation);
  }

  died(): string {
    // An actor that nothing has happened to may not be said to have died.
    if (!this.excused) throw new Violation(`actor ${this.id} is said to have died`);
    return 'the actor died';
  }

  quiet(): void {
    if (this.state === 'closing' && this.pending === 0) this.node.control({ type: 'quiet-actor', id: this.id });
  }
}
