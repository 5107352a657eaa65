/**
 * Serves a network that reads handwritten digits, over HTTP: tasks prepare the images that are posted, a router gathers them into
 * batches, and replicas of the model read them. A load generator measures it, beside the same model called in the server's own
 * process; then a replica is killed under load, and every request has its answer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'sheaf';
import { Router, serve } from './digits/serve.ts';
import { read, train } from './digits/train.ts';
import { kindOfWorkers, spared } from './workers.ts';

const REPLICAS = 2;
const CONNECTIONS = 32;
const SECONDS = Number(process.argv[2] ?? 3);

interface Load {
  readonly answered: number;
  readonly failed: number;
  readonly right: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

async function load(url: string, options: Record<string, number>): Promise<Load> {
  const args = [
    join(import.meta.dirname, 'digits/load.mjs'),
    url,
    JSON.stringify({ connections: CONNECTIONS, ...options }),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return JSON.parse(out) as Load;
}

await using session = await connect();
const workers = await kindOfWorkers();
const killing = workers === 'process';
console.log('learning to read, from 60,000 digits, once each');
const weights = await train({ digits: read('train'), count: 60_000, epochs: 1 });
await using router = new Router(REPLICAS, weights);
await router.ready();
await using server = await serve(router, await weights.value);

const rows: [string, Load][] = [];
const measure = async (name: string, path: string, options: Record<string, number>): Promise<Load> => {
  const measured = await load(`${server.url}${path}`, options);
  rows.push([name, measured]);
  return measured;
};

// Code that has not run yet is slow: nobody measures that.
for (const path of ['here', '']) await load(`${server.url}${path}`, { duration: Math.min(1, SECONDS) });
const here = await measure('in the server itself', 'here', { duration: SECONDS });
await measure('  at half of that load', 'here', { duration: SECONDS, overallRate: Math.round(here.perSecond / 2) });
const { images, batches } = router;
const { bytesThroughDriver } = session.stats();
const most = await measure('tasks and replicas', '', { duration: SECONDS });
const perBatch = (router.images - images) / (router.batches - batches);
const perImage = (session.stats().bytesThroughDriver - bytesThroughDriver) / (router.images - images);
await measure('  at half of that load', '', { duration: SECONDS, overallRate: Math.round(most.perSecond / 2) });

// A number of requests instead of a time: that all have their answers can be counted.
const amount = Math.max(CONNECTIONS, Math.round(most.perSecond * SECONDS));
const half = router.images + amount / 2;
const { retried = 0 } = session.stats().tasks;
const killer = setInterval(async () => {
  if (router.images < half) return;
  clearInterval(killer);
  if (killing) process.kill(await router.pid(0), 'SIGKILL');
}, 1);
const last = await measure(killing ? '  with a replica killed' : '  no replica killed', '', { amount });
clearInterval(killer);

const of = (value: number, digits: number, width: number) => value.toFixed(digits).padStart(width);
console.log('\n                          requests/s    p50 ms    p99 ms   answered   failed   right');
for (const [name, { perSecond, p50, p99, answered, failed, right }] of rows) {
  const cells = [of(perSecond, 0, 12), of(p50, 2, 10), of(p99, 2, 10), of(answered, 0, 11), of(failed, 0, 9)];
  console.log(`${name.padEnd(24)}${cells.join('')}${of((100 * right) / answered, 1, 7)} %`);
}
console.log(
  `\n${perBatch.toFixed(1)} images in a batch, ${(perImage / 1000).toFixed(1)} kB of each crossed the server`,
);
if (!killing) console.log(spared('replica', workers));
else {
  const again = session.stats().tasks.retried! - retried;
  console.log(
    `a replica was killed: ${again} of its batches were read again, ${amount - last.answered} of ${amount} requests were lost`,
  );
}
