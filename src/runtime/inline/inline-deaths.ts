import { CancelledError } from '../../base/index.ts';
import type { TaskRecord } from '../../protocol/index.ts';
import type { InlineHost } from './inline-host.ts';

const REASON = 'it was killed';

/**
 * Takes away what runs a task of that name, as the death of its worker would: with an actor goes all that it has begun. What becomes
 * of the calls is the owner's to say, by the same rules. False when there is no such run.
 */
export function die(host: InlineHost, task: string): boolean {
  const worker = host.executions.workerOf(task);
  if (worker === undefined) return false;
  const { incarnation, lease, runs, hosted } = worker;
  const begun = new Set(runs.filter(({ gathers }) => !gathers).map(({ slot }) => slot));
  // One that only waits is not to blame, as on a worker, where nothing of it is on the stack.
  const guilty = runs.find(({ suspended }) => suspended === 0)?.slot ?? -1;
  const error = new CancelledError(`the caller of the task is gone: ${REASON}`);
  if (hosted !== undefined) host.hosted.end(hosted, true);
  for (const run of runs) host.executions.died(run, error);
  host.turns.returned(lease);
  const started = ({ slot }: TaskRecord): boolean => begun.has(slot);
  host.party.owner.workerDied(host.self.party, incarnation, REASON, started, guilty);
  host.registry.table.workerDied(host.self.party, incarnation);
  host.settleUp();
  host.kick();
  return true;
}
