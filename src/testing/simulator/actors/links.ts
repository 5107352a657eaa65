import { addressKey } from '../../../protocol/index.ts';
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
  readonly #links = new Map<string, Link>();
  readonly #deliver: (link: Link, message: Message) => void;

  constructor(deliver: (link: Link, message: Message) => void) {
    this.#deliver = deliver;
  }

  send(from: Node | null, to: Node | null, message: Message): void {
    const name = nameOf(from, to);
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { from, to, queue: [] };
      this.#links.set(name, link);
    }
    link.queue.push(message);
  }

  /** Those on which something is under way. */
  get busy(): Link[] {
    const busy: Link[] = [];
    for (const [name, link] of this.#links) {
      if (link.queue.length > 0) busy.push(link);
      else if (link.to?.alive === false) this.#links.delete(name);
    }
    return busy;
  }

  next(link: Link): void {
    this.#deliver(link, link.queue.shift() as Message);
  }

  /** Everything that is under way between the two arrives. */
  drain(from: Node | null, to: Node | null): void {
    const link = this.#links.get(nameOf(from, to));
    while (link !== undefined && link.queue.length > 0) this.next(link);
  }
}

function nameOf(from: Node | null, to: Node | null): string {
  const name = (node: Node | null): string => (node === null ? 'control' : addressKey(node.address));
  return `${name(from)}>${name(to)}`;
}
