import { type Cell, NO_CELLS } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import type { Execution } from '../execution.ts';
import type { Stored } from '../values.ts';
import type { InlineHost } from './inline-host.ts';

/** What a run gets for its arguments: as a worker would have them, decoded from the bytes that the call was given, fresh for each run. */
export class InlineArguments {
  readonly #host: InlineHost;
  readonly #checkWrites: boolean;

  constructor(host: InlineHost, checkWrites: boolean) {
    this.#host = host;
    this.#checkWrites = checkWrites;
  }

  decode(run: Execution, call: Call): unknown[] {
    const { values } = this.#host;
    const { copy } = call.plan;
    const deps = call.dependencies.map((cell) => {
      if (cell.pinned) this.#check(run, cell.value);
      return values.readValue(cell.value, cell.inner, copy);
    });
    const refs = (call.nested ?? NO_CELLS).map((cell: Cell) => this.#host.handle(cell));
    const { shared } = call;
    if (shared === null) {
      const { bytes, start, length } = call;
      return values.decoder.decodeArgs(bytes, start, start + length, { buffers: [], refs, deps });
    }
    this.#check(run, shared);
    const buffers = shared.buffers.map((extent) => values.view(extent, copy));
    const { bodyExtent } = shared;
    if (bodyExtent === null) {
      const { bytes, start, length } = call;
      return values.decoder.decodeArgs(bytes, start, start + length, { buffers, refs, deps });
    }
    const { slot, offset, length } = bodyExtent;
    return values.decoder.decodeArgs(values.store.bytes(slot), offset, offset + length, { buffers, refs, deps });
  }

  /** With `checkWrites`: remembers how to tell, after the run, whether shared memory was written to. */
  #check(run: Execution, value: unknown): void {
    if (!this.#checkWrites) return;
    const check = this.#host.values.watchWrites(value as Stored);
    if (check === undefined) return;
    run.checks ??= [];
    run.checks.push(check);
  }
}
