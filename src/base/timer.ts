/** The most that a timer of Node waits, in milliseconds (24.8 days); one asked for more fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls `then` after `ms` milliseconds, however many that are: never for Infinity. Returns a way to stop that. */
export function after(ms: number, then: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {};
  let left = ms;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const now = Math.min(left, LONGEST_TIMER);
    left -= now;
    timer = setTimeout(left > 0 ? wait : then, now);
  };
  wait();
  return () => clearTimeout(timer);
}
