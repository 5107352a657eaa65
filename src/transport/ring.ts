/**
 * A single-producer, single-consumer queue of records in shared memory: the link between two parties of one node.
 *
 * ```
 * header   word 0: tail, written by the producer     word 16: head, written by the consumer
 * data     records of [length | flags][state][payload ... padded to 8 bytes]; none wraps around the end
 * ```
 *
 * Positions are byte counts since the start, modulo 2^32; the size is a power of two. A record is published by storing
 * the tail behind it. Records that carry tasks are *claimed* by the consumer when it starts them and may be *recalled*
 * by the producer until then: both are a compare-and-swap of the record's state, so exactly one of them wins, and the
 * ring itself is the worker's queue.
 */

const HEADER_BYTES = 128;
const HEAD_WORD = 16;
const RECORD_HEADER = 8;
/** In the length word: skip to the start of the data. */
const PADDING = 1 << 30;

const FRESH = 0;
const CLAIMED = 1;
const RECALLED = 2;

/** A segment's memory as the views that rings need; one per segment and thread. */
export class Views {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike) {
    this.words = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }
}

/** Bytes that a ring with `data` bytes of records takes. */
export function ringBytes(data: number): number {
  return HEADER_BYTES + data;
}

/** Empties a ring. Nobody may be using it. One that was never used reads as zero, and is not touched just to say so. */
export function resetRing(views: Views, offset: number): void {
  const { words } = views;
  if (words[offset >> 2] === 0 && words[(offset >> 2) + HEAD_WORD] === 0) return;
  Atomics.store(words, offset >> 2, 0);
  Atomics.store(words, (offset >> 2) + HEAD_WORD, 0);
}

export class RingWriter {
  readonly views: Views;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #data: number;
  readonly #size: number;
  /** Bytes written since the start: in memory modulo 2^32, here in full, so that a ticket is never mistaken for a later one. */
  #tail: number;
  /** The consumer's position as last seen. */
  #head: number;
  #start = 0;

  /** `offset` is where the ring lies in the segment, `size` its data bytes (a power of two). */
  constructor(views: Views, offset: number, size: number) {
    this.views = views;
    this.#tailWord = offset >> 2;
    this.#headWord = this.#tailWord + HEAD_WORD;
    this.#data = offset + HEADER_BYTES;
    this.#size = size;
    this.#tail = Atomics.load(views.words, this.#tailWord) >>> 0;
    this.#head = this.#loadHead();
  }

  /** The consumer is never more than one round behind. */
  #loadHead(): number {
    return this.#tail - ((this.#tail - Atomics.load(this.views.words, this.#headWord)) >>> 0);
  }

  /** Where in the ring a position lies. */
  #place(position: number): number {
    return (position >>> 0) & (this.#size - 1);
  }

  /** The most payload that one record may have. */
  get largest(): number {
    return this.#size >> 2;
  }

  /** Room for a payload of `length` bytes: its byte offset in the segment (a multiple of 8), or -1 when there is none. */
  reserve(length: number): number {
    const total = (RECORD_HEADER + length + 7) & ~7;
    const at = this.#place(this.#tail);
    const rest = this.#size - at;
    const needed = total <= rest ? total : rest + total;
    if (needed > this.#size - (this.#tail - this.#head)) {
      this.#head = this.#loadHead();
      if (needed > this.#size - (this.#tail - this.#head)) return -1;
    }
    const { words } = this.views;
    let start = this.#data + at;
    if (total > rest) {
      words[start >> 2] = rest | PADDING;
      this.#tail += rest;
      start = this.#data;
    }
    this.#start = start;
    words[start >> 2] = total;
    words[(start >> 2) + 1] = FRESH;
    return start + RECORD_HEADER;
  }

  /** Publishes the reserved record, cut to `length` bytes. Returns its ticket, for `recall`. */
  commit(length: number): number {
    const total = (RECORD_HEADER + length + 7) & ~7;
    const { words } = this.views;
    words[this.#start >> 2] = total;
    const ticket = this.#tail;
    this.#tail += total;
    Atomics.store(words, this.#tailWord, this.#tail | 0);
    return ticket;
  }

  /** Takes a published record back; false when the consumer has claimed it. */
  recall(ticket: number): boolean {
    // Behind the head everything is claimed, and the space may hold another record by now.
    if (ticket < this.#loadHead()) return false;
    const state = ((this.#data + this.#place(ticket)) >> 2) + 1;
    return Atomics.compareExchange(this.views.words, state, FRESH, RECALLED) === FRESH;
  }

  /** Whether the consumer had claimed the record. For the records of a dead consumer. */
  claimed(ticket: number): boolean {
    if (ticket < this.#loadHead()) return true;
    return Atomics.load(this.views.words, ((this.#data + this.#place(ticket)) >> 2) + 1) === CLAIMED;
  }
}

export class RingReader {
  readonly views: Views;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #data: number;
  readonly #size: number;
  #head: number;
  #tail: number;
  /** Byte offset of the current record's payload in the segment. */
  at = 0;
  /** Byte offset behind it, padding included. */
  end = 0;

  constructor(views: Views, offset: number, size: number) {
    this.views = views;
    this.#tailWord = offset >> 2;
    this.#headWord = this.#tailWord + HEAD_WORD;
    this.#data = offset + HEADER_BYTES;
    this.#size = size;
    this.#head = Atomics.load(views.words, this.#headWord);
    this.#tail = this.#head;
  }

  /** Moves to the oldest record that is neither consumed nor recalled; false when there is none. */
  next(): boolean {
    const { words } = this.views;
    for (;;) {
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(words, this.#tailWord);
        if (this.#head === this.#tail) return false;
      }
      const start = this.#data + (this.#head & (this.#size - 1));
      const length = words[start >> 2] as number;
      if ((length & PADDING) !== 0) {
        this.#head = (this.#head + (length & ~PADDING)) | 0;
        continue;
      }
      this.end = start + length;
      this.at = start + RECORD_HEADER;
      if (Atomics.load(words, (start >> 2) + 1) !== RECALLED) return true;
      this.advance();
    }
  }

  /** Takes the current record for good; false when its producer took it back first. */
  claim(): boolean {
    return Atomics.compareExchange(this.views.words, (this.at - RECORD_HEADER + 4) >> 2, FRESH, CLAIMED) === FRESH;
  }

  /** The current record's space may be reused. */
  advance(): void {
    this.#head = (this.#head + (this.end - this.at + RECORD_HEADER)) | 0;
    Atomics.store(this.views.words, this.#headWord, this.#head);
  }
}
