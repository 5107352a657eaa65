import { Encoder } from '../codec/index.ts';
import { type Cell, type Lease, READY } from '../protocol/index.ts';
import { copyBytes } from '../transport/index.ts';
import type { Call } from './call.ts';
import * as F from './frames.ts';
import { OutgoingParcels } from './parcels.ts';
import type { PartyHost } from './party-host.ts';
import type { Recorder } from './recorder.ts';
import { isReference } from './reference.ts';
import { INLINE_TOTAL, isPlain, Stored } from './values.ts';

/** Values go along with so many nested references at most, and only if they are small themselves. */
const MOST_VALUES = 64;
const SMALL_BODY = 1024;

/** Writes calls into the task rings of workers. */
export class CallSender {
  readonly #host: PartyHost;
  readonly #encoder = new Encoder({ isRef: isReference });

  readonly parcels: OutgoingParcels;

  constructor(host: PartyHost) {
    this.#host = host;
    this.parcels = new OutgoingParcels(host.reactor);
  }

  /** The ticket for recalling it, or -1 when there is no room now. */
  push(call: Call, lease: Lease): number {
    const host = this.#host;
    if (this.parcels.full(lease)) return -1;
    const { fn } = call.plan;
    if (fn.told[lease.worker] !== lease.incarnation) host.tell(lease.worker, lease.incarnation, fn);
    const writer = host.reactor.taskWriter(lease.worker);
    let flags = Math.min(call.key.id, F.CALL_KEY_UNKNOWN) << F.CALL_KEY_SHIFT;
    if (fn.method !== null) flags |= F.CALL_METHOD;
    else if (call.plan.queue.shape.exclusive) flags |= F.CALL_EXCLUSIVE;
    if (call.actorId !== null) flags |= F.CALL_ACTOR;
    if (call.plan.copy) flags |= F.CALL_COPY;
    if (call.stream !== null) flags |= F.CALL_STREAM;

    let extraLength = 0;
    let extra: Uint8Array | null = null;
    if (isRich(call, lease)) {
      const encoded = this.#encoder.encode(this.#extra(call, lease), 'call', Number.MAX_SAFE_INTEGER);
      extra = encoded.bytes;
      extraLength = encoded.length;
      if (call.length + extraLength > INLINE_TOTAL) {
        const where = this.#share(call, extra.subarray(0, extraLength));
        if (where === undefined) return 0;
        extra = where;
        extraLength = where.length;
        flags |= F.CALL_EXTRA_SHARED;
      }
    }

    const size = call.length + extraLength;
    const fits = F.CALL_HEADER + size + 8 <= writer.largest;
    const shared = this.#sharedKiB(call);
    if (shared > 0) flags |= F.CALL_SHARED;
    const sharedAt = F.sharedSizeAt(F.CALL_HEADER + (fits ? size : F.PARCEL_NUMBER));
    const total = shared > 0 ? sharedAt + 4 : F.CALL_HEADER + (fits ? size : F.PARCEL_NUMBER);
    const at = writer.reserve(total);
    if (at < 0) return -1;
    const { words, bytes } = writer.views;
    const w = at >> 2;
    const behind = at + F.CALL_HEADER;
    if (fits) {
      copyBytes(bytes, behind, call.bytes, call.start, call.length);
      if (extra !== null) copyBytes(bytes, behind + call.length, extra, 0, extraLength);
    } else {
      flags |= F.CALL_PARCEL;
      const body = call.bytes.subarray(call.start, call.start + call.length);
      words[behind >> 2] = this.parcels.send(call, lease, body, extra?.subarray(0, extraLength) ?? NO_BYTES);
    }
    if (shared > 0) words[(at + sharedAt) >> 2] = shared;
    words[w] = call.slot;
    words[w + 1] = fn.number;
    words[w + 2] = Math.min(call.depth, 0x7fff) | (flags << 16);
    words[w + 3] = Math.min(call.attempt, 0xff) | (call.plan.returns << 8);
    words[w + 4] = call.length;
    words[w + 5] = extraLength;
    words[w + 6] = call.plan.timeout;
    words[w + 7] = call.sequence | 0;
    host.block.clearCall(host.self.party, call.slot);
    const ticket = writer.commit(total);
    host.reactor.notify(lease.worker);
    host.counters.bytesOut += size;
    if (host.recorder !== null) this.#record(host.recorder, call, lease.worker, size);
    return ticket;
  }

  #record(recorder: Recorder, call: Call, worker: number, inline: number): void {
    const { values } = this.#host;
    let bytes = inline + (call.shared === null ? 0 : values.sharedBytes(call.shared));
    for (const cell of call.dependencies) bytes += values.sharedBytes(cell.value);
    recorder.pushed(call, worker, bytes);
  }

  /** What the arguments take in shared memory, where that may be short. */
  #sharedKiB(call: Call): number {
    const { values, store } = this.#host;
    if (!store.room.spills || (call.dependencies.length === 0 && call.shared === null)) return 0;
    let bytes = call.shared === null ? 0 : values.sharedBytes(call.shared);
    for (const cell of call.dependencies) bytes += values.sharedBytes(cell.value);
    return Math.ceil(bytes / 1024);
  }

  #extra(call: Call, lease: Lease): F.CallExtra {
    const { values, party } = this.#host;
    const extra: F.CallExtra = {};
    if (call.dependencies.length > 0) {
      extra.d = call.dependencies.map((cell) => [
        values.toWire(cell.value),
        cell.inner.length === 0 ? NO_IDS : cell.inner.map((each) => party.references.promote(each)),
      ]);
    }
    if (call.nested !== null) {
      extra.r = call.nested.map((cell: Cell) => party.references.promote(cell));
      if (call.nested.length <= MOST_VALUES) extra.v = call.nested.map((cell) => this.#known(cell));
    }
    if (call.shared !== null) extra.s = values.toWire(call.shared);
    if (lease.gpus.length > 0) extra.g = lease.gpus;
    if (call.actorId !== null) extra.a = call.actorId;
    if (call.stream !== null) {
      const { skip, taken, ahead } = call.stream.start();
      extra.y = [skip, taken, ahead];
    }
    return extra;
  }

  /** A value that goes along with a nested reference, so that the worker need not ask for it. */
  #known(cell: Cell): [wire: unknown, inner: readonly string[]] | null {
    const { values, party } = this.#host;
    const { value } = cell;
    if (
      cell.state !== READY ||
      !(isPlain(value) || (value instanceof Stored && (value.body?.length ?? 0) <= SMALL_BODY))
    ) {
      return null;
    }
    return [
      values.toWire(value),
      cell.inner.length === 0 ? NO_IDS : cell.inner.map((each) => party.references.promote(each)),
    ];
  }

  /** Puts the extra part into shared memory: three words say where. Undefined when there is no room: the call fails. */
  #share(call: Call, bytes: Uint8Array): Uint8Array | undefined {
    const { values, store, relief } = this.#host;
    const { mayPoll } = relief;
    relief.mayPoll = false;
    try {
      const slot = store.allocate(bytes.length);
      store.write(slot, 0, bytes);
      store.seal(slot);
      const extent = { slot, offset: 0, length: bytes.length };
      // It lives as long as the arguments themselves.
      call.shared =
        call.shared === null
          ? new Stored(null, extent, [])
          : new Stored(call.shared.body, call.shared.bodyExtent, [...call.shared.buffers, extent]);
      return new Uint8Array(new Uint32Array([slot.index, slot.generation, bytes.length]).buffer);
    } catch (error) {
      values.store.collect();
      this.#host.fail(call, error);
      this.#host.party.owner.done(call);
      return undefined;
    } finally {
      relief.mayPoll = mayPoll;
    }
  }
}

/** Whether there is more to say than the body of the arguments has. */
function isRich(call: Call, lease: Lease): boolean {
  return (
    call.dependencies.length > 0 ||
    call.nested !== null ||
    call.shared !== null ||
    call.stream !== null ||
    call.actorId !== null ||
    lease.gpus.length > 0
  );
}

const NO_BYTES = new Uint8Array(0);
const NO_IDS: readonly string[] = Object.freeze([]);
