/**
 * c = a() + b() in four ways. The calls are the same; what differs is who waits, and whether the values visit the driver on
 * their way from a worker to a worker.
 */
import { alloc, connect, get, scope, task } from 'sheaf';

const LENGTH = 1_000_000;
const RUNS = 7;

const a = task((length: number) => {
  const x = alloc(Float64Array, length);
  for (let i = 0; i < length; i++) x[i] = Math.sin(i) ** 2;
  return x;
});

const b = task((length: number) => {
  const x = alloc(Float64Array, length);
  for (let i = 0; i < length; i++) x[i] = Math.cos(i) ** 2;
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

console.log(`c = a() + b(), each ${(LENGTH * 8) / 1e6} MB; medians of ${RUNS} runs\n`);
console.log('way                                   time   through the driver');
for (const [name, way] of Object.entries(ways)) {
  const milliseconds: number[] = [];
  const before = session.stats().bytesThroughDriver;
  for (let run = 0; run < RUNS; run++) {
    // What a run made is released at its end: memory is reused, and the garbage collector has no part in it.
    await scope(async () => {
      const start = performance.now();
      const sum = await total(await way()).value;
      milliseconds.push(performance.now() - start);
      if (Math.round(sum) !== LENGTH) throw new Error(`sin² + cos² summed to ${sum} instead of ${LENGTH}`);
    });
  }
  const time = milliseconds.sort((x, y) => x - y)[RUNS >> 1]!;
  const megabytes = (session.stats().bytesThroughDriver - before) / RUNS / 1e6;
  console.log(`${name.padEnd(34)} ${time.toFixed(1).padStart(5)} ms ${megabytes.toFixed(1).padStart(17)} MB`);
}
