export type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown;
type Done = (failed: boolean, value: unknown) => void;

/** A chain of results with a `then` that is longer than this never ends. */
const LONGEST_CHAIN = 1000;

/** The `then` of a value that has one. It is read once: it may be a getter, and throw. */
export function thenOf(value: unknown): Then | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { then } = value as { then?: unknown };
  return typeof then === 'function' ? (then as Then) : undefined;
}

/**
 * Tells `done` once how something with a `then` turns out, as `await` would: the first answer counts, what `then` throws
 * before is its failure, and what it gives may have a `then` again. But where `await` would go round in circles for ever, it
 * is a TypeError.
 */
export function settle(value: object, then: Then, done: Done, seen: Set<object> = new Set()): void {
  seen.add(value);
  let answered = false;
  const fail = (error: unknown): void => {
    if (answered) return;
    answered = true;
    done(true, error);
  };
  const resolve = (next: unknown): void => {
    if (answered) return;
    answered = true;
    let further: Then | undefined;
    try {
      further = thenOf(next);
    } catch (error) {
      done(true, error);
      return;
    }
    if (further === undefined) done(false, next);
    else if (!seen.has(next as object) && seen.size < LONGEST_CHAIN) settle(next as object, further, done, seen);
    else {
      const what = seen.has(next as object) ? 'itself, or something that leads back to it' : 'always another one';
      done(true, new TypeError(`the result never has a value: its \`then\` gives ${what}`));
    }
  };
  try {
    then.call(value, resolve, fail);
  } catch (error) {
    fail(error);
  }
}
