import type { Message } from './call.ts';
import type { Node } from './node.ts';

/** From one to another; null is the control thread. */
export interface Link {
  readonly from: Node | null;
  readonly to: Node | null;
  readonly queue: Message[];
}

/** The links between all who take part: each is first in, first out, and nothing else is ordered. */
export class Links {
  readonly #links = new Map<Node | null, Map<Node | null, Link>>();
  /** Those on which something is under way. */
  readonly #busy: Link[] = [];
  readonly #deliver: (link: Link, message: Message) => void;

  constructor(deliver: (link: Link, message: Message) => void) {
    this.#deliver = deliver;
  }

  get busy(): number {
    return this.#busy.length;
  }

  send(from: Node | null, to: Node | null, message: Message): void {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = { from, to, queue: [] };
      links.set(to, link);
    }
    if (link.queue.push(message) === 1) this.#busy.push(link);
  }

  /** What has been under way longest on one of the busy links arrives. */
  next(at: number): void {
    this.#take(this.#busy[at] as Link);
  }

  #take(link: Link): void {
    const message = link.queue.shift() as Message;
    if (link.queue.length === 0) {
      const last = this.#busy.pop() as Link;
      if (last !== link) this.#busy[this.#busy.indexOf(link)] = last;
    }
    this.#deliver(link, message);
  }

  /** Everything that is under way between the two arrives. */
  drain(from: Node | null, to: Node | null): void {
    const link = this.#links.get(from)?.get(to);
    while (link !== undefined && link.queue.length > 0) this.#take(link);
  }
}
