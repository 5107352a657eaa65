import { types } from 'node:util';
import { TaskError, UsageError } from '../base/index.ts';
import type { Cell, ResultWire } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import { cellOf, isReference } from './reference.ts';
import type { TaskHost } from './task-host.ts';
import { INLINE_LIMIT, INLINE_TOTAL, inlineBytes, type Kept, type Stored, type Wire } from './values.ts';

/** How a run has ended, as a reply says it. */
interface Made {
  readonly failed: boolean;
  readonly results: readonly ResultWire<Wire>[];
  /** The references in it; nothing is held yet. */
  readonly granted: readonly Cell[];
  /** What is pinned for whoever takes the reply in. */
  readonly payload: readonly Stored[];
}

/** Turns what a function has returned or thrown into what its caller gets. */
export class Results {
  readonly #host: TaskHost;

  constructor(host: TaskHost) {
    this.#host = host;
  }

  /** A result that can't be sent is a failure that says why. */
  make(run: Execution, failed: boolean, result: unknown): Made {
    const granted: Cell[] = [];
    const payload: Stored[] = [];
    try {
      if (!failed) {
        const results =
          run.returns > 0
            ? this.#tuple(run, result, granted, payload)
            : [this.#result(result, 'result', granted, payload)];
        return { failed, results, granted, payload };
      }
    } catch (error) {
      for (const each of payload) this.#host.values.unpin(each);
      payload.length = 0;
      granted.length = 0;
      return { failed: true, results: [this.#failure(error, run, granted, payload)], granted, payload };
    }
    return { failed, results: [this.#failure(result, run, granted, payload)], granted, payload };
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
