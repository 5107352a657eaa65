/**
 * Works through a source of any length with bounded memory: `map` pulls records only as fast as tasks end, and a record
 * that can't be processed is an outcome like any other, not the end of the run.
 *
 *   sheaf run examples/records.ts [how many]
 */
import { setImmediate } from 'node:timers/promises';
import { connect, task } from 'sheaf';

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

const parse = task((line: string): Reading => {
  const { sensor, celsius } = JSON.parse(line) as Reading;
  if (typeof celsius !== 'number') throw new TypeError(`${sensor} has no temperature`);
  return { sensor, celsius };
});

let read = 0;

/** Stands for a file, a socket or a database cursor. */
async function* lines(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) await setImmediate();
    read++;
    const sensor = `s${i % 7}`;
    if (i % 1000 === 10) yield `{"sensor":"${sensor}"}`;
    else if (i % 1000 === 20) yield `{"sensor":"${sensor}","celsius":`;
    else yield JSON.stringify({ sensor, celsius: 15 + (i % 20) });
  }
}

const count = Number(process.argv[2] ?? 10_000);
if (!(count > 0)) {
  console.error('usage: sheaf run records.ts [how many]');
  process.exit(2);
}
await using _session = await connect();

const sums = new Map<string, { sum: number; n: number }>();
const failures = new Map<string, number>();
let done = 0;
let ahead = 0;
for await (const outcome of parse.map(lines(count), { inFlight: 32, ordered: false })) {
  done++;
  ahead = Math.max(ahead, read - done);
  if (!outcome.ok) {
    failures.set(outcome.error.name, (failures.get(outcome.error.name) ?? 0) + 1);
    continue;
  }
  const { sensor, celsius } = outcome.value;
  const { sum, n } = sums.get(sensor) ?? { sum: 0, n: 0 };
  sums.set(sensor, { sum: sum + celsius, n: n + 1 });
}

for (const [sensor, { sum, n }] of [...sums].sort())
  console.log(`${sensor}  ${(sum / n).toFixed(2)} °C  ${n} readings`);
for (const [name, n] of [...failures].sort()) console.log(`${name}: ${n} records`);
console.log(`${done} records, never more than ${ahead} read ahead`);
