/** The most that a timer of Node waits, in milliseconds (24.8 days); one asked for more fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

interface Timer {
  readonly due: number;
  fire(): void;
}

/** Those that have not fired or been stopped. */
const pending = new Set<Timer>();

/** Fires what is due already, for somebody who has given the event loop no turn for long. */
export function fireDue(): void {
  if (pending.size === 0) return;
  const now = performance.now();
  for (const timer of pending) if (timer.due <= now) timer.fire();
}

/** Calls `then` after `ms` milliseconds, however many that are: never for Infinity. Returns a way to stop that. */
export function after(ms: number, then: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {};
  let left = ms;
  let timer: NodeJS.Timeout;
  const stop = (): void => {
    clearTimeout(timer);
    pending.delete(entry);
  };
  const entry: Timer = {
    due: performance.now() + ms,
    fire: () => {
      stop();
      then();
    },
  };
  pending.add(entry);
  const wait = (): void => {
    const now = Math.min(left, LONGEST_TIMER);
    left -= now;
    timer = setTimeout(left > 0 ? wait : entry.fire, now);
  };
  wait();
  return stop;
}
