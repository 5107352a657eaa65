import type { Host } from './host.ts';
import type { Message, Push } from './messages.ts';
import { Link } from './world.ts';

/** The links to one worker, and what was pushed to it. */
interface Way {
  readonly link: Link<Message>;
  /** Cancellations come another way than calls do, and may come late. */
  readonly cancels: Link<Message>;
  readonly pushes: Map<number, Push>;
  unclaimed: number;
  refused: boolean;
}

/** The ways of one caller to those that it has called. */
export class Outgoing {
  readonly #from: Host;
  readonly #ways = new Map<Host, Way>();

  constructor(from: Host) {
    this.#from = from;
  }

  /** The way to a worker, made on first use. */
  to(host: Host): Way {
    let way = this.#ways.get(host);
    if (way === undefined) {
      const { world } = this.#from;
      const [link, cancels] = [new Link<Message>(world, this.#from, host), new Link<Message>(world, this.#from, host)];
      way = { link, cancels, pushes: new Map(), unclaimed: 0, refused: false };
      this.#ways.set(host, way);
    }
    return way;
  }

  /** The way to a worker, if it was ever called. */
  find(host: Host): Way | undefined {
    return this.#ways.get(host);
  }

  /** A push has been answered. */
  answered(worker: Host, slot: number): void {
    const task = this.#from.party.owner.inFlight[slot];
    if (task !== null && task !== undefined) this.to(worker).pushes.delete(task.ticket);
  }

  /** A push has left the way to its worker: claimed, or taken back. Where it was full, the rules hear that it is not. */
  left(worker: Host): void {
    const way = this.to(worker);
    way.unclaimed--;
    if (!way.refused) return;
    way.refused = false;
    this.#from.later(this.#from.world.delay(), () => this.#from.party.owner.settleUp());
  }
}
