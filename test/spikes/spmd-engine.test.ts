import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedStore } from '../../src/memory/index.ts';
import type { Engine } from '../../src/runtime/index.ts';
import { runWith } from '../../src/tasks/context.ts';
import { all, asCompleted, byRef, current, get, put, type Ref, scope, task, wait } from '../../src/tasks/index.ts';
import { Random } from '../../src/testing/simulator/random.ts';
import { type Link, MemoryLink } from '../../src/transport/index.ts';
import { SpmdEngine } from './spmd-engine.ts';

const square = task((x: number) => x * x);
const add = task((a: number, b: number) => a + b);
const sum = task((xs: readonly number[]) => xs.reduce((a, b) => a + b, 0));
const fail = task((why: string): number => {
  throw new RangeError(why);
});
const slow = task(async (x: number) => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return x;
});
const split = task((x: number): [number, string] => [x + 1, `${x}`]);
const swap = task((o: { a: number; b: number }) => ({ a: o.b, b: o.a }));

interface World {
  readonly ranks: readonly SpmdEngine[];
  /** How often each task ran, all ranks together. */
  readonly runs: Map<string, number>;
  /** Where. */
  readonly places: Map<string, number>;
}

/** Runs a program on every rank; returns what each gave. Nothing may hang. */
async function spmd<T>(
  size: number,
  seed: number,
  program: (rank: number, world: World) => Promise<T>,
): Promise<{ results: T[]; world: World }> {
  const random = new Random(seed);
  const links: (Link | undefined)[][] = Array.from({ length: size }, () =>
    new Array<Link | undefined>(size).fill(undefined),
  );
  const later = (run: () => void): void => {
    if (random.chance(0.7)) setImmediate(run);
    else setTimeout(run, random.int(4));
  };
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const [a, b] = MemoryLink.pair({ later });
      (links[i] as (Link | undefined)[])[j] = a;
      (links[j] as (Link | undefined)[])[i] = b;
    }
  }
  const store = SharedStore.create({ limit: 1 << 20, parties: 4, between: 'threads', party: 1 });
  const runs = new Map<string, number>();
  const places = new Map<string, number>();
  const ran = (id: string, rank: number): void => {
    runs.set(id, (runs.get(id) ?? 0) + 1);
    places.set(id, rank);
  };
  const bind = <R>(engine: Engine, run: () => R): R => runWith(engine, run);
  const ranks = links.map((row, rank) => new SpmdEngine({ rank, links: row, store, bind, ran }));
  const world: World = { ranks, runs, places };
  try {
    const results = await Promise.all(ranks.map((engine, rank) => runWith(engine, () => program(rank, world))));
    // Ranks that have ended early go on serving until all have ended.
    await Promise.all(ranks.map((engine) => engine.drained()));
    return { results, world };
  } finally {
    for (const engine of ranks) engine.close();
    store.close();
  }
}

function assertOnce({ runs }: World, expected?: number): void {
  for (const [id, count] of runs) assert.equal(count, 1, `${id} ran ${count} times`);
  if (expected !== undefined) assert.equal(runs.size, expected);
}

describe('the public API on an engine that names tasks by what they compute', { timeout: 60_000 }, () => {
  test('every rank calls everything, and each task runs once in total', async () => {
    const { results, world } = await spmd(4, 1, async () => {
      const parts = Array.from({ length: 20 }, (_, i) => square(i));
      return get(sum(all(parts)));
    });
    assert.deepEqual(results, [2470, 2470, 2470, 2470]);
    assertOnce(world, 21);
    // The hash spreads them.
    assert.equal(new Set(world.places.values()).size, 4);
  });

  test('the same call has the same id on every rank, and twice on one rank is once', async () => {
    const { results, world } = await spmd(3, 2, async () => {
      const a = square(7);
      const b = square(7);
      assert.equal(a.id, b.id);
      assert.match(a.id, /^[0-9a-f]{40}$/);
      // Arguments that differ only in the order of their keys are the same.
      assert.equal(swap({ a: 1, b: 2 }).id, swap({ b: 2, a: 1 }).id);
      assert.notEqual(swap({ a: 1, b: 2 }).id, swap({ a: 2, b: 1 }).id);
      return [a.id, add(a, b).id, await add(a, b).value];
    });
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
    assert.equal(results[0]?.[2], 98);
    assertOnce(world, 4);
  });

  test('ranks may leave tasks out, call them in another order, and end early', async () => {
    const { results, world } = await spmd(3, 3, async (rank) => {
      if (rank === 2) return 0;
      if (rank === 1) {
        void slow(5);
        return 1;
      }
      // Nobody else ever calls these, wherever their home is.
      const chain = [1, 2, 3, 4, 5].reduce((r: Ref<number>, x) => add(r, x), slow(5));
      return get(chain);
    });
    assert.deepEqual(results, [20, 1, 0]);
    assertOnce(world, 6);
  });

  test('only one rank looks at a value, and only it moves', async () => {
    const { results } = await spmd(4, 4, async (rank) => {
      const r = sum(all([square(3), square(4)]));
      return rank === 2 ? r.value : undefined;
    });
    assert.deepEqual(results, [undefined, undefined, 25, undefined]);
  });

  test('a failure reaches all who ask, through whatever depends on it, with its class', async () => {
    const { results, world } = await spmd(3, 5, async () => {
      const broken = add(fail('no'), 1);
      const more = all([broken, square(2)]);
      return get(more).catch((error: Error) => `${error.name}: ${error.message} ${error instanceof RangeError}`);
    });
    assert.deepEqual(new Set(results), new Set(['RangeError: no true']));
    assertOnce(world, 2);
  });

  test('tasks call tasks and pass references on; a reference as a result delegates', async () => {
    // A task's own text can't reach this file's tasks: it meets them as globals.
    const here = globalThis as unknown as { spikeAdd: typeof add; spikeSquare: typeof square };
    here.spikeAdd = add;
    here.spikeSquare = square;
    const { results, world } = await spmd(3, 6, async () => {
      const outer = task((x: number) => {
        const { spikeAdd, spikeSquare } = globalThis as unknown as typeof here;
        return spikeAdd(spikeSquare(x), spikeSquare(x + 1));
      });
      const holds = task((x: number) => ({ inside: (globalThis as unknown as typeof here).spikeSquare(x) }));
      const opens = task(async (o: { inside: Ref<number> }) => (await o.inside.value) + 1);
      const byReference = task(async (r: Ref<number>) => (await r.value) * 2);
      const held = holds(5);
      const own = await held.value;
      return get([outer(2), opens(held), byReference(byRef(square(3))), own.inside]);
    });
    for (const result of results) assert.deepEqual(result, [13, 26, 18, 25]);
    assertOnce(world);
  });

  test('several results, put, wait, asCompleted, map, scope and current work as they do elsewhere', async () => {
    const { results, world } = await spmd(3, 7, async () => {
      const [n, text] = split.with({ returns: 2 })(4);
      const values = await get({ n, text, kept: put([1, 2, 3]), plain: 9 });
      const refs = [slow(1), slow(2), slow(3)];
      const { ready, pending } = await wait(refs, { count: 3 });
      const order: number[] = [];
      for await (const [, ref] of asCompleted(refs)) order.push(await ref.value);
      const mapped: unknown[] = [];
      for await (const o of square.map([1, 2, 3], { inFlight: 2 })) mapped.push(o.ok ? o.value : o.error);
      const scoped = await scope(async (s) => s.start(square, 12).value);
      return [values, ready.length, pending.length, order.sort(), mapped, scoped];
    });
    const expected = [{ n: 5, text: '4', kept: [1, 2, 3], plain: 9 }, 3, 0, [1, 2, 3], [1, 4, 9], 144];
    for (const result of results) assert.deepEqual(result, expected);
    assertOnce(world);
  });

  test('a task knows who it is, and its random numbers are the same wherever it runs', async () => {
    (globalThis as unknown as { spikeCurrent: typeof current }).spikeCurrent = current;
    const draw = async (size: number): Promise<{ id: string; r: number }> => {
      const { results } = await spmd(size, 8, async () => {
        const t = task(() => {
          const me = (globalThis as unknown as { spikeCurrent: typeof current }).spikeCurrent();
          return { id: me.id, r: me.random() };
        });
        const ref = t();
        const value = await ref.value;
        assert.equal(value.id, ref.id);
        return value;
      });
      return results[0] as { id: string; r: number };
    };
    assert.deepEqual(await draw(2), await draw(3));
  });

  test('programs that diverge at random neither hang nor run anything twice (40 seeds)', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const size = 2 + (seed % 4);
      const { results, world } = await spmd(size, seed, async (rank) => {
        const common = new Random(seed);
        const own = new Random(seed * 100 + rank);
        const made: { ref: Ref<number>; value: number }[] = [];
        const length = 5 + common.int(25);
        // Every rank draws the same program, and leaves out parts of it.
        for (let i = 0; i < length; i++) {
          const kind = common.int(4);
          const [i1, i2, skip] = [common.int(1000), common.int(1000), own.chance(0.3)];
          if (own.chance(0.02)) break;
          if (kind === 0 || made.length < 2) {
            if (!skip) made.push({ ref: square(i1), value: i1 * i1 });
            continue;
          }
          const a = made[i1 % made.length] as (typeof made)[0];
          const b = made[i2 % made.length] as (typeof made)[0];
          if (skip) continue;
          if (kind === 1) made.push({ ref: add(a.ref, b.ref), value: a.value + b.value });
          else if (kind === 2) made.push({ ref: sum(all([a.ref, b.ref, i])), value: a.value + b.value + i });
          else made.push({ ref: slow(b.ref), value: b.value });
        }
        if (own.chance(0.4)) made.reverse();
        const looked = made.slice(0, own.int(made.length + 1));
        for (const { ref, value } of looked) assert.equal(await ref.value, value, `seed ${seed}, rank ${rank}`);
        return looked.length;
      });
      assert.equal(results.length, size);
      assertOnce(world);
    }
  });
});
