import { FAILED } from '../protocol/index.ts';
import { afterSettling, cellOf, Reference } from './reference.ts';
import type { TaskHost } from './task-host.ts';

/**
 * Says when a task is over, for those who call tasks for purposes of their own: whatever becomes of the handle, and of the task whose code had it.
 * `over` hears why it failed, if it did; nobody else does.
 */
export function oversee(ref: Reference<unknown>, over: (failed: boolean, error: unknown) => void): void {
  const cell = cellOf(ref);
  const host = Reference.host(ref) as TaskHost;
  cell.observed = true;
  host.party.references.hold(cell);
  afterSettling(ref, () => {
    const failed = cell.state === FAILED;
    const error = failed ? failureOf() : undefined;
    host.drop(cell);
    over(failed, error);
  });

  function failureOf(): unknown {
    try {
      return host.read(cell);
    } catch (error) {
      return error;
    }
  }
}
