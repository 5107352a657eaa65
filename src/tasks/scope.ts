import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledError, milliseconds, TimeoutError, UsageError } from '../base/index.ts';
import { Reference } from '../runtime/index.ts';
import type { Args, Out, Ref, Scope, ScopeOptions, Task } from './types.ts';

const storage = new AsyncLocalStorage<TaskScope>();
let open = 0;

/** @internal A call's results belong to the scope that the calling code runs in, if any. */
export function enterScope(result: Reference<unknown> | Reference<unknown>[]): void {
  if (open === 0) return;
  storage.getStore()?.add(result);
}

class TaskScope implements Scope {
  readonly #refs = new Set<Reference<unknown>>();
  readonly #kept = new Set<Reference<unknown>>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;
  #ended = false;

  constructor({ timeout, signal }: ScopeOptions) {
    if (timeout !== undefined) {
      const ms = milliseconds(timeout, 'scope: timeout');
      this.#timer = setTimeout(() => this.stop(new TimeoutError(`the scope took longer than ${ms} ms`)), ms);
    }
    if (signal !== undefined) {
      const abort = (): void => this.stop(signal.reason);
      if (signal.aborted) abort();
      else {
        signal.addEventListener('abort', abort, { once: true });
        this.#unlisten = () => signal.removeEventListener('abort', abort);
      }
    }
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  add(result: Reference<unknown> | Reference<unknown>[]): void {
    for (const ref of Array.isArray(result) ? result : [result]) {
      if (this.#ended || this.signal.aborted) this.#drop(ref, this.signal.reason);
      else this.#refs.add(ref);
    }
  }

  start<P extends unknown[], R>(t: Task<P, R>, ...args: Args<P>): Out<R> {
    const result = t(...args);
    this.add(result as unknown as Reference<unknown>);
    return result;
  }

  keep<T>(ref: Ref<T>): Ref<T> {
    this.#kept.add(ref as unknown as Reference<unknown>);
    return ref;
  }

  /** Cancels what is under way; those who wait for it hear why. */
  stop(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#abort.abort(reason);
    for (const ref of this.#refs) if (!this.#kept.has(ref)) this.#cancel(ref, reason);
  }

  #cancel(ref: Reference<unknown>, reason: unknown): void {
    if (Reference.isReleased(ref)) return;
    const error =
      reason instanceof TimeoutError
        ? reason
        : new CancelledError('the scope of the task has ended', { cause: reason });
    ref.ignore();
    Reference.engine(ref).cancel(ref, error, false, true);
  }

  #drop(ref: Reference<unknown>, reason: unknown): void {
    this.#cancel(ref, reason);
    ref.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#unlisten?.();
    for (const ref of this.#refs) if (!this.#kept.has(ref)) this.#drop(ref, undefined);
    this.#refs.clear();
  }
}

/**
 * Ties tasks to a block: what was started inside and not kept is cancelled and released at its end. In the callback form
 * every task called inside belongs to the scope; in the `using` form only what `s.start` started.
 */
export function scope<T>(body: (s: Scope) => Promise<T>, o?: ScopeOptions): Promise<T>;
export function scope(o?: ScopeOptions): Scope;
export function scope<T>(a?: ((s: Scope) => Promise<T>) | ScopeOptions, b?: ScopeOptions): Promise<T> | Scope {
  if (typeof a !== 'function') {
    if (a !== undefined && (typeof a !== 'object' || a === null)) {
      throw new UsageError(`scope takes a function or options, not ${a === null ? 'null' : typeof a}`);
    }
    return new TaskScope(a ?? {});
  }
  return runScope(a, new TaskScope(b ?? {}));
}

async function runScope<T>(body: (s: Scope) => Promise<T>, s: TaskScope): Promise<T> {
  open++;
  try {
    const result = await storage.run(s, () => body(s));
    s.signal.throwIfAborted();
    return result;
  } finally {
    open--;
    await s[Symbol.asyncDispose]();
  }
}
