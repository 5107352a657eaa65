import { InternalError } from '../base/index.ts';
import type { SharedStore, SlotRef } from '../memory/index.ts';
import { DTYPES, type DType, type Elements } from '../nd/index.ts';
import { afterRelease, type Buffer, type Buffers, type Place } from './buffers.ts';
import type { Placed } from './gang/work.ts';
import { Interval } from './garbage.rules.ts';
import { Guests, releaseCopies } from './guests.ts';
import { MOST_SMALL, type Slab, Slabs } from './slabs.ts';

/** Where memory becomes scarce, it is looked for when so much was allocated since, as a part of all memory, */
const TIGHT_AFTER = 1 / 8;
/** and so much of it is taken. */
const TIGHT_ABOVE = 1 / 2;

/** Where the elements of a buffer lie: in an object, or a slab, from some byte on; or elsewhere. */
interface Storage {
  readonly slot?: SlotRef;
  readonly slab?: Slab;
  readonly start: number;
  readonly elements?: Elements;
  uses: number;
}

class SessionBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: SessionBuffers;
  readonly storage: Storage;
  /** Nobody but who made it has seen it yet. */
  fresh = true;
  released = false;
  /** Of one that has an object of its own. */
  tracked: Tracked | undefined;

  constructor(dtype: DType, length: number, storage: Storage, home: SessionBuffers) {
    this.dtype = dtype;
    this.length = length;
    this.storage = storage;
    this.home = home;
  }

  get byteLength(): number {
    return this.length * DTYPES[this.dtype].bytes;
  }
}

/** An object of the store that is held for a buffer or a slab, until that is garbage or says so. */
interface Tracked {
  readonly owner: SessionBuffers;
  readonly slot: SlotRef;
  readonly bytes: number;
  /** Undefined for a slab, which is in use as long as it is there. */
  readonly storage: Storage | undefined;
  readonly holder: WeakRef<object>;
  /** Bytes of it that count among those that may be garbage. */
  uncertain: number;
}

/**
 * Arrays in the shared memory of a session, where every worker sees them. What nobody uses may be on disk; pages are used again while they
 * are warm.
 */
export class SessionBuffers implements Buffers {
  static readonly #finalizers = new FinalizationRegistry<Tracked>((tracked) => tracked.owner.#letGo(tracked));
  readonly store: SharedStore;
  readonly #slabs: Slabs;
  readonly #tracked = new Set<Tracked>();
  readonly #bySlab = new WeakMap<Slab, Tracked>();
  /** Buffers of others, and what stands for them here. */
  readonly #guests = new Guests(this);
  /** Bytes since garbage was looked for, when that was, and when it is to be again. */
  #allocated = 0;
  #collectedAt = performance.now();
  readonly #interval: Interval;
  /** Bytes of all that is tracked. */
  #held = 0;

  constructor(store: SharedStore) {
    this.store = store;
    this.#interval = new Interval(store.limit);
    store.tell(this);
    this.#slabs = new Slabs(
      store,
      (slab) => this.#bySlab.set(slab, this.#track(slab, slab.slot, undefined)),
      (slab) => this.#letGo(this.#bySlab.get(slab) as Tracked),
    );
  }

  allocate(dtype: DType, length: number): Buffer {
    const bytes = length * DTYPES[dtype].bytes;
    if (bytes > MOST_SMALL) return this.#large(dtype, length, this.#object(bytes), 0, 1);
    const { slab, start } = this.#slabs.take(bytes);
    return new SessionBuffer(dtype, length, { slab, start, uses: 1 }, this);
  }

  /** A new object, held, in use, and sealed: others will write it, too, and what is not sealed is taken back at once when this thread dies. */
  #object(bytes: number, elements?: Elements): SlotRef {
    const { store } = this;
    this.#whenTight(bytes);
    const slot = store.allocate(bytes);
    try {
      store.use(slot);
      if (elements !== undefined) store.write(slot, 0, elements);
      store.seal(slot);
    } catch (error) {
      store.unpin(slot);
      throw error;
    }
    return slot;
  }

  #large(dtype: DType, length: number, slot: SlotRef, start: number, uses: number): SessionBuffer {
    const storage: Storage = { slot, start, uses };
    const buffer = new SessionBuffer(dtype, length, storage, this);
    buffer.tracked = this.#track(buffer, slot, storage);
    return buffer;
  }

  #track(holder: object, slot: SlotRef, storage: Storage | undefined): Tracked {
    const bytes = this.store.byteLength(slot);
    const tracked: Tracked = { owner: this, slot, bytes, storage, holder: new WeakRef(holder), uncertain: bytes };
    this.#tracked.add(tracked);
    SessionBuffers.#finalizers.register(holder, tracked, tracked);
    this.#allocated += bytes;
    this.#held += bytes;
    return tracked;
  }

  /**
   * Arrays are small for V8, however much memory they hold, so that it would not look for those that nobody has any more. Before they are
   * written to disk, or there is no room, somebody has to.
   */
  #whenTight(bytes: number): void {
    const { store } = this;
    if (this.#allocated < store.limit * TIGHT_AFTER || this.#tracked.size === 0 || !store.mayCollect) return;
    if (store.stats().used + bytes >= store.limit * TIGHT_ABOVE) this.#collect();
  }

  #collect(): void {
    const begun = performance.now();
    this.#allocated = 0;
    this.store.collect();
    const now = performance.now();
    this.#interval.looked({ took: now - begun, since: begun - this.#collectedAt, held: this.#held });
    this.#collectedAt = now;
  }

  /** Between computations: garbage is looked for, in a turn of its own, since nothing is that was seen in this one. */
  relieve(): Promise<void> | undefined {
    if (this.#allocated < this.#interval.bytes) return undefined;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.store.usable) this.#collect();
    });
  }

  /** Objects that are held for something that is not known to be garbage. */
  get size(): number {
    return this.#tracked.size;
  }

  /** A slab that more pieces are put into is held for them, and its pieces may all be garbage. */
  prepare(): void {
    this.#slabs.close();
  }

  /** Lets go of what is known to be garbage. */
  sweep(): void {
    for (const tracked of this.#tracked) if (tracked.holder.deref() === undefined) this.#letGo(tracked);
  }

  adopt(dtype: DType, elements: Elements): Buffer {
    const { store } = this;
    const { byteLength, byteOffset, length } = elements;
    if (byteLength === 0)
      return this.#finished(new SessionBuffer(dtype, length, { elements, start: 0, uses: 0 }, this));
    const known = store.slotOf(elements.buffer);
    if (known !== undefined) {
      // It is in shared memory already.
      const { slot, offset } = known;
      store.seal(slot);
      store.pin(slot);
      return this.#finished(this.#large(dtype, length, slot, offset + byteOffset, 0));
    }
    let buffer: Buffer;
    if (byteLength > MOST_SMALL) buffer = this.#large(dtype, length, this.#object(byteLength, elements), 0, 1);
    else {
      buffer = this.allocate(dtype, length);
      this.view(buffer, 'write').set(elements as never);
    }
    this.unuse(buffer);
    return buffer;
  }

  #finished(buffer: SessionBuffer): SessionBuffer {
    buffer.fresh = false;
    return buffer;
  }

  here(buffer: Buffer): Buffer {
    return this.#guests.here(buffer);
  }

  use(buffer: Buffer): void {
    const { storage } = unreleased(buffer);
    const { slot } = storage;
    if (storage.uses === 0 && slot !== undefined) this.store.use(slot);
    storage.uses++;
  }

  unuse(buffer: Buffer): void {
    const mine = own(buffer);
    const { storage } = mine;
    if (storage.uses === 0) throw new InternalError('a buffer is not in use, and was to be so no longer');
    mine.fresh = false;
    if (--storage.uses > 0) return;
    if (storage.slot !== undefined && this.store.usable) this.store.unuse(storage.slot);
    // It was released while somebody computed with it.
    if (mine.released) this.#free(mine);
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
    const { slot, start, slab, uses } = storage;
    if (uses === 0) throw new InternalError('a buffer is looked at that is not in use');
    const { region, offset } = slab ?? store.address(slot as SlotRef);
    return { memory: store.memory(region) as WebAssembly.Memory, offset: offset + start };
  }

  /** As a gang wants to know it; undefined for what lies elsewhere. The buffer is in use. */
  placed(buffer: Buffer): { region: number; placed: Placed } | undefined {
    const { slot, slab } = own(buffer).storage;
    const object = slot ?? slab?.slot;
    if (object === undefined) return undefined;
    const { region, offset } = this.store.address(object);
    return { region, placed: { slot: object, offset } };
  }

  lend(buffer: Buffer): Elements {
    const mine = unreleased(buffer);
    const { storage, dtype, length } = mine;
    const { Elements } = DTYPES[dtype];
    if (storage.elements !== undefined) return storage.elements;
    if (storage.slot !== undefined) {
      return new Elements(this.store.view(storage.slot, storage.start, mine.byteLength), 0, length);
    }
    this.use(mine);
    try {
      return this.view(mine, 'read').slice();
    } finally {
      this.unuse(mine);
    }
  }

  release(buffer: Buffer): void {
    const mine = own(buffer);
    if (mine.released) return;
    mine.released = true;
    releaseCopies(mine);
    if (mine.fresh || mine.storage.uses === 0) this.#free(mine);
  }

  #free({ tracked, storage }: SessionBuffer): void {
    if (storage.slab !== undefined) this.#slabs.give(storage.slab);
    if (tracked === undefined) return;
    this.#settle(tracked);
    this.#letGo(tracked);
  }

  mind(buffer: Buffer, minded: boolean): void {
    const { tracked } = own(buffer);
    if (tracked === undefined) return;
    if (minded) this.#settle(tracked);
    else if (tracked.uncertain === 0) {
      tracked.uncertain = tracked.bytes;
      this.#allocated += tracked.bytes;
    }
  }

  /** It is no garbage, and is not to be looked for. */
  #settle(tracked: Tracked): void {
    this.#allocated = Math.max(0, this.#allocated - tracked.uncertain);
    tracked.uncertain = 0;
  }

  #letGo(tracked: Tracked): void {
    if (!this.#tracked.delete(tracked)) return;
    SessionBuffers.#finalizers.unregister(tracked);
    this.#held -= tracked.bytes;
    const { slot, storage } = tracked;
    const { store } = this;
    if (!store.usable) return;
    if (storage === undefined || storage.uses > 0) store.unuse(slot);
    store.unpin(slot);
  }
}

function own(buffer: Buffer): SessionBuffer {
  if (!(buffer instanceof SessionBuffer)) throw new InternalError('a buffer of another storage was asked for here');
  return buffer;
}

function unreleased(buffer: Buffer): SessionBuffer {
  const mine = own(buffer);
  if (mine.released) throw afterRelease();
  return mine;
}
