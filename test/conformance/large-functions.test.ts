import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError, CaptureError, cancel, connect, get, registerCodec, TaskError, task } from 'sheaf';
import { eventually, failure, hosts, mark, marks, onHosts, scratch, within } from './support.ts';

const MiB = 1024 ** 2;
const add = task((a: number, b: number) => a + b);

const sixMiB = new Uint8Array(6 * 2 ** 20).fill(5);
const inner = task((n: number) => sixMiB.length + (sixMiB.at(-1) as number) + n, { captures: { sixMiB } });
const callsInner = task(async (n: number) => await inner(n).value);

/** A task with so many bytes of captures: each of them has digits of its own, so that a mixed-up part shows. */
function capturing(bytes: number) {
  const data = Float64Array.from({ length: bytes / 8 }, (_, i) => i);
  return task((i: number) => [data.length, data[i] as number, data.at(-1) as number], { captures: { data } });
}

/** A task whose own text has so many bytes. */
function texted(bytes: number) {
  const text = `const table = ${JSON.stringify('x'.repeat(bytes))}; return table.length + n`;
  return task(new Function('n', text) as (n: number) => number);
}

onHosts('functions too large for a message', { cpus: 2, memory: '64MiB' }, (session) => {
  for (const bytes of [MiB, 2 * MiB, 8 * MiB, 40 * MiB]) {
    test(`a task with ${bytes / MiB} MiB of captures runs on every worker`, { timeout: 60_000 }, async () => {
      const f = capturing(bytes);
      const n = bytes / 8;
      const all = await within(50_000, get(Array.from({ length: 20 }, (_, i) => f(i * 1000))));
      assert.deepEqual(
        all,
        Array.from({ length: 20 }, (_, i) => [n, i * 1000, n - 1]),
      );
      const { retried, resubmitted } = session().stats().tasks;
      assert.deepEqual({ retried, resubmitted }, { retried: 0, resubmitted: 0 });
    });
  }

  test('a task whose text has 3 MiB runs', { timeout: 60_000 }, async () => {
    assert.equal(await within(50_000, texted(3 * MiB)(1).value), 3 * MiB + 1);
  });

  test('one that a task calls runs, too', { timeout: 60_000 }, async () => {
    assert.deepEqual(await within(50_000, get([callsInner(1), callsInner(2)])), [6 * MiB + 6, 6 * MiB + 7]);
  });

  test('while one is on its way others run, and it can be cancelled without ever having run', {
    timeout: 60_000,
  }, async () => {
    const folder = scratch();
    const data = new Uint8Array(40 * MiB);
    const large = task(
      (where: string) => {
        mark(where, 'ran');
        return data.length;
      },
      { captures: { data } },
    );
    const ref = large(folder);
    assert.equal(await within(30_000, add(1, 2).value), 3);
    cancel(ref);
    assert.ok((await failure(ref.value, 30_000)) instanceof CancelledError);
    assert.equal(await within(30_000, add(3, 4).value), 7);
    assert.deepEqual(marks(folder), []);
    assert.equal(await within(50_000, large(folder).value), 40 * MiB);
    assert.deepEqual(marks(folder), ['ran']);
  });
});

test('more captures than can travel with a function are an error that says what to do', { timeout: 60_000 }, () => {
  const data = new Float64Array((300 * MiB) / 8);
  assert.throws(
    () => task(() => data.length, { captures: { data } }),
    (error: Error) =>
      error instanceof CaptureError && /captures .* 300(\.\d)? MiB.* 64 MiB.*put.*Ref/s.test(error.message),
  );
});

class Celsius {
  readonly degrees: number;
  constructor(degrees: number) {
    this.degrees = degrees;
  }
}

for (const isolation of hosts) {
  test(`captures that a worker can't decode fail the task, and no worker dies (${isolation})`, {
    timeout: 60_000,
  }, async () => {
    registerCodec(Celsius, {
      id: 'celsius',
      encode: (c: Celsius) => c.degrees,
      decode: (degrees) => new Celsius(degrees),
    });
    const warm = new Celsius(21);
    const f = task(() => warm.degrees, { captures: { warm } });
    await using session = await connect({ cpus: 1, isolation });
    const error = await failure(f().value, 30_000);
    assert.ok(error instanceof TaskError, String(error));
    assert.match(error.message, /can't be loaded on the worker.*Celsius|celsius/);
    assert.equal(await within(30_000, add(1, 2).value), 3);
    const { retried, resubmitted } = session.stats().tasks;
    assert.deepEqual({ retried, resubmitted }, { retried: 0, resubmitted: 0 });
    await eventually(() => session.stats().tasks.pending === 0, 'all done');
  });
}
