import type { MaybeLater } from '../values/values.ts';

/** Goes on with a value: at once if it is there, otherwise when it is. */
export function then<T, R>(value: MaybeLater<T>, next: (value: T) => MaybeLater<R>): MaybeLater<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The same with several. */
export function all<T, R>(
  values: readonly MaybeLater<T>[],
  next: (values: readonly T[]) => MaybeLater<R>,
): MaybeLater<R> {
  return values.some((value) => value instanceof Promise)
    ? Promise.all(values).then(next)
    : next(values as readonly T[]);
}
