import { CancelledError, kindOf, ObjectLostError, shown, TimeoutError, UsageError } from '../base/index.ts';
import {
  afterSettling,
  bring,
  type Engine,
  INLINE_LIMIT,
  isReference,
  keepsMemory,
  Reference,
  readValue,
  recover,
  stateOf,
  taskNameOf,
} from '../runtime/index.ts';
import { currentEngine } from './context.ts';
import { checkCancel, type Limits, limits } from './options.ts';
import { enterScope } from './scope.ts';
import { incomingOf, isStream } from './stream.ts';
import type { CancelOptions, Ref, Stream, Values, WaitOptions } from './types.ts';

type AnyRef = Reference<unknown>;

/** The engine of a reference, whatever sessions are open. */
const engineOf = (ref: AnyRef): Engine => Reference.engine(ref);

/**
 * The values behind references: of one, of an array, or of a record whose other items stand for themselves.
 *
 * @returns the value, or an array or record of them in the shape of what was given.
 * @throws the failure of the first reference that failed; TimeoutError when `timeout` passes first (the references
 *   stay as good as they were); the reason of `signal`; ReleasedError when one of them is released.
 */
export function get<T>(ref: Ref<T>, o?: WaitOptions): Promise<T>;
export function get<const X extends readonly unknown[] | Record<string, unknown>>(
  refs: X,
  o?: WaitOptions,
): Promise<Values<X>>;
export async function get(what: unknown, o?: WaitOptions): Promise<unknown> {
  if (isReference(what)) {
    if (stateOf(what) === undefined) notYet(await engineOf(what).settled([what], 1, true, limits(o, 'get')), 1);
    const coming = keepsMemory(what) ? bring([what]) : undefined;
    if (coming !== undefined) await coming;
    try {
      return readValue(what);
    } catch (error) {
      return again([what], error, () => get(what as unknown as Ref<unknown>, o));
    }
  }
  checkCollection(what, 'get', 'a Ref, an array or a record of them');
  const limit = limits(o, 'get');
  const items: readonly unknown[] = Array.isArray(what) ? what : Object.values(what);
  const refs = items.filter(isReference);
  if (refs.length > 0) {
    const done = await settledAnywhere(refs, limit);
    // The failure that came, even if others are still pending.
    for (const ref of refs) if (stateOf(ref) === 'failed') readValue(ref);
    notYet(done, refs.length);
    const coming = bring(refs);
    if (coming !== undefined) await coming;
  }
  let values: unknown[];
  try {
    values = items.map((item) => (isReference(item) ? readValue(item) : item));
  } catch (error) {
    return again(refs, error, () => get(what, o));
  }
  if (Array.isArray(what)) return values;
  return Object.fromEntries(Object.keys(what).map((key, i) => [key, values[i]]));
}

/** Values that could not be read because they are lost are waited for once more: they are made again, or fail. */
function again(refs: readonly AnyRef[], error: unknown, getAgain: () => Promise<unknown>): Promise<unknown> {
  if (error instanceof ObjectLostError && recover(refs)) return getAgain();
  throw error;
}

/** Until all have settled, or one has failed; each is waited for in the session that it belongs to. */
async function settledAnywhere(refs: readonly AnyRef[], limit: Limits): Promise<boolean> {
  const first = engineOf(refs[0] as AnyRef);
  if (refs.every((ref) => engineOf(ref) === first)) return first.settled(refs, refs.length, true, limit);
  const byEngine = new Map<Engine, AnyRef[]>();
  for (const ref of refs) {
    const own = byEngine.get(engineOf(ref));
    if (own === undefined) byEngine.set(engineOf(ref), [ref]);
    else own.push(ref);
  }
  const waits = [...byEngine].map(async ([engine, own]) => {
    const done = await engine.settled(own, own.length, true, limit);
    // One that failed ends the wait for the others.
    if (own.some((ref) => stateOf(ref) === 'failed')) throw new OneFailed();
    return done;
  });
  try {
    return (await Promise.all(waits)).every(Boolean);
  } catch (error) {
    if (error instanceof OneFailed) return true;
    throw error;
  }
}

class OneFailed extends Error {}

/** An array without holes, or a plain object. */
function checkCollection(
  value: unknown,
  what: string,
  takes: string,
): asserts value is readonly unknown[] | Record<string, unknown> {
  if (Array.isArray(value)) {
    checkHoles(value, what);
    return;
  }
  if (typeof value === 'object' && value !== null && !isReference(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null) return;
  }
  throw new UsageError(`${what} takes ${takes}, not ${isReference(value) ? 'one Ref' : kindOf(value)}`);
}

function checkHoles(items: readonly unknown[], what: string): void {
  for (let i = 0; i < items.length; i++) {
    if (items[i] === undefined && !(i in items)) {
      throw new UsageError(`${what}: item ${i} of the array is a hole; give an array without holes`);
    }
  }
}

/** With `timeout` 0 a wait does not throw by itself. */
function notYet(done: boolean, count: number): void {
  if (done) return;
  throw new TimeoutError(
    count === 1
      ? 'the reference is not ready; it can be waited for again'
      : `not all of ${count} references are ready; they can be waited for again`,
  );
}

/**
 * One reference of many, to pass on: items are resolved where they are used, and nothing is copied here. It fails with the
 * first of them that fails.
 *
 * @throws UsageError for what is no array or record; ReleasedError when one of them is released.
 */
export function all<const X extends readonly unknown[] | Record<string, unknown>>(refs: X): Ref<Values<X>> {
  checkCollection(refs, 'all', 'an array or a record of Refs');
  const keys = Array.isArray(refs) ? null : Object.keys(refs);
  const items = Array.isArray(refs) ? refs : Object.values(refs);
  const first = items.find(isReference);
  const engine = first === undefined ? currentEngine('all') : engineOf(first);
  const result = engine.gather(keys, items);
  enterScope(result, true);
  return result as unknown as Ref<Values<X>>;
}

/**
 * Stores a value and gives a reference to it, owned by this process. In values above 100 KiB, binary data goes to shared memory:
 * copied once, or not at all if it comes from `alloc`.
 *
 * @throws CodecError for a value that can't travel; OutOfMemoryError without room for it; UsageError without an open session.
 */
export function put<T>(value: T): Ref<T> {
  const result = currentEngine('put').put(value);
  enterScope(result);
  return result as unknown as Ref<T>;
}

/**
 * A typed array in shared memory, zeroed, to fill in place: put or returned it is sealed, and travels without a copy.
 * One of up to 100 KiB is an ordinary array.
 *
 * @param type the class of a typed array, or DataView.
 * @param length in elements; in bytes for a DataView.
 * @throws OutOfMemoryError without room for it; UsageError for another class or length, or without an open session.
 */
export function alloc<A extends ArrayBufferView>(
  type: { new (b: ArrayBufferLike, o: number, n: number): A },
  length: number,
): A {
  if (!(Number.isInteger(length) && length >= 0)) {
    throw new UsageError(`alloc: the length is ${shown(length)}; give a whole number that is not negative`);
  }
  const size =
    type === (DataView as unknown) ? 1 : (type as unknown as { BYTES_PER_ELEMENT?: number })?.BYTES_PER_ELEMENT;
  if (typeof type !== 'function' || size === undefined) {
    throw new UsageError('alloc takes the class of a typed array, such as Float64Array, and a length');
  }
  const bytes = length * size;
  const buffer = bytes <= INLINE_LIMIT ? new ArrayBuffer(bytes) : currentEngine('alloc').store.alloc(bytes);
  return new type(buffer, 0, length);
}

/**
 * Waits until `count` (default 1) of the references have settled, or `timeout` has passed: then it is `ready` what is
 * ready. Both lists keep the order of the input; `ready` has at most `count`. A failure counts as ready.
 *
 * @throws the reason of `signal`; UsageError for what is no array of references, for one given twice, or a `count` above
 *   their number. Never a TimeoutError.
 */
export async function wait<R extends Ref<unknown>>(
  refs: readonly R[],
  o: WaitOptions & { count?: number } = {},
): Promise<{ ready: R[]; pending: R[] }> {
  if (!Array.isArray(refs))
    throw new UsageError(`wait takes an array of Refs, not ${isReference(refs) ? 'one Ref' : kindOf(refs)}`);
  checkHoles(refs, 'wait');
  const bounds = limits(o, 'wait');
  const count = o.count ?? Math.min(1, refs.length);
  if (count > refs.length) {
    throw new UsageError(`wait: count is ${count} for ${refs.length} reference(s); give that many at most`);
  }
  const own = refs as unknown as readonly AnyRef[];
  check(own, 'wait');
  if (new Set(refs).size < refs.length) throw new UsageError('wait: a reference is given twice');
  if (refs.length === 0) return { ready: [], pending: [] };
  try {
    await engineOf(own[0] as AnyRef).settled(own, count, false, bounds);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  const ready: R[] = [];
  const pending: R[] = [];
  for (let i = 0; i < refs.length; i++) {
    const done = ready.length < count && stateOf(own[i] as AnyRef) !== undefined;
    (done ? ready : pending).push(refs[i] as R);
  }
  return { ready, pending };
}

function check(refs: readonly unknown[], what: string): void {
  refs.forEach((ref, i) => {
    if (!isReference(ref)) throw new UsageError(`${what}: item ${i} is ${kindOf(ref)}, not a Ref`);
  });
}

/**
 * References in the order in which they settle, each with its index or key; look at `ref.value` for the outcome.
 *
 * @throws TimeoutError when `timeout` passes first, counted from the beginning of the loop; the reason of `signal`.
 */
export function asCompleted<R extends Ref<unknown>>(
  refs: readonly R[],
  o?: WaitOptions,
): AsyncIterable<[index: number, ref: R]>;
export function asCompleted<X extends Record<string, Ref<unknown>>>(
  refs: X,
  o?: WaitOptions,
): AsyncIterable<{ [K in keyof X]: [K, X[K]] }[keyof X]>;
export function asCompleted(refs: unknown, o?: WaitOptions): AsyncIterable<[unknown, unknown]> {
  checkCollection(refs, 'asCompleted', 'an array or a record of Refs');
  const array = Array.isArray(refs);
  const keys: readonly unknown[] = array ? refs.map((_: unknown, i: number) => i) : Object.keys(refs as object);
  const items: readonly unknown[] = array ? refs : Object.values(refs as object);
  check(items, 'asCompleted');
  return completed(items as readonly AnyRef[], keys, limits(o, 'asCompleted'));
}

async function* completed(
  refs: readonly AnyRef[],
  keys: readonly unknown[],
  { timeout, signal }: Limits,
): AsyncGenerator<[unknown, unknown]> {
  const deadline = timeout === undefined ? undefined : performance.now() + timeout;
  const arrived: number[] = [];
  let wake: (() => void) | undefined;
  const stops = refs.map((ref, i) =>
    afterSettling(ref, () => {
      arrived.push(i);
      wake?.();
    }),
  );
  try {
    for (let done = 0; done < refs.length; done++) {
      if (done >= arrived.length) {
        const left = deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
        const pending = refs.filter((_, i) => !arrived.includes(i));
        const engine = engineOf(pending[0] as AnyRef);
        const some = await engine.settled(pending, 1, false, {
          ...(left === undefined ? {} : { timeout: left }),
          ...(signal === undefined ? {} : { signal }),
        });
        if (!some)
          throw new TimeoutError(
            `none of ${pending.length} pending reference(s) is ready; they can be waited for again`,
          );
        if (done >= arrived.length) await new Promise<void>((resolve) => (wake = resolve));
      }
      const i = arrived[done] as number;
      yield [keys[i], refs[i]];
    }
  } finally {
    for (const stop of stops) stop();
  }
}

/**
 * Cancels a task: one that has not started never runs; a running one has its signal aborted, and with `force` its
 * worker is ended. Tasks that it called are cancelled too unless `recursive` is false. Settled references are left alone.
 *
 * Cancelling what `all` gave fails it, and unless `recursive` is false it cancels those of its parts that are pending and
 * that nothing else waits for or knows of. Whoever reads a stream that is cancelled hears of it once, and then of its end.
 *
 * @throws UsageError for what is neither a reference nor a stream; with `force`, for a method of an actor.
 */
export function cancel(ref: Ref<unknown> | Stream<unknown>, o: CancelOptions = {}): void {
  if (isStream(ref)) {
    checkCancel(o);
    const error = new CancelledError(`the stream of ${incomingOf(ref).name} was cancelled`);
    incomingOf(ref).cancel(error, o.force ?? false, o.recursive ?? true);
    return;
  }
  if (!isReference(ref)) throw new UsageError(`cancel takes a Ref or a Stream, not ${kindOf(ref)}`);
  checkCancel(o);
  // What `put` and `all` made has no task; a borrower does not know it.
  const name = taskNameOf(ref);
  const error = new CancelledError(`the task${name === undefined ? '' : ` ${name}`} was cancelled`);
  engineOf(ref).cancel(ref, error, o.force ?? false, o.recursive ?? true);
}
