import { asyncBufferFromFile, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** Computes the table of flights.ts once more, in one thread and without tasks, and compares every cell. */
export async function check(path: string, delays: ReadonlyMap<string, Float64Array>): Promise<void> {
  const started = performance.now();
  const plain = new Map<string, Float64Array>();
  await parquetRead({
    file: await asyncBufferFromFile(path),
    compressors,
    columns: ['date', 'delay', 'origin'],
    rowFormat: 'object',
    onComplete: (rows) => {
      for (const { date, delay, origin } of rows as { date: Date; delay: bigint; origin: string }[]) {
        const sums = plain.get(origin) ?? new Float64Array(48);
        sums[date.getUTCHours()]! += Number(delay);
        sums[24 + date.getUTCHours()]! += 1;
        plain.set(origin, sums);
      }
    },
  });
  if (plain.size !== delays.size) throw new Error(`${delays.size} airports, and one thread finds ${plain.size}`);
  for (const [origin, sums] of plain) {
    const ours = delays.get(origin);
    const wrong = sums.findIndex((sum, i) => sum !== ours?.[i]);
    if (wrong >= 0) throw new Error(`${origin}[${wrong}] is ${ours?.[wrong]}, and one thread finds ${sums[wrong]}`);
  }
  console.log(`checked: one thread finds the same in ${((performance.now() - started) / 1000).toFixed(2)} s`);
}
