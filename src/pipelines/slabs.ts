import type { SharedStore, SlotRef } from '../memory/index.ts';

/** Larger pieces are objects of their own: those come in pages of 64 KiB. */
export const MOST_SMALL = 32 * 1024;
const SLAB = 256 * 1024;
/** A line of the cache. */
const ALIGNMENT = 64;
/** Nothing more is put into a slab that was not asked for in so long. Milliseconds. */
const IDLE_MS = 500;

/**
 * An object of the store that small pieces share: it goes back when all of them are released, or when nobody holds this any more. So the garbage
 * collector has to find out about one object, and not about each piece.
 */
export class Slab {
  readonly slot: SlotRef;
  readonly region: number;
  readonly offset: number;
  /** Bytes from its beginning that are, or were, somebody's. */
  used = 0;
  /** Pieces that are not released. */
  live = 0;

  constructor(slot: SlotRef, region: number, offset: number) {
    this.slot = slot;
    this.region = region;
    this.offset = offset;
  }
}

/** Small pieces of a session's memory for one thread. They are never on disk, and taking one and giving it back asks nobody. */
export class Slabs {
  readonly #store: SharedStore;
  readonly #begun: (slab: Slab) => void;
  readonly #over: (slab: Slab) => void;
  #open: Slab | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asked = false;

  /** `begun` hears of each new slab, which is in use; `over` of those of which nobody has a piece any more. */
  constructor(store: SharedStore, begun: (slab: Slab) => void, over: (slab: Slab) => void) {
    this.#store = store;
    this.#begun = begun;
    this.#over = over;
  }

  /** `bytes` bytes, no more than `MOST_SMALL`: in which slab, and how far from its beginning. */
  take(bytes: number): { slab: Slab; start: number } {
    const room = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    this.#asked = true;
    let slab = this.#open;
    if (slab === undefined || slab.used + room > SLAB) {
      slab = this.#fresh();
      this.close();
      this.#open = slab;
      this.#timer ??= setTimeout(() => this.#tidy(), IDLE_MS).unref();
    }
    const start = slab.used;
    slab.used += room;
    slab.live++;
    return { slab, start };
  }

  give(slab: Slab): void {
    if (--slab.live > 0) return;
    if (slab === this.#open) slab.used = 0;
    else this.#over(slab);
  }

  #fresh(): Slab {
    const store = this.#store;
    const slot = store.allocate(SLAB);
    store.use(slot);
    // Others write it, too: what is not sealed is taken back at once when this thread dies.
    store.seal(slot);
    const { region, offset } = store.address(slot);
    const slab = new Slab(slot, region, offset);
    this.#begun(slab);
    return slab;
  }

  /** No more pieces are put into the slab that was open. */
  close(): void {
    const slab = this.#open;
    this.#open = undefined;
    if (slab?.live === 0) this.#over(slab);
  }

  #tidy(): void {
    this.#timer = undefined;
    if (!this.#store.usable) return;
    if (this.#asked) this.#timer = setTimeout(() => this.#tidy(), IDLE_MS).unref();
    else this.close();
    this.#asked = false;
  }
}
