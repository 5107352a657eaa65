/**
 * Estimates pi by throwing darts, and stops as soon as the estimate is good enough: results are looked at in the order in
 * which they come, and what is not needed any more is cancelled.
 *
 *   sheaf run examples/pi.ts [standard error, such as 0.0005]
 */
import { asCompleted, cancel, connect, current, task } from 'sheaf';

const BATCHES = 1000;
const DARTS = 200_000;

/** How many of so many darts hit the quarter of a disc. Seeded by the task: a batch run again gives the same. */
const hits = task((darts: number): number => {
  const me = current();
  let inside = 0;
  for (let i = 0; i < darts; i++) if (me.random() ** 2 + me.random() ** 2 < 1) inside++;
  return inside;
});

const goal = Number(process.argv[2] ?? 0.0005);
if (!(goal > 0)) {
  console.error('usage: sheaf run pi.ts [standard error, such as 0.0005]');
  process.exit(2);
}
await using session = await connect();

const refs = Array.from({ length: BATCHES }, () => hits(DARTS));
let inside = 0;
let darts = 0;
let error = Number.POSITIVE_INFINITY;
for await (const [, ref] of asCompleted(refs)) {
  inside += await ref.value;
  darts += DARTS;
  const share = inside / darts;
  error = 4 * Math.sqrt((share * (1 - share)) / darts);
  if (error <= goal) break;
}
// Those that have settled are left alone; the others never run, or end early.
for (const ref of refs) cancel(ref.ignore());
await session.drained();

console.log(`pi is ${((4 * inside) / darts).toFixed(4)}, give or take ${error.toFixed(4)}`);
console.log(`${darts / DARTS} of ${BATCHES} batches were looked at`);
