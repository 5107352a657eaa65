import { NO_CELLS } from '../protocol/index.ts';
import { copyBytes } from '../transport/index.ts';
import type { Execution } from './execution.ts';
import * as F from './frames.ts';
import type { PartyHost } from './party-host.ts';
import { isReference } from './reference.ts';
import { Results } from './results.ts';
import { INLINE_LIMIT, isPlain } from './values.ts';

/** How a worker answers its callers. */
export class Answers {
  readonly #host: PartyHost;
  readonly #results: Results;

  constructor(host: PartyHost) {
    this.#host = host;
    this.#results = new Results(host);
  }

  /** Says how the run has ended after `micros` of time, the cheapest way that carries it. */
  answer(run: Execution, failed: boolean, result: unknown, micros: number): void {
    const host = this.#host;
    if (run.orphaned) {
      run.expireHandles();
      host.party.executor.finish(run, NO_CELLS, undefined);
      return;
    }
    const ticks = Math.min(0x7fffffff, micros * F.MICROS_SCALE) | 0;
    if (!failed && run.returns === 0 && run.scope === null) {
      if (typeof result === 'number') {
        if (this.#replyNumber(run, ticks, result)) return;
      } else if (this.#replyValue(run, ticks, result)) return;
    }
    this.#replyFully(run, ticks, failed, result);
  }

  #replyNumber(run: Execution, ticks: number, result: number): boolean {
    const { reactor, party } = this.#host;
    const writer = reactor.messageWriter(run.caller);
    const at = writer === undefined ? -1 : writer.reserve(24);
    if (writer === undefined || at < 0) return false;
    const { words, floats } = writer.views;
    const w = at >> 2;
    words[w] = F.REPLY_NUMBER;
    words[w + 1] = run.slot;
    words[w + 2] = ticks;
    floats[(at >> 3) + 2] = result;
    party.executor.finish(run, NO_CELLS, undefined);
    writer.commit(24);
    reactor.notify(run.caller);
    return true;
  }

  /** A value that fits a message by itself. */
  #replyValue(run: Execution, ticks: number, result: unknown): boolean {
    const { reactor, party, values } = this.#host;
    if (isReference(result)) return false;
    let encoded: ReturnType<typeof values.encoder.encode>;
    try {
      encoded = values.encoder.encode(result, 'result', INLINE_LIMIT);
    } catch {
      // Said again, with its error, on the full way.
      return false;
    }
    const { length } = encoded;
    if (!encoded.inline || encoded.buffers.length > 0 || encoded.refs.length > 0) return false;
    const writer = reactor.messageWriter(run.caller);
    const at = writer === undefined ? -1 : writer.reserve(16 + length);
    if (writer === undefined || at < 0) return false;
    const { words, bytes } = writer.views;
    const w = at >> 2;
    words[w] = isPlain(result) ? F.REPLY_PLAIN : F.REPLY_VALUE;
    words[w + 1] = run.slot;
    words[w + 2] = ticks;
    words[w + 3] = length;
    copyBytes(bytes, at + 16, encoded.bytes, 0, length);
    party.executor.finish(run, NO_CELLS, undefined);
    writer.commit(16 + length);
    reactor.notify(run.caller);
    return true;
  }

  #replyFully(run: Execution, ticks: number, threw: boolean, result: unknown): void {
    const host = this.#host;
    const { failed, results, granted, payload } = this.#results.make(run, threw, result);
    // The run's own handles go first, so that `kept` names only what others here still hold; what it returns stays held.
    const { references } = host.party;
    for (const cell of granted) references.hold(cell);
    run.expireHandles();
    const { kept, receipt } = host.party.executor.finish(
      run,
      granted.length === 0 ? NO_CELLS : granted,
      payload.length === 0 ? undefined : payload,
    );
    for (const cell of granted) references.drop(cell);
    host.mailer.post(run.caller, { slot: run.slot, micros: ticks, failed, results, kept, receipt }, F.REPLY);
  }
}
