import { Decoder, Encoder } from '../codec/index.ts';
import type { RunId } from '../protocol/index.ts';
import type { Reactor } from '../transport/index.ts';
import * as F from './frames.ts';
import { isReference } from './reference.ts';

const SCRATCH = 4096;
/** Scratch beyond this is given back after the frame that needed it. */
const KEPT_SCRATCH = 1024 * 1024;

/** Writes and reads the frames of the message ring that are not on the fastest path. */
export class Mailer {
  readonly #reactor: Reactor;
  readonly #encoder = new Encoder({ isRef: isReference });
  readonly #decoder = new Decoder();
  #scratch = new Uint8Array(SCRATCH);
  #words = new Int32Array(this.#scratch.buffer);
  readonly #parts = new Map<number, Uint8Array[]>();

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** A frame of `kind` with encoded data: `[kind, length, body]`. */
  post(to: number, message: unknown, kind: number = F.CONTROL): void {
    const { bytes, length } = this.#encoder.encode(message, 'message', Number.MAX_SAFE_INTEGER);
    this.#reserve(8 + length);
    this.#words[0] = kind;
    this.#words[1] = length;
    this.#scratch.set(bytes.subarray(0, length), 8);
    this.#send(to, 8 + length);
  }

  define(to: number, fn: number, definition: unknown): void {
    const { bytes, length } = this.#encoder.encode(definition, 'function', Number.MAX_SAFE_INTEGER);
    this.#reserve(12 + length);
    this.#words[0] = F.DEFINE;
    this.#words[1] = fn;
    this.#words[2] = length;
    this.#scratch.set(bytes.subarray(0, length), 12);
    this.#send(to, 12 + length);
  }

  acknowledge(to: number, receipt: number): void {
    this.#words[0] = F.ACKNOWLEDGE;
    this.#words[1] = receipt;
    this.#send(to, 8);
  }

  cancel(to: number, { slot, sequence }: RunId, flags: number): void {
    this.#words[0] = F.CANCEL;
    this.#words[1] = slot;
    this.#words[2] = sequence;
    this.#words[3] = flags;
    this.#send(to, 16);
  }

  /** So many items of a stream are consumed; modulo 2^32. */
  more(to: number, { slot, sequence }: RunId, taken: number): void {
    this.#words[0] = F.MORE;
    this.#words[1] = slot;
    this.#words[2] = sequence;
    this.#words[3] = taken | 0;
    this.#send(to, 16);
  }

  #reserve(length: number): void {
    if (length <= this.#scratch.length) return;
    this.#scratch = new Uint8Array(((length * 2 + 7) >> 3) << 3);
    this.#words = new Int32Array(this.#scratch.buffer);
  }

  #send(to: number, length: number): void {
    const { largest } = this.#reactor;
    if (length <= largest) {
      this.#reactor.post(to, this.#scratch, length);
      return;
    }
    const frame = this.#scratch;
    const piece = largest - 16;
    const part = new Uint8Array(largest);
    const words = new Int32Array(part.buffer);
    for (let at = 0; at < length; at += piece) {
      const n = Math.min(piece, length - at);
      words[0] = F.PART;
      words[1] = at + n === length ? 1 : 0;
      words[2] = n;
      part.set(frame.subarray(at, at + n), 16);
      this.#reactor.post(to, part, 16 + n);
    }
    if (this.#scratch.length <= KEPT_SCRATCH) return;
    this.#scratch = new Uint8Array(SCRATCH);
    this.#words = new Int32Array(this.#scratch.buffer);
  }

  /** The data of a frame made by `post`, which begins at `at`. */
  open(bytes: Uint8Array, at: number): unknown {
    const length =
      (bytes[at + 4] as number) |
      ((bytes[at + 5] as number) << 8) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 24);
    return this.#decoder.decode(bytes, at + 8, at + 8 + length);
  }

  /** Gathers a piece of a large frame; `whole` gets it when it is complete, in a buffer of its own. */
  part(from: number, words: Int32Array, bytes: Uint8Array, at: number, whole: (frame: Uint8Array) => void): void {
    const length = words[(at >> 2) + 2] as number;
    const last = words[(at >> 2) + 1] === 1;
    const parts = this.#parts.get(from) ?? [];
    parts.push(bytes.slice(at + 16, at + 16 + length));
    if (!last) {
      this.#parts.set(from, parts);
      return;
    }
    this.#parts.delete(from);
    const total = parts.reduce((n, part) => n + part.length, 0);
    const frame = new Uint8Array((total + 7) & ~7);
    let offset = 0;
    for (const part of parts) {
      frame.set(part, offset);
      offset += part.length;
    }
    whole(frame);
  }

  forget(party: number): void {
    this.#parts.delete(party);
  }
}
