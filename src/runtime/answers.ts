import { NO_CELLS } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import * as F from './frames.ts';
import type { PartyHost } from './party-host.ts';
import { isReference } from './reference.ts';
import { Results } from './results.ts';
import { putBody, putNumber } from './small-frames.ts';
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
    const size = writer === undefined ? 0 : putNumber(writer, F.REPLY_NUMBER, run.slot, ticks, result);
    if (writer === undefined || size === 0) return false;
    party.executor.finish(run, NO_CELLS, undefined);
    writer.commit(size);
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
    const kind = isPlain(result) ? F.REPLY_PLAIN : F.REPLY_VALUE;
    const size = writer === undefined ? 0 : putBody(writer, kind, run.slot, ticks, encoded.bytes, length);
    if (writer === undefined || size === 0) return false;
    party.executor.finish(run, NO_CELLS, undefined);
    writer.commit(size);
    reactor.notify(run.caller);
    return true;
  }

  #replyFully(run: Execution, ticks: number, threw: boolean, result: unknown): void {
    const host = this.#host;
    const { failed, results, granted, payload } = this.#results.make(run, threw, result);
    for (const each of payload) host.origins.given('result', run.name, each);
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
    const reply = { slot: run.slot, micros: ticks, failed, results, kept, receipt };
    host.mailer.post(run.caller, run.unread ? { ...reply, unread: true } : reply, F.REPLY);
  }
}
