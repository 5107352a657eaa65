/** Begins a batch as soon as it may run: what is given is to be called once, and its promise is resolved when the batch is over. */
export type Gate = (begin: () => Promise<void>) => void;

/** What an actor's host has to know of a batching method. */
export interface BatchingMethod {
  /** The method's name, for messages. */
  name: string;
  /** The most calls of a batch. */
  readonly max: number;
  /** Undefined: a batch begins as soon as it is due. */
  gate: Gate | undefined;
  /** A call joins those that wait for a batch; what is returned is called when that begins. */
  joins: (() => (() => void) | undefined) | undefined;
}

/** Under which a batching method has what is to be known of it; the same where a program has two copies of the package. */
export const BATCHING = Symbol.for('sheaf.batch');

/** Undefined for a function that `batch` has not made. */
export function batchingMethod(fn: unknown): BatchingMethod | undefined {
  if (typeof fn !== 'function') return undefined;
  return (fn as { readonly [BATCHING]?: BatchingMethod })[BATCHING];
}
