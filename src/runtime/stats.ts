import type { TaskHost } from './task-host.ts';

export interface SessionStats {
  tasks: Record<string, number>;
  bytesThroughDriver: number;
  memory: Record<string, number>;
}

/** What a session tells of itself, as the host of its driver sees it. */
export function sessionStats({ counters, party, values }: TaskHost): SessionStats {
  const { submitted, finished, failed, retried, resubmitted, bytesIn, bytesOut } = counters;
  return {
    tasks: { submitted, pending: party.owner.pending, finished, failed, retried, resubmitted },
    bytesThroughDriver: bytesIn + bytesOut + values.bytesViewed,
    memory: { ...values.store.stats() },
  };
}
