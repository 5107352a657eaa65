import { types } from 'node:util';
import { TaskError, UsageError } from '../base/index.ts';
import { type Cell, NO_CELLS, type ResultWire } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import * as F from './frames.ts';
import type { PartyHost } from './party-host.ts';
import { cellOf, isReference } from './reference.ts';
import { putBody, putNumber } from './small-frames.ts';
import { INLINE_LIMIT, INLINE_TOTAL, inlineBytes, isPlain, type Kept, type Stored, type Wire } from './values.ts';

/** How a worker answers its callers. */
export class Answers {
  readonly #host: PartyHost;

  constructor(host: PartyHost) {
    this.#host = host;
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

  #replyFully(run: Execution, ticks: number, failed: boolean, result: unknown): void {
    const host = this.#host;
    const granted: Cell[] = [];
    const payload: Stored[] = [];
    let results: ResultWire<Wire>[];
    try {
      results = failed
        ? [this.#failure(result, run, granted, payload)]
        : run.returns > 0
          ? this.#tuple(run, result, granted, payload)
          : [this.#result(result, 'result', granted, payload)];
    } catch (error) {
      for (const each of payload) host.values.unpin(each);
      payload.length = 0;
      granted.length = 0;
      failed = true;
      results = [this.#failure(error, run, granted, payload)];
    }
    for (const each of payload) host.origins.claim('result', run.name, each);
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

  #tuple(run: Execution, result: unknown, granted: Cell[], payload: Stored[]): ResultWire<Wire>[] {
    if (!Array.isArray(result) || result.length !== run.returns) {
      throw new UsageError(
        `${run.name} was called with { returns: ${run.returns} } and returned ` +
          `${Array.isArray(result) ? `a tuple of ${result.length}` : typeof result}; return an array of ${run.returns}`,
      );
    }
    let room = INLINE_TOTAL;
    return result.map((each, i) => {
      const wire = this.#result(each, `result[${i}]`, granted, payload, Math.min(INLINE_LIMIT, room));
      room -= inlineBytes(wire.payload);
      return wire;
    });
  }

  #result(
    result: unknown,
    root: string,
    granted: Cell[],
    payload: Stored[],
    limit: number = INLINE_LIMIT,
  ): ResultWire<Wire> {
    const { values, party } = this.#host;
    if (isReference(result)) {
      const cell = cellOf(result);
      granted.push(cell);
      return { payload: undefined, inner: [], delegate: party.references.promote(cell) };
    }
    return this.#kept(values.keep(result, root, limit), granted, payload);
  }

  #kept({ value, pinned, inner }: Kept, granted: Cell[], payload: Stored[]): ResultWire<Wire> {
    const { values, party } = this.#host;
    if (pinned) payload.push(value as Stored);
    granted.push(...inner);
    return {
      payload: values.toWire(value),
      inner: inner.map((cell) => party.references.promote(cell)),
      delegate: null,
    };
  }

  /** The error as the caller gets it: itself as far as it can travel, with the chain of tasks it came through. */
  #failure(error: unknown, run: Execution, granted: Cell[], payload: Stored[]): ResultWire<Wire> {
    const { values } = this.#host;
    const traced = trace(isError(error) ? error : notAnError(error, run), run);
    let kept: Kept;
    try {
      kept = values.keepError(traced);
    } catch (problem) {
      kept = values.keepError(bare(traced, problem, run));
    }
    return this.#kept(kept, granted, payload);
  }
}

function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function notAnError(value: unknown, { name }: Execution): TaskError {
  return new TaskError(`${name} threw ${describe(value)}, which is not an Error`, {
    cause: value,
    details: { task: name },
  });
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value !== 'object' || value === null) return String(value);
  return orElse(() => `an ${value.constructor?.name ?? 'object'}`, 'an object');
}

/** What is left of an error of which next to nothing can be sent. */
function bare(error: Error, problem: unknown, { name }: Execution): TaskError {
  const text = orElse(() => `${error.name}: ${error.message}`, 'an error that cannot be read');
  const why = problem instanceof Error ? problem.message : String(problem);
  const plain = new TaskError(`${text} (nothing else of this error can be sent: ${why})`, { details: { task: name } });
  plain.stack = orElse(() => String(error.stack), plain.message);
  return plain;
}

/** Errors of users can be anything, so that even looking at them may fail. */
function orElse(text: () => string, otherwise: string): string {
  try {
    return text();
  } catch {
    return otherwise;
  }
}

/** Adds a line to the stack for each task that an error passes on its way to who looks at it. */
function trace(error: Error, run: Execution): Error {
  const line = `    in task ${run.name} (attempt ${run.attempt + 1}, worker ${run.host.self.party})`;
  try {
    error.stack = `${error.stack ?? `${error.name}: ${error.message}`}\n${line}`;
  } catch {
    // A frozen error keeps the stack that it has.
  }
  return error;
}
