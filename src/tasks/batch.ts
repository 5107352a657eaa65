import { AsyncLocalStorage } from 'node:async_hooks';
import { after, CancelledError, type Duration, kindOf, milliseconds, UsageError } from '../base/index.ts';
import { BATCHING, type BatchingMethod, type CurrentTask, type Gate, threadState } from '../runtime/index.ts';
import { Batches } from './batch.rules.ts';
import { checkBatch } from './options.ts';

interface Call<X, Y> {
  readonly item: X;
  readonly receiver: unknown;
  /** The call of an actor, or the task, in which it was made. */
  readonly task: CurrentTask | undefined;
  readonly resolve: (value: Y) => void;
  readonly reject: (error: unknown) => void;
  readonly begun: (() => void) | undefined;
}

/** Takes the items of a batch, and gives their results in the same order. */
type BatchFunction<X, Y> = (xs: X[]) => Promise<Y[]> | Y[];

class Batching<X, Y> implements BatchingMethod {
  readonly max: number;
  readonly #fn: BatchFunction<X, Y>;
  readonly #batches: Batches<Call<X, Y>>;
  // No call's: the cancellation of one must not end what the batch has called for the others.
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  name: string;
  gate: Gate | undefined;
  joins: BatchingMethod['joins'];
  /** A batch is about to begin. */
  #called = false;
  #stopTimer: (() => void) | undefined;

  constructor(max: number, wait: number, fn: BatchFunction<X, Y>) {
    this.max = max;
    this.name = fn.name;
    this.#fn = fn;
    this.#batches = new Batches(max, wait);
  }

  call(receiver: unknown, item: X): Promise<Y> {
    const task = threadState().single?.current();
    const begun = this.joins?.();
    return new Promise<Y>((resolve, reject) => {
      this.#batches.add({ item, receiver, task, resolve, reject, begun }, performance.now());
      this.#look();
    });
  }

  /** Begins a batch that is due, or sleeps until one is. */
  #look(): void {
    if (this.#called) return;
    const { due, waiting } = this.#batches;
    const left = due === undefined ? Number.POSITIVE_INFINITY : due - performance.now();
    if (left > 0) {
      if (due !== undefined) this.#stopTimer ??= after(Math.ceil(left), this.#timer);
      return;
    }
    this.#called = true;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.gate !== undefined) this.gate(this.#begin);
    // Calls that are made in the same turn may go along.
    else if (waiting < this.max) setImmediate(this.#begin);
    else queueMicrotask(this.#begin);
  }

  readonly #timer = (): void => {
    this.#stopTimer = undefined;
    this.#look();
  };

  readonly #begin = async (): Promise<void> => {
    this.#called = false;
    for (const call of this.#batches.withdraw(isCancelled)) call.reject(leftOut(this.name));
    const calls = this.#batches.begin(performance.now());
    if (calls.length > 0) {
      for (const { begun } of calls) begun?.();
      await this.#run(calls);
      this.#batches.ended();
    }
    this.#look();
  };

  async #run(calls: readonly Call<X, Y>[]): Promise<void> {
    let results: Y[];
    try {
      results = await this.#inOwnContext(() =>
        this.#fn.call(
          calls[0]?.receiver,
          calls.map(({ item }) => item),
        ),
      );
    } catch (error) {
      for (const { reject } of calls) reject(error);
      return;
    }
    if (Array.isArray(results) && results.length === calls.length) {
      for (let i = 0; i < calls.length; i++) (calls[i] as Call<X, Y>).resolve(results[i] as Y);
      return;
    }
    for (let i = 0; i < calls.length; i++) (calls[i] as Call<X, Y>).reject(misfit(this.name, results, calls.length, i));
  }
}

const isCancelled = ({ task }: { readonly task: CurrentTask | undefined }): boolean => task?.cancelled() ?? false;

const named = (name: string): string => (name === '' ? 'a batch' : `a batch of ${name}`);

function leftOut(name: string): CancelledError {
  return new CancelledError(`the call was cancelled while ${named(name)} was waiting for more, and was left out of it`);
}

function misfit(name: string, results: unknown, calls: number, index: number): UsageError {
  const gave = Array.isArray(results) ? `${results.length} results` : `${kindOf(results)}`;
  return new UsageError(
    `${named(name)}: its function gave ${gave} for ${calls} calls, of which this is number ${index + 1}; return an array with one ` +
      'result for each, in their order',
    { details: { calls, index, ...(Array.isArray(results) ? { results: results.length } : {}) } },
  );
}

/**
 * A method that gathers its calls: each gives one item, and the function gets an array of them and gives their results in the
 * same order. As a class field of an actor, `label = batch({ max: 16, wait: '4ms' }, async (xs: Image[]) => [...])`; it is
 * a plain function, too, and works anywhere. One batch runs at a time; the next one begins when `max` calls have come, or its first
 * has waited for `wait`. What the function throws fails all calls of its batch. A call that is cancelled before its batch begins is left out.
 *
 * @throws UsageError for options that can't be.
 */
export function batch<X, Y>(o: { max: number; wait: Duration }, fn: BatchFunction<X, Y>): (x: X) => Promise<Y> {
  checkBatch(o);
  if (typeof fn !== 'function') throw new UsageError(`batch takes a function of an array, not ${kindOf(fn)}`);
  const method = new Batching<X, Y>(o.max, milliseconds(o.wait, 'batch: wait'), fn);
  function batched(this: unknown, item: X): Promise<Y> {
    return method.call(this, item);
  }
  if (fn.name !== '') Object.defineProperty(batched, 'name', { value: fn.name });
  return Object.defineProperty(batched, BATCHING, { value: method });
}
