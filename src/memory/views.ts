import { libc } from '../native/index.ts';
import { PAGE, REGION_PAGES } from './layout.ts';
import type { Place, Regions } from './regions.ts';
import type { SlotRef } from './table.ts';

/** What views do to the store that they show. */
export interface Pins {
  /** Whether pins still count for anything. */
  readonly usable: boolean;
  use(ref: SlotRef): void;
  unuse(ref: SlotRef): void;
}

interface View {
  readonly ref: SlotRef;
  readonly offset: number;
}

interface Tracked extends View {
  readonly views: Views;
  /** Of the first byte, in all regions together. */
  readonly at: number;
  readonly buffer: WeakRef<ArrayBuffer>;
}

/**
 * The ArrayBuffers of one party that show objects of a store without a copy. Each keeps its object, and in memory, until
 * it is garbage, or is found to be by `sweep`.
 */
export class Views {
  /** Of the class and not of a store: a view must keep its store, and so the mapping under it, for as long as it lives. */
  static readonly #finalizers = new FinalizationRegistry<Tracked>((tracked) => tracked.views.#letGo(tracked));

  readonly #pins: Pins;
  readonly #regions: Regions;
  readonly #slots = new WeakMap<ArrayBufferLike, View>();
  readonly #live = new Set<Tracked>();
  /** The latest view that begins at a byte of the store. */
  readonly #latest = new Map<number, Tracked>();

  constructor(pins: Pins, regions: Regions) {
    this.#pins = pins;
    this.#regions = regions;
  }

  /** Those that are not known to be garbage. */
  get size(): number {
    return this.#live.size;
  }

  /** `length` bytes of `ref`, which is in use and lies at `place`, from `offset` on. Without FFI a copy, which pins nothing. */
  of(ref: SlotRef, place: Place, offset: number, length: number): ArrayBuffer {
    const { buffer, address } = this.#regions.segment(place.region);
    const at = place.offset + offset;
    if (address === undefined) {
      const copy = new Uint8Array(length);
      copy.set(new Uint8Array(buffer, at, length));
      return copy.buffer;
    }
    const start = place.region * REGION_PAGES * PAGE + at;
    const known = this.#latest.get(start);
    if (known !== undefined && known.ref.index === ref.index && known.ref.generation === ref.generation) {
      const buffer = known.buffer.deref();
      // A buffer that has been transferred away has no bytes left.
      if (buffer?.byteLength === length) return buffer;
    }
    const view = length === 0 ? new ArrayBuffer(0) : libc()!.viewOf(address + BigInt(at), length);
    this.#pins.use(ref);
    const tracked: Tracked = { ref, offset, views: this, at: start, buffer: new WeakRef(view) };
    this.#live.add(tracked);
    this.#latest.set(start, tracked);
    Views.#finalizers.register(view, tracked);
    this.#slots.set(view, { ref, offset });
    return view;
  }

  /** The object that a buffer shows, and from which of its bytes on. */
  slotOf(buffer: ArrayBufferLike): { slot: SlotRef; offset: number } | undefined {
    const view = this.#slots.get(buffer);
    return view === undefined ? undefined : { slot: view.ref, offset: view.offset };
  }

  /** Takes the pins off of those that have become garbage; their finalizers find nothing left to do. */
  sweep(): void {
    for (const tracked of this.#live) if (tracked.buffer.deref() === undefined) this.#letGo(tracked);
  }

  #letGo(tracked: Tracked): void {
    // Not in the set: `sweep` has seen it before its finalizer ran.
    if (!this.#live.delete(tracked)) return;
    if (this.#latest.get(tracked.at) === tracked) this.#latest.delete(tracked.at);
    if (this.#pins.usable) this.#pins.unuse(tracked.ref);
  }
}
