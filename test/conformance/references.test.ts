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
  type Session,
  scope,
  task,
  UsageError,
} from 'sheaf';
import {
  collect,
  drainedOf,
  eventually,
  failure,
  type Isolation,
  mark,
  marks,
  onHosts,
  scratch,
  used,
  within,
} from './support.ts';

const MiB = 1024 ** 2;
const fill = (n: number, x: number): Uint8Array => new Uint8Array(n).fill(x);

const add = task((a: number, b: number) => a + b);
const make = task((n: number, x: number) => new Uint8Array(n).fill(x));
const length = task((x: Uint8Array) => x.length);
const lengthLater = task(async (ms: number, x: Uint8Array) => {
  await sleep(ms);
  return x.length;
});
const innerLater = task(async (ms: number, [ref]: [Ref<Uint8Array>]) => {
  await sleep(ms);
  return (await ref.value).length;
});
const makeNested = task((n: number, x: number) => [put(new Uint8Array(n).fill(x))]);
const makeTaskNested = task((n: number, x: number) => [make(n, x)]);
const upwards = task(async (levels: number, n: number): Promise<unknown> => {
  if (levels === 0) return [put(new Uint8Array(n).fill(levels + 1))];
  const below = (await upwards(levels - 1, n).value) as [Ref<Uint8Array>];
  return below;
});
const downwards = task(async (levels: number, nested: unknown, ms: number): Promise<number> => {
  if (levels > 0) return downwards(levels - 1, [nested], ms).value;
  await sleep(ms);
  let at = nested;
  for (let i = 0; i < 20; i++) {
    if (Array.isArray(at)) at = at[0];
    else if (at instanceof Uint8Array) return at.length;
    else at = await (at as Ref<unknown>).value;
  }
  return -1;
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
  await sleep(60_000);
  return ref.id;
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

onHosts('reference counting', { cpus: 2, memory: '100MiB' }, (session: () => Session, isolation: Isolation) => {
  test('the last handle dropped: the object goes, memory falls 11, 10, 0 (line 11)', { timeout: 20_000 }, async () => {
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
    await eventually(() => used(session()) === 0, 'the result of a task is gone');
  });

  test('a handle that is garbage goes as well (line 11)', { timeout: 20_000 }, async () => {
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

  test('a view that is still reachable keeps its bytes, though the handle is gone', { timeout: 20_000 }, async () => {
    const ref = make(4 * MiB, 9);
    const data = await ref.value;
    ref.release();
    for (let i = 0; i < 30; i++) put(fill(10 * MiB, 1)).release();
    assert.ok(data.every((x) => x === 9));
    assert.ok(used(session()) >= 4 * MiB);
  });

  test('dropped while a task that uses it is pending: kept until that is done (line 12)', {
    timeout: 20_000,
  }, async () => {
    await drainedOf(session());
    const ref = put(fill(30 * MiB, 1));
    const waiting = lengthLater(300, ref);
    ref.release();
    assert.ok(!fits(80 * MiB), 'it is in use');
    assert.equal(await waiting.value, 30 * MiB);
    await drainedOf(session());
    assert.ok(fits(80 * MiB));
    const nested = put(fill(30 * MiB, 1));
    const inner = innerLater(300, [nested]);
    nested.release();
    assert.equal(await inner.value, 30 * MiB);
    await drainedOf(session());
  });

  test('puts nested five deep, passed down a chain, live until its tail ends (line 13)', {
    timeout: 20_000,
  }, async () => {
    let nested: Ref<unknown> = put(fill(20 * MiB, 1)) as Ref<unknown>;
    for (let i = 0; i < 4; i++) {
      const outer = put([nested]) as Ref<unknown>;
      nested.release();
      nested = outer;
    }
    const tail = downwards(3, [nested], 200);
    nested.release();
    assert.ok(used(session()) >= 20 * MiB);
    assert.equal(await within(10_000, tail.value), 20 * MiB);
    await drainedOf(session());
  });

  test('an inner reference outlives the outer one (line 15)', { timeout: 20_000 }, async () => {
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

  test('a returned reference passed on and dropped lives until that task ends (line 16)', {
    timeout: 20_000,
  }, async () => {
    const [inner] = (await makeNested(10 * MiB, 5).value) as [Ref<Uint8Array>];
    const waiting = innerLater(200, [inner]);
    const other = lengthLater(200, inner);
    inner.release();
    assert.equal(await waiting.value, 10 * MiB);
    assert.equal(await other.value, 10 * MiB);
    await drainedOf(session());
  });

  test('a reference returned up five levels of callers is alive at the driver (line 17)', {
    timeout: 20_000,
  }, async () => {
    const [inner] = (await upwards(5, 8 * MiB).value) as [Ref<Uint8Array>];
    assert.equal((await inner.value).length, 8 * MiB);
    inner.release();
    await drainedOf(session());
  });

  test('workers used again and again keep nothing of what passed through them (line 20)', {
    timeout: 30_000,
  }, async () => {
    for (let round = 0; round < 10; round++) {
      const refs = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? put(fill(MiB, i)) : make(MiB, i)));
      const lengths = await get([
        ...refs.map((ref) => length(ref)),
        ...refs.map((ref) => innerLater(0, [ref])),
        ...refs.map((ref) => length(ref)),
      ]);
      assert.ok(lengths.every((n) => n === MiB));
      for (const ref of refs) ref.release();
    }
    await drainedOf(session());
    assert.equal(session().stats().memory.objects, 0);
  });

  test('a tuple has a life for each element', { timeout: 20_000 }, async () => {
    const [a, b] = several.with({ returns: 2 })(5 * MiB);
    assert.equal((await length(a).value) + (await length(b).value), 10 * MiB);
    a.release();
    assert.equal((await b.value)[0], 2);
    b.release();
    await drainedOf(session());
  });

  test('alloc: filled in place, put or returned without a copy', { timeout: 20_000 }, async () => {
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

  test('what is read twice is the same memory, and is not copied', { timeout: 20_000 }, async () => {
    await drainedOf(session());
    const ref = put(fill(20 * MiB, 1));
    const a = await get(ref);
    const b = await get(ref);
    assert.equal(a.buffer, b.buffer);
    assert.equal(used(session()), 20 * MiB);
    ref.release();
  });

  test('using a released reference is an error that says where it was released', { timeout: 10_000 }, async () => {
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

  test("a task's own references go with it", { timeout: 10_000 }, async () => {
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

  test('a Ref is not thenable, has no JSON form, and is not cloned by accident', { timeout: 10_000 }, async () => {
    const ref = add(1, 2);
    assert.equal('then' in ref, false);
    assert.equal(await Promise.resolve(ref), ref);
    assert.equal(await (async () => ref)(), ref);
    assert.throws(() => JSON.stringify({ ref }), /Ref has no JSON form.*ref\.value/);
    assert.throws(() => structuredClone(ref), /[Rr]ef.*[Cc]annot.*[Cc]loned|could not be cloned/);
    assert.match(ref.id, /^[0-9a-f]{40}$/);
    assert.equal(ref.id, ref.id);
    assert.equal(await ref.value, 3);
  });

  test('a reference has the same id wherever it goes', { timeout: 10_000 }, async () => {
    const ref = put(5);
    const idOf = task(([r]: [Ref<number>]) => r.id);
    assert.equal(await idOf([ref]).value, ref.id);
  });

  test('a scope releases what was not kept', { timeout: 10_000 }, async () => {
    await drainedOf(session());
    let outside: Ref<Uint8Array> | undefined;
    await scope(async () => {
      outside = put(fill(5 * MiB, 1));
      await length(outside).value;
    });
    await drainedOf(session());
    assert.throws(() => outside?.value, ReleasedError);
  });

  test('a Ref of another session is refused', { timeout: 10_000 }, async () => {
    const mine = session().run(() => put(1));
    await using other = await connect({ cpus: 1, memory: '16MiB', isolation });
    assert.throws(() => other.run(() => add(mine, 1)), /another session/);
    assert.throws(() => other.run(() => byRefLength(mine)), /another session/);
  });

  test('nothing is left', { timeout: 10_000 }, async () => {
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
    test('the tail of a chain killed: what it held is free (lines 14, 16)', { timeout: 20_000 }, async () => {
      const folder = scratch();
      const ref = put(fill(30 * MiB, 1));
      const using = usesAndDies.with({ retries: 0 })(ref, folder);
      const holding = holdsRef.with({ retries: 0 })([ref], folder);
      ref.release();
      await eventually(() => marks(folder).length === 2, 'both run');
      assert.ok(used(session()) >= 30 * MiB);
      for (const name of marks(folder)) process.kill(Number(name.slice(4)), 'SIGKILL');
      await failure(using.value, 5000);
      await failure(holding.value, 5000);
      await drainedOf(session());
    });

    test('the creator of a returned reference killed: an error, not a hang (line 17)', {
      timeout: 20_000,
    }, async () => {
      const [inner] = (await upwards(3, 8 * MiB).value) as [Ref<Uint8Array>];
      const pids = new Set(await get(Array.from({ length: 6 }, () => slowPid())));
      for (const each of pids) process.kill(each, 'SIGKILL');
      // The value had been handed to nobody: it shares its owner's fate.
      await eventually(
        async () => (await failure(innerLater(0, [inner]).value, 5000)) instanceof OwnerDiedError,
        'its owner is known to be dead',
      );
      const error = await failure(inner.value, 5000);
      assert.ok(error instanceof OwnerDiedError, String(error));
      inner.release();
      await drainedOf(session());
      assert.equal(await add(1, 2).value, 3);
    });
  },
  ['process'],
);

const slowPid = task(() => {
  const end = performance.now() + 50;
  while (performance.now() < end);
  return process.pid;
});
