import { isMainThread } from 'node:worker_threads';
import { task } from 'sheaf';

type Workers = 'process' | 'thread' | 'none';

/** Where a task runs, seen from there; `program`: the process that has called it. */
const kind = task((program: number): Workers => {
  if (process.pid !== program) return 'process';
  return isMainThread ? 'none' : 'thread';
});

/** What runs the tasks of the open session: only a process can be killed without the program. */
export const kindOfWorkers = (): Promise<Workers> => kind(process.pid).value;

/** Why nothing dies in this run of a program that would have something killed. */
export function spared(what: string, workers: Workers): string {
  const why =
    workers === 'none'
      ? 'there are no workers here, and the program does not die alone'
      : 'workers are threads here, and a thread does not die alone';
  return `no ${what} was killed: ${why}`;
}
