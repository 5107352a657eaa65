import { AsyncLocalStorage } from 'node:async_hooks';
import { after, CancelledError, kindOf, onAbort, TimeoutError, UsageError } from '../base/index.ts';
import { isReference, Reference } from '../runtime/index.ts';
import { isTask } from './brand.ts';
import { type Limits, limits } from './options.ts';
import { endOf, isStream } from './stream.ts';
import type { Args, Out, Ref, Scope, ScopeOptions, Task } from './types.ts';

const storage = new AsyncLocalStorage<TaskScope>();
let open = 0;

/**
 * @internal A call's results belong to the scope that the calling code runs in, if any. `parts`: they are made of references that
 * have scopes of their own, and end without them.
 */
export function enterScope(result: Reference<unknown> | Reference<unknown>[], parts = false): void {
  if (open === 0) return;
  storage.getStore()?.add(result, parts);
}

class TaskScope implements Scope {
  /** What was started, and whether its parts are others' business. */
  readonly #refs = new Map<Reference<unknown>, boolean>();
  readonly #kept = new Set<Reference<unknown>>();
  readonly #abort = new AbortController();
  readonly #stopTimer: () => void = () => {};
  readonly #unlisten: () => void = () => {};
  #ended = false;

  constructor({ timeout, signal }: Limits) {
    if (timeout !== undefined) {
      const late = (): void => this.stop(new TimeoutError(`the scope took longer than ${timeout} ms`));
      this.#stopTimer = after(timeout, late);
    }
    if (signal !== undefined) this.#unlisten = onAbort(signal, () => this.stop(signal.reason));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  add(result: Reference<unknown> | Reference<unknown>[], parts: boolean): void {
    for (const ref of Array.isArray(result) ? result : [result]) {
      if (this.#ended) {
        this.#cancel(ref, this.signal.reason, parts);
        Reference.expire(ref, ended);
        continue;
      }
      this.#refs.set(ref, parts);
      // Good until the end of the scope all the same: whoever waits for it hears why it was cancelled.
      if (this.signal.aborted) this.#cancel(ref, this.signal.reason, parts);
    }
  }

  start<P extends unknown[], R>(t: Task<P, R>, ...args: Args<P>): Out<R> {
    if (!isTask(t)) throw new UsageError(`scope.start takes a task and its arguments, not ${kindOf(t)}`);
    const result: unknown = t(...args);
    this.add(isStream(result) ? endOf(result) : (result as Reference<unknown>), false);
    return result as Out<R>;
  }

  keep<T>(ref: Ref<T>): Ref<T> {
    if (!isReference(ref)) throw new UsageError(`scope.keep takes a Ref, not ${kindOf(ref)}`);
    this.#kept.add(ref as unknown as Reference<unknown>);
    return ref;
  }

  /** Cancels what is under way; those who wait for it hear why. */
  stop(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#abort.abort(reason);
    for (const [ref, parts] of this.#refs) if (!this.#kept.has(ref)) this.#cancel(ref, reason, parts);
  }

  #cancel(ref: Reference<unknown>, reason: unknown, parts: boolean): void {
    if (Reference.isReleased(ref)) return;
    const error =
      reason instanceof TimeoutError
        ? reason
        : new CancelledError('the scope of the task has ended', { cause: reason });
    ref.ignore();
    Reference.engine(ref).cancel(ref, error, false, !parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer();
    this.#unlisten();
    for (const [ref, parts] of this.#refs) {
      if (this.#kept.has(ref)) continue;
      this.#cancel(ref, undefined, parts);
      Reference.expire(ref, ended);
    }
    this.#refs.clear();
  }
}

const ended = { because: 'was released at the end of its scope, which s.keep(ref) spares it' };

/**
 * Ties tasks to a block: what was started inside and not kept is cancelled and released at its end. In the callback form
 * every task called inside belongs to the scope; in the `using` form only what `s.start` started.
 *
 * @returns what the callback gives; without one, the scope.
 * @throws what the callback throws; TimeoutError when `timeout` has passed; the reason of `signal`.
 */
export function scope<T>(body: (s: Scope) => Promise<T>, o?: ScopeOptions): Promise<T>;
export function scope(o?: ScopeOptions): Scope;
export function scope<T>(a?: ((s: Scope) => Promise<T>) | ScopeOptions, b?: ScopeOptions): Promise<T> | Scope {
  if (typeof a === 'function') return runScope(a, limits(b, 'scope'));
  if (a !== undefined && typeof a !== 'object') {
    throw new UsageError(`scope takes a function or options, not ${kindOf(a)}`);
  }
  return new TaskScope(limits(a, 'scope'));
}

async function runScope<T>(body: (s: Scope) => Promise<T>, o: Limits): Promise<T> {
  o.signal?.throwIfAborted();
  const s = new TaskScope(o);
  open++;
  try {
    const result = await storage.run(s, () => body(s));
    s.signal.throwIfAborted();
    return result;
  } catch (error) {
    // What was cancelled inside fails because of that: whoever waits for the scope is told the reason itself.
    s.signal.throwIfAborted();
    throw error;
  } finally {
    open--;
    await s[Symbol.asyncDispose]();
  }
}
