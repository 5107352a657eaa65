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

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#index.clear();
  }

  /** The number of the buffer, whose range now covers the given one too. An empty range only names the buffer. */
  add(buffer: ArrayBufferLike, start: number, length: number, align: number): number {
    const i = this.#find(buffer);
    const entry = this.#entries[i] as Entry;
    if (length > 0) {
      const first = entry.end === 0;
      entry.start = first ? start : Math.min(entry.start, start);
      entry.end = Math.max(entry.end, start + length);
      entry.align = Math.max(entry.align, align);
    }
    return i;
  }

  #find(buffer: ArrayBufferLike): number {
    const entries = this.#entries;
    const n = entries.length;
    if (n <= scanLimit) {
      for (let i = 0; i < n; i++) if (entries[i]?.buffer === buffer) return i;
    } else {
      const i = this.#index.get(buffer);
      if (i !== undefined) return i;
    }
    entries.push({ buffer, start: 0, end: 0, align: 1 });
    if (n === scanLimit)
      entries.forEach((e, i) => {
        this.#index.set(e.buffer, i);
      });
    else if (n > scanLimit) this.#index.set(buffer, n);
    return n;
  }

  /** Ends the body with the table; returns the ranges that go out of band, in the order of the table. */
  write(to: ByteWriter, inlineLimit: number, none: readonly OutOfBand[]): readonly OutOfBand[] {
    const position = to.pos;
    let total = 0;
    for (const e of this.#entries) {
      e.start -= e.start % e.align;
      total += e.end - e.start;
    }
    const header = 8 + 17 * this.#entries.length;
    const embedAll = position + header + total <= inlineLimit;
    to.uint(this.#entries.length);
    const out: OutOfBand[] = [];
    for (const e of this.#entries) {
      const byteLength = e.end - e.start;
      const embedded = embedAll || byteLength < outOfBandMinimum;
      to.byte(embedded ? 0 : 1);
      to.uint(e.start);
      to.uint(byteLength);
      if (!embedded) out.push({ buffer: e.buffer, byteOffset: e.start, byteLength });
    }
    for (const e of this.#entries) {
      const byteLength = e.end - e.start;
      if (embedAll || byteLength < outOfBandMinimum) to.raw(new Uint8Array(e.buffer, e.start, byteLength));
    }
    to.float(position);
    return out.length === 0 ? none : out;
  }
}
