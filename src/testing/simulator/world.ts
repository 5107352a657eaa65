import { Counts } from './checks.ts';
import type { Config } from './config.ts';
import { EventQueue } from './queue.ts';
import { mix, Random } from './random.ts';
import { type SharedObject, Violation } from './values.ts';

/** Time, chance and the log of one simulation. */
export class World {
  readonly config: Config;
  readonly random: Random;
  readonly events = new EventQueue();
  readonly objects = new Set<SharedObject>();
  readonly counts = new Counts();
  readonly trace: ((line: string) => void) | undefined;
  /** Microseconds. */
  now = 0;
  steps = 0;
  /** Values in shared memory that were taken away. */
  losses = 0;

  constructor(config: Config, trace?: (line: string) => void) {
    this.config = config;
    this.random = new Random(mix(config.seed, 303) * 1024 + 1);
    this.trace = trace;
  }

  after(micros: number, run: () => void): void {
    this.events.add(this.now + micros, run);
  }

  log(line: () => string): void {
    this.trace?.(`${(this.now / 1000).toFixed(3).padStart(10)} ${line()}`);
  }

  delay(): number {
    const { delay, burst, stall } = this.config;
    const mean = this.random.chance(stall) ? delay * 400 : this.random.chance(burst) ? delay * 20 : delay;
    return Math.floor(-Math.log(1 - this.random.next()) * mean);
  }

  /** Runs until nothing is left to happen. */
  run(limit: number): void {
    for (let item = this.events.take(); item !== undefined; item = this.events.take()) {
      this.now = item.at;
      if (++this.steps > limit) throw new Violation(`still busy after ${limit} events`);
      item.run();
    }
  }
}

/** One end of links: takes messages while it lives and its event loop is free. */
export interface Endpoint<M> {
  readonly name: string;
  readonly alive: boolean;
  readonly busyUntil: number;
  /** A turn of its event loop, in which `work` is done. */
  turn(work: () => void): void;
  receive(message: M, link: Link<M>): void;
  /** Told of each message that it sends. */
  sent?(envelope: Envelope<M>, link: Link<M>): void;
}

export interface Envelope<M> {
  readonly message: M;
  delivered: boolean;
}

/** First in, first out, with delays; what is on it survives its sender. */
export class Link<M> {
  readonly #world: World;
  readonly from: Endpoint<M>;
  readonly to: Endpoint<M>;
  #queue: Envelope<M>[] = [];
  readonly #slowness: number;
  #last = 0;

  constructor(world: World, from: Endpoint<M>, to: Endpoint<M>) {
    this.#world = world;
    this.from = from;
    this.to = to;
    this.#slowness = world.random.chance(world.config.slowLinks) ? 50 : 1;
  }

  send(message: M): void {
    const envelope = { message, delivered: false };
    this.#queue.push(envelope);
    this.#last = Math.max(this.#last, this.#world.now + this.#world.delay() * this.#slowness);
    this.from.sent?.(envelope, this);
    this.#arrive(envelope, this.#last);
  }

  /** The sender died just before it sent this. */
  unsend(envelope: Envelope<M>): void {
    envelope.delivered = true;
    this.#queue.splice(this.#queue.indexOf(envelope), 1);
  }

  #arrive(envelope: Envelope<M>, at: number): void {
    this.#world.events.add(at, () => {
      if (envelope.delivered || !this.to.alive) return;
      if (this.to.busyUntil > this.#world.now) this.#arrive(envelope, this.to.busyUntil);
      else {
        this.to.turn(() => {
          // Others may have been put off until now, too; the order on one link stands.
          while (!envelope.delivered) this.#deliverNext();
        });
      }
    });
  }

  #deliverNext(): void {
    const next = this.#queue.shift() as Envelope<M>;
    next.delivered = true;
    this.to.receive(next.message, this);
  }

  /** Everything that is on it arrives now. */
  drain(): void {
    while (this.#queue.length > 0) this.#deliverNext();
  }
}
