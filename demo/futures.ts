/**
 * c = a() + b() in four ways. The calls are the same; what differs is who waits, and whether the values visit the driver on
 * their way from a worker to a worker. Then once more, with the worker killed that computes b: c stays right.
 */
import { alloc, connect, current, get, type Ref, scope, task } from 'sheaf';
import { Progress } from './progress.ts';
import { kindOfWorkers, spared } from './workers.ts';

const LENGTH = 1_000_000;
const ROUNDS = 7;

const a = task((length: number) => {
  const x = alloc(Float64Array, length);
  for (let i = 0; i < length; i++) x[i] = Math.sin(i) ** 2;
  return x;
});

const b = task((length: number, doomed = false) => {
  const x = alloc(Float64Array, length);
  for (let i = 0; i < length; i++) x[i] = Math.cos(i) ** 2;
  // Stands for what nobody plans: the worker dies, and its work is lost.
  if (doomed && current().attempt === 0) process.kill(process.pid, 'SIGKILL');
  return x;
});

const add = task((x: Float64Array, y: Float64Array) => {
  const sum = alloc(Float64Array, x.length);
  for (let i = 0; i < x.length; i++) sum[i] = x[i]! + y[i]!;
  return sum;
});

const total = task((x: Float64Array) => x.reduce((sum, value) => sum + value, 0));

const ways = {
  'one after the other': async () => {
    const x = await a(LENGTH).value;
    const y = await b(LENGTH).value;
    return add(x, y);
  },
  'at once, both through the driver': async () => {
    const [x, y] = await get([a(LENGTH), b(LENGTH)]);
    return add(x, y);
  },
  'at once, one through the driver': async () => {
    const x = a(LENGTH);
    const y = await b(LENGTH).value;
    return add(x, y);
  },
  'at once, none through the driver': async () => add(a(LENGTH), b(LENGTH)),
};

await using session = await connect();
await total(add(a(1), b(1))).value;

/** The milliseconds that one way takes, and the megabytes that cross the driver. */
const measure = (way: () => Promise<Ref<Float64Array>>) =>
  // What a run made is released at its end: memory is reused, and the garbage collector has no part in it.
  scope(async () => {
    const { bytesThroughDriver } = session.stats();
    const start = performance.now();
    const sum = await total(await way()).value;
    const time = performance.now() - start;
    if (Math.round(sum) !== LENGTH) throw new Error(`sin² + cos² summed to ${sum} instead of ${LENGTH}`);
    return { time, megabytes: (session.stats().bytesThroughDriver - bytesThroughDriver) / 1e6 };
  });

console.log(`c = a() + b(), each ${(LENGTH * 8) / 1e6} MB; medians of ${ROUNDS} rounds\n`);
const progress = new Progress('rounds', ROUNDS);
const runs = Object.values(ways).map((): Awaited<ReturnType<typeof measure>>[] => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, way] of Object.values(ways).entries()) runs[i]!.push(await measure(way));
  progress.step();
}

console.log('\nway                                   time   through the driver');
for (const [i, name] of Object.keys(ways).entries()) {
  const { time, megabytes } = runs[i]!.sort((x, y) => x.time - y.time)[ROUNDS >> 1]!;
  console.log(`${name.padEnd(34)} ${time.toFixed(1).padStart(5)} ms ${megabytes.toFixed(1).padStart(17)} MB`);
}

const workers = await kindOfWorkers();
if (workers === 'process') {
  const before = session.stats().tasks.retried!;
  const { time, megabytes } = await measure(async () => add(a(LENGTH), b(LENGTH, true)));
  const recovered = session.stats().tasks.retried! - before;
  console.log(`
once more, none through the driver, and the worker killed that computes b(): c is right all the same
${recovered} ${recovered === 1 ? 'task was' : 'tasks were'} recovered: run again because a worker died
${time.toFixed(1)} ms, and ${megabytes.toFixed(1)} MB through the driver`);
} else console.log(`\n${spared('worker', workers)}`);
