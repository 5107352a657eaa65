import type { SharedStore } from '../memory/index.ts';
import type { ControlBlock, Reactor } from '../transport/index.ts';
import { CONTROL_PARTY } from './host-messages.ts';
import { sweepHandles, watchedHandles } from './reference.ts';

/** How long a party that found no room waits for the others, in milliseconds. */
const PATIENCE_MS = 200;
/** The same where objects can be written to disk: for so long after the last of them, others may end what they are at. */
const GRACE_MS = 2000;
/** For so long a disk may say nothing while it has something to write. */
const DISK_PATIENCE_MS = 30_000;
const LOOK_MS = 0.5;
const ASK_AGAIN_MS = 10;

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
    store.room.onPressure = (needed, tryAgain) => this.#seek(needed, tryAgain);
    // The control thread writes to disk.
    store.room.onSpill = () => reactor.notify(CONTROL_PARTY);
  }

  /** Lets go of what is garbage here if somebody has found no room since the last time. Cheap when nobody has. */
  relieve(): void {
    const { pressure } = this.#store;
    if (pressure === this.#relieved || !this.#store.usable) return;
    this.#relieved = pressure;
    if (!this.#store.room.spills || this.#store.mayCollect) this.collect();
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
  #seek(needed: number, tryAgain: () => boolean): boolean {
    this.relieve();
    const { pressure } = this.#store;
    const others = this.#rouse();
    const relieved = () => others.every((party) => this.#block.relieved(party) >= pressure);
    const wait = this.#store.room.spills
      ? new SpillWait(this.#store, needed, () => {
          // What is in use may be garbage, after all.
          if (this.#store.mayCollect) this.collect();
          this.#store.room.raisePressure();
          this.#rouse();
        })
      : new PlainWait();
    for (;;) {
      // What was sent here, and not taken in yet, is held for this party by those who sent it.
      if (this.mayPoll) this.#reactor.poll();
      if (tryAgain()) return true;
      if (wait.isOver(performance.now(), relieved)) return false;
      Atomics.wait(nap, 0, 0, LOOK_MS);
    }
  }

  /** Wakes all others, so that they let go of their garbage. */
  #rouse(): number[] {
    const others: number[] = [];
    for (let party = 1; party < this.#block.shape.parties; party++) {
      if (party === this.#party || this.#block.incarnation(party) === 0) continue;
      others.push(party);
      this.#reactor.notify(party);
    }
    return others;
  }
}

/** Until the others have let go of their garbage. */
class PlainWait {
  readonly #end = performance.now() + PATIENCE_MS;

  isOver(now: number, relieved: () => boolean): boolean {
    return now >= this.#end || relieved();
  }
}

/** Until nothing has been written, and nobody has let go of anything, for a while. */
class SpillWait {
  readonly #store: SharedStore;
  readonly #needed: number;
  readonly #stuck: () => void;
  #request: number;
  #askedAt = performance.now();
  #progress: number;
  #progressAt = performance.now();

  /** `stuck` is called now and then while nothing can be written, because everything is in use. */
  constructor(store: SharedStore, needed: number, stuck: () => void) {
    this.#store = store;
    this.#needed = needed;
    this.#stuck = stuck;
    this.#progress = store.room.progress;
    this.#request = store.room.ask(needed);
  }

  isOver(now: number): boolean {
    const store = this.#store;
    if (store.room.progress !== this.#progress) {
      this.#progress = store.room.progress;
      this.#progressAt = now;
    }
    const answered = store.room.answered(this.#request);
    if (now - this.#progressAt >= (answered ? GRACE_MS : DISK_PATIENCE_MS)) {
      store.room.diskSilent = !answered;
      return true;
    }
    if (now - this.#askedAt < ASK_AGAIN_MS) return false;
    this.#askedAt = now;
    // One that is not answered may have been made while the other side was about to go to sleep.
    if (answered) {
      this.#request = store.room.ask(this.#needed);
      this.#stuck();
    } else store.room.onSpill?.();
    return false;
  }
}
