import { kindOf, UsageError } from '../base/index.ts';
import { cellOf, isReference, Reference, type TaskHost } from '../runtime/index.ts';
import type { Ref } from '../tasks/index.ts';

/**
 * Takes the value of a reference away as a damaged disk would: every copy in shared memory, of all who have it. Whoever reads it
 * next, here or in a task, hears of it; it is made again then, where that can be, or is an `ObjectLostError`. Waits for the value
 * first. What somebody is looking at already stays as it is.
 *
 * @throws UsageError for a value that is not in shared memory, because it is no larger than 100 KiB: it can't be lost without
 *   its owner.
 */
export async function lose(ref: Ref<unknown>): Promise<void> {
  if (!isReference(ref)) throw new UsageError(`lose takes a Ref, not ${kindOf(ref)}`);
  const own = ref as unknown as Reference<unknown>;
  const cell = cellOf(own);
  const host = Reference.host(own) as TaskHost;
  await host.engine.settled([own], 1, false, {});
  const slots = host.values.slotsOf(cell.value);
  if (slots.length === 0) {
    throw new UsageError(
      'lose: the value is not in shared memory, where values of more than 100 KiB are, so it can not be lost without its owner; ' +
        'kill the worker that owns it',
    );
  }
  for (const slot of slots) host.values.store.lose(slot);
  Reference.forget(own);
}
