/** What is left to do, when others may be called. */
export interface Left {
  /** How long this thread alone would take for it, in milliseconds. */
  readonly ms: number;
  /** Bytes of arrays that it reads and writes, those that are written counted twice: their lines are read before. */
  readonly bytes: number;
  /** How many may be called. */
  readonly most: number;
  /** They were heard of a moment ago, and look for work. */
  readonly awake: boolean;
  /** `ms` follows from so many milliseconds of computing; infinite where it is known from earlier runs. */
  readonly measured: number;
}

/** How many are called; 0: this thread goes on by itself. */
export type CallRule = (left: Left) => number;

/** Long enough to know what rows cost. */
const KNOWN_MS = 0.02;

/**
 * In milliseconds, as measured on two cores: what calling one costs this thread, when those who were called have begun, and what the call has to
 * gain at least. Who sleeps is rung for, and comes with caches that are cold, now and then to a core that somebody else has just taken.
 */
const WAITS = {
  awake: { call: 0.1, late: 0.1, margin: 0.1 },
  asleep: { call: 0.2, late: 0.55, margin: 0.25 },
} as const;
/** The call is to gain this part of what is left, too: estimates are no better. */
const LEAST_GAIN = 0.1;

/** Bytes per millisecond that one thread streams from memory and to it, on a bad day: 15 to 27 GB/s were measured. */
const STREAMED = 15e6;
/**
 * What a further thread adds to that, as a part of it. Two threads that did nothing but read had 1.2 to 1.4 of one; sums of 80 MB, for which they are
 * called with this and are not with a quarter, took 3.1 ms and not 4.0 (`bench -- arrays --only '1e7 doubles'`).
 */
const ADDED = 0.45;
/** What is no more than this may lie in a cache that all share, which has more to give. */
const CACHED = 32 << 20;

/**
 * How much faster the rest goes with so many threads. What computes is divided among them; what is bound by memory is not, since one core
 * alone has most of what the memory gives.
 */
export function gainOf(threads: number, { ms, bytes }: Pick<Left, 'ms' | 'bytes'>): number {
  if (bytes <= CACHED) return threads;
  const bound = Math.min(1, bytes / STREAMED / ms);
  return Math.min(threads, (1 + ADDED * (threads - 1)) / bound);
}

/** As many as make it end first, if that is worth the calls. */
export const membersFor: CallRule = (left) => {
  const { ms, most, awake, measured } = left;
  if (measured < KNOWN_MS) return 0;
  const { call, late, margin } = awake ? WAITS.awake : WAITS.asleep;
  let best = 0;
  let end = ms - margin - LEAST_GAIN * ms;
  for (let members = 1; members <= most; members++) {
    // Until they have come this thread does what the calls leave it time for.
    const alone = Math.max(0, late - members * call);
    const together = Math.max(late, members * call) + Math.max(0, ms - alone) / gainOf(members + 1, left);
    if (together > end) continue;
    end = together;
    best = members;
  }
  return best;
};
