/** What is left to do, when others may be called. */
export interface Left {
  /** How long this thread alone would take for it, in milliseconds. */
  readonly ms: number;
  /** Bytes of arrays that it reads and writes, those that are written counted twice: their lines are read before. */
  readonly bytes: number;
  /** How many may be called. */
  readonly most: number;
  /** So many of them have just computed something, and wait to be given more. */
  readonly waiting: number;
  /** The others were heard of a moment ago, and look for work. */
  readonly awake: boolean;
  /** What a further thread adds to the speed at which one streams, as a part of it. */
  readonly added: number;
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
  waiting: { call: 0.05, late: 0.05, margin: 0.05 },
  awake: { call: 0.1, late: 0.1, margin: 0.1 },
  asleep: { call: 0.2, late: 0.55, margin: 0.25 },
} as const;
/** The call is to gain this part of what is left, too: estimates are no better. */
const LEAST_GAIN = 0.1;

/** Bytes per millisecond that one thread streams from memory and to it, on a bad day: 15 to 27 GB/s were measured. */
const STREAMED = 15e6;
/**
 * What a further thread adds to that, as a part of it, as long as nothing was measured: on one and the same kind of machine it was a fifth on some days,
 * and nine tenths on others.
 */
export const ADDED = { before: 0.45, least: 0.1, most: 1 };
/** What is no more than this may lie in a cache that all share, which has more to give. */
const CACHED = 32 << 20;

/**
 * How much faster the rest goes with so many threads. What computes is divided among them; what is bound by memory is not, since one core
 * alone has most of what the memory gives.
 */
export function gainOf(threads: number, { ms, bytes, added }: Pick<Left, 'ms' | 'bytes' | 'added'>): number {
  if (bytes <= CACHED) return threads;
  const bound = Math.min(1, bytes / STREAMED / ms);
  return Math.min(threads, (1 + added * (threads - 1)) / bound);
}

/**
 * What a further thread has added, of a run whose rows took one thread `alone` by itself and `together` beside others. Undefined where that says nothing, since
 * it is not the memory that it waits for.
 */
export function addedBy(
  threads: number,
  { ms, bytes, alone, together }: Pick<Left, 'ms' | 'bytes'> & { readonly alone: number; readonly together: number },
): number | undefined {
  if (threads < 2 || bytes <= CACHED || bytes / STREAMED < ms) return undefined;
  return Math.min(ADDED.most, Math.max(ADDED.least, ((threads * alone) / together - 1) / (threads - 1)));
}

/** As many as make it end first, if that is worth the calls. */
export const membersFor: CallRule = (left) => {
  const { ms, most, waiting, awake, measured } = left;
  if (measured < KNOWN_MS) return 0;
  let best = 0;
  let end = ms - LEAST_GAIN * ms;
  for (let members = 1; members <= most; members++) {
    const { call, late, margin } = members <= waiting ? WAITS.waiting : awake ? WAITS.awake : WAITS.asleep;
    // Until they have come this thread does what the calls leave it time for.
    const alone = Math.max(0, late - members * call);
    const together = Math.max(late, members * call) + Math.max(0, ms - alone) / gainOf(members + 1, left);
    if (together > (best === 0 ? end - margin : end)) continue;
    end = together;
    best = members;
  }
  return best;
};
