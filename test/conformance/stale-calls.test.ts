import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actor, current, type Handle, task } from 'sheaf';
import { eventually, failure, isMarked, LIMIT, mark, onHosts, scratch, spinUntilMarked } from './support.ts';

class Noting {
  /** The number of its worker, which others have after it. */
  number(): string {
    return current().worker.split('.')[0] as string;
  }
  note(): string {
    return current().worker;
  }
  exits(): void {
    process.exit(7);
  }
}
const Notings = actor(Noting);

/** Hears where the actor is, has nothing sent to it, and calls it for the first time when it is gone. */
const callsLate = task(async (handle: Handle<Noting>, folder: string) => {
  await handle.ready;
  mark(folder, 'knows');
  spinUntilMarked(folder, 'gone');
  return handle.note().value.then(
    (worker) => `answered by ${worker}`,
    (error: Error) => `${error.name}: ${error.message}`,
  );
});

/** Actors that may come to the number of the one that is gone, among others. */
const MOST_OTHERS = 6;

onHosts('calls that come late', { cpus: 2, memory: '16MiB' }, () => {
  for (const [what, make] of [
    ['an actor', () => Notings.with({ restarts: 0 }).create()],
    ['a pool', () => Notings.with({ restarts: 0 }).pool(1)],
  ] as const) {
    test(`the first call of ${what} whose worker has died reaches no actor that came after it`, LIMIT, async () => {
      const folder = scratch();
      const gone = make();
      const number = await gone.number().value;
      const late = callsLate(gone, folder);
      await eventually(() => isMarked(folder, 'knows'), 'the caller knows where it is');
      await failure(gone.exits().value);
      const others: Handle<Noting>[] = [];
      try {
        while (others.length < MOST_OTHERS) {
          const other = Notings.create();
          others.push(other);
          if ((await other.number().value) === number) break;
        }
        mark(folder, 'gone');
        assert.match(await late.value, /^ActorDiedError: .*(no restarts are left)/);
      } finally {
        for (const other of others) await other[Symbol.asyncDispose]();
        await gone[Symbol.asyncDispose]();
      }
    });
  }
});
