import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, task } from 'sheaf';
import * as sf from 'sheaf/array';
import { Partitioned, readPartitioned, repartition } from 'sheaf/partitioned';

const here = [['127.0.0.1', process.pid] as const];

/** Bands of rows of a matrix, by their numbers; `fetched` counts what was got. */
function bands(rows: number, columns: number, more: object = { dtype: 'f64' }) {
  const count = { fetched: 0 };
  const description = new Partitioned<number, Float64Array>({
    shape: [rows, columns],
    cuts: [{ tile: 2 }, { parts: 1 }],
    partition: ([i]) => ({ data: i!, location: here }),
    get: (handles) =>
      handles.map((band) => {
        count.fetched++;
        const length = Math.min(2, rows - 2 * band) * columns;
        return Float64Array.from({ length }, (_, k) => 2 * band * columns + k);
      }),
    ...more,
  });
  return { description, count };
}

const sumOf = task(async (description: Partitioned) => {
  const x = await sf.fromPartitioned(description).persist();
  return [x.shape, await x.sum().item()];
});

describe('an array as partitions', () => {
  test('is described without being computed, and computed by get', async () => {
    await using _session = await connect({ cpus: 1 });
    const x = sf.arange(12).reshape([3, 4]).mul(2);
    const description = readPartitioned<{ elements: Float64Array }>(x);
    assert.deepEqual(
      [description.shape, description.partition_tiling, description['x-dtype']],
      [[3, 4], [1, 1], 'f64'],
    );
    const [record] = description.partitions.values();
    assert.equal(record!.location[0]![1], process.pid);
    assert.match(await x.explain(), /mul|multiply/, 'it is not computed yet');
    const { elements } = (await description.get(record!.data))!;
    assert.deepEqual(
      [...elements],
      Array.from({ length: 12 }, (_, i) => 2 * i),
    );
    assert.deepEqual([...(await description.slice({ start: [1, 1], shape: [1, 2] })).elements], [10, 12]);
    assert.equal(sf.fromPartitioned(x), x);
    assert.equal(sf.fromPartitioned(x.__partitioned__), x);
    assert.throws(() => JSON.stringify(x.__partitioned__), {
      message: /have no JSON form: give the description to a task/,
    });
    const changed = x.__partitioned__;
    Object.assign(changed, { shape: [5, 4] });
    assert.throws(() => sf.fromPartitioned(changed), { code: 'ERR_SHEAF_PARTITIONED' });
    const masked = x.at(x.greater(3));
    assert.throws(() => masked.__partitioned__, { code: 'ERR_SHEAF_UNKNOWN_SHAPE' });
  });

  test('of every type and of none or one element', async () => {
    await using _session = await connect({ cpus: 1 });
    for (const x of [sf.zeros([0, 3]), sf.asarray(5n), sf.asarray([true, false]), sf.ones([2], { dtype: 'u16' })]) {
      const copy = { ...x.__partitioned__, partitions: new Map(x.__partitioned__.partitions) };
      const again = await sf.fromPartitioned(copy).persist();
      assert.deepEqual([again.shape, again.dtype, await again.toNested()], [x.shape, x.dtype, await x.toNested()]);
    }
  });

  test('goes to a task', async () => {
    await using _session = await connect({ cpus: 1 });
    const x = sf.arange(50_000).reshape([100, 500]);
    assert.deepEqual(await sumOf(x.__partitioned__).value, [[100, 500], 1_249_975_000]);
  });

  test('can be cut into another grid', async () => {
    await using _session = await connect({ cpus: 1 });
    const parts = new Map<string, unknown>();
    const description = await repartition<string, unknown>(sf.arange(6).reshape([2, 3]).__partitioned__, {
      cuts: [{ parts: 1 }, { parts: 3 }],
      put(position, array) {
        parts.set(position.join(), array.elements);
        return { data: position.join(), location: here };
      },
      get: (handles) => handles.map((handle) => parts.get(handle)),
    });
    // Its shape is there when it is.
    assert.throws(() => sf.fromPartitioned(description).sum(), { code: 'ERR_SHEAF_UNKNOWN_SHAPE' });
    assert.deepEqual(await (await sf.fromPartitioned(description).persist()).toNested(), [
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });
});

describe('partitions as an array', () => {
  test('are fetched when somebody asks for them, once each', async () => {
    await using _session = await connect({ cpus: 1 });
    const { description, count } = bands(5, 3);
    const x = sf.fromPartitioned({ __partitioned__: { ...description, partitions: description.partitions } });
    assert.equal(count.fetched, 0);
    const whole = await x.persist();
    assert.deepEqual(whole.shape, [5, 3]);
    assert.deepEqual(await whole.sum({ axis: 0 }).toNested(), [30, 35, 40]);
    assert.equal(count.fetched, 3);
    assert.equal((await x.data()).length, 15);
    assert.equal(count.fetched, 3);
  });

  test('may be arrays themselves', async () => {
    await using _session = await connect({ cpus: 1 });
    const get = (handles: readonly number[]) => handles.map((i) => sf.full([1, 2], i));
    const description = { ...bands(4, 2, { cuts: [{ parts: 4 }, { parts: 1 }] }).description, get };
    assert.deepEqual(await sf.fromPartitioned(description, { dtype: 'f64' }).toNested(), [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  test('whose type or device is not right are refused', async () => {
    await using _session = await connect({ cpus: 1 });
    assert.throws(() => sf.fromPartitioned(bands(5, 3, {}).description), {
      code: 'ERR_SHEAF_DTYPE',
      message: /does not say the type of its elements/,
    });
    assert.equal(
      await sf
        .fromPartitioned(bands(2, 1, {}).description, { dtype: 'f64' })
        .persist()
        .then((x) => x.size),
      2,
    );
    await assert.rejects(sf.fromPartitioned(bands(5, 3, {}).description, { dtype: 'i32' }).persist(), {
      code: 'ERR_SHEAF_DTYPE',
    });
    const gpu = bands(5, 3, {
      dtype: 'f64',
      partition: () => ({ data: 0, location: [['127.0.0.1', 1, 'kDLCUDA:0']] }),
    });
    const elsewhere = { ...gpu.description, partitions: new Map(gpu.description.partitions) };
    assert.throws(() => sf.fromPartitioned(elsewhere), {
      code: 'ERR_SHEAF_PARTITIONED',
      message: /is on kDLCUDA:0; this can be read from kDLCPU only/,
    });
    assert.throws(() => sf.fromPartitioned([1, 2]), { code: 'ERR_SHEAF_PARTITIONED' });
  });
});
