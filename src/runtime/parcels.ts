import type { Lease } from '../protocol/index.ts';
import type { Reactor } from '../transport/index.ts';
import type { Call } from './call.ts';
import * as F from './frames.ts';

/** A lease with so many bytes of parcels under way takes no more calls before one of them is answered. */
const ENOUGH = 16 * 1024 * 1024;
const PIECE_HEADER = 24;

interface Sent {
  readonly lease: Lease;
  readonly number: number;
  readonly byteLength: number;
}

/**
 * The caller's side of *parcels*: arguments that are too large for the record of their call. They travel ahead of it in
 * pieces in the message ring, under a number that the record names.
 */
export class OutgoingParcels {
  readonly #reactor: Reactor;
  /** Of calls that are with a worker. */
  readonly #sent = new Map<Call, Sent>();
  readonly #underWay = new WeakMap<Lease, number>();
  #last = 0;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** Whether a lease has to answer something first. Only what is with its worker counts, so an answer will come. */
  full(lease: Lease): boolean {
    return this.#sent.size > 0 && (this.#underWay.get(lease) ?? 0) >= ENOUGH;
  }

  /** Sends `head` and then `tail`; returns the number for the record. */
  send(call: Call, lease: Lease, head: Uint8Array, tail: Uint8Array): number {
    this.forget(call);
    const number = ++this.#last | 0;
    const byteLength = head.length + tail.length;
    const { largest } = this.#reactor;
    const piece = new Uint8Array(largest);
    const words = new Int32Array(piece.buffer);
    words[0] = F.PARCEL;
    words[1] = number;
    words[2] = byteLength;
    for (let at = 0; at < byteLength; ) {
      const length = Math.min(largest - PIECE_HEADER, byteLength - at);
      words[3] = at;
      words[4] = length;
      const ofHead = Math.max(0, Math.min(length, head.length - at));
      piece.set(head.subarray(at, at + ofHead), PIECE_HEADER);
      const from = at + ofHead - head.length;
      if (ofHead < length) piece.set(tail.subarray(from, from + length - ofHead), PIECE_HEADER + ofHead);
      this.#reactor.post(lease.worker, piece, PIECE_HEADER + length);
      at += length;
    }
    this.#sent.set(call, { lease, number, byteLength });
    this.#underWay.set(lease, (this.#underWay.get(lease) ?? 0) + byteLength);
    return number;
  }

  /** A call was taken back before it started: its worker need not keep the parcel for it. */
  recalled(call: Call): void {
    const sent = this.forget(call);
    if (sent === undefined) return;
    const words = new Int32Array([F.DROP_PARCEL, sent.number]);
    this.#reactor.post(sent.lease.worker, new Uint8Array(words.buffer), 8);
  }

  /** A call is not with its worker any more. */
  forget(call: Call): Sent | undefined {
    if (this.#sent.size === 0) return undefined;
    const sent = this.#sent.get(call);
    if (sent === undefined) return undefined;
    this.#sent.delete(call);
    this.#underWay.set(sent.lease, (this.#underWay.get(sent.lease) as number) - sent.byteLength);
    return sent;
  }
}

interface Arriving {
  readonly bytes: Uint8Array;
  missing: number;
}

/** The worker's side of parcels: what has come of them, by caller, until their calls start. */
export class IncomingParcels {
  readonly #parcels = new Map<number, Map<number, Arriving>>();

  /** Takes in a piece: a frame at `at`. */
  piece(caller: number, words: Int32Array, bytes: Uint8Array, at: number): void {
    const w = at >> 2;
    const number = words[w + 1] as number;
    const offset = words[w + 3] as number;
    const length = words[w + 4] as number;
    let own = this.#parcels.get(caller);
    if (own === undefined) {
      own = new Map();
      this.#parcels.set(caller, own);
    }
    let parcel = own.get(number);
    if (parcel === undefined) {
      const byteLength = words[w + 2] as number;
      parcel = { bytes: new Uint8Array(byteLength), missing: byteLength };
      own.set(number, parcel);
    }
    parcel.bytes.set(bytes.subarray(at + PIECE_HEADER, at + PIECE_HEADER + length), offset);
    parcel.missing -= length;
  }

  has(caller: number, number: number): boolean {
    return this.#parcels.get(caller)?.get(number)?.missing === 0;
  }

  /** The bytes of a complete parcel, which is gone then. */
  take(caller: number, number: number): Uint8Array {
    const own = this.#parcels.get(caller) as Map<number, Arriving>;
    const { bytes } = own.get(number) as Arriving;
    own.delete(number);
    return bytes;
  }

  drop(caller: number, number: number): void {
    this.#parcels.get(caller)?.delete(number);
  }

  callerDied(caller: number): void {
    this.#parcels.delete(caller);
  }

  /** Bytes kept for calls that have not started. */
  get byteLength(): number {
    let n = 0;
    for (const own of this.#parcels.values()) for (const { bytes } of own.values()) n += bytes.length;
    return n;
  }
}
