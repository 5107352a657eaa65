import type { ByteWriter } from './byte-writer.ts';
import { outOfBandMinimum } from './format.ts';

/** A range of a buffer that travels beside the body. */
export interface OutOfBand {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

interface Entry {
  readonly buffer: ArrayBufferLike;
  /** The argument that was the first to name it; 0 for a value by itself. */
  readonly owner: number;
  start: number;
  end: number;
  /** The largest element size among its views: the range starts at a multiple of it, so that they stay aligned. */
  align: number;
}

const scanLimit = 8;

/**
 * The buffers that the views of one value look into, and for each the smallest range that covers them all. The table in
 * the body is a count and for each buffer: 0 for embedded or 1 for out of band, start and length of the range.
 */
export class BufferTable {
  readonly #entries: Entry[] = [];
  readonly #index = new Map<ArrayBufferLike, number>();
  /** By argument that owns an entry: what it takes in the body. */
  readonly #bodies: number[] = [];
  /** After `write`: what had to be embedded of one argument was more than it may have. */
  oversize = false;

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#index.clear();
    this.#bodies.length = 0;
    this.oversize = false;
  }

  /** Says what the argument written last takes in the body. */
  setBody(owner: number, byteLength: number): void {
    if (this.#entries.at(-1)?.owner === owner) this.#bodies[owner] = byteLength;
  }

  /** The number of the buffer, whose range now covers the given one too. An empty range only names the buffer. */
  add(buffer: ArrayBufferLike, start: number, length: number, align: number, owner: number): number {
    const i = this.#find(buffer, owner);
    const entry = this.#entries[i] as Entry;
    if (length > 0) {
      const first = entry.end === 0;
      entry.start = first ? start : Math.min(entry.start, start);
      entry.end = Math.max(entry.end, start + length);
      entry.align = Math.max(entry.align, align);
    }
    return i;
  }

  #find(buffer: ArrayBufferLike, owner: number): number {
    const entries = this.#entries;
    const n = entries.length;
    if (n <= scanLimit) {
      for (let i = 0; i < n; i++) if (entries[i]?.buffer === buffer) return i;
    } else {
      const i = this.#index.get(buffer);
      if (i !== undefined) return i;
    }
    entries.push({ buffer, owner, start: 0, end: 0, align: 1 });
    if (n === scanLimit)
      entries.forEach((e, i) => {
        this.#index.set(e.buffer, i);
      });
    else if (n > scanLimit) this.#index.set(buffer, n);
    return n;
  }

  /**
   * Ends the body with the table; returns the ranges that go out of band, in the order of the table. The buffers of an
   * argument are embedded when it has `each` bytes at most, as long as the whole body has no more than `all`.
   */
  write(to: ByteWriter, each: number, all: number, none: readonly OutOfBand[]): readonly OutOfBand[] {
    const position = to.pos;
    const entries = this.#entries;
    const n = entries.length;
    const out: OutOfBand[] = [];
    const embedded: Entry[] = [];
    let total = position + tableBytes(n);
    to.uint(n);
    for (let first = 0; first < n; ) {
      const { owner } = entries[first] as Entry;
      let next = first;
      let bytes = 0;
      let small = 0;
      for (; next < n && entries[next]?.owner === owner; next++) {
        const e = entries[next] as Entry;
        e.start -= e.start % e.align;
        const byteLength = e.end - e.start;
        bytes += byteLength;
        if (byteLength < outOfBandMinimum) small += byteLength;
      }
      const own = (this.#bodies[owner] ?? position) + tableBytes(next - first);
      const fits = own + bytes <= each && total + bytes <= all;
      total += fits ? bytes : small;
      if (!fits && own + small > each) this.oversize = true;
      for (; first < next; first++) {
        const e = entries[first] as Entry;
        const byteLength = e.end - e.start;
        const here = fits || byteLength < outOfBandMinimum;
        to.byte(here ? 0 : 1);
        to.uint(e.start);
        to.uint(byteLength);
        if (here) embedded.push(e);
        else out.push({ buffer: e.buffer, byteOffset: e.start, byteLength });
      }
    }
    for (const e of embedded) to.raw(new Uint8Array(e.buffer, e.start, e.end - e.start));
    to.float(position);
    return out.length === 0 ? none : out;
  }
}

/** The most that the table takes for so many buffers, without their bytes. */
function tableBytes(entries: number): number {
  return 8 + 17 * entries;
}
