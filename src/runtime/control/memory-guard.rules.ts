import { formatBytes } from '../../base/index.ts';

/** A worker process, as far as its memory matters. */
export interface Burden {
  readonly party: number;
  /** Bytes that only it has: what it shares is the session's. */
  readonly bytes: number;
  /** When the run on its stack began; undefined: it runs nothing. */
  readonly since: number | undefined;
  /** What it runs may run again. */
  readonly retriable: boolean;
}

/** How much there is, for all that are counted; and what names it. */
export interface MemoryLimit {
  readonly used: number;
  readonly limit: number;
  readonly what: string;
}

/**
 * Whom to end when memory runs out, before the system ends somebody of its own choice: the worker whose run began last, of
 * those whose runs may run again; only then one whose run may not. So what has run for longest, and is nearest to its end,
 * goes on. Undefined when all is well, or when nobody runs anything.
 */
export function toEnd(
  workers: readonly Burden[],
  { used, limit, what }: MemoryLimit,
): { party: number; reason: string } | undefined {
  if (used <= limit) return undefined;
  const running = workers.filter((each) => each.since !== undefined);
  const retriable = running.filter((each) => each.retriable);
  const newest = (retriable.length > 0 ? retriable : running).reduce<Burden | undefined>(
    (best, each) => (best === undefined || (each.since as number) > (best.since as number) ? each : best),
    undefined,
  );
  if (newest === undefined) return undefined;
  return {
    party: newest.party,
    reason: `${what} was short: ${formatBytes(used)} of ${formatBytes(limit)} were in use, ${formatBytes(newest.bytes)} of it by this worker`,
  };
}
