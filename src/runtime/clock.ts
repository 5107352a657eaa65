/** Where this thread's clock starts on the one that all processes of the machine share. */
const start = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds of a clock that all parties of a node share, and that nobody sets: the time of day may jump, and a deadline
 * with it.
 */
export function sharedNow(): number {
  return start + performance.now();
}

/** The moment `at` of `performance.now()` here, on that clock. */
export function sharedAt(at: number): number {
  return start + at;
}

/** The moment `at` of `performance.now()` here, in whole milliseconds of that clock modulo 2^32. */
export function sharedTicks(at: number): number {
  return (start + at) | 0;
}

/** Milliseconds since then. */
export function sinceTicks(ticks: number): number {
  return Math.max(0, (sharedTicks(performance.now()) - ticks) | 0);
}
