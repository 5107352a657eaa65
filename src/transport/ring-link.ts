import { Deque } from '../base/index.ts';
import { HIGH_WATER, type Link, type LinkListener } from './link.ts';
import type { RingReader, RingWriter } from './ring.ts';

/** Bytes before the payload of a record: kind, length. */
const HEADER = 8;
const WHOLE = 0;
const PART = 1;
const LAST_PART = 2;
const CLOSE = 3;

interface Piece {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/**
 * Two rings in shared memory as a link. Large messages travel in pieces; what finds no room waits. The host says when to
 * look: `wake` tells the other end that it should `poll`, and once too often does no harm.
 */
export class RingLink implements Link {
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #wake: () => void;
  readonly #highWater: number;
  readonly #backlog = new Deque<Piece>();
  readonly #parts: Uint8Array[] = [];
  #buffered = 0;
  #patience = false;
  #listener: LinkListener | undefined;
  #open = true;
  /** Why it is closed, until the listener has heard it. */
  #reason: string | undefined;
  #over = false;

  constructor(writer: RingWriter, reader: RingReader, wake: () => void, highWater: number = HIGH_WATER) {
    this.#writer = writer;
    this.#reader = reader;
    this.#wake = wake;
    this.#highWater = highWater;
  }

  get open(): boolean {
    return this.#open;
  }

  get buffered(): number {
    return this.#buffered;
  }

  send(message: Uint8Array): boolean {
    if (!this.#open) return false;
    const piece = this.#writer.largest - HEADER;
    if (message.length <= piece) this.#put(WHOLE, message);
    else {
      for (let at = 0; at < message.length; at += piece) {
        const end = Math.min(at + piece, message.length);
        this.#put(end === message.length ? LAST_PART : PART, message.subarray(at, end));
      }
    }
    if (this.#buffered <= this.#highWater) return true;
    this.#patience = true;
    return false;
  }

  #put(kind: number, bytes: Uint8Array): void {
    if (this.#backlog.size === 0 && this.#write(kind, bytes)) {
      this.#wake();
      return;
    }
    this.#backlog.push({ kind, bytes: new Uint8Array(bytes) });
    this.#buffered += bytes.length;
  }

  #write(kind: number, bytes: Uint8Array): boolean {
    const at = this.#writer.reserve(HEADER + bytes.length);
    if (at < 0) return false;
    const { views } = this.#writer;
    views.words[at >> 2] = kind;
    views.words[(at >> 2) + 1] = bytes.length;
    views.bytes.set(bytes, at + HEADER);
    this.#writer.commit(HEADER + bytes.length);
    return true;
  }

  /** The host polls soon after. */
  listen(listener: LinkListener): void {
    this.#listener = listener;
  }

  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reason = reason;
    this.#put(CLOSE, new TextEncoder().encode(reason.slice(0, 200)));
  }

  /**
   * The other end is gone without a word; what it had sent is taken in first. For whoever hears of that: rings lie in
   * memory that outlives both ends, so the link can't.
   */
  abandoned(reason: string): void {
    this.poll();
    this.#open = false;
    this.#end(reason);
  }

  /** Takes in what is there, and sends what has waited for room; true if anything happened. */
  poll(): boolean {
    if (this.#over) return false;
    const heard = this.#takeIn();
    const sent = this.#flush();
    if (heard || sent) this.#wake();
    if (this.#reason !== undefined && this.#backlog.size === 0) this.#end(this.#reason);
    return heard || sent;
  }

  #flush(): boolean {
    let sent = false;
    for (let piece = this.#backlog.peek(); piece !== undefined; piece = this.#backlog.peek()) {
      if (!this.#write(piece.kind, piece.bytes)) break;
      this.#backlog.shift();
      this.#buffered -= piece.bytes.length;
      sent = true;
    }
    if (this.#patience && this.#buffered <= this.#highWater / 2) {
      this.#patience = false;
      if (this.#open) this.#listener?.writable();
    }
    return sent;
  }

  #takeIn(): boolean {
    const reader = this.#reader;
    const listener = this.#listener;
    if (listener === undefined) return false;
    let any = false;
    while (!this.#over && reader.next()) {
      any = true;
      const { words, bytes } = reader.views;
      const kind = words[reader.at >> 2] as number;
      const from = reader.at + HEADER;
      const payload = bytes.subarray(from, from + (words[(reader.at >> 2) + 1] as number));
      if (kind === WHOLE) listener.message(payload);
      else if (kind === CLOSE) {
        this.#open = false;
        this.#end(new TextDecoder().decode(payload.slice()));
      } else {
        this.#parts.push(payload.slice());
        if (kind === LAST_PART) listener.message(joined(this.#parts.splice(0)));
      }
      reader.advance();
    }
    return any;
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.closed(reason);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
