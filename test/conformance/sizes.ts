import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, put, type Ref, type Session, task } from 'sheaf';
import { drainedOf, MiB, used, within } from './support.ts';

const KiB = 1024;
const MS = 60_000;

const ends = task((...xs: Uint8Array[]) => xs.map((x) => [x.length, x[0], x.at(-1)] as [number, number, number]));
const make = task((length: number, mark: number) => new Uint8Array(length).fill(mark));
const count = task((...items: number[]) => items.reduce((a, b) => a + b, 0));
/** Calls others, so that workers talk to workers. */
const relay = task(async (x: Uint8Array, branches: number) => {
  const refs = Array.from({ length: branches }, () => ends(x));
  return (await get(refs)).flat();
});
const big = 'x'.repeat(2 * MiB);
const captured = task((n: number) => big.length + n, { captures: { big } });

function data(length: number, mark: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = mark;
  bytes[length - 1] = mark + 1;
  return bytes;
}
const shown = (x: Uint8Array): [number, number, number] => [x.length, x[0] as number, x.at(-1) as number];

/** What holds for a session of any size. `cpus` is the number of cores that it is told to have; `some` leaves things out. */
export function sizes(session: () => Session, cpus: number, some = false): void {
  const name = (text: string): string => `${text} (${cpus} cores)`;

  test(name('values below 100 KiB stay out of shared memory, and larger ones do not'), { timeout: MS }, async () => {
    for (const length of [1, 1500, 30 * KiB, 90 * KiB, 100 * KiB - 64]) {
      const x = data(length, 9);
      const ref = put(x);
      assert.equal(used(session()), 0, `${length} bytes`);
      assert.deepEqual(await within(MS, ends(x, ref, make(length, 4)).value), [shown(x), shown(x), [length, 4, 4]]);
      assert.deepEqual(await within(MS, make(length, 7).value), new Uint8Array(length).fill(7));
      assert.equal(used(session()), 0, `${length} bytes`);
    }
    for (const length of [100 * KiB, 101 * KiB, 1 * MiB]) {
      const x = data(length, 3);
      const ref = put(x);
      assert.ok(used(session()) >= length, `${length} bytes`);
      assert.deepEqual(await within(MS, ends(x, ref).value), [shown(x), shown(x)]);
      assert.deepEqual(await within(MS, make(length, 7).value), new Uint8Array(length).fill(7));
      ref.release();
    }
  });

  test(name('workers call each other with 90 KiB'), { timeout: MS }, async () => {
    const x = data(90 * KiB, 5);
    const results = await within(MS, get(Array.from({ length: 8 }, () => relay(x, 6))));
    for (const result of results) assert.deepEqual(result, new Array(6).fill(shown(x)));
  });

  test(name('a function larger than any ring is there before its first call'), { timeout: MS }, async () => {
    assert.equal(await within(MS, captured(1).value), 2 * MiB + 1);
    assert.deepEqual(
      await within(MS, get(Array.from({ length: 20 }, (_, i) => captured(i)))),
      Array.from({ length: 20 }, (_, i) => 2 * MiB + i),
    );
  });
  if (some) return;

  test(name('ten thousand arguments arrive, as values and as references'), { timeout: MS }, async () => {
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    assert.equal(await within(MS, count(...numbers).value), 49_995_000);
    const refs = numbers.map((n) => put(n));
    assert.equal(await within(MS, count(...refs).value), 49_995_000);
  });

  test(name('many arguments of 90 KiB travel in messages up to 10 MiB'), { timeout: MS }, async () => {
    await drainedOf(session(), MS);
    const xs = Array.from({ length: 100 }, (_, i) => data(90 * KiB, i));
    assert.deepEqual(await within(MS, ends(...xs).value), xs.map(shown));
    assert.deepEqual(await within(MS, ends(...xs.map((x) => put(x))).value), xs.map(shown));
    assert.equal(used(session()), 0);
    const more = Array.from({ length: 140 }, (_, i) => data(90 * KiB, i));
    const ref = ends(...more);
    assert.ok(used(session()) >= 20 * 90 * KiB, `${used(session())} bytes`);
    assert.deepEqual(await within(MS, ref.value), more.map(shown));
  });

  test(name('many calls with large arguments at once all arrive'), { timeout: MS }, async () => {
    const refs: Ref<[number, number, number][]>[] = [];
    const expected: [number, number, number][][] = [];
    for (let i = 0; i < 200; i++) {
      const xs = Array.from({ length: i % 4 }, (_, j) => data(i % 2 === 0 ? 95 * KiB : 3000, j));
      refs.push(ends(...xs));
      expected.push(xs.map(shown));
    }
    assert.deepEqual(await within(MS, get(refs)), expected);
  });
}
