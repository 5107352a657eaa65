import { InternalError } from '../base/index.ts';
import type { SharedStore, SlotRef } from '../memory/index.ts';
import { DTYPES, type DType, type Elements } from '../nd/index.ts';
import type { Buffer, Buffers, Place } from './buffers.ts';
import type { Placed } from './gang/work.ts';
import { type Block, MOST_SMALL, Slabs } from './slabs.ts';

/** Garbage is looked for when so much was allocated since, as a part of all memory. */
const COLLECT_AFTER = 1 / 8;
/** And when so much of it is taken. */
const COLLECT_ABOVE = 1 / 2;

/** What is behind a buffer; it outlives it, to be released. */
interface Storage {
  /** An object, from some byte on, or a block; or neither: elements that lie elsewhere. */
  readonly slot?: SlotRef;
  readonly start?: number;
  readonly block?: Block;
  readonly elements?: Elements;
  uses: number;
  released: boolean;
}

class SessionBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  readonly storage: Storage;
  readonly home: SessionBuffers;
  readonly tracked: Tracked;
  /** Nobody but who made it has seen it yet. */
  fresh = true;

  constructor(dtype: DType, length: number, storage: Storage, owner: SessionBuffers) {
    this.dtype = dtype;
    this.length = length;
    this.storage = storage;
    this.home = owner;
    this.tracked = { owner, storage, buffer: new WeakRef(this) };
  }

  get byteLength(): number {
    return this.length * DTYPES[this.dtype].bytes;
  }
}

interface Tracked {
  readonly owner: SessionBuffers;
  readonly storage: Storage;
  readonly buffer: WeakRef<SessionBuffer>;
}

/**
 * Arrays in the shared memory of a session, where every worker sees them. What nobody uses may be on disk; pages are used again while they
 * are warm.
 */
export class SessionBuffers implements Buffers {
  static readonly #finalizers = new FinalizationRegistry<Tracked>((tracked) => tracked.owner.#letGo(tracked));
  readonly store: SharedStore;
  /** That of the first region: what lies in others is seen by JavaScript alone. */
  readonly memory: WebAssembly.Memory;
  readonly #slabs: Slabs;
  readonly #tracked = new Set<Tracked>();
  /** Buffers of others, and what stands for them here. */
  readonly #guests = new WeakMap<Buffer, Buffer>();
  #allocated = 0;

  constructor(store: SharedStore) {
    this.store = store;
    this.memory = this.#memory(0);
    store.tell(this);
    this.#slabs = new Slabs(store);
  }

  allocate(dtype: DType, length: number): Buffer {
    const bytes = length * DTYPES[dtype].bytes;
    if (bytes > MOST_SMALL) return this.#track(dtype, length, this.#object(bytes));
    const block = this.#slabs.take(Math.max(1, bytes));
    return this.#track(dtype, length, { block, uses: 1, released: false });
  }

  #object(bytes: number, elements?: Elements): Storage {
    const { store } = this;
    this.#collect(bytes);
    const slot = store.allocate(bytes);
    try {
      store.use(slot);
      if (elements !== undefined) store.write(slot, 0, elements);
      // Others will write it, too: what is not sealed is taken back at once when this thread dies.
      store.seal(slot);
    } catch (error) {
      store.unpin(slot);
      throw error;
    }
    return { slot, start: 0, uses: 1, released: false };
  }

  /**
   * Arrays are small for V8, however much memory they hold, so that it would not look for those that nobody has any more. Before they are
   * written to disk, or there is no room, somebody has to.
   */
  #collect(bytes: number): void {
    const { store } = this;
    this.#allocated += bytes;
    if (this.#allocated < store.limit * COLLECT_AFTER || this.#tracked.size === 0 || !store.mayCollect) return;
    const { used } = store.stats();
    if (used + bytes < store.limit * COLLECT_ABOVE) return;
    this.#allocated = bytes;
    store.collect();
  }

  /** Buffers that are not known to be garbage. */
  get size(): number {
    return this.#tracked.size;
  }

  /** Releases what is known to be garbage. */
  sweep(): void {
    for (const tracked of this.#tracked) if (tracked.buffer.deref() === undefined) this.#letGo(tracked);
  }

  adopt(dtype: DType, elements: Elements): Buffer {
    const { store } = this;
    const { byteLength, byteOffset, length } = elements;
    if (byteLength === 0) return this.#finished(dtype, length, { elements, uses: 0, released: false });
    const known = store.slotOf(elements.buffer);
    if (known !== undefined) {
      // It is in shared memory already.
      const { slot, offset } = known;
      store.seal(slot);
      store.pin(slot);
      return this.#finished(dtype, length, { slot, start: offset + byteOffset, uses: 0, released: false });
    }
    let buffer: Buffer;
    if (byteLength > MOST_SMALL) buffer = this.#track(dtype, length, this.#object(byteLength, elements));
    else {
      buffer = this.allocate(dtype, length);
      this.view(buffer, 'write').set(elements as never);
    }
    this.unuse(buffer);
    return buffer;
  }

  #finished(dtype: DType, length: number, storage: Storage): SessionBuffer {
    const buffer = this.#track(dtype, length, storage);
    buffer.fresh = false;
    return buffer;
  }

  #track(dtype: DType, length: number, storage: Storage): SessionBuffer {
    const buffer = new SessionBuffer(dtype, length, storage, this);
    this.#tracked.add(buffer.tracked);
    SessionBuffers.#finalizers.register(buffer, buffer.tracked, storage);
    return buffer;
  }

  here(buffer: Buffer): Buffer {
    if (buffer instanceof SessionBuffer && buffer.home === this) return buffer;
    let own = this.#guests.get(buffer);
    if (own === undefined) {
      own = this.adopt(buffer.dtype, buffer.home.lend(buffer));
      this.#guests.set(buffer, own);
    }
    return own;
  }

  use(buffer: Buffer): void {
    const { storage } = own(buffer);
    const { slot } = storage;
    if (storage.uses === 0 && slot !== undefined) this.store.use(slot);
    storage.uses++;
  }

  unuse(buffer: Buffer): void {
    const mine = own(buffer);
    const { storage } = mine;
    if (storage.uses === 0) throw new InternalError('a buffer is not in use, and was to be so no longer');
    mine.fresh = false;
    if (--storage.uses === 0 && storage.slot !== undefined && this.store.usable) this.store.unuse(storage.slot);
  }

  view(buffer: Buffer, access: 'read' | 'write'): Elements {
    const mine = own(buffer);
    const { storage, dtype, length } = mine;
    if (access === 'write' && !mine.fresh) throw new InternalError('a buffer is written after it was finished');
    if (storage.elements !== undefined) return storage.elements;
    const { memory, offset } = this.#placeOf(mine);
    const { Elements } = DTYPES[dtype];
    return new Elements(memory.buffer, offset, length);
  }

  place(buffer: Buffer): Place | undefined {
    const mine = own(buffer);
    return mine.storage.elements === undefined ? this.#placeOf(mine) : undefined;
  }

  #placeOf({ storage }: SessionBuffer): Place {
    const { store } = this;
    const { slot, start = 0, block, uses } = storage;
    if (uses === 0) throw new InternalError('a buffer is looked at that is not in use');
    if (block !== undefined) return { memory: this.#memory(block.slab.region), offset: block.offset };
    const { region, offset } = store.address(slot as SlotRef);
    return { memory: this.#memory(region), offset: offset + start };
  }

  #memory(region: number): WebAssembly.Memory {
    return this.store.memory(region) as WebAssembly.Memory;
  }

  /** As a gang wants to know it; undefined for what lies elsewhere. The buffer is in use. */
  placed(buffer: Buffer): { region: number; placed: Placed } | undefined {
    const { storage } = own(buffer);
    const { slot, block } = storage;
    if (slot === undefined && block === undefined) return undefined;
    const object = slot ?? (block as Block).slab.slot;
    const { region, offset } = this.store.address(object);
    return { region, placed: { slot: object, offset } };
  }

  lend(buffer: Buffer): Elements {
    const mine = own(buffer);
    const { storage, dtype, length } = mine;
    const { Elements } = DTYPES[dtype];
    if (storage.elements !== undefined) return storage.elements;
    if (storage.slot !== undefined)
      return new Elements(this.store.view(storage.slot, storage.start, mine.byteLength), 0, length);
    this.use(mine);
    try {
      return this.view(mine, 'read').slice();
    } finally {
      this.unuse(mine);
    }
  }

  release(buffer: Buffer): void {
    const { storage, tracked } = own(buffer, true);
    if (storage.released) return;
    SessionBuffers.#finalizers.unregister(storage);
    this.#letGo(tracked);
  }

  #letGo(tracked: Tracked): void {
    if (!this.#tracked.delete(tracked)) return;
    const { storage } = tracked;
    storage.released = true;
    const { slot, block, uses } = storage;
    const { store } = this;
    if (!store.usable) return;
    if (block !== undefined) this.#slabs.give(block);
    if (slot === undefined) return;
    if (uses > 0) store.unuse(slot);
    store.unpin(slot);
  }
}

function own(buffer: Buffer, released = false): SessionBuffer {
  if (!(buffer instanceof SessionBuffer)) throw new InternalError('a buffer of another storage was asked for here');
  if (buffer.storage.released && !released) throw new InternalError('a buffer was used after its release');
  return buffer;
}
