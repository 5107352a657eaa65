import type { Execution } from '../execution.ts';
import { isPlain, Stored } from '../values.ts';
import type { InlineHost } from './inline-host.ts';
import { outside } from './outside.ts';

/** Hands the items of streams to those who consume them, in the same thread and by way of the same codec. */
export class InlineItems {
  readonly #host: InlineHost;

  constructor(host: InlineHost) {
    this.#host = host;
  }

  /**
   * Hands an item over; returns how many bytes it takes.
   *
   * @throws CodecError for a value that can't travel, OutOfMemoryError where there is no room for it.
   */
  send(run: Execution, index: number, value: unknown): number {
    const { values, party, self } = this.#host;
    if (isPlain(value)) {
      outside(() => party.yielded(self.party, run.slot, index | 0, value));
      return 8;
    }
    const { value: kept, pinned, inner } = values.keep(value, 'item');
    const { references } = party;
    for (const cell of inner) references.hold(cell);
    const result = {
      payload: values.toWire(kept),
      inner: inner.map((cell) => references.promote(cell)),
      delegate: null,
    };
    outside(() => party.item(self, { slot: run.slot, index, result, receipt: 0 }));
    for (const cell of inner) references.drop(cell);
    if (pinned) values.unpin(kept);
    return kept instanceof Stored ? kept.byteLength : 0;
  }
}
