// A soak: random programs one after the other in one session, with workers that are killed at random. Ends with an error on a
// wrong result, a hang, or memory that grows.
//
//   npm run soak -- [--seconds N | --minutes N] [--seed N] [--isolation process|thread] [--memory BYTES]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, put, task } from 'sheaf';
import { leaks } from 'sheaf/testing';
import { descendants, descriptors, privateBytes } from './left.mjs';
import { marksFolder, removeMarks } from './marks.mjs';
import { Program } from './program.mjs';
import { randomOf } from './values.mjs';

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
/** A moment that does not come. */
const FAR = 1e9;
/** What the heap may grow by from then on, whatever the number of programs. */
const GROWTH = 24 * 1024 * 1024;
/** The same for all private memory, that of the control thread and of what is not JavaScript included. */
const PRIVATE_GROWTH = 128 * 1024 * 1024;

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
async function runOne(seed, count, world) {
  const program = new Program(seed, world);
  for (let i = 0; i < count; i++) program.step();
  await within(PATIENCE_MS, program.check(), seed);
  return program.steps;
}

/**
 * Descriptors that a session may not leave. Seen after threads were ended: files open that one was reading at that moment, modules
 * of this package and of the programs among them. With threads those do not count.
 */
const open = () => descriptors().filter((target) => o.isolation !== 'thread' || !/\.m?js$/.test(target));

/** What the session has left behind in the system. */
async function checkLeft(before) {
  // Closing is not over at once.
  for (let i = 0; ; i++) {
    const files = open();
    const children = descendants();
    const segments = files.filter((each) => each.includes('memfd:sheaf'));
    if (files.length <= before && children.length === 0 && segments.length === 0) return;
    if (i === 200) {
      throw new Error(
        `of the session are left: processes ${children.join(', ')}; ${files.length} descriptors, ${before} before: ${files.join(', ')}`,
      );
    }
    await sleep(50);
  }
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
    if (used === 0 && spilled === 0) break;
    if (i === 200) {
      // The report of who has it.
      process.kill(process.pid, 'SIGUSR2');
      await sleep(2_000);
      throw new Error(`${used} bytes in memory and ${spilled} on disk are left after the program of seed ${seed}`);
    }
  }
  // An actor that lives has a lease, and a reference that stands for it.
  const left = await leaks(session);
  if (left.length > 0)
    throw new Error(`left after the program of seed ${seed}: ${left.map(({ what }) => what).join(', ')}`);
}

const options = { cpus: 2, memory: o.memory, isolation: o.isolation };
// What Node opens once, on its own account, is open after a first session.
const warming = await connect(options);
await bomb(FAR, true).value;
await warming[Symbol.asyncDispose]();
const openBefore = open().length;
const session = await connect(options);
const marks = marksFolder();
const tally = { answered: 0, failed: 0, deaths: 0 };
const end = performance.now() + seconds * 1000;
const random = randomOf(first);
let programs = 0;
let steps = 0;
let killed = 0;
let base = 0;
let basePrivate = 0;
let mostPrivate = 0;
let most = 0;
try {
  for (let seed = first; performance.now() < end || programs <= WARM; seed++) {
    const over = new AbortController();
    // Between looks either any worker may die or none does: what actors may answer is known to the last word in a calm.
    const calm = Math.floor(programs / LOOK_EVERY) % 2 === 0;
    const kills = !calm && random() < 0.7 ? killing(random, over.signal) : Promise.resolve(0);
    try {
      steps += await runOne(seed, 1 + Math.floor(random() * STEPS), {
        session,
        isolation: o.isolation,
        marks,
        calm,
        tally,
      });
    } catch (error) {
      const wrong = new Error(`the program of seed ${seed} went wrong (the run began with seed ${first})`, {
        cause: error,
      });
      // What else goes wrong when the session is closed in the middle of it is not to hide this.
      console.error(wrong);
      throw wrong;
    } finally {
      over.abort();
      killed += await kills;
    }
    programs++;
    if (programs % LOOK_EVERY !== 0) continue;
    await look(session, seed);
    const heap = process.memoryUsage().heapUsed;
    const bytes = privateBytes();
    if (programs === WARM) [base, basePrivate] = [heap, bytes];
    most = Math.max(most, heap);
    mostPrivate = Math.max(mostPrivate, bytes);
    if (heap > base + GROWTH)
      throw new Error(`the heap has grown from ${base} to ${heap} bytes in ${programs} programs`);
    if (bytes > basePrivate + PRIVATE_GROWTH)
      throw new Error(`private memory has grown from ${basePrivate} to ${bytes} bytes in ${programs} programs`);
  }
} finally {
  await session[Symbol.asyncDispose]();
  removeMarks(marks);
}
await checkLeft(openBefore);
const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(
  `${programs} programs of ${steps} steps in all, ${killed} workers killed, seed ${first}: every result right; ` +
    `calls of actors: ${tally.answered} answered, ${tally.failed} failed as they may, ${tally.deaths} deaths beside those; ` +
    `heap ${MiB(base)} after ${WARM} programs, ${MiB(most)} at most; private memory ${MiB(basePrivate)}, ${MiB(mostPrivate)} at most`,
);
