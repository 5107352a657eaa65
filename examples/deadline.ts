/**
 * A search that must end in time: all tasks of a scope are cancelled when it ends, whether one of them has found the answer
 * or the time is up. The tasks themselves look whether they are still wanted.
 *
 *   sheaf run examples/deadline.ts
 */
import { createHash } from 'node:crypto';
import { asCompleted, connect, current, scope, TimeoutError, task } from 'sheaf';

const SEARCHERS = 4;

/** A number whose hash with `text` begins with so many zeros; -1 when nobody wants it any more. */
const search = task((text: string, zeros: number, first: number, step: number): number => {
  const me = current();
  const prefix = '0'.repeat(zeros);
  for (let n = first; ; n += step) {
    if (createHash('sha256').update(`${text}${n}`).digest('hex').startsWith(prefix)) return n;
    // True at once, although this loop gives the event loop no turn.
    if (me.cancelled()) return -1;
  }
});

/** The first answer that comes. The other searchers end with the scope. */
const find = (text: string, zeros: number, timeout: number): Promise<number> =>
  scope(
    async () => {
      const refs = Array.from({ length: SEARCHERS }, (_, i) => search(text, zeros, i, SEARCHERS));
      for await (const [, ref] of asCompleted(refs)) return ref.value;
      throw new Error('nobody searched');
    },
    { timeout },
  );

await using session = await connect();

const n = await find('sheaf', 4, 60_000);
console.log(`found: ${createHash('sha256').update(`sheaf${n}`).digest('hex').slice(0, 8)}...`);

try {
  await find('sheaf', 40, 300);
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.log(`gave up: ${error.message}`);
}

await session.drained();
console.log(`${session.stats().tasks.pending} tasks are left`);
