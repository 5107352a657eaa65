import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, OutOfMemoryError, task } from 'sheaf';
import {
  FOREVER_MS,
  failure,
  hosts,
  isMarked,
  LIMIT,
  MiB,
  mark,
  marks,
  scratch,
  sleep,
  untilMarked,
} from './support.ts';

/** Takes memory of its own the first time that it runs, and keeps it until it is ended. */
const takes = task(async (folder: string, bytes: number) => {
  if (isMarked(folder, 'taken')) return 'with little';
  mark(folder, 'taken');
  const held = Buffer.alloc(bytes, 1);
  await sleep(FOREVER_MS);
  return held.length;
});
/** Holds memory until it may end, and counts its runs. */
const holds = task(async (folder: string, bytes: number) => {
  const held = Buffer.alloc(bytes, 1);
  mark(folder, `run-${marks(folder).length}`);
  // Not asleep: it is the run on the stack of its worker.
  while (!isMarked(folder, 'open')) await sleep(5);
  return held[bytes - 1];
});
const add = task((a: number, b: number) => a + b);

async function withLimit<T>(bytes: number, body: () => Promise<T>): Promise<T> {
  process.env.SHEAF_WORKER_MEMORY = String(bytes);
  try {
    return await body();
  } finally {
    delete process.env.SHEAF_WORKER_MEMORY;
  }
}

const processes = hosts.filter((isolation) => isolation === 'process');

for (const isolation of processes) {
  describe(`the memory of workers (${isolation})`, () => {
    const open = () => withLimit(600 * MiB, () => connect({ cpus: 2, memory: '32MiB', isolation }));

    test('the newest run that may run again is ended, and runs again without a charge (line 46)', LIMIT, async () => {
      await using session = await open();
      const old = scratch();
      const fresh = scratch();
      const first = holds(old, 250 * MiB);
      await untilMarked(old, 'run-0');
      const second = takes.with({ retries: 1 })(fresh, 400 * MiB);
      assert.equal(await second.value, 'with little');
      const { retried, resubmitted } = session.stats().tasks;
      assert.deepEqual([retried, resubmitted], [0, 1]);
      mark(old, 'open');
      assert.equal(await first.value, 1);
      assert.deepEqual(marks(old), ['open', 'run-0'], 'the older one was let alone');
    });

    test('one that may not run again fails with a typed error, and the session goes on (line 46)', LIMIT, async () => {
      await using _session = await open();
      const error = await failure(takes.with({ retries: 0 })(scratch(), 700 * MiB).value);
      assert.ok(error instanceof OutOfMemoryError, String(error));
      assert.equal(error.code, 'ERR_SHEAF_WORKER_MEMORY');
      assert.match(
        error.message,
        /the worker that ran takes was ended, because the memory of the workers .* was short: /,
      );
      assert.equal(await add(1, 2).value, 3);
    });
  });
}
