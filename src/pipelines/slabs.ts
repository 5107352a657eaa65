import type { SharedStore, SlotRef } from '../memory/index.ts';

/** Blocks are of sizes that double, from this on, in bytes. */
const LEAST = 64;
/** Larger pieces are objects of their own: those come in pages of 64 KiB. */
export const MOST_SMALL = 32 * 1024;
/** A slab has so many bytes, or as many as so many blocks. */
const SLAB = 64 * 1024;
const BLOCKS = 16;
/** A slab that nobody uses goes back after so long. Milliseconds. */
const IDLE_MS = 500;

/** An object of the store cut into blocks of one size. */
interface Slab {
  readonly slot: SlotRef;
  readonly kind: number;
  /** Where its blocks begin that nobody has, in bytes from the beginning of the region. */
  readonly free: number[];
  readonly region: number;
  used: number;
}

/** A piece of shared memory that is less than an object. */
export interface Block {
  readonly slab: Slab;
  readonly offset: number;
}

/**
 * Small pieces of a session's memory for one thread. They are never on disk, and are not objects, so that taking one and giving it back asks
 * nobody.
 */
export class Slabs {
  readonly #store: SharedStore;
  /** By kind, those with room. */
  readonly #open: Slab[][] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(store: SharedStore) {
    this.#store = store;
  }

  /** Of `bytes` bytes, no more than `MOST_SMALL`. */
  take(bytes: number): Block {
    const kind = Math.max(0, 32 - Math.clz32((bytes - 1) / LEAST));
    this.#open[kind] ??= [];
    const open = this.#open[kind];
    const slab = open.at(-1) ?? this.#fresh(kind, open);
    const offset = slab.free.pop() as number;
    slab.used++;
    if (slab.free.length === 0) open.pop();
    return { slab, offset };
  }

  give({ slab, offset }: Block): void {
    if (!this.#store.usable) return;
    const open = this.#open[slab.kind] as Slab[];
    if (slab.free.push(offset) === 1) open.push(slab);
    if (--slab.used > 0) return;
    this.#timer ??= setTimeout(() => this.#tidy(), IDLE_MS).unref();
  }

  #fresh(kind: number, open: Slab[]): Slab {
    const store = this.#store;
    const block = LEAST * 2 ** kind;
    const bytes = Math.max(SLAB, BLOCKS * block);
    const slot = store.allocate(bytes);
    store.use(slot);
    store.seal(slot);
    const { region, offset } = store.address(slot);
    const free = Array.from({ length: bytes / block }, (_, i) => offset + bytes - (i + 1) * block);
    const slab: Slab = { slot, kind, free, region, used: 0 };
    open.push(slab);
    return slab;
  }

  /** Gives back what nobody has used for a while. */
  #tidy(): void {
    this.#timer = undefined;
    const store = this.#store;
    if (!store.usable) return;
    for (const open of this.#open) {
      if (open === undefined) continue;
      for (let i = open.length - 1; i >= 0; i--) {
        const slab = open[i] as Slab;
        if (slab.used > 0) continue;
        open.splice(i, 1);
        store.unuse(slab.slot);
        store.unpin(slab.slot);
      }
    }
  }
}
