import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectOptions, connect, type Session, task } from 'sheaf';
import * as sf from 'sheaf/array';
import { type Arr, fromTyped } from 'sheaf/array';
import { kill, leaks } from 'sheaf/testing';
import { LIMIT, onHosts } from './support.ts';

const LENGTH = 1_000_000;

/** So much to do for each element that others are worth calling; the sum of it all. */
function deep(x: Arr<'f64'>, depth: number): Arr<'f64'> {
  let y = x;
  for (let i = 0; i < depth; i++) y = y.mul(x).add(x);
  return y.sum() as Arr<'f64'>;
}

const elements = (): Float64Array => Float64Array.from({ length: LENGTH }, (_, i) => (i % 7) / 8);
const compute = (depth: number): Promise<number> => deep(fromTyped(elements()) as Arr<'f64'>, depth).item();

/** Takes an array, and gives one. */
const shifted = task(async (x: Arr<'f64'>, by: number) => sf.expandDims(x.add(by), { axis: 1 }).persist());

/** Computed by its worker, and others. */
const inTask = task((depth: number) => compute(depth), { name: 'computes' });

/** A sparse matrix goes to a worker, and another one comes back. */
const halved = task(async (s: sf.Sparse<'f64'>) => s.div(sf.full([1], 2)).T.persist());

/** Nothing of the package is in these but methods of what they are given. */
const total = task((x: Arr<'f64'>) => x.sum().item());
const totals = task((s: sf.Sparse<'f64'>) => s.sum({ axis: 1 }).toNested());

/** What each element comes to, one after the other. */
function byHand(depth: number): number {
  let sum = 0;
  for (let i = 0; i < LENGTH; i++) {
    const x = (i % 7) / 8;
    let y = x;
    for (let n = 0; n < depth; n++) y = y * x + x;
    sum += y;
  }
  return sum;
}

const near = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-6 * Math.abs(expected), `${value} is not ${expected}`);

onHosts('arrays', { cpus: 3, memory: '256MiB', spill: 'off' }, (session) => {
  test('a task may know arrays by their methods alone', LIMIT, async () => {
    const x = await fromTyped(Float64Array.of(1, 2, 3)).persist();
    const s = await sf.fromCoo([0, 1], [1, 0], [1, 2], [2, 2]).persist();
    assert.deepEqual([await total(x).value, await totals(s).value], [6, [1, 2]]);
  });

  test('computed arrays are arguments and results of tasks', LIMIT, async () => {
    const x = await fromTyped(elements()).persist();
    for (const given of [x, await fromTyped(Float64Array.of(1, 2, 3)).persist()]) {
      const ref = shifted(given, 1);
      const result = await ref.value;
      assert.deepEqual(result.shape, [given.size, 1]);
      assert.equal(await result.sum().item(), (await given.sum().item()) + given.size);
      ref.release();
    }
    await assert.rejects(async () => shifted(x.add(1), 1).value, {
      code: 'ERR_SHEAF_CODEC',
      message: /await x\.persist\(\)/,
    });
  });

  test('rows are gathered by all, and whoever finds a number that there is no row for says so', LIMIT, async () => {
    const [rows, columns] = [1000, 50];
    const x = await fromTyped(
      Float64Array.from({ length: rows * columns }, (_, i) => i % 9),
      [rows, columns],
    ).persist();
    const which = Int32Array.from({ length: 20_000 }, (_, i) => (i * 7) % rows);
    const sum = (last: number): Promise<number> =>
      sf
        .take(x, fromTyped(which.with(-1, last)), { axis: 0 })
        .mul(2)
        .sum()
        .item();
    const expected = (await x.sum().item()) * 40;
    const [before, row] = [which.at(-1)!, await x.at(which.at(-1)!).sum().item()];
    assert.equal(await sum(before), expected);
    assert.equal(await sum(0), expected + 2 * ((await x.at(0).sum().item()) - row));
    await assert.rejects(sum(rows), {
      name: 'UsageError',
      code: 'ERR_SHEAF_INDEX',
      message:
        'take: there is no index 1000 along axis 0 of the shape 1000 x 50, which has the length 1000; give -1000 to 999',
    });
    x.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('sparse matrices that are computed are arguments and results of tasks', LIMIT, async () => {
    const n = 50_000;
    const at = Int32Array.from({ length: n }, (_, i) => i);
    const next = at.map((i) => (i + 1) % n);
    const s = sf.fromCoo(at, next, new Float64Array(n).fill(4), [n, n]);
    await assert.rejects(async () => halved(s).value, { code: 'ERR_SHEAF_CODEC', message: /await s\.persist\(\)/ });
    const ref = halved(await s.persist());
    const turned = await ref.value;
    assert.equal(turned.nnz, n);
    const x = await fromTyped(Float64Array.from(at)).persist();
    assert.deepEqual([...(await turned.matmul(x).at('0:3').data())], [2 * (n - 1), 0, 2]);
    ref.release();
    for (const each of [s, turned, x]) each.release();
    assert.deepEqual(await leaks(session()), []);
  });

  test('the program and its tasks compute the same, to the last bit', LIMIT, async () => {
    const here = await compute(60);
    near(here, byHand(60));
    assert.equal(await inTask(60).value, here);
    assert.deepEqual(await leaks(session()), []);
  });
});

test('every scheme, layout and choice of victims can be had, and gives the same', LIMIT, async () => {
  const layouts = ['CENTRALIZED', 'PERGROUP', 'PERCPU'] as const;
  const victims = ['SEQ', 'SEQPRI', 'RANDOM', 'RANDOMPRI'] as const;
  const results = new Set<number>();
  for (const [i, scheme] of (['STATIC', 'SS', 'TSS', 'AUTO'] as const).entries()) {
    const arrays = { scheme, layout: layouts[i % 3] ?? 'PERCPU', victims: victims[i] ?? 'SEQ', grain: 1000 };
    await using _session = await connect({ cpus: 2, memory: '128MiB', spill: 'off', arrays });
    results.add(await compute(50));
  }
  assert.equal(results.size, 1);
});

test('options of arrays that there are not are refused by name', LIMIT, async () => {
  const refused = async (arrays: unknown, message: RegExp): Promise<void> =>
    assert.rejects(connect({ arrays } as ConnectOptions), { name: 'UsageError', message });
  await refused({ scheme: 'gss' }, /connect: arrays: scheme is "gss"; give 'STATIC' or .*'AUTO'/);
  await refused({ layout: 'PERCORE' }, /connect: arrays: layout is "PERCORE"/);
  await refused({ victims: 'ANY' }, /connect: arrays: victims is "ANY"/);
  await refused({ grain: 0 }, /connect: arrays: grain is 0; give a whole number of at least 1/);
  await refused(
    { grains: 1 },
    /connect: arrays: there is no option `grains`; the options are scheme, layout, victims, grain/,
  );
  await refused('GSS', /connect: arrays is "GSS"/);
});

test('workers that are killed meanwhile change nothing, nor does the death of who computes', LIMIT, async () => {
  const session: Session = await connect({ cpus: 3, isolation: 'process', memory: '256MiB', spill: 'off' });
  try {
    const expected = await compute(300);
    // It begins at once, so who is to see that has to look before.
    const killed = kill(session, 'array tiles');
    const [here] = await Promise.all([compute(300), killed]);
    assert.equal(here, expected);
    const far = inTask(300);
    await kill(session, 'computes');
    assert.equal(await far.value, expected);
    far.release();
    assert.deepEqual(await leaks(session), []);
  } finally {
    await session[Symbol.asyncDispose]();
  }
});
