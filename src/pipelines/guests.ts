import { afterRelease, type Buffer, type Buffers } from './buffers.ts';

/** Copies of each buffer in storages that are not its home. They go when it is released. */
const copiesOf = new WeakMap<Buffer, WeakRef<Buffer>[]>();

/** For a home that releases a buffer: the copies of it elsewhere are of no more use. */
export function releaseCopies(buffer: Buffer): void {
  for (const copy of copiesOf.get(buffer) ?? []) {
    const known = copy.deref();
    known?.home.release(known);
  }
  copiesOf.delete(buffer);
}

/** What a storage has copied from others, once each. */
export class Guests {
  readonly #home: Buffers;
  readonly #copies = new WeakMap<Buffer, Buffer>();

  constructor(home: Buffers) {
    this.#home = home;
  }

  /** `here` of the storage. Throws a ReleasedError. */
  here(buffer: Buffer): Buffer {
    if (buffer.released) throw afterRelease();
    if (buffer.home === this.#home) return buffer;
    let copy = this.#copies.get(buffer);
    // Somebody has let go of what was made of it, which was a part of the copy.
    if (copy === undefined || copy.released) {
      copy = this.#home.adopt(buffer.dtype, buffer.home.lend(buffer));
      this.#copies.set(buffer, copy);
      const others = copiesOf.get(buffer);
      if (others === undefined) copiesOf.set(buffer, [new WeakRef(copy)]);
      else others.push(new WeakRef(copy));
    }
    return copy;
  }
}
