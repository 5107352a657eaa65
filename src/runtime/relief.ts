import type { SharedStore } from '../memory/index.ts';
import type { ControlBlock, Reactor } from '../transport/index.ts';
import { sweepHandles, watchedHandles } from './reference.ts';

/** How long a party that found no room waits for the others, in milliseconds. */
const PATIENCE_MS = 200;
const LOOK_MS = 0.5;

const nap = new Int32Array(new SharedArrayBuffer(4));

/**
 * What to do when shared memory is short. Views and handles that nobody can reach any more pin some of it until their
 * thread collects garbage, and a thread whose own heap is small has no reason to do that by itself.
 */
export class Relief {
  readonly #party: number;
  readonly #block: ControlBlock;
  readonly #store: SharedStore;
  readonly #reactor: Reactor;
  /** Whether messages may be taken in where memory is asked for: not in the middle of handling one, or of sending. */
  mayPoll: boolean;
  #relieved = 0;

  constructor(party: number, block: ControlBlock, store: SharedStore, reactor: Reactor, mayPoll: boolean) {
    this.#party = party;
    this.#block = block;
    this.#store = store;
    this.#reactor = reactor;
    this.mayPoll = mayPoll;
    store.onPressure = (needed) => this.#seek(needed);
  }

  /** Lets go of what is garbage here if somebody has found no room since the last time. Cheap when nobody has. */
  relieve(): void {
    const { pressure } = this.#store;
    if (pressure === this.#relieved || !this.#store.usable) return;
    this.#relieved = pressure;
    this.collect();
    this.#block.setRelieved(this.#party, pressure);
  }

  /** Whether a collection may give something back. */
  get worthwhile(): boolean {
    return this.#store.usable && (this.#store.viewCount > 0 || watchedHandles() > 0);
  }

  collect(): void {
    if (!this.worthwhile) return;
    this.#store.collect();
    sweepHandles();
  }

  /** This party has found no room: asks everybody, and waits a moment. True when there may be room now. */
  #seek(needed: number): boolean {
    this.relieve();
    const { pressure } = this.#store;
    const others: number[] = [];
    for (let party = 1; party < this.#block.shape.parties; party++) {
      if (party === this.#party || this.#block.incarnation(party) === 0) continue;
      others.push(party);
      this.#reactor.notify(party);
    }
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      // What was sent here, and not taken in yet, is held for this party by those who sent it.
      if (this.mayPoll) this.#reactor.poll();
      if (this.#store.stats().largestFree >= needed) return true;
      if (performance.now() >= end || others.every((party) => this.#block.relieved(party) >= pressure)) break;
      Atomics.wait(nap, 0, 0, LOOK_MS);
    }
    if (this.mayPoll) this.#reactor.poll();
    return this.#store.stats().largestFree >= needed;
  }
}
