/** Small calls: the rows of Ray's microbenchmarks that tasks can show, and the parked round trip. */
import { connect, get, put, type Ref, task, wait } from 'sheaf';
import { type Experiment, median, pause, rate, times } from '../harness.ts';
import { doorbell } from '../peers/doorbell.ts';
import { piscina, postMessage } from '../peers/threads.ts';
import type { Group, Settings } from '../suite.ts';

const ok = task(() => 'ok');

const putMany = task((count: number) => {
  for (let i = 0; i < count; i++) put(0).release();
});

const makeReferences = task(() => Array.from({ length: 10_000 }, () => put(1)));

const submitMany = task(async (count: number) => {
  const refs = Array.from({ length: count }, () => ok());
  return (await get(refs)).length;
});

/** Starts `count` tasks and waits for all; their records go at once, as Ray's do when the list of references dies. */
async function batch(count: number): Promise<void> {
  const refs = Array.from({ length: count }, () => ok());
  await get(refs);
  for (const ref of refs) ref.release();
}

async function one(): Promise<void> {
  const ref = ok();
  await ref.value;
  ref.release();
}

async function waitOneByOne(): Promise<void> {
  let pending: Ref<unknown>[] = Array.from({ length: 1000 }, () => ok());
  while (pending.length > 0) {
    const turn = await wait(pending);
    for (const ref of turn.ready) ref.release();
    pending = turn.pending;
  }
}

/** By then everybody sleeps: nobody spins for more than a quarter of a millisecond. */
const ASLEEP_MS = 2;
/** By then the machine does, too: what it takes to wake a core is most of the figure. */
const AT_REST_MS = 20;

/** Median microseconds of single calls, each after a pause in which everybody has gone to sleep. */
const parked = (calls: number, rest: number, call: () => Promise<void>) => async () => {
  const took: number[] = [];
  for (let i = 0; i < calls; i++) {
    await pause(rest);
    const start = performance.now();
    await call();
    took.push((performance.now() - start) * 1000);
  }
  return median(took);
};

export const calls: Group = {
  names: [
    'single client get calls',
    'single client put calls',
    'multi client put calls',
    'tasks and get batch',
    'get object containing 10k refs',
    'wait 1k refs',
    'single client tasks sync',
    'single client tasks sync, parked p50',
    'single client tasks sync, parked p50 after 20 ms',
    'single client tasks async',
    'multi client tasks async',
  ],
  async open({ cpus, quick }: Settings) {
    const ms = quick ? 200 : 1000;
    const session = await connect({ cpus });
    const pool = piscina(cpus);
    const echo = postMessage();
    const bell = doorbell();
    const value = put(0);
    const holder = makeReferences();
    const ray = (ratio: number) => ({ ray: ratio });
    const parkedCalls = quick ? 20 : 100;
    const peersAfter = (rest: number) => ({
      piscina: parked(parkedCalls, rest, () => pool.run(1)),
      postMessage: parked(parkedCalls, rest, () => echo.run(1)),
      doorbell: parked(parkedCalls, rest, () => bell.run(1)),
    });
    const experiments: Experiment[] = [
      {
        name: 'single client get calls',
        unit: 'calls/s',
        better: 'more',
        ours: rate(
          ms,
          100,
          times(100, () => get(value)),
        ),
        requires: { tier: 'gate', target: 300_000, ratios: ray(10) },
      },
      {
        name: 'single client put calls',
        unit: 'calls/s',
        better: 'more',
        ours: rate(
          ms,
          100,
          times(100, () => put(0).release()),
        ),
        requires: { tier: 'gate', target: 300_000, ratios: ray(10) },
      },
      {
        name: 'multi client put calls',
        unit: 'calls/s',
        better: 'more',
        ours: rate(ms, 1000, () => get(Array.from({ length: 10 }, () => putMany(100)))),
        requires: { tier: 'gate', ratios: ray(10) },
      },
      {
        name: 'tasks and get batch',
        unit: 'batches/s',
        better: 'more',
        ours: rate(ms, 1, () => batch(1000)),
        requires: { tier: 'gate', ratios: ray(10) },
      },
      {
        name: 'get object containing 10k refs',
        unit: 'gets/s',
        better: 'more',
        ours: rate(ms, 1, () => get(holder)),
        requires: { tier: 'gate', ratios: ray(10) },
      },
      {
        name: 'wait 1k refs',
        unit: 'rounds/s',
        better: 'more',
        ours: rate(ms, 1, waitOneByOne),
        requires: { tier: 'gate', ratios: ray(10) },
      },
      {
        name: 'single client tasks sync',
        unit: 'tasks/s',
        better: 'more',
        ours: rate(ms, 100, times(100, one)),
        peers: {
          piscina: rate(
            ms,
            100,
            times(100, () => pool.run(1)),
          ),
          postMessage: rate(
            ms,
            100,
            times(100, () => echo.run(1)),
          ),
        },
        requires: { tier: 'gate', target: 100_000, ratios: ray(10) },
      },
      {
        name: 'single client tasks sync, parked p50',
        unit: 'us',
        better: 'less',
        ours: parked(parkedCalls, ASLEEP_MS, one),
        peers: peersAfter(ASLEEP_MS),
        requires: { tier: 'gate', target: 100 },
      },
      {
        name: 'single client tasks sync, parked p50 after 20 ms',
        unit: 'us',
        better: 'less',
        ours: parked(parkedCalls, AT_REST_MS, one),
        peers: peersAfter(AT_REST_MS),
      },
      {
        name: 'single client tasks async',
        unit: 'tasks/s',
        better: 'more',
        ours: rate(ms, 1000, () => batch(1000)),
        peers: { piscina: rate(ms, 1000, () => pool.run(1000)), postMessage: rate(ms, 1000, () => echo.run(1000)) },
        requires: { tier: 'gate', target: 400_000, ratios: { ray: 50, piscina: 10 } },
      },
      {
        name: 'multi client tasks async',
        unit: 'tasks/s',
        better: 'more',
        ours: rate(ms, 40_000, () => get(Array.from({ length: 4 }, () => submitMany(10_000)))),
        requires: { tier: 'gate', target: 250_000, ratios: ray(50) },
      },
    ];
    return {
      experiments,
      async close() {
        await Promise.all([session[Symbol.asyncDispose](), pool.close(), echo.close(), bell.close()]);
      },
    };
  },
};
