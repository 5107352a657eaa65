import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  all,
  asCompleted,
  byRef,
  connect,
  current,
  get,
  put,
  type Ref,
  type Session,
  TimeoutError,
  task,
  UsageError,
  wait,
} from 'sheaf';
import {
  eventually,
  FOREVER_MS,
  failure,
  hostOptions,
  isMarked,
  LIMIT,
  mark,
  marks,
  onHostsAndInline,
  PATIENCE_MS,
  scratch,
  spinUntilMarked,
  untilMarked,
  within,
} from './support.ts';

const echo = task((x: unknown) => x);
const add = task((a: number, b: number) => a + b);
const later = task(async (ms: number, value: number) => {
  // In inline mode nothing else would end its timer.
  await sleep(ms, undefined, { signal: current().signal });
  return value;
});
/** Ends when the test says so, and takes no core until then. */
const gated = task(async (folder: string, name: string, value: number) => {
  mark(folder, `gate-${name}`);
  await untilMarked(folder, name);
  return value;
}).with({ cpus: 0 });
/** The same with its thread busy. */
const spinning = task((folder: string, value: number) => {
  mark(folder, 'begun');
  spinUntilMarked(folder, 'open');
  return value;
});
const triple = task((n: number) => [n, n * 2, n * 3] as [number, number, number]);
const count = task((...items: unknown[]) => items.length);
const sumAll = task((...items: number[]) => items.reduce((a, b) => a + b, 0));
const kindOf = task((x: unknown) => (typeof x === 'object' && x !== null && 'release' in x ? 'ref' : typeof x));
const firstKind = task((xs: unknown[]) => {
  const x = xs[0];
  return typeof x === 'object' && x !== null && 'release' in x ? 'ref' : typeof x;
});
const depth = task(async (n: number): Promise<number> => {
  if (n === 0) return 0;
  const below: Ref<number> = depth(n - 1);
  return 1 + (await below.value);
});
const fanOut = task(async (n: number): Promise<number> => {
  const refs = Array.from({ length: n }, (_, i) => add(i, 1));
  return (await get(refs)).reduce((a, b) => a + b, 0);
});
const tree = task(async (levels: number): Promise<number> => {
  if (levels === 0) return 1;
  const [a, b] = await get([tree(levels - 1) as Ref<number>, tree(levels - 1) as Ref<number>]);
  return a + b;
});
const delegating = task((levels: number): Ref<number> | number => {
  if (levels === 0) return 42;
  return delegating(levels - 1) as Ref<number>;
});
const keeping = task((n: number) => [add(n, 1)]);
const keepingDeep = task((levels: number): unknown => (levels === 0 ? [put('deep')] : [keepingDeep(levels - 1)]));
const putting = task((n: number) => put(new Float64Array(n).fill(n)));
const total = task((xs: Float64Array) => xs.reduce((a, b) => a + b, 0));
const write = task((xs: Float64Array) => {
  xs[0] = 99;
  return xs[0];
});
const writeQuietly = task(async (xs: Float64Array) => {
  await sleep(1);
  xs[1] = 5;
});
const me = task(() => {
  const { id, name, attempt, node, worker } = current();
  return { id, name, attempt, node, worker, random: current().random() };
});
const sumRecord = task((r: { a: number; b: number; c: number }) => r.a + r.b + r.c);
const sumList = task((xs: number[]) => xs.reduce((a, b) => a + b, 0));
const readsLater = task(async ([data, gate]: [Ref<Float64Array>, Ref<number>], folder: string) => {
  const open = gate.value;
  mark(folder, `begun-${current().id}`);
  await open;
  return (await data.value).length;
});
const readsRef = task(async (ref: Ref<number>) => (await ref.value) + 1);

onHostsAndInline('basics', { cpus: 2, memory: '256MiB' }, (_session, isolation) => {
  test('a task gives its value, any number of times (line 1)', LIMIT, async () => {
    const ref = add(1, 2);
    assert.equal(await ref.value, 3);
    assert.equal(await ref.value, 3);
    assert.equal(await get(ref), 3);
    assert.deepEqual(await get([add(1, 1), 7, add(2, 2)]), [2, 7, 4]);
    assert.deepEqual(await get({ x: add(1, 1), y: 'as it is' }), { x: 2, y: 'as it is' });
    assert.equal(await add(add(1, 2), add(3, 4)).value, 10);
  });

  test('what get is given last is what it gives: an empty list, an empty record', LIMIT, async () => {
    assert.deepEqual(await get([]), []);
    assert.deepEqual(await get({}), {});
  });

  test('several results arrive in order, each a reference of its own (line 1)', LIMIT, async () => {
    const [a, b, c] = triple.with({ returns: 3 })(5);
    assert.equal(await c.value, 15);
    assert.deepEqual(await get([a, b, c]), [5, 10, 15]);
    assert.equal(await add(a, c).value, 20);
    const [wrong] = triple.with({ returns: 2 })(5) as unknown as [Ref<number>];
    const error = await failure(wrong.value);
    assert.match(error.message, /returns: 2.*tuple of 3/s);
    const [none] = echo.with({ returns: 2 })('no tuple') as unknown as [Ref<unknown>];
    assert.match((await failure(none.value)).message, /string/);
  });

  test('values of every size come back equal (line 2)', LIMIT, async () => {
    for (const size of [0, 1, 100, 8192, 8193, 65_536, 102_399, 102_400, 102_401, 524_288, 3_000_000]) {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i += 97) bytes[i] = i % 251;
      const back = (await echo(bytes).value) as Uint8Array;
      assert.equal(Buffer.compare(bytes, back), 0, `${size} bytes`);
      const text = 'ö'.repeat(size);
      assert.equal(await echo(text).value, text, `${size} letters`);
      const stored = (await put(bytes).value) as Uint8Array;
      assert.equal(Buffer.compare(bytes, stored), 0, `${size} bytes put`);
    }
    const mixed = { list: [1, 'two', 3n, null, undefined, true], map: new Map([['k', new Set([1])]]), at: new Date(5) };
    assert.deepEqual(await echo(mixed).value, mixed);
    assert.equal(Object.is(await echo(-0).value, -0), true);
    assert.equal(await echo(Number.NaN).value, Number.NaN);
    assert.equal(await echo(2n ** 200n).value, 2n ** 200n);
  });

  test('10,000 arguments, values and references, arrive (line 2)', LIMIT, async () => {
    assert.equal(await count(...Array.from({ length: 10_000 }, (_, i) => i)).value, 10_000);
    const refs = Array.from({ length: 10_000 }, (_, i) => put(i));
    assert.equal(await sumAll(...refs).value, 49_995_000);
    const tasks = Array.from({ length: 10_000 }, (_, i) => add(i, 0));
    assert.equal(await sumAll(...tasks).value, 49_995_000);
    const strings = Array.from({ length: 10_000 }, (_, i) => 'x'.repeat(i % 100));
    assert.equal(await count(...strings).value, 10_000);
    const nested = await echo(tasks.slice(0, 1000)).value;
    assert.equal((nested as unknown[]).length, 1000);
  });

  test('a reference arrives as its value, in a list as a reference, with byRef as itself (line 3)', LIMIT, async () => {
    const ref = add(1, 2);
    assert.equal(await kindOf(ref).value, 'number');
    assert.equal(await firstKind([ref]).value, 'ref');
    assert.equal(await kindOf(byRef(ref as Ref<unknown>) as never).value, 'ref');
    assert.equal(await readsRef(byRef(ref)).value, 4);
    const [back] = (await keeping(4).value) as [Ref<number>];
    assert.equal(await back.value, 5);
  });

  test('a result that is a reference delegates through several levels', LIMIT, async () => {
    assert.equal(await within(PATIENCE_MS, (delegating(6) as Ref<number>).value), 42);
    const data = putting(50_000);
    assert.equal(await total(data as unknown as Ref<Float64Array>).value, 50_000 * 50_000);
  });

  test('references in results stay good however deep they are', LIMIT, async () => {
    let level = (await keepingDeep(4).value) as [Ref<unknown>];
    for (let i = 0; i < 4; i++) level = (await level[0].value) as [Ref<unknown>];
    assert.equal(await level[0].value, 'deep');
  });

  test('all makes one reference of many', LIMIT, async () => {
    assert.equal(await sumList(all([add(1, 1), put(3), 4]) as Ref<number[]>).value, 9);
    assert.equal(await sumRecord(all({ a: add(1, 0), b: 2, c: put(3) })).value, 6);
    assert.deepEqual(await all([add(1, 1), all([add(2, 2)])]).value, [2, [4]]);
    assert.deepEqual(await all([]).value, []);
  });

  test('wait gives exactly the number asked for, disjoint, in the order given (line 7)', LIMIT, async () => {
    const folder = scratch();
    const refs = [gated(folder, 'a', 0), later(1, 1), gated(folder, 'b', 2), later(1, 3)];
    const { ready, pending } = await wait(refs, { count: 2 });
    assert.deepEqual(ready, [refs[1], refs[3]]);
    assert.deepEqual(pending, [refs[0], refs[2]]);
    const again = await wait(refs, { count: 1 });
    assert.equal(again.ready.length, 1);
    assert.deepEqual(again.ready, [refs[1]]);
    assert.deepEqual(again.pending, [refs[0], refs[2], refs[3]]);
    mark(folder, 'a');
    await refs[0]?.value;
    const timed = await wait(refs, { count: 4, timeout: 50 });
    assert.deepEqual(timed.ready, [refs[0], refs[1], refs[3]]);
    assert.deepEqual(timed.pending, [refs[2]]);
    await assert.rejects(wait([refs[0], refs[0]] as Ref<number>[]), UsageError);
    await assert.rejects(wait(refs, { count: 5 }), UsageError);
    await assert.rejects(wait(refs, { count: -1 }), UsageError);
    assert.deepEqual(await wait([]), { ready: [], pending: [] });
    mark(folder, 'b');
    assert.equal(await refs[2]?.value, 2);
  });

  test('wait with timeout 0 looks once (line 7)', LIMIT, async () => {
    const folder = scratch();
    const slow = gated(folder, 'open', 1);
    assert.deepEqual(await wait([slow], { timeout: 0 }), { ready: [], pending: [slow] });
    const done = add(1, 1);
    await done.value;
    assert.deepEqual(await wait([slow, done], { timeout: 0 }), { ready: [done], pending: [slow] });
    // One whose answer is here already counts, though nobody has looked for it.
    const quick = add(2, 2);
    const end = performance.now() + PATIENCE_MS;
    let seen = false;
    while (!seen && performance.now() < end) seen = (await wait([quick], { timeout: 0 })).ready.length === 1;
    assert.ok(seen, 'polling alone must see a task end');
    mark(folder, 'open');
    await slow.value;
  });

  test('a get that times out leaves the reference good (line 6)', LIMIT, async () => {
    const folder = scratch();
    const ref = gated(folder, 'open', 7);
    const began = performance.now();
    const error = await failure(get(ref, { timeout: 100 }));
    assert.ok(error instanceof TimeoutError, String(error));
    assert.ok(performance.now() - began >= 95, 'not before its time');
    assert.match(error.message, /not ready after 100 ms/);
    assert.ok((await failure(get([ref, add(1, 1)], { timeout: '50ms' }))) instanceof TimeoutError);
    assert.ok((await failure(get(ref, { timeout: 0 }))) instanceof TimeoutError);
    mark(folder, 'open');
    assert.equal(await get(ref), 7);
  });

  test('a wait ends when its signal aborts', LIMIT, async () => {
    const folder = scratch();
    const ref = gated(folder, 'open', 1);
    const reason = new Error('enough');
    assert.equal(await failure(get(ref, { signal: AbortSignal.abort(reason) })), reason);
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    assert.equal(await failure(get(ref, { signal: stop.signal })), reason);
    mark(folder, 'open');
    assert.equal(await ref.value, 1);
  });

  test('asCompleted gives references as they settle', LIMIT, async () => {
    const folder = scratch();
    const refs = [gated(folder, 'a', 0), later(20, 1), add(1, 1)];
    const order: number[] = [];
    for await (const [i, ref] of asCompleted(refs)) {
      assert.equal(ref, refs[i]);
      order.push(i);
      if (order.length === 2) mark(folder, 'a');
    }
    assert.deepEqual([...order].sort(), [0, 1, 2]);
    assert.equal(order[2], 0);
    const keys: string[] = [];
    for await (const [key] of asCompleted({ slow: gated(folder, 'b', 1), fast: add(1, 1) })) {
      keys.push(key);
      mark(folder, 'b');
    }
    assert.deepEqual(keys, ['fast', 'slow']);
  });

  test('an inline value is fresh for each reader (line 9)', LIMIT, async () => {
    const ref = put({ list: [1, 2, 3] });
    const first = (await get(ref)) as { list: number[] };
    first.list.push(4);
    assert.deepEqual(await get(ref), { list: [1, 2, 3] });
    const small = echo({ n: 1 });
    ((await get(small)) as { n: number }).n = 9;
    assert.deepEqual(await get(small), { n: 1 });
    assert.deepEqual(await echo(small).value, { n: 1 });
  });

  test('tasks nest to depth 5 and to depth 100 on one core (line 8)', LIMIT, async () => {
    await using one = await connect({ cpus: 1, ...hostOptions(isolation), memory: '32MiB' });
    await one.run(async () => {
      assert.equal(await within(PATIENCE_MS, depth(5).value), 5);
      assert.equal(await within(PATIENCE_MS, depth(100).value), 100);
      assert.equal(await within(PATIENCE_MS, tree(6).value), 64);
      assert.equal(await within(PATIENCE_MS, fanOut(500).value), (500 * 501) / 2);
    });
  });

  // They had one handle in common, and only the first of them was seen to wait: the other one kept its worker for itself.
  test('tasks that wait for the same reference free their place, each of them (line 8)', LIMIT, async () => {
    await using one = await connect({ cpus: 1, ...hostOptions(isolation), memory: '32MiB' });
    await one.run(async () => {
      const folder = scratch();
      const slow = gated(folder, 'open', 1);
      const waiting = Array.from({ length: 4 }, () => readsRef(byRef(slow)));
      assert.deepEqual(await within(PATIENCE_MS, get([add(1, 2), readsRef(byRef(put(5)))])), [3, 6]);
      mark(folder, 'open');
      assert.deepEqual(await within(PATIENCE_MS, get(waiting)), [2, 2, 2, 2]);
    });
  });

  // The first one to end took the handle of the other one with it.
  test('a reference given to two tasks on one worker is good until each of them ends', LIMIT, async () => {
    await using one = await connect({ cpus: 1, ...hostOptions(isolation), memory: '32MiB' });
    await one.run(async () => {
      const folder = scratch();
      const data = put(new Float64Array(50_000));
      const gates = [gated(folder, 'a', 1), gated(folder, 'b', 1)] as const;
      await eventually(() => marks(folder).length === 2, 'both gates are on workers of their own');
      const [first, second] = [readsLater([data, gates[0]], folder), readsLater([data, gates[1]], folder)];
      await eventually(() => marks(folder).length === 4, 'both tasks have begun');
      mark(folder, 'a');
      assert.equal(await first.value, 50_000);
      mark(folder, 'b');
      assert.equal(await second.value, 50_000);
    });
  });

  test('tasks fan out from tasks', LIMIT, async () => {
    const wide = await within(PATIENCE_MS, get(Array.from({ length: 8 }, () => fanOut(200))));
    assert.deepEqual(wide, new Array(8).fill(20_100));
    assert.equal(await within(PATIENCE_MS, tree(7).value), 128);
  });

  test('a task knows itself', LIMIT, async () => {
    const a = await me.with({ name: 'myself' })().value;
    assert.equal(a.name, 'myself');
    assert.equal(a.attempt, 0);
    assert.ok(a.random >= 0 && a.random < 1);
    assert.notEqual((await me().value).id, a.id);
    await assert.rejects(async () => current(), UsageError);
  });

  test('map keeps its window, gives outcomes in order, and failures as data', LIMIT, async () => {
    let pulled = 0;
    let seen = 0;
    let widest = 0;
    function* items(): Generator<number> {
      for (let i = 0; i < 50; i++) {
        pulled++;
        widest = Math.max(widest, pulled - seen);
        yield i;
      }
    }
    const fails = task((n: number) => {
      if (n % 10 === 3) throw new RangeError(`no ${n}`);
      return n * 2;
    });
    const inputs: number[] = [];
    for await (const outcome of fails.map(items(), { inFlight: 4 })) {
      seen++;
      inputs.push(outcome.input);
      if (outcome.ok) assert.equal(outcome.value, outcome.input * 2);
      else assert.equal(outcome.error.message, `no ${outcome.input}`);
    }
    assert.deepEqual(
      inputs,
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.ok(widest <= 6, `${widest} items were under way`);
    for await (const _ of later.map([10, FOREVER_MS], (ms) => [ms, 1], { inFlight: 2, ordered: false })) break;
  });

  // In one thread, who computes holds up everybody.
  const aside = { ...LIMIT, skip: isolation === 'inline' };
  test('a worker that computes for long keeps no lease that it does not use', aside, async () => {
    for (let round = 0; round < 4; round++) {
      // Workers become owners, and have warm leases of their own when the long task comes.
      await get(Array.from({ length: 4 }, () => fanOut(50)));
      await behindALongTask();
    }
  });

  test('a long task does not hold up those behind it', aside, behindALongTask);
});

/** All the others end before the long one may. */
async function behindALongTask(): Promise<void> {
  const folder = scratch();
  const long = spinning(folder, 1);
  const others = Array.from({ length: 200 }, (_, i) => add(i, 1));
  await within(PATIENCE_MS, get(others), 'what stands behind a long task');
  await eventually(() => isMarked(folder, 'begun'), 'the long task runs');
  await within(PATIENCE_MS, get(Array.from({ length: 200 }, (_, i) => add(i, 1))), 'what comes after it');
  mark(folder, 'open');
  assert.equal(await long.value, 1);
}

onHostsAndInline('checkWrites', { cpus: 2, memory: '64MiB', checkWrites: true }, () => {
  test('writing into a shared view fails the task that did it, by name (line 9)', LIMIT, async () => {
    const data = put(new Float64Array(100_000));
    assert.equal(await total(data).value, 0);
    const error = await failure(write.with({ name: 'scribbler' })(data).value);
    assert.match(error.message, /scribbler.*wrote.*shared/s);
    assert.match((await failure(writeQuietly(data).value)).message, /writeQuietly/);
    const own = put(new Float64Array(100_000));
    assert.equal(await write.with({ copy: true })(own).value, 99);
    assert.equal(((await get(own)) as Float64Array)[0], 0);
  });
});

export type { Session };
