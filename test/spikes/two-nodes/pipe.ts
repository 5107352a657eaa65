import type { Cluster } from './cluster.ts';

/** First in, first out, within one machine. */
export class Pipe<M> {
  readonly #cluster: Cluster;
  readonly #deliver: (message: M) => void;
  #queue: M[] = [];
  #last = 0;

  constructor(cluster: Cluster, deliver: (message: M) => void) {
    this.#cluster = cluster;
    this.#deliver = deliver;
  }

  send(message: M): void {
    const { clock, random } = this.#cluster;
    this.#queue.push(message);
    this.#last = Math.max(this.#last, clock.now + random.next() * 2);
    clock.after(this.#last - clock.now, () => this.#next());
  }

  #next(): void {
    const message = this.#queue.shift();
    if (message !== undefined) this.#deliver(message);
  }

  drain(): void {
    while (this.#queue.length > 0) this.#next();
  }
}
