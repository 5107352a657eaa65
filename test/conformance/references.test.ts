import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  alloc,
  byRef,
  connect,
  get,
  OutOfMemoryError,
  OwnerDiedError,
  put,
  type Ref,
  ReleasedError,
  scope,
  task,
  UsageError,
  WorkerDiedError,
} from 'sheaf';
import {
  collect,
  drainedOf,
  eventually,
  FOREVER_MS,
  failure,
  hostOptions,
  isMarked,
  LIMIT,
  mark,
  marks,
  onHosts,
  onHostsAndInline,
  PATIENCE_MS,
  pidOf,
  scratch,
  untilMarked,
  used,
  within,
} from './support.ts';

const MiB = 1024 ** 2;
const fill = (n: number, x: number): Uint8Array => new Uint8Array(n).fill(x);

const add = task((a: number, b: number) => a + b);
const make = task((n: number, x: number) => new Uint8Array(n).fill(x));
const length = task((x: Uint8Array) => x.length);
/** Those that take a folder hold what they were given until the test lets them go. */
const lengthLater = task(async (folder: string, x: Uint8Array) => {
  await untilMarked(folder, 'open');
  return x.length;
});
const innerLater = task(async (folder: string, [ref]: [Ref<Uint8Array>]) => {
  await untilMarked(folder, 'open');
  return (await ref.value).length;
});
const innerLength = task(async ([ref]: [Ref<Uint8Array>]) => (await ref.value).length);
const makeNested = task((n: number, x: number) => [put(new Uint8Array(n).fill(x))]);
const makeTaskNested = task((n: number, x: number) => [make(n, x)]);
const upwards = task(async (levels: number, n: number): Promise<unknown> => {
  if (levels === 0) return [put(new Uint8Array(n).fill(levels + 1))];
  const below = (await upwards(levels - 1, n).value) as [Ref<Uint8Array>];
  return below;
});
const downwards = task(async (levels: number, nested: unknown, folder: string): Promise<number> => {
  if (levels > 0) return downwards.with({ retries: 0 })(levels - 1, [nested], folder).value;
  mark(folder, 'tail');
  await untilMarked(folder, 'open');
  return lengthAtBottom(nested);
});
/** Through as many lists and references as there are. */
async function lengthAtBottom(nested: unknown): Promise<number> {
  let at = nested;
  for (let i = 0; i < 20; i++) {
    if (Array.isArray(at)) at = at[0];
    else if (at instanceof Uint8Array) return at.length;
    else at = await (at as Ref<unknown>).value;
  }
  return -1;
}
/** Five references, each inside the one before; all of them belong to whoever calls this. */
function nest(bytes: number): Ref<unknown> {
  let nested: Ref<unknown> = put(new Uint8Array(bytes).fill(1)) as Ref<unknown>;
  for (let i = 0; i < 4; i++) {
    const outer = put([nested]) as Ref<unknown>;
    nested.release();
    nested = outer;
  }
  return nested;
}
const nestsOne = task((folder: string, bytes: number) => {
  mark(folder, 'owner');
  return [put(new Uint8Array(bytes).fill(5))];
});
const nests = task((folder: string, bytes: number) => {
  mark(folder, 'owner');
  return [nest(bytes), put(new Uint8Array(1))];
});
/** Whether a task that asks for its value now hears that its owner has died. */
async function isLost(ref: Ref<Uint8Array>): Promise<boolean> {
  return innerLength
    .with({ cpus: 0 })([ref])
    .value.then(
      () => false,
      (error) => error instanceof OwnerDiedError,
    );
}
/** Holds its place, so that others have other workers. */
const keepsBusy = task(async (folder: string, name: string) => {
  mark(folder, name);
  await untilMarked(folder, 'open');
});
const allocFill = task((n: number, x: number) => {
  const data = alloc(Float64Array, n);
  data.fill(x);
  return data;
});
const sum = task((xs: Float64Array) => xs.reduce((a, b) => a + b, 0));
const usesAndDies = task((x: Uint8Array, folder: string) => {
  mark(folder, `pid-${process.pid}`);
  while (x.length > 0);
});
const holdsRef = task(async ([ref]: [Ref<Uint8Array>], folder: string) => {
  mark(folder, `pid-${process.pid}`);
  await sleep(FOREVER_MS);
  return ref.id;
});
const holdsUntil = task(async ([ref]: [Ref<Uint8Array>], folder: string) => {
  mark(folder, `pid-${process.pid}`);
  await untilMarked(folder, 'open');
  return (await ref.value).length;
});
const several = task((n: number) => [new Uint8Array(n).fill(1), new Uint8Array(n).fill(2)] as [Uint8Array, Uint8Array]);

/** Whether `n` bytes can be had: fills the store for a moment. */
function fits(n: number): boolean {
  try {
    put(fill(n, 1)).release();
    return true;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return false;
    throw error;
  }
}

onHostsAndInline('reference counting', { cpus: 2, memory: '100MiB', spill: 'off' }, (session, isolation) => {
  test('the last handle dropped: the object goes, memory falls 11, 10, 0 (line 11)', LIMIT, async () => {
    const small = put(fill(MiB, 1));
    const large = put(fill(10 * MiB, 2));
    assert.equal(used(session()), 11 * MiB);
    small.release();
    assert.equal(used(session()), 10 * MiB);
    large.release();
    assert.equal(used(session()), 0);
    const made = make(10 * MiB, 3);
    await length(made).value;
    assert.ok(used(session()) >= 10 * MiB);
    made.release();
    // What the task looked at was looked at in this thread, which collects garbage when it likes.
    if (isolation === 'inline') await collect();
    await eventually(() => used(session()) === 0, 'the result of a task is gone');
  });

  test('a handle that is garbage goes as well (line 11)', LIMIT, async () => {
    await (async () => {
      for (let i = 0; i < 5; i++) put(fill(2 * MiB, i));
      await length(make(2 * MiB, 1)).value;
    })();
    await drainedOf(session());
    // Filling the store needs no help: garbage is collected when there is no room, here and on workers.
    for (let i = 0; i < 30; i++) assert.equal(await length(put(fill(10 * MiB, i))).value, 10 * MiB);
    for (let i = 0; i < 30; i++) assert.equal(await length(make(10 * MiB, i)).value, 10 * MiB);
    for (let i = 0; i < 30; i++) assert.equal((await make(10 * MiB, i).value).length, 10 * MiB);
    await drainedOf(session());
  });

  test('a view that is still reachable keeps its bytes, though the handle is gone', LIMIT, async () => {
    const ref = make(4 * MiB, 9);
    const data = await ref.value;
    ref.release();
    for (let i = 0; i < 30; i++) put(fill(10 * MiB, 1)).release();
    assert.ok(data.every((x) => x === 9));
    assert.ok(used(session()) >= 4 * MiB);
  });

  test('dropped while a task that uses it is pending: kept until that is done (line 12)', LIMIT, async () => {
    await drainedOf(session());
    const ref = put(fill(30 * MiB, 1));
    const folder = scratch();
    const waiting = lengthLater(folder, ref);
    ref.release();
    assert.ok(!fits(80 * MiB), 'it is in use');
    mark(folder, 'open');
    assert.equal(await waiting.value, 30 * MiB);
    await drainedOf(session());
    assert.ok(fits(80 * MiB));
    const nested = put(fill(30 * MiB, 1));
    const other = scratch();
    const inner = innerLater(other, [nested]);
    nested.release();
    assert.ok(!fits(80 * MiB), 'it is in use');
    mark(other, 'open');
    assert.equal(await inner.value, 30 * MiB);
    await drainedOf(session());
  });

  test('puts nested five deep, passed down a chain, live until its tail ends (line 13)', LIMIT, async () => {
    const folder = scratch();
    const nested = nest(20 * MiB);
    const tail = downwards(3, [nested], folder);
    nested.release();
    await eventually(() => isMarked(folder, 'tail'), 'its tail runs');
    await collect();
    assert.ok(used(session()) >= 20 * MiB);
    mark(folder, 'open');
    assert.equal(await within(PATIENCE_MS, tail.value), 20 * MiB);
    await drainedOf(session());
  });

  test('an inner reference outlives the outer one (line 15)', LIMIT, async () => {
    for (const maker of [makeNested, makeTaskNested]) {
      const outer = maker(10 * MiB, 5);
      const [inner] = (await outer.value) as [Ref<Uint8Array>];
      outer.release();
      await collect();
      assert.equal(await length(inner).value, 10 * MiB);
      assert.equal((await inner.value)[7], 5);
      inner.release();
      await drainedOf(session());
    }
  });

  test('a returned reference passed on and dropped lives until that task ends (line 16)', LIMIT, async () => {
    const [inner] = (await makeNested(10 * MiB, 5).value) as [Ref<Uint8Array>];
    const folder = scratch();
    const waiting = innerLater(folder, [inner]);
    const other = lengthLater(folder, inner);
    inner.release();
    mark(folder, 'open');
    assert.equal(await waiting.value, 10 * MiB);
    assert.equal(await other.value, 10 * MiB);
    await drainedOf(session());
  });

  test('a reference returned up five levels of callers is alive at the driver (line 17)', LIMIT, async () => {
    const [inner] = (await upwards(5, 8 * MiB).value) as [Ref<Uint8Array>];
    assert.equal((await inner.value).length, 8 * MiB);
    inner.release();
    await drainedOf(session());
  });

  test('workers used again and again keep nothing of what passed through them (line 20)', LIMIT, async () => {
    for (let round = 0; round < 10; round++) {
      const refs = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? put(fill(MiB, i)) : make(MiB, i)));
      const lengths = await get([
        ...refs.map((ref) => length(ref)),
        ...refs.map((ref) => innerLength([ref])),
        ...refs.map((ref) => length(ref)),
      ]);
      assert.ok(lengths.every((n) => n === MiB));
      for (const ref of refs) ref.release();
    }
    await drainedOf(session());
    assert.equal(session().stats().memory.objects, 0);
  });

  test('a tuple has a life for each element', LIMIT, async () => {
    const [a, b] = several.with({ returns: 2 })(5 * MiB);
    assert.equal((await length(a).value) + (await length(b).value), 10 * MiB);
    a.release();
    assert.equal((await b.value)[0], 2);
    b.release();
    await drainedOf(session());
  });

  test('alloc: filled in place, put or returned without a copy', LIMIT, async () => {
    await drainedOf(session());
    const data = alloc(Float64Array, 4 * MiB);
    data.fill(0.5);
    assert.equal(used(session()), 32 * MiB);
    const ref = put(data);
    assert.equal(used(session()), 32 * MiB, 'one copy only');
    assert.equal(await sum(ref).value, 2 * MiB);
    assert.equal(await sum(data).value, 2 * MiB);
    assert.equal(used(session()), 32 * MiB, 'still one');
    ref.release();
    const made = allocFill(4 * MiB, 1);
    assert.equal(await sum(made).value, 4 * MiB);
    assert.ok(used(session()) <= 64 * MiB, 'a task returns without a copy');
    assert.equal(alloc(Uint8Array, 10).length, 10);
    assert.throws(() => alloc(Uint8Array, -1), UsageError);
    made.release();
    assert.equal(data[5], 0.5);
  });

  test('what is read twice is the same memory, and is not copied', LIMIT, async () => {
    await drainedOf(session());
    const ref = put(fill(20 * MiB, 1));
    const a = await get(ref);
    const b = await get(ref);
    assert.equal(a.buffer, b.buffer);
    assert.equal(used(session()), 20 * MiB);
    ref.release();
  });

  test('using a released reference is an error that says where it was released', LIMIT, async () => {
    const ref = add(1, 2);
    await ref.value;
    releaseHere(ref);
    for (const use of [() => ref.value, () => ref.id, () => add(ref, 1), () => put([ref]), () => byRefLength(ref)]) {
      assert.throws(use, (error: Error) => {
        assert.ok(error instanceof ReleasedError, String(error));
        assert.match(error.message, /references\.test/);
        return true;
      });
    }
    await assert.rejects(get(ref), ReleasedError);
    ref.release();
    {
      using short = add(1, 2);
      await short.value;
      assert.equal(await get(short), 3);
    }
  });

  test("a task's own references go with it", LIMIT, async () => {
    const keeps = task(async () => {
      const kept = globalThis as { keptRef?: Ref<number> };
      if (kept.keptRef === undefined) {
        kept.keptRef = put(1);
        return 'kept';
      }
      try {
        return String(await kept.keptRef.value);
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
    });
    const results = await get(Array.from({ length: 6 }, () => keeps()));
    for (const each of results) assert.match(each, /kept|ReleasedError: .*keeps/);
  });

  test('a Ref is not thenable, has no JSON form, and is not cloned by accident', LIMIT, async () => {
    const ref = add(1, 2);
    assert.equal('then' in ref, false);
    assert.equal(await Promise.resolve(ref), ref);
    assert.equal(await (async () => ref)(), ref);
    assert.throws(() => JSON.stringify({ ref }), /Ref has no JSON form.*ref\.value/);
    assert.match(`${ref}`, /^Ref \{ .*(pending|settled) \}$/);
    assert.throws(() => structuredClone(ref), /[Rr]ef.*[Cc]annot.*[Cc]loned|could not be cloned/);
    assert.match(ref.id, /^[0-9a-f]{40}$/);
    assert.equal(ref.id, ref.id);
    assert.equal(await ref.value, 3);
  });

  test('a reference has the same id wherever it goes', LIMIT, async () => {
    const ref = put(5);
    const idOf = task(([r]: [Ref<number>]) => r.id);
    assert.equal(await idOf([ref]).value, ref.id);
  });

  test('a scope releases what was not kept', LIMIT, async () => {
    await drainedOf(session());
    let outside: Ref<Uint8Array> | undefined;
    await scope(async () => {
      outside = put(fill(5 * MiB, 1));
      await length(outside).value;
    });
    await drainedOf(session());
    assert.throws(() => outside?.value, ReleasedError);
  });

  test('a Ref of another session is refused', LIMIT, async () => {
    const mine = session().run(() => put(1));
    await using other = await connect({ cpus: 1, memory: '16MiB', ...hostOptions(isolation) });
    assert.throws(() => other.run(() => add(mine, 1)), /another session/);
    assert.throws(() => other.run(() => byRefLength(mine)), /another session/);
  });

  test('nothing is left', LIMIT, async () => {
    await drainedOf(session());
    assert.equal(session().stats().memory.objects, 0);
    assert.equal(session().stats().tasks.pending, 0);
  });
});

const countRef = task((_ref: Ref<number>) => 1);
const byRefLength = (ref: Ref<number>) => countRef(byRef(ref));
function releaseHere(ref: Ref<number>): void {
  ref.release();
}

onHosts(
  'reference counting when workers are killed',
  { cpus: 3, memory: '100MiB' },
  (session) => {
    test(
      'nested puts passed down a chain whose tail is killed: it fails, and they are gone (line 14)',
      LIMIT,
      async () => {
        const folder = scratch();
        const nested = nest(20 * MiB);
        const head = downwards.with({ retries: 0 })(3, [nested], folder);
        nested.release();
        await eventually(() => isMarked(folder, 'tail'), 'its tail runs');
        process.kill(pidOf(folder, 'tail'), 'SIGKILL');
        const error = await failure(head.value);
        assert.ok(error instanceof WorkerDiedError, String(error));
        await drainedOf(session());
      },
    );

    test('the owner of nested puts killed: the tail of the chain gets an OwnerDiedError (line 14)', LIMIT, async () => {
      const folder = scratch();
      const outer = nests(folder, 20 * MiB);
      const [nested, other] = (await outer.value) as [Ref<unknown>, Ref<Uint8Array>];
      // While this one has the owner's worker, or another one, the tail can't have it as well.
      const owner = pidOf(folder, 'owner');
      const busy = ['a', 'b', 'c'].map((name) => keepsBusy.with({ retries: 0 })(folder, name));
      const ends = busy.map((ref) => ref.value.catch(() => {}));
      await eventually(() => ['a', 'b', 'c'].every((name) => isMarked(folder, name)), 'all workers are busy');
      const chain = scratch();
      const tail = downwards.with({ cpus: 0 })(0, [nested], chain);
      await eventually(() => isMarked(chain, 'tail'), 'the tail runs');
      assert.notEqual(pidOf(chain, 'tail'), owner);
      outer.release();
      nested.release();
      await collect();
      assert.ok(used(session()) >= 20 * MiB, 'the tail holds it');
      process.kill(owner, 'SIGKILL');
      await eventually(() => isLost(other), 'the owner is known to be dead');
      other.release();
      mark(chain, 'open');
      const error = await failure(tail.value);
      assert.ok(error instanceof OwnerDiedError, String(error));
      mark(folder, 'open');
      await within(PATIENCE_MS, Promise.all(ends));
      await drainedOf(session());
    });

    test('what tasks hold whose workers are killed is free (line 16)', LIMIT, async () => {
      const folder = scratch();
      const ref = put(fill(30 * MiB, 1));
      const using = usesAndDies.with({ retries: 0 })(ref, folder);
      const holding = holdsRef.with({ retries: 0 })([ref], folder);
      ref.release();
      await eventually(() => marks(folder).length === 2, 'both run');
      assert.ok(used(session()) >= 30 * MiB);
      for (const name of marks(folder)) process.kill(Number(name.slice(4)), 'SIGKILL');
      await failure(using.value);
      await failure(holding.value);
      await drainedOf(session());
    });

    test(
      'a returned reference lives until the tasks that hold it end, or their workers crash (line 16)',
      LIMIT,
      async () => {
        const made = scratch();
        const outer = nestsOne(made, 10 * MiB);
        const [inner] = (await outer.value) as [Ref<Uint8Array>];
        const owner = pidOf(made, 'owner');
        const folder = scratch();
        const holding = [0, 1].map(() => holdsUntil.with({ retries: 0 })([inner], folder));
        outer.release();
        inner.release();
        await eventually(() => marks(folder).length === 2, 'both hold it');
        await collect();
        assert.ok(used(session()) >= 10 * MiB);
        // Not the owner's worker, with which it would be lost.
        const victim = marks(folder)
          .map((name) => Number(name.slice(4)))
          .find((pid) => pid !== owner) as number;
        process.kill(victim, 'SIGKILL');
        const first = await Promise.race(holding.map(async (ref, i) => failure(ref.value).then(() => i)));
        assert.ok(used(session()) >= 10 * MiB, 'the other one holds it');
        mark(folder, 'open');
        assert.equal(await within(PATIENCE_MS, (holding[1 - first] as Ref<number>).value), 10 * MiB);
        await drainedOf(session());
      },
    );

    test('the creator of a returned reference killed: an error, not a hang (line 17)', LIMIT, async () => {
      const [inner] = (await upwards(3, 8 * MiB).value) as [Ref<Uint8Array>];
      const folder = scratch();
      const everybody = ['a', 'b', 'c'].map((name) => keepsBusy.with({ retries: 0 })(folder, name));
      await eventually(() => marks(folder).length === 3, 'all workers are busy');
      for (const name of marks(folder)) process.kill(pidOf(folder, name), 'SIGKILL');
      for (const ref of everybody) await failure(ref.value);
      // The value had been handed to nobody: it shares its owner's fate.
      await eventually(() => isLost(inner), 'its owner is known to be dead');
      const error = await failure(inner.value);
      assert.ok(error instanceof OwnerDiedError, String(error));
      inner.release();
      await drainedOf(session());
      assert.equal(await add(1, 2).value, 3);
    });
  },
  ['process'],
);
