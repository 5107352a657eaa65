import { type Cell, NO_CELLS } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import { FilesFirst, mayHaveFiles } from './files.ts';
import * as F from './frames.ts';
import type { PartyHost } from './party-host.ts';
import type { Stage } from './stage.ts';
import type { Stored } from './values.ts';

/** What the records of calls hold: the arguments, with whatever comes beside them. */
export class CallArguments {
  readonly #host: PartyHost;
  readonly #stage: Stage;
  readonly #checkWrites: boolean;

  constructor(host: PartyHost, stage: Stage, checkWrites: boolean) {
    this.#host = host;
    this.#stage = stage;
    this.#checkWrites = checkWrites;
  }

  /** The values of a call's arguments. Throws `FilesFirst` when some of them are files that have to be opened before. */
  decode(run: Execution, flags: number, bytes: Uint8Array, at: number, length: number, extraLength: number): unknown[] {
    if (extraLength === 0) return this.#host.values.decoder.decodeArgs(bytes, at, at + length);
    return this.#rich(run, flags, bytes, at, length, extraLength);
  }

  /** Arguments with references or shared memory among them. */
  #rich(run: Execution, flags: number, bytes: Uint8Array, at: number, length: number, extraLength: number): unknown[] {
    const extra = this.#extra(flags, bytes, at, length, extraLength);
    run.gpus = extra.g ?? [];
    run.actorId = extra.a ?? null;
    if (extra.y !== undefined) run.streamStart = { skip: extra.y[0], taken: extra.y[1], ahead: extra.y[2] };

    if (extra.d !== undefined && run.filesTried === null) {
      const { values } = this.#host;
      const files = extra.d.flatMap(([wire]) => (mayHaveFiles(wire) ? values.unopened(values.parse(wire)) : []));
      if (files.length > 0) throw new FilesFirst(files);
    }
    // Handles that decoding makes belong to this run.
    return this.#stage.within(run, () => this.#beside(run, extra, (flags & F.CALL_COPY) !== 0, bytes, at, length));
  }

  /** What comes beside the body of a call, in its record or, when it is large, in shared memory. */
  #extra(flags: number, bytes: Uint8Array, at: number, length: number, extraLength: number): F.CallExtra {
    const { values, store } = this.#host;
    const start = at + length;
    const end = start + extraLength;
    if ((flags & F.CALL_EXTRA_SHARED) === 0) return values.decoder.decode(bytes, start, end) as F.CallExtra;
    const [index, generation, size] = new Uint32Array(bytes.slice(start, end).buffer) as unknown as [
      number,
      number,
      number,
    ];
    return store.reading({ index, generation }, (all) => values.decoder.decode(all, 0, size)) as F.CallExtra;
  }

  #beside(run: Execution, extra: F.CallExtra, copy: boolean, bytes: Uint8Array, at: number, length: number): unknown[] {
    const host = this.#host;
    const { values, store, party } = host;
    const lent: Cell[] = [];
    run.lent = lent;
    const lend = (ids: readonly string[]): Cell[] =>
      ids.map((id) => {
        const cell = party.references.adopt(id);
        party.references.hold(cell);
        party.executor.own(run, cell);
        lent.push(cell);
        return cell;
      });
    const deps = (extra.d ?? []).map(([wire, ids]) => {
      const { value, pinned } = values.fromWire(wire);
      try {
        const result = values.readValue(value, ids.length === 0 ? NO_CELLS : lend(ids), copy);
        if (pinned) this.#check(run, value, values);
        return result;
      } catch (error) {
        if (pinned && values.lostSlot(value) !== undefined) run.unread = true;
        throw error;
      } finally {
        if (pinned) values.unpin(value);
      }
    });
    const nested = extra.r === undefined ? [] : lend(extra.r);
    extra.v?.forEach((known, i) => {
      if (known === null) return;
      const inner = lend(known[1]);
      for (const cell of inner) party.references.hold(cell);
      party.references.lentWith(nested[i] as Cell, known[0], inner);
    });
    const refs = nested.map((cell) => host.handle(cell));
    if (extra.s === undefined) return values.decoder.decodeArgs(bytes, at, at + length, { buffers: [], refs, deps });
    const own = values.fromWire(extra.s).value as Stored;
    try {
      this.#check(run, own, values);
      const buffers = own.buffers.map((extent) => values.view(extent, copy));
      const source = { buffers, refs, deps };
      const extent = length === 0 ? own.bodyExtent : null;
      if (extent === null) return values.decoder.decodeArgs(bytes, at, at + length, source);
      const { slot, offset: start } = extent;
      return store.reading(slot, (all) => values.decoder.decodeArgs(all, start, start + extent.length, source));
    } finally {
      values.unpin(own);
    }
  }

  /** With `checkWrites`: remembers how to tell, after the run, whether shared memory was written to. */
  #check(run: Execution, stored: unknown, values: PartyHost['values']): void {
    if (!this.#checkWrites) return;
    const check = values.watchWrites(stored);
    if (check !== undefined) {
      run.checks ??= [];
      run.checks.push(check);
    }
  }
}
