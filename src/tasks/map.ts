import { Deque, UsageError } from '../base/index.ts';
import { Progress } from './progress.ts';
import type { MapOptions, Outcome, Ref } from './types.ts';
import { cancel, get } from './waiting.ts';

interface Pending {
  readonly input: unknown;
  readonly ref: Ref<unknown> | undefined;
  readonly outcome: Promise<Pending>;
  result: Outcome<unknown, unknown> | undefined;
}

/**
 * Calls a task for each item. Items are pulled only as fast as calls end: at most `inFlight` are under way. Failures
 * are outcomes, not exceptions; leaving the loop cancels what is under way.
 */
export async function* mapItems(
  call: (...args: unknown[]) => Ref<unknown>,
  name: string,
  items: Iterable<unknown> | AsyncIterable<unknown>,
  toArgs: (item: unknown) => unknown[],
  { inFlight = 64, ordered = true, signal, progress = false }: MapOptions,
): AsyncGenerator<Outcome<unknown, unknown>> {
  if (!(Number.isInteger(inFlight) && inFlight > 0)) {
    throw new UsageError(`${name}.map: inFlight is ${inFlight}; give a whole number above 0`);
  }
  const source = iteratorOf(items, name);
  const window = new Set<Pending>();
  const bar = progress === false ? undefined : new Progress(progress === true ? name : progress, sizeOf(items));
  const finished = new Finished();
  let exhausted = false;
  try {
    for (;;) {
      while (!exhausted && window.size < inFlight) {
        signal?.throwIfAborted();
        const next = await source.next();
        if (next.done === true) exhausted = true;
        else {
          const pending = begin(call, toArgs, next.value);
          window.add(pending);
          if (!ordered) void pending.outcome.then(finished.put);
        }
      }
      if (window.size === 0) return;
      const first = window.values().next().value as Pending;
      const done = await abortable(ordered ? first.outcome : finished.next(), signal);
      window.delete(done);
      bar?.step();
      yield done.result as Outcome<unknown, unknown>;
    }
  } finally {
    for (const { ref } of window) if (ref !== undefined) cancel(ref.ignore());
    bar?.end();
    if (!exhausted) await source.return?.();
  }
}

/** Calls in the order in which they end. */
class Finished {
  readonly #ended = new Deque<Pending>();
  #waiting: ((pending: Pending) => void) | undefined;

  readonly put = (pending: Pending): void => {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#ended.push(pending);
    else waiting(pending);
  };

  next(): Promise<Pending> {
    const pending = this.#ended.shift();
    if (pending !== undefined) return Promise.resolve(pending);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

function begin(
  call: (...args: unknown[]) => Ref<unknown>,
  toArgs: (item: unknown) => unknown[],
  input: unknown,
): Pending {
  let ref: Ref<unknown> | undefined;
  let value: Promise<unknown>;
  try {
    ref = call(...toArgs(input));
    value = get(ref);
  } catch (error) {
    value = Promise.reject(error);
  }
  const pending: { -readonly [K in keyof Pending]: Pending[K] } = {
    input,
    ref,
    result: undefined,
    outcome: undefined as unknown as Promise<Pending>,
  };
  pending.outcome = value.then(
    (v) => {
      pending.result = { ok: true, value: v, input };
      ref?.release();
      return pending;
    },
    (error: unknown) => {
      pending.result = { ok: false, error: error instanceof Error ? error : new Error(String(error)), input };
      ref?.release();
      return pending;
    },
  );
  return pending;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function iteratorOf(items: unknown, name: string): AsyncIterator<unknown> | Iterator<unknown> {
  const any = items as {
    [Symbol.asyncIterator]?: () => AsyncIterator<unknown>;
    [Symbol.iterator]?: () => Iterator<unknown>;
  };
  const make = any?.[Symbol.asyncIterator] ?? any?.[Symbol.iterator];
  if (typeof make !== 'function') throw new UsageError(`${name}.map takes an iterable or async iterable of items`);
  return (make as () => AsyncIterator<unknown> | Iterator<unknown>).call(items);
}

function sizeOf(items: unknown): number | undefined {
  if (Array.isArray(items)) return items.length;
  if (items instanceof Set || items instanceof Map) return items.size;
  return undefined;
}
