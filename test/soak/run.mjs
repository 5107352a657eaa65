// A soak: random programs one after the other in one session, with workers that are killed at random. Ends with an error on a
// wrong result, a hang, or memory that grows.
//
//   npm run soak -- [--seconds N | --minutes N] [--seed N] [--isolation process|thread] [--memory BYTES]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, put, task } from 'sheaf';
import { Program, randomOf } from './program.mjs';

const { values: o } = parseArgs({
  options: {
    seconds: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    isolation: { type: 'string', default: 'process' },
    memory: { type: 'string', default: '48MiB' },
  },
});
const seconds = o.minutes !== undefined ? Number(o.minutes) * 60 : Number(o.seconds ?? 60);
const first = o.seed !== undefined ? Number(o.seed) : (Date.now() % 1e9) | 0;
/** A program takes a second or two, also on a machine with other work. */
const PATIENCE_MS = 120_000;
const STEPS = 80;
/** Programs after which all code is compiled and every table has its size. */
const WARM = 10;
/** Between looks at what is left. */
const LOOK_EVERY = 10;
/** What the heap may grow by from then on, whatever the number of programs. */
const GROWTH = 24 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** Ends the worker that it ran on a while after it has run there: by then that does something else. */
const bomb = task(
  (ms, isThread) => {
    setTimeout(() => (isThread ? process.exit(9) : process.kill(process.pid, 'SIGKILL')), ms);
  },
  { retries: 1_000 },
);

/** Ends a worker now and then until it is told to stop; gives how many. */
async function killing(random, over) {
  let killed = 0;
  while (!over.aborted) {
    await sleep(20 + random() * 400, undefined, { signal: over }).catch(() => {});
    if (over.aborted || random() < 0.5) continue;
    await bomb(1 + random() * 30, o.isolation === 'thread').value;
    killed++;
  }
  return killed;
}

async function within(ms, promise, seed) {
  const done = new AbortController();
  const late = sleep(ms, 'late', { signal: done.signal }).catch(() => {});
  try {
    if ((await Promise.race([promise, late])) !== 'late') return;
    // The report of what waits for what.
    process.kill(process.pid, 'SIGUSR2');
    await sleep(2_000);
    throw new Error(`the program of seed ${seed} hangs: ${ms / 1000} s without an end`);
  } finally {
    done.abort();
  }
}

/** In a frame of its own, which keeps nothing of the program once it is over. */
async function runOne(seed, count) {
  const program = new Program(seed);
  for (let i = 0; i < count; i++) program.step();
  await within(PATIENCE_MS, program.check(), seed);
  return program.steps;
}

/**
 * What is left of a program that is over: nothing, once its garbage is collected, which workers do when somebody has no room.
 */
async function look(session, seed) {
  await session.drained();
  const { limit } = session.stats().memory;
  for (let i = 0; ; i++) {
    gc();
    await sleep(5);
    try {
      put(new Uint8Array(0.9 * limit)).release();
    } catch {
      // What is still in use may lie in the middle.
    }
    await sleep(5);
    const { used, spilled } = session.stats().memory;
    if (used === 0 && spilled === 0) return;
    if (i === 200)
      throw new Error(`${used} bytes in memory and ${spilled} on disk are left after the program of seed ${seed}`);
  }
}

const session = await connect({ cpus: 2, memory: o.memory, isolation: o.isolation });
const end = performance.now() + seconds * 1000;
const random = randomOf(first);
let programs = 0;
let steps = 0;
let killed = 0;
let base = 0;
let most = 0;
try {
  for (let seed = first; performance.now() < end || programs <= WARM; seed++) {
    const over = new AbortController();
    const kills = random() < 0.5 ? killing(random, over.signal) : Promise.resolve(0);
    try {
      steps += await runOne(seed, 1 + Math.floor(random() * STEPS));
    } catch (error) {
      throw new Error(`the program of seed ${seed} went wrong (the run began with seed ${first})`, { cause: error });
    } finally {
      over.abort();
      killed += await kills;
    }
    programs++;
    if (programs % LOOK_EVERY !== 0) continue;
    await look(session, seed);
    const heap = process.memoryUsage().heapUsed;
    if (programs === WARM) base = heap;
    most = Math.max(most, heap);
    if (heap > base + GROWTH)
      throw new Error(`the heap has grown from ${base} to ${heap} bytes in ${programs} programs`);
  }
} finally {
  await session[Symbol.asyncDispose]();
}
const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(
  `${programs} programs of ${steps} steps in all, ${killed} workers killed, seed ${first}: every result right; ` +
    `heap ${MiB(base)} after ${WARM} programs, ${MiB(most)} at most`,
);
