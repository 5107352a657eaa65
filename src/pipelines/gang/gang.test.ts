import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import { ARRAY_QUEUES, ARRAY_SCHEMES, ARRAY_VICTIMS } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { arraysOf, type Engine, hostOf } from '../../runtime/index.ts';
import { type ConnectOptions, connect, get, type Session, task } from '../../tasks/index.ts';
import { kill } from '../../testing/kill.ts';
import { leaks } from '../../testing/leaks.ts';
import { Gang } from './gang.ts';
import type { RunnerOf, TileWork } from './work.ts';

const url = pathToFileURL(join(process.env.SHEAF_ROOT ?? resolve('.'), 'test/fixtures/gang/jobs.mjs')).href;
const LIMIT = { timeout: 120_000 };
const CPUS = 3;
const here = process.pid * 1000 + threadId;

type Job = 'squares' | 'slowly' | 'hangs' | 'fails' | 'joined';
interface Plan {
  readonly input: number;
  readonly output: number;
  readonly sums: number;
  readonly who: number;
  readonly count: number;
  readonly starts: readonly number[];
  readonly owner: number;
  readonly members: number;
  readonly micros: number;
}

/** Takes a core for as long as there is such a folder. */
const holds = task((folder: string, mark: string) => {
  writeFileSync(join(folder, mark), '');
  while (existsSync(folder));
});

const engineOf = (session: Session): Engine => (hostOf(session.url) as { engine: Engine }).engine;

/** Arrays of `rows` numbers in a session's memory, a job over them, and what it is to give. */
class Bench {
  readonly store: SharedStore;
  readonly work: TileWork;
  readonly rows: number;
  readonly #slots: SlotRef[] = [];
  readonly #arrays: Float64Array[] = [];

  static async of(
    session: Session,
    job: Job,
    rows: number,
    o: { grain?: number; tile?: number; micros?: number; gang?: Gang } = {},
  ) {
    const jobs = (await import(url)) as Record<Job, RunnerOf<Plan>>;
    return new Bench(engineOf(session), job, jobs[job], rows, o);
  }

  readonly gang: Gang;

  private constructor(
    engine: Engine,
    job: Job,
    runnerOf: RunnerOf<Plan>,
    rows: number,
    { grain = 1, tile = 1, micros = 0, gang }: { grain?: number; tile?: number; micros?: number; gang?: Gang },
  ) {
    const { store } = engine;
    this.store = store;
    this.rows = rows;
    this.gang = gang ?? (Gang.of(engine) as Gang);
    const chunks = this.gang.cut(rows, tile, grain);
    const place = (length: number): number => {
      const slot = store.allocate(8 * length);
      store.use(slot);
      const bytes = store.bytes(slot);
      bytes.fill(0);
      this.#slots.push(slot);
      this.#arrays.push(new Float64Array(bytes.buffer, bytes.byteOffset, length));
      store.seal(slot);
      return store.address(slot).offset;
    };
    const count = Math.max(1, chunks.length - 1);
    const plan: Plan = {
      input: place(rows),
      output: place(rows),
      sums: place(count),
      who: place(count),
      count: place(1),
      starts: chunks,
      owner: here,
      members: (arraysOf(engine)?.cpus ?? 1) - 1,
      micros,
    };
    const { region } = store.address(this.#slots[0] as SlotRef);
    (this.#arrays[0] as Float64Array).forEach((_, i, all) => {
      all[i] = 1 / (i + 1);
    });
    const objects = this.#slots.map((slot) => ({ slot, offset: store.address(slot).offset }));
    const runner = runnerOf(plan, store.memory(region) as WebAssembly.Memory, 0, undefined);
    this.work = { module: { url, name: job }, runner, plan, region, objects: () => objects, chunks, tile };
  }

  /** How many members have had something to do. */
  get joined(): number {
    return new Int32Array(
      (this.#arrays[4] as Float64Array).buffer,
      (this.#arrays[4] as Float64Array).byteOffset,
    )[0] as number;
  }

  get who(): ReadonlySet<number> {
    return new Set(this.#arrays[3]);
  }

  /** All elements, and the sums of the chunks, bit for bit. */
  check(): void {
    const [input, output, sums] = this.#arrays as [Float64Array, Float64Array, Float64Array];
    const { chunks } = this.work;
    for (let chunk = 0; chunk + 1 < chunks.length; chunk++) {
      let sum = 0;
      for (let i = chunks[chunk] as number; i < (chunks[chunk + 1] as number); i++) {
        const expected = (input[i] as number) ** 2 + i;
        if (output[i] !== expected) assert.fail(`row ${i} of chunk ${chunk} is ${output[i]}, not ${expected}`);
        sum += expected;
      }
      assert.equal(sums[chunk], sum, `the sum of chunk ${chunk}`);
    }
  }

  [Symbol.dispose](): void {
    for (const slot of this.#slots.splice(0)) {
      this.store.unuse(slot);
      this.store.unpin(slot);
    }
  }
}

/** Runs and checks; answers who took part. */
async function run(
  session: Session,
  job: Job,
  rows: number,
  o: Parameters<typeof Bench.of>[3] = {},
): Promise<ReadonlySet<number>> {
  using bench = await Bench.of(session, job, rows, o);
  await bench.gang.run(bench.work);
  bench.check();
  return bench.who;
}

const nothingLeft = async (session: Session): Promise<void> => assert.deepEqual(await leaks(session), []);

for (const isolation of ['process', 'thread'] as const) {
  describe(`a gang of workers (${isolation})`, () => {
    const options: ConnectOptions = { cpus: CPUS, isolation, memory: '256MiB', spill: 'off' };
    let session: Session;
    before(async () => {
      session = await connect(options);
    });
    after(async () => session[Symbol.asyncDispose]());

    test('everybody takes part, and all is computed once', LIMIT, async () => {
      assert.equal((await run(session, 'joined', 20_000, { grain: 50 })).size, CPUS);
      await nothingLeft(session);
    });

    test('every scheme, layout and choice of victims gives the same', LIMIT, async () => {
      const engine = engineOf(session);
      const settings = arraysOf(engine);
      assert.ok(settings !== undefined);
      for (const [i, scheme] of ARRAY_SCHEMES.entries()) {
        for (const layout of ARRAY_QUEUES) {
          const victims = ARRAY_VICTIMS[i % ARRAY_VICTIMS.length] as (typeof ARRAY_VICTIMS)[number];
          const gang = new Gang(engine, { ...settings, scheme, layout, victims });
          await run(session, 'slowly', 997, { micros: 2, tile: 3, grain: 5, gang });
        }
      }
      await nothingLeft(session);
    });

    test('what is one piece is done here and now, without a call', LIMIT, async () => {
      const host = hostOf(session.url);
      assert.ok(host !== undefined);
      const { submitted } = host.counters;
      using bench = await Bench.of(session, 'squares', 1000, { grain: 1000, tile: 1000 });
      assert.equal(bench.gang.run(bench.work), undefined);
      bench.check();
      using none = await Bench.of(session, 'squares', 0);
      assert.equal(none.gang.run(none.work), undefined);
      assert.equal(host.counters.submitted, submitted);
    });

    test('members that never come are not waited for', LIMIT, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sheaf-gang-'));
      const held = Array.from({ length: CPUS }, (_, i) => holds(folder, `${i}`));
      // No worker is free.
      while (readdirSync(folder).length < CPUS) await sleep(5);
      assert.deepEqual([...(await run(session, 'slowly', 400, { micros: 100 }))], [here]);
      assert.equal(hostOf(session.url)?.party.owner.pending, CPUS, 'the members were called off');
      rmSync(folder, { recursive: true });
      await get(held);
      await nothingLeft(session);
    });

    test('what fails in a member fails here, and nothing is left of it', LIMIT, async () => {
      using bench = await Bench.of(session, 'fails', 20_000, { grain: 50 });
      await assert.rejects(async () => bench.gang.run(bench.work), {
        name: 'RangeError',
        message: /no good in chunk \d+/,
      });
      bench[Symbol.dispose]();
      await nothingLeft(session);
    });

    test('members go from run to run without a call, and fail as others do', LIMIT, async () => {
      using loop = await Bench.of(session, 'slowly', 400, { micros: 20, grain: 5 });
      let isTaken = false;
      // On a busy machine one may be too late for the next run.
      for (let runs = 0; runs < 200 && !isTaken; runs++) {
        await loop.gang.run(loop.work);
        loop.check();
        isTaken = [...loop.gang.members].some(({ taken }) => taken);
      }
      assert.ok(isTaken, 'each has come by a call');
      using bench = await Bench.of(session, 'fails', 20_000, { grain: 50 });
      await assert.rejects(async () => bench.gang.run(bench.work), { name: 'RangeError' });
      await run(session, 'slowly', 400, { micros: 20 });
      loop[Symbol.dispose]();
      bench[Symbol.dispose]();
      await nothingLeft(session);
    });

    test('the event loop has its turns', LIMIT, async () => {
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      try {
        await run(session, 'slowly', 1000, { micros: 300, grain: 1 });
      } finally {
        clearInterval(timer);
      }
      assert.ok(turns > 3, `${turns} turns`);
    });
  });
}

test('workers that are killed in the middle of a kernel: the same answer', LIMIT, async () => {
  await using session = await connect({ cpus: CPUS, isolation: 'process', memory: '64MiB', spill: 'off' });
  // They may be there from the run before.
  await run(session, 'joined', 20_000, { grain: 50 });
  {
    using bench = await Bench.of(session, 'hangs', 20_000, { grain: 50 });
    const running = bench.gang.run(bench.work);
    // Everyone is in the middle of a chunk.
    while (bench.joined < CPUS - 1) await sleep(5);
    for (let i = 1; i < CPUS; i++) await kill(session, 'array tiles');
    await running;
    bench.check();
    assert.deepEqual([...bench.who], [here]);
  }
  await nothingLeft(session);
});

test('a session that is closed meanwhile says so', LIMIT, async () => {
  const session = await connect({ cpus: CPUS, memory: '64MiB', spill: 'off' });
  const bench = await Bench.of(session, 'slowly', 2000, { micros: 1000 });
  const running = bench.gang.run(bench.work);
  await sleep(50);
  await Promise.all([assert.rejects(async () => running, { name: 'CancelledError' }), session[Symbol.asyncDispose]()]);
});

test('a session with one core computes by itself', LIMIT, async () => {
  await using session = await connect({ cpus: 1, memory: '64MiB', spill: 'off' });
  assert.deepEqual([...(await run(session, 'slowly', 500, { micros: 100 }))], [here]);
});
