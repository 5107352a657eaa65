import { kindOf, milliseconds, NotAvailableError, TimeoutError, UsageError } from '../base/index.ts';
import type { NodeReport } from '../runtime/index.ts';
import type { Duration, Session } from '../tasks/index.ts';
import { hostBehind, until } from './local.ts';

/** How long `kill` waits for what it is to kill. */
const PATIENCE_MS = 30_000;

/** How patient `kill` is. */
export interface KillOptions {
  /** How long to wait for a worker that runs the task. Default 30 s. */
  within?: Duration;
}

/**
 * Kills a worker of a session by what it runs: the process on which a task of that name has begun, with a signal that it can't
 * handle. Waits until there is one, and until its death is known. What happens to the tasks there is the same as after a crash.
 * In inline mode each task, and each actor, counts as a worker of its own: it is treated as if that had died. Its code hears its
 * signal, and what it goes on with is unheard.
 *
 * @throws TimeoutError when no worker runs such a task in time; NotAvailableError where workers are threads.
 */
export async function kill(session: Session, task: string, o: KillOptions = {}): Promise<void> {
  const host = hostBehind(session, 'kill');
  if (typeof task !== 'string') throw new UsageError(`kill takes the name of a task, not ${kindOf(task)}`);
  const report = async (): Promise<NodeReport> => (await host.ask('report')) as NodeReport;
  const ms = o.within === undefined ? PATIENCE_MS : milliseconds(o.within, 'kill: within');
  const late = (): TimeoutError => new TimeoutError(`kill: no worker has begun a task named ${task} within ${ms} ms`);
  if (host.kill !== undefined) {
    const killed = await until(ms, () => host.kill?.(task) || undefined);
    if (killed === undefined) throw late();
    return;
  }
  const { isolation } = await report();
  if (isolation !== 'process')
    throw new NotAvailableError(`kill: the workers of this session are no processes (isolation ${isolation})`);
  const victim = await until(ms, async () => workerOf(await report(), task));
  if (victim === undefined) throw late();
  process.kill(victim.pid, 'SIGKILL');
  const { worker, incarnation } = victim;
  await until(PATIENCE_MS, async () => {
    const there = (await report()).workers.some((each) => each.worker === worker && each.incarnation === incarnation);
    return there ? undefined : true;
  });
}

function workerOf(
  { parties, workers }: NodeReport,
  task: string,
): { worker: number; incarnation: number; pid: number } | undefined {
  for (const { report } of parties) {
    const call = report?.sent.find(({ name, state }) => name === task && state !== 'sent');
    const row = workers.find(({ worker }) => worker === call?.worker);
    if (row?.pid) return { worker: row.worker, incarnation: row.incarnation, pid: row.pid };
  }
  return undefined;
}
