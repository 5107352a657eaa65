import { Deque, onAbort, shown, UsageError } from '../base/index.ts';
import { Reference } from '../runtime/index.ts';
import { MapWindow, type Slot } from './map.rules.ts';
import { Progress } from './progress.ts';
import type { MapOptions, Outcome, Ref } from './types.ts';

type Items = Iterable<unknown> | AsyncIterable<unknown>;
type AnyOutcome = Outcome<unknown, unknown>;
type Result = IteratorResult<AnyOutcome>;

/** What a map calls. */
export interface MapTarget {
  readonly name: string;
  call(args: readonly unknown[]): Ref<unknown>;
  /** Ends a call whose outcome nobody wants any more. */
  cancel(ref: Ref<unknown>): void;
  /** Its session is closed: no call can succeed from now on. */
  readonly closed: boolean;
}

/**
 * Calls a task for each item. Items are pulled only as fast as calls end: at most `inFlight` are under way. Failures
 * are outcomes, not exceptions; leaving the loop cancels what is under way and closes the source.
 */
export function mapItems(
  target: MapTarget,
  items: Items,
  toArgs: (item: unknown) => unknown[],
  o: MapOptions,
): AsyncIterableIterator<AnyOutcome> {
  if (opener(items) === undefined) {
    throw new UsageError(`${target.name}.map takes an iterable or async iterable of items, not ${shown(items)}`);
  }
  return new Mapping(target, items, toArgs, o);
}

interface Demand {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Failure {
  readonly error: unknown;
}

/** The loop that a `for await` drives. It waits for the source, the calls, the signal and whoever leaves, all at once. */
class Mapping implements AsyncIterableIterator<AnyOutcome> {
  readonly #target: MapTarget;
  readonly #items: Items;
  readonly #toArgs: (item: unknown) => unknown[];
  readonly #o: MapOptions;
  readonly #window: MapWindow<AnyOutcome>;
  readonly #demands = new Deque<Demand>();
  readonly #refs = new Map<Slot<AnyOutcome>, Ref<unknown>>();
  #source: Source | undefined = undefined;
  #bar: Progress | undefined = undefined;
  #unlisten: () => void = () => {};
  /** Told to whoever asks next, after the outcomes that come before it. */
  #failure: Failure | undefined = undefined;
  /** No outcomes are given out any more. */
  #over = false;
  /** The source is being closed, and then is. */
  #closing: Promise<void> | undefined = undefined;
  #closed = false;

  constructor(target: MapTarget, items: Items, toArgs: (item: unknown) => unknown[], o: MapOptions) {
    this.#target = target;
    this.#items = items;
    this.#toArgs = toArgs;
    this.#o = o;
    this.#window = new MapWindow(o.inFlight ?? 64, o.ordered ?? true);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ resolve, reject });
      this.#go();
    });
  }

  /** The loop is left. */
  async return(): Promise<Result> {
    this.#stop(undefined);
    await this.#closing;
    return { done: true, value: undefined };
  }

  /** Does what can be done now: asks the source, gives out outcomes, ends. */
  #go(): void {
    const window = this.#window;
    try {
      if (!this.#over) this.#source ??= this.#begin();
    } catch (error) {
      this.#stop({ error });
    }
    while (!this.#over && this.#demands.size > 0) {
      if (window.wantsItem) {
        this.#pull(this.#source as Source);
        continue;
      }
      const outcome = window.take();
      if (outcome !== undefined) {
        this.#bar?.step();
        this.#demands.shift()?.resolve({ done: false, value: outcome });
      } else if (window.done) this.#stop(this.#failure);
      else return;
    }
    if (this.#closed) this.#answer();
  }

  /** Nothing of the items or the signal is touched before somebody asks for an outcome. */
  #begin(): Source {
    const { signal, progress = false } = this.#o;
    signal?.throwIfAborted();
    const source = new Source(this.#items);
    if (progress !== false) {
      this.#bar = new Progress(progress === true ? this.#target.name : progress, sizeOf(this.#items));
    }
    if (signal !== undefined) this.#unlisten = onAbort(signal, () => this.#stop({ error: signal.reason }));
    return source;
  }

  #pull(source: Source): void {
    this.#window.pull();
    const fail = (error: unknown): void => {
      source.ended();
      this.#failure ??= { error };
      this.#window.exhaust();
    };
    try {
      const result = source.next();
      if (result instanceof Promise) {
        result
          .then((each) => this.#pulled(source, each))
          .catch(fail)
          .then(() => this.#go());
      } else this.#pulled(source, result);
    } catch (error) {
      fail(error);
    }
  }

  #pulled(source: Source, result: IteratorResult<unknown>): void {
    if (result.done === true) {
      source.ended();
      this.#window.exhaust();
    }
    // An item that comes after the end is dropped: nobody would see its outcome.
    else if (!this.#over) this.#call(source, result.value);
  }

  #call(source: Source, input: unknown): void {
    const slot = this.#window.item();
    const settle = (outcome: AnyOutcome): void => {
      if (this.#over) return;
      const ref = this.#refs.get(slot);
      if (ref !== undefined) letGo(ref);
      this.#refs.delete(slot);
      this.#window.settle(slot, outcome);
    };
    const fail = (error: unknown): void =>
      settle({ ok: false, error: error instanceof Error ? error : new Error(shown(error)), input });
    try {
      const args = this.#toArgs(input);
      if (!Array.isArray(args)) {
        throw new UsageError(
          `${this.#target.name}.map: the arguments of an item are ${shown(args)}; give an array of them`,
        );
      }
      const ref = this.#target.call(args);
      this.#refs.set(slot, ref);
      ref.value.then((value) => settle({ ok: true, value, input }), fail).then(() => this.#go());
    } catch (error) {
      fail(error);
      if (!this.#target.closed) return;
      // Every further call would fail the same way, and an endless source would never come to an end.
      this.#window.exhaust();
      this.#closing ??= source.close();
    }
  }

  /** Ends it: calls under way are cancelled, and the source is closed; whoever waits hears of it after that. */
  #stop(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = failure;
    this.#unlisten();
    this.#bar?.end();
    for (const ref of this.#refs.values()) this.#drop(ref);
    this.#refs.clear();
    this.#closing ??= this.#source?.close() ?? Promise.resolve();
    const closed = (): void => {
      this.#closed = true;
      this.#answer();
    };
    this.#closing.then(closed, closed);
  }

  #drop(ref: Ref<unknown>): void {
    // Its scope may have ended before the loop.
    if (Reference.isReleased(ref as unknown as Reference<unknown>)) return;
    this.#target.cancel(ref.ignore());
    letGo(ref);
  }

  /** It is over: the first to ask is told why, if there is a reason. */
  #answer(): void {
    for (let demand = this.#demands.shift(); demand !== undefined; demand = this.#demands.shift()) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) demand.resolve({ done: true, value: undefined });
      else demand.reject(failure.error);
    }
  }
}

const taken = { because: 'was released by the map that called its task' };

/** Not `release`, which takes down the place for the one who uses it later: nobody else has this one. */
function letGo(ref: Ref<unknown>): void {
  Reference.expire(ref as unknown as Reference<unknown>, taken);
}

/** Where items come from: any kind of iterator. */
class Source {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #asynchronous: boolean;
  /** A synchronous source is at work, further up on the stack. */
  #busy = false;
  #asked = 0;
  #open = true;

  constructor(items: Items) {
    const [open, asynchronous] = opener(items) as Opener;
    this.#iterator = open.call(items);
    this.#asynchronous = asynchronous;
  }

  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    if (this.#asynchronous) {
      this.#asked++;
      const result = Promise.resolve(this.#iterator.next());
      const answered = (): void => void this.#asked--;
      result.then(answered, answered);
      return result;
    }
    this.#busy = true;
    try {
      return this.#iterator.next() as IteratorResult<unknown>;
    } finally {
      this.#busy = false;
      if (!this.#open) this.#iterator.return?.();
    }
  }

  /** It has said that there is no more, or failed: there is nothing to close. */
  ended(): void {
    this.#open = false;
  }

  /**
   * Closes it if it is not at its end. One that is waited for at this moment is told, but can't be waited for: it
   * may have stalled.
   */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // It is asked again by `next`, once it can be.
    if (this.#busy) return;
    const closed = this.#iterator.return?.();
    if (this.#asked === 0) await closed;
    else Promise.resolve(closed).catch(() => {});
  }
}

type Opener = readonly [open: () => AsyncIterator<unknown> | Iterator<unknown>, asynchronous: boolean];

/** How to begin with the items; undefined where they are none. */
function opener(items: unknown): Opener | undefined {
  if (items === undefined || items === null) return undefined;
  const any = items as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown };
  const asynchronous = any[Symbol.asyncIterator];
  const open = asynchronous ?? any[Symbol.iterator];
  if (typeof open !== 'function') return undefined;
  return [open as Opener[0], asynchronous !== undefined && asynchronous !== null];
}

function sizeOf(items: unknown): number | undefined {
  if (Array.isArray(items)) return items.length;
  if (items instanceof Set || items instanceof Map) return items.size;
  return undefined;
}
