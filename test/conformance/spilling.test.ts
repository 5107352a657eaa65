import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { all, alloc, connect, get, ObjectLostError, OutOfMemoryError, put, type Ref, type Session, task } from 'sheaf';
import { drainedOf, eventually, failure, hosts, LIMIT, MiB, onHosts, scratch, start, within } from './support.ts';

const mark = (n: number, i: number): Float64Array => new Float64Array(n).fill(i);
const make = task((bytes: number, i: number) => new Float64Array(bytes / 8).fill(i));
const build = task((bytes: number, i: number) => {
  const x = alloc(Float64Array, bytes / 8);
  x.fill(i);
  return x;
});
const sum = task((x: Float64Array) => x.reduce((a, b) => a + b, 0));
const add = task((a: Float64Array, b: Float64Array) => a.map((x, i) => x + (b[i] as number)));
/** Takes a moment, so that several would run at the same time if they could. */
const dot = task((a: Float64Array, b: Float64Array, ms: number) => {
  const end = performance.now() + ms;
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] as number) * (b[i] as number);
  while (performance.now() < end);
  return total;
});
const sumOfTwo = task(async (x: Float64Array, [other]: Ref<Float64Array>[]) => {
  const own = x.reduce((a, b) => a + b, 0);
  return own + (await sum(other as Ref<Float64Array>).value);
});
const readNested = task(async (refs: Ref<Float64Array>[]) => {
  let total = 0;
  for (const ref of refs) total += (await ref.value).length;
  return total;
});
const pid = task(() => process.pid);
const killsItself = task((x: Float64Array, file: string) => {
  if (!existsSync(file)) {
    writeFileSync(file, '');
    process.kill(process.pid, 'SIGKILL');
  }
  return x[0];
});

/** In an order that is not theirs. */
const shuffled = <T>(list: readonly T[]): T[] => list.map((_, i) => list[(i * 37 + 11) % list.length] as T);

/** Folders of sessions below `spill`, and the files in them. */
const filesBelow = (spill: string): string[] =>
  existsSync(spill)
    ? (readdirSync(spill, { recursive: true }) as string[]).filter((name) => name.endsWith('.spill'))
    : [];

const spilled = (session: Session): number => session.stats().memory.spilled as number;

const folder = scratch();

onHosts('a store smaller than the data', { cpus: 2, memory: '75MiB', spill: folder }, (session) => {
  test('800 MiB of values in a store of 75: all are read in random order, as they were (line 44)', LIMIT, async () => {
    const n = (10 * MiB) / 8;
    const first = put(mark(n, 1000));
    const inUse = await first.value;
    const refs = Array.from({ length: 80 }, (_, i) => put(mark(n, i)));
    assert.ok(spilled(session()) > 700 * MiB, `${spilled(session())}`);
    for (const [ref, i] of shuffled(refs.map((ref, i) => [ref, i] as const))) {
      const value = await ref.value;
      assert.equal(value.length, n);
      assert.ok(value.every((x) => x === i));
    }
    // What was in use all the time has never left, so it is what it was.
    assert.ok(inUse.every((x) => x === 1000));
    for (const ref of refs) ref.release();
    first.release();
  });

  test('files go with the values in them (line 45)', LIMIT, async () => {
    await drainedOf(session());
    const refs = Array.from({ length: 300 }, (_, i) => put(mark((512 * 1024) / 8, i)));
    await eventually(() => filesBelow(folder).length > 0, 'something is on disk');
    const most = filesBelow(folder).length;
    assert.ok(most < 60, `${most} files for 300 values`);
    for (const ref of refs) ref.release();
    await eventually(() => filesBelow(folder).length === 0, 'all files are gone');
    assert.equal(spilled(session()), 0);
  });

  test('results of tasks go to disk, and are arguments of others as they were (line 45)', LIMIT, async () => {
    const refs = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? make : build)(8 * MiB, i));
    await get(refs.map((ref) => sum(ref)));
    await eventually(() => spilled(session()) > 200 * MiB, 'most of them are on disk');
    const sums = await get(shuffled(refs).map((ref) => sum(ref)));
    assert.deepEqual(sums, shuffled(refs.map((_, i) => i * MiB)));
    const pairs = refs.slice(1).map((ref, i) => add(refs[i] as Ref<Float64Array>, ref));
    const totals = await get(pairs.map((ref) => sum(ref)));
    assert.deepEqual(
      totals,
      pairs.map((_, i) => (2 * i + 1) * MiB),
    );
    for (const ref of [...refs, ...pairs]) ref.release();
    await drainedOf(session());
  });

  test('tasks that together need more than there is run one after the other, and all are right', LIMIT, async () => {
    await drainedOf(session());
    const refs = Array.from({ length: 12 }, (_, i) => put(mark((22 * MiB) / 8, i)));
    // Two of them at once would need 88 MiB.
    const pairs = refs.map((ref, i) => dot(ref, refs[(i + 5) % 12] as Ref<Float64Array>, 60));
    assert.deepEqual(
      await get(pairs),
      refs.map((_, i) => (22 * MiB * i * ((i + 5) % 12)) / 8),
    );
    // One that waits for another does not keep it from beginning.
    const nested = (refs.slice(0, 4) as [Ref<Float64Array>]).map((ref) =>
      sumOfTwo(ref, [refs[11] as Ref<Float64Array>]),
    );
    assert.deepEqual(
      await get(nested),
      [0, 1, 2, 3].map((i) => (22 * MiB * (i + 11)) / 8),
    );
    for (const ref of refs) ref.release();
    await drainedOf(session());
  });

  test('values that are read by way of references, and gathered ones', LIMIT, async () => {
    const refs = Array.from({ length: 30 }, (_, i) => put(mark((5 * MiB) / 8, i)));
    assert.ok(spilled(session()) > 0);
    assert.equal(await readNested(refs).value, (30 * 5 * MiB) / 8);
    const few = [refs[0], refs[7], refs[29]] as Ref<Float64Array>[];
    const values = await all(few).value;
    assert.deepEqual(
      values.map((x) => [x.length, x[0], x.at(-1)]),
      [0, 7, 29].map((i) => [(5 * MiB) / 8, i, i]),
    );
    const { a, b } = await get({ a: refs[3] as Ref<Float64Array>, b: refs[4] as Ref<Float64Array> });
    assert.deepEqual([a[5], b[5]], [3, 4]);
    for (const ref of refs) ref.release();
  });

  test('more in use than there is room for is an error, and the session goes on', LIMIT, async () => {
    await drainedOf(session());
    const refs = Array.from({ length: 12 }, (_, i) => put(mark((10 * MiB) / 8, i)));
    const error = await failure(get(refs));
    assert.ok(error instanceof OutOfMemoryError, String(error));
    assert.match(error.message, /are in use.*the rest is in use: hold fewer values at a time/);
    assert.equal((await (refs[11] as Ref<Float64Array>).value)[9], 11);
    for (const ref of refs) ref.release();
    await drainedOf(session());
  });

  test('a damaged file: an error that names it for those in it, and the others are as they were', LIMIT, async () => {
    const refs = Array.from({ length: 20 }, (_, i) => put(mark((8 * MiB) / 8, i)));
    const [file] = filesBelow(folder);
    const path = join(folder, file as string);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(12_345) ^ 0xff, 12_345);
    writeFileSync(path, bytes);
    const outcomes = await Promise.allSettled(refs.map((ref) => sum(ref).value));
    const failed = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason as ObjectLostError] : []));
    assert.ok(failed.length >= 1 && failed.length < 5, `${failed.length}`);
    for (const error of failed) {
      assert.ok(error instanceof ObjectLostError, String(error));
      assert.equal(error.code, 'ERR_SHEAF_SPILL_UNREADABLE');
      assert.ok(error.message.includes(path), error.message);
    }
    for (const [i, each] of outcomes.entries()) if (each.status === 'fulfilled') assert.equal(each.value, i * MiB);
    for (const ref of refs) ref.release();
    await drainedOf(session());
  });
});

onHosts(
  'deaths of those who use what is on disk',
  { cpus: 2, memory: '40MiB', spill: scratch() },
  (session) => {
    test('a worker that dies with values in use: its memory is free again, and others read them', LIMIT, async () => {
      const refs = Array.from({ length: 20 }, (_, i) => put(mark((6 * MiB) / 8, i)));
      const marks = scratch();
      const firsts = await get(refs.map((ref, i) => killsItself(ref, join(marks, `${i % 5}`))));
      assert.deepEqual(
        firsts,
        refs.map((_, i) => i),
      );
      assert.equal(typeof (await pid().value), 'number');
      for (const ref of refs) ref.release();
      await drainedOf(session());
    });
  },
  ['process'],
);

for (const isolation of hosts) {
  describe(`folders of values on disk (${isolation})`, () => {
    const LONG = 60_000;

    test(
      "a folder that can't be had is an error with the folder and what to do, and mended it goes on",
      LIMIT,
      async () => {
        const place = scratch();
        const spill = join(place, 'file', 'below');
        await using session = await connect({ cpus: 1, memory: '16MiB', isolation, spill });
        writeFileSync(join(place, 'file'), 'in the way');
        const refs: Ref<Uint8Array>[] = [];
        const error = await failure(
          (async () => {
            for (let i = 0; i < 20; i++) refs.push(put(new Uint8Array(4 * MiB).fill(i)));
          })(),
        );
        assert.ok(error instanceof OutOfMemoryError, String(error));
        assert.equal(error.code, 'ERR_SHEAF_SPILL_FAILED');
        assert.match(
          error.message,
          /a part of the path is not a folder \(ENOTDIR\); make room there, name a folder on another/,
        );
        assert.ok(error.message.includes(spill), error.message);
        for (const [i, ref] of refs.entries()) assert.equal((await ref.value)[7], i);
        rmSync(join(place, 'file'));
        mkdirSync(join(place, 'file'));
        await eventually(() => {
          try {
            refs.push(put(new Uint8Array(4 * MiB).fill(refs.length)));
            return refs.length > 12;
          } catch {
            return false;
          }
        }, 'values go to disk');
        assert.ok(spilled(session) > 0);
        for (const [i, ref] of refs.entries()) assert.equal((await ref.value)[7], i);
      },
    );

    test("spill: 'off' keeps everything in memory", LIMIT, async () => {
      await using session = await connect({ cpus: 1, memory: '16MiB', isolation, spill: 'off' });
      const held = [put(new Uint8Array(10 * MiB))];
      assert.throws(() => held.push(put(new Uint8Array(10 * MiB))), { code: 'ERR_SHEAF_OUT_OF_MEMORY' });
      assert.equal(spilled(session), 0);
    });

    for (const [how, code] of [
      ['close', 0],
      ['exit', 7],
      ['throw', 1],
    ] as const) {
      test(`nothing is left on disk by a program that ends so: ${how}`, LIMIT, async () => {
        const spill = scratch();
        const running = start('spills.mjs', [how, isolation, spill]);
        await running.line('spilled', LONG);
        assert.equal((await within(LONG, running.ended)).code, code);
        assert.deepEqual(readdirSync(spill), []);
      });
    }

    for (const how of ['wait', 'loop'] as const) {
      test(`nothing is left by Ctrl-C, while the program is busy so: ${how}`, LIMIT, async () => {
        const spill = scratch();
        const running = start('spills.mjs', [how, isolation, spill]);
        await running.line('spilled', LONG);
        assert.equal(readdirSync(spill).length, 1);
        running.child.kill('SIGINT');
        assert.equal((await within(LONG, running.ended)).code, 130);
        assert.deepEqual(readdirSync(spill), []);
      });
    }

    test('what a killed program leaves behind goes when the next session begins', LIMIT, async () => {
      const spill = scratch();
      const running = start('spills.mjs', ['wait', isolation, spill]);
      await running.line('spilled', LONG);
      const [left] = readdirSync(spill);
      running.child.kill('SIGKILL');
      await within(LONG, running.ended);
      assert.ok(existsSync(join(spill, left as string)));
      await using _session = await connect({ cpus: 1, memory: '16MiB', isolation, spill });
      await eventually(() => !existsSync(join(spill, left as string)), 'it is gone');
    });
  });
}
