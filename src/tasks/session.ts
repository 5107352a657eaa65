import { NotAvailableError, UsageError } from '../base/index.ts';
import { currentEngine, hasSession } from './context.ts';
import { openSession } from './open.ts';
import type { ConnectOptions, Current, Session } from './types.ts';

/**
 * Opens a session on this machine: every core, nothing to start. Close it with `await using`, or
 * `session[Symbol.asyncDispose]()`.
 *
 * What the options leave open comes from the environment, which `sheaf run` sets: `SHEAF_CPUS` (cores),
 * `SHEAF_MEMORY` (bytes, or a text such as `2GiB`), `SHEAF_ISOLATION` (`process` or `thread`), `SHEAF_SPILL` (a folder,
 * or `off`), `SHEAF_MODE` (`workers` or `inline`); then from the machine: every core, and 0.3 of the memory, that the
 * process may use, a container's limits included.
 *
 * @param where options; an address of a cluster is not in this version.
 * @throws UsageError for an option that does not exist or has a value that it can't have, and inside of a task;
 *   NotAvailableError for an address; the reason of `signal` when it has aborted.
 */
export async function connect(where: string | ConnectOptions = {}): Promise<Session> {
  if (typeof where === 'string') {
    throw new NotAvailableError(`connect('${where}'): clusters are not in this version; connect() opens this machine`);
  }
  return openSession(where, false);
}

/**
 * The task that the calling code belongs to: its name, its signal, its devices.
 *
 * @throws UsageError outside of a task.
 */
export function current(): Current {
  // Without a session, too: it is not one that is missing.
  const task = hasSession() ? currentEngine('current').current() : undefined;
  if (task === undefined) {
    throw new UsageError('current() was called outside of a task: it is for code that runs on a worker');
  }
  return task;
}
