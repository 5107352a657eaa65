/**
 * Mean delay of 3 million flights by airport and hour of day: row groups of a Parquet file are read as tasks, and their tables
 * combined in a tree of tasks. The driver sees the last table only. One worker is killed midway, and the answer stays right.
 */
import { resolve } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { asCompleted, connect, current, type Ref, task } from 'sheaf';
import { Progress } from './progress.ts';
import { kindOfWorkers, spared } from './workers.ts';

interface Part {
  /** Airport to its sums of delays, in minutes, for each hour, then to its numbers of flights for each hour. */
  readonly delays: ReadonlyMap<string, Float64Array>;
  /** Tasks below this part that ran more than once. */
  readonly recovered: number;
}

const wasRecovered = () => (current().attempt > 0 ? 1 : 0);

const read = task(async (path: string, rowStart: number, rowEnd: number, doomed: boolean): Promise<Part> => {
  const columns: Record<string, unknown[]> = {};
  await parquetRead({
    file: await asyncBufferFromFile(path),
    compressors,
    rowStart,
    rowEnd,
    columns: ['date', 'delay', 'origin'],
    onChunk: ({ columnName, columnData }) => {
      columns[columnName] = (columns[columnName] ?? []).concat(Array.from(columnData));
    },
  });
  // Stands for what nobody plans: the worker dies in the middle of its work.
  if (doomed && current().attempt === 0) process.kill(process.pid, 'SIGKILL');
  const [dates, minutes, origins] = [columns.date as Date[], columns.delay as bigint[], columns.origin as string[]];
  const delays = new Map<string, Float64Array>();
  for (const [i, origin] of origins.entries()) {
    const sums = delays.get(origin) ?? new Float64Array(48);
    const hour = dates[i]!.getUTCHours();
    sums[hour]! += Number(minutes[i]);
    sums[24 + hour]! += 1;
    delays.set(origin, sums);
  }
  return { delays, recovered: wasRecovered() };
});

const combine = task((a: Part, b: Part): Part => {
  const delays = new Map(a.delays);
  for (const [origin, more] of b.delays) {
    // What arrives may be shared memory: a new array for the sum, instead of adding in place.
    const sums = delays.get(origin);
    delays.set(origin, sums === undefined ? more : sums.map((sum, i) => sum + more[i]!));
  }
  return { delays, recovered: a.recovered + b.recovered + wasRecovered() };
});

const path = resolve(process.argv[2] ?? 'node_modules/vega-datasets/data/flights-3m.parquet');
const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
const sizes = groups.map((group) => Number(group.num_rows));
const total = sizes.reduce((a, b) => a + b, 0);

await using session = await connect();
const workers = await kindOfWorkers();
const killing = workers === 'process';
console.log(`${total.toLocaleString('en-US')} flights in ${sizes.length} row groups\n`);
const started = performance.now();

let next = 0;
const parts = sizes.map((size, i) => {
  const start = next;
  next += size;
  return read(path, start, next, killing && i === sizes.length >> 1);
});
let level: Ref<Part>[] = parts;
while (level.length > 1) {
  const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => level.slice(2 * i, 2 * i + 2));
  level = pairs.map(([a, b]) => (b === undefined ? a! : combine(a!, b)));
}

let deaths = 0;
const progress = new Progress('row groups', parts.length);
for await (const _ of asCompleted(parts)) {
  progress.step();
  const { retried = 0 } = session.stats().tasks;
  if (retried > deaths) progress.log('a worker was killed in the middle of a row group: another one reads it again');
  deaths = retried;
}
const { delays, recovered } = await level[0]!.value;
const seconds = (performance.now() - started) / 1000;

const cells = [...delays].flatMap(([origin, sums]) =>
  Array.from({ length: 24 }, (_, hour) => ({
    origin,
    hour,
    flights: sums[24 + hour]!,
    delay: sums[hour]! / sums[24 + hour]!,
  })),
);
const counted = cells.reduce((sum, { flights }) => sum + flights, 0);
if (counted !== total) throw new Error(`${counted} flights were counted, and the file has ${total}`);

console.log('\nairport   hour  flights  mean delay');
const worst = cells.filter(({ flights }) => flights >= 1000).sort((a, b) => b.delay - a.delay);
for (const { origin, hour, flights, delay } of worst.slice(0, 10)) {
  const columns = [
    origin.padEnd(7),
    `${hour}:00`.padStart(6),
    String(flights).padStart(8),
    delay.toFixed(1).padStart(8),
  ];
  console.log(`${columns.join(' ')} min`);
}
console.log(
  `\nall ${counted.toLocaleString('en-US')} flights of ${delays.size} airports counted in ${seconds.toFixed(2)} s`,
);
if (killing)
  console.log(`${recovered} ${recovered === 1 ? 'task was' : 'tasks were'} recovered: run again because a worker died`);
else console.log(spared('worker', workers));
console.log(`${(session.stats().bytesThroughDriver / 1e6).toFixed(2)} MB crossed the driver`);
if (process.env.DEMO_CHECK) await (await import('./check.ts')).check(path, delays);
