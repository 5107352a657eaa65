import type { Execution } from './execution.ts';
import * as F from './frames.ts';
import type { PartyHost } from './party-host.ts';
import { putBody, putNumber } from './small-frames.ts';
import { INLINE_LIMIT, isPlain, Stored } from './values.ts';

/** How the items of streams go to their consumers: as results go to callers, each the cheapest way that carries it. */
export class ItemSender {
  readonly #host: PartyHost;

  constructor(host: PartyHost) {
    this.#host = host;
  }

  /**
   * Sends an item; returns how many bytes it takes.
   *
   * @throws CodecError for a value that can't travel, OutOfMemoryError where shared memory has no room for it.
   */
  send(run: Execution, index: number, value: unknown): number {
    if (run.orphaned) return 0;
    if (typeof value === 'number' && this.#number(run, index, value)) return 8;
    const host = this.#host;
    const { values } = host;
    const encoded = values.encoder.encode(value, 'item', INLINE_LIMIT);
    if (encoded.inline && encoded.buffers.length === 0 && encoded.refs.length === 0) {
      const { length } = encoded;
      if (this.#value(run, index, isPlain(value) ? F.ITEM_PLAIN : F.ITEM_VALUE, encoded.bytes, length)) return length;
    }
    const { value: kept, pinned, inner } = values.keepEncoded(encoded);
    if (pinned) host.origins.given('item', run.name, kept);
    const { executor, references } = host.party;
    const receipt = executor.give(run, inner, pinned ? [kept] : undefined);
    const result = {
      payload: values.toWire(kept),
      inner: inner.map((cell) => references.promote(cell)),
      delegate: null,
    };
    host.mailer.post(run.caller, { slot: run.slot, index, result, receipt }, F.ITEM);
    return kept instanceof Stored ? kept.byteLength : 0;
  }

  #number(run: Execution, index: number, value: number): boolean {
    const { reactor } = this.#host;
    const writer = reactor.messageWriter(run.caller);
    const size = writer === undefined ? 0 : putNumber(writer, F.ITEM_NUMBER, run.slot, index | 0, value);
    if (writer === undefined || size === 0) return false;
    writer.commit(size);
    reactor.notify(run.caller);
    return true;
  }

  #value(run: Execution, index: number, kind: number, body: Uint8Array, length: number): boolean {
    const { reactor } = this.#host;
    const writer = reactor.messageWriter(run.caller);
    const size = writer === undefined ? 0 : putBody(writer, kind, run.slot, index | 0, body, length);
    if (writer === undefined || size === 0) return false;
    writer.commit(size);
    reactor.notify(run.caller);
    return true;
  }
}
