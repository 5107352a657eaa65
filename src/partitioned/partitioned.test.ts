import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../base/index.ts';
import { roundTrip } from '../codec/round-trip.ts';
import { rowMajor, sizeOf } from '../nd/index.ts';
import {
  type Box,
  type Cut,
  isStale,
  objectToJson,
  Partitioned,
  type PartitionedOptions,
  readPartitioned,
  readPartitionedObject,
  registerResolver,
} from './index.ts';

const here = ['127.0.0.1', process.pid] as const;

/** A container whose partitions are arrays of this process; `counts` says what was asked of it. */
function container(
  shape: readonly number[],
  cuts: readonly Cut[],
  more: Partial<PartitionedOptions<string, unknown>> = {},
) {
  const counts = { facts: 0, gets: 0 };
  const strides = rowMajor(shape);
  const value = (index: readonly number[]): number => index.reduce((sum, n, axis) => sum + n * strides[axis]!, 0);
  const parts = new Map<string, Float64Array>();
  const description = new Partitioned<string, unknown>({
    shape,
    cuts,
    partition(position, box) {
      counts.facts++;
      const name = `part ${position.join('-')}`;
      if (!parts.has(name)) parts.set(name, Float64Array.from(indices(box), value));
      return { data: name, location: [here] };
    },
    get(handles) {
      counts.gets++;
      return handles.map((handle) => parts.get(handle));
    },
    ...more,
  });
  return { description, counts, parts, value };
}

/** All indices of a box, row by row. */
function* indices({ start, shape }: Box): IterableIterator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    const index: number[] = [];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index.unshift(start[axis]! + (rest % shape[axis]!));
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

const cutOf = (length: number): fc.Arbitrary<Cut> =>
  fc.oneof(
    fc.integer({ min: 1, max: 5 }).map((parts) => ({ parts })),
    fc.integer({ min: 1, max: 6 }).map((tile) => ({ tile })),
    fc.array(fc.nat(length), { maxLength: 4 }).map((starts) => ({ starts: [0, ...starts.sort((a, b) => a - b)] })),
  );
const shaped = fc
  .array(fc.nat(7), { maxLength: 3 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), cuts: fc.tuple(...shape.map(cutOf)) }));

test('the partitions of any grid cover the container exactly, and what is read back is the same grid', () => {
  fc.assert(
    fc.property(shaped, ({ shape, cuts }) => {
      const { description } = container(shape, cuts);
      const seen = new Set<string>();
      let elements = 0;
      for (const { start, shape: extents } of description.partitions.values()) {
        for (const index of indices({ start, shape: extents })) {
          elements++;
          seen.add(index.join());
        }
      }
      assert.equal(elements, sizeOf(shape));
      assert.equal(seen.size, elements);
      const foreign = { ...description, partitions: new Map(description.partitions) };
      const read = readPartitioned(foreign);
      assert.notEqual(read, description);
      assert.deepEqual([...read.partitions], [...description.partitions]);
    }),
  );
});

test('a slice has the elements of its box, however the container is cut', async () => {
  const boxIn = (shape: readonly number[]): fc.Arbitrary<Box> =>
    fc.tuple(...shape.map((length) => fc.tuple(fc.nat(length), fc.nat(length)))).map((ends) => {
      const sorted = ends.map(([a, b]) => [Math.min(a, b), Math.abs(a - b)] as const);
      return { start: sorted.map(([from]) => from), shape: sorted.map(([, extent]) => extent) };
    });
  await fc.assert(
    fc.asyncProperty(
      shaped.chain((made) => boxIn(made.shape).map((box) => ({ ...made, box }))),
      async ({ shape, cuts, box }) => {
        const { description, value } = container(shape, cuts);
        const { elements, shape: got } = await description.slice(box);
        assert.deepEqual(got, box.shape);
        assert.deepEqual([...elements], [...indices(box)].map(value));
        const covered = [...description.pieces(box)].reduce((sum, { at }) => sum + sizeOf(at.shape), 0);
        assert.equal(covered, sizeOf(box.shape));
      },
    ),
  );
});

test('a damaged description is refused with a rule, or describes a container exactly', () => {
  const original = (): Record<string, unknown> => {
    const { source } = container([4, 4], [{ parts: 2 }, { parts: 2 }]).description;
    return JSON.parse(JSON.stringify(new Partitioned({ ...source, resolver: { resolver: 'none' } })));
  };
  const paths = pathsIn(original());
  assert.ok(paths.length > 40);
  const damage = fc.record({
    path: fc.constantFrom(...paths),
    value: fc.oneof(fc.jsonValue(), fc.integer({ min: -1, max: 4 }), fc.constant(undefined)),
  });
  let [good, refusals] = [0, 0];
  fc.assert(
    fc.property(damage, ({ path, value }) => {
      const wire = original();
      let at = wire;
      for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
      at[path.at(-1)!] = value;
      try {
        const read = readPartitioned(wire);
        const elements = [...read.partitions.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
        assert.equal(elements, sizeOf(read.shape));
        good++;
      } catch (error) {
        assert.ok(error instanceof FormatError, String((error as Error).stack));
        assert.ok(typeof error.details?.rule === 'string');
        refusals++;
      }
    }),
    { numRuns: 1000 },
  );
  // What resolver and process ids are called, anybody may choose.
  assert.ok(refusals > 500 && good > 5, `${refusals} refusals, ${good} good ones`);
});

function pathsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((path) => [key, ...path])]);
}

test('a grid of a thousand million partitions costs nothing until somebody asks', () => {
  const side = 31_623;
  const { description, counts } = container([side * 10, side * 10], [{ tile: 10 }, { tile: 10 }]);
  assert.equal(description.partitions.size, side * side);
  assert.ok(description.partitions.size > 1e9);
  assert.deepEqual(counts, { facts: 0, gets: 0 });
  assert.deepEqual(description.partitions.at([side - 1, 0]).start, [(side - 1) * 10, 0]);
  assert.equal(description.partitions.has(`${side},0`), false);
  assert.equal(description.partitions.get('0,00'), undefined);
  assert.equal(counts.facts, 1);
  // Readers take it as it is, too.
  const read = readPartitioned(description, { devices: ['kDLCPU'] });
  assert.equal([...read.pieces({ start: [15, 15], shape: [10, 10] })].length, 4);
  assert.equal(counts.facts, 5);
  const [first] = read.partitions.keys();
  assert.equal(first, '0,0');
  assert.throws(
    () => JSON.stringify(new Partitioned({ ...description.source, resolver: { resolver: 'x' } })),
    /too many to be written/,
  );
  assert.deepEqual(counts, { facts: 5, gets: 0 });
});

test('reading metadata moves nothing, and looks at each record of a large grid a few times at most', () => {
  let looks = 0;
  const partitions = new Map<string, object>();
  const count = 100_000;
  for (let i = 0; i < count; i++) {
    const record = { start: [i], shape: [1], data: i };
    Object.defineProperty(record, 'location', {
      get() {
        looks++;
        return [['10.0.0.1', 1]];
      },
    });
    partitions.set(String(i), record);
  }
  const get = (): never => assert.fail('it was fetched');
  const read = readPartitioned({ shape: [count], partition_tiling: [count], partitions, get });
  assert.equal(read.partitions.size, count);
  assert.ok(looks <= 2 * count);
});

test('get takes one handle or several, keeps their order, and knows that no handle is no data', async () => {
  const { description, counts, parts } = container([4], [{ parts: 2 }]);
  const handles = [...description.partitions.values()].map(({ data }) => data!);
  const [a, b] = handles.map((handle) => parts.get(handle));
  assert.equal(await description.get(handles[0]!), a, 'the same array, not a copy');
  assert.deepEqual(await description.get([handles[1]!, null, handles[0]!]), [b, null, a]);
  assert.equal(((await description.get(handles[1]!)) as Float64Array).buffer, b!.buffer);
  assert.equal(counts.gets, 3);
  assert.deepEqual(await description.get([]), []);
  assert.equal(await description.get(null), null);
  assert.equal(counts.gets, 3, 'there was nothing to fetch');
  const whole = await description.slice({ start: [0], shape: [2] });
  assert.equal(whole.elements.buffer, a!.buffer, 'a whole partition is not copied');
});

test('a get that takes one handle only, as that of Modin, is found out', async () => {
  const { description } = container([4], [{ parts: 2 }]);
  const one = (handle: unknown): unknown => ({ of: handle });
  const read = readPartitioned({ ...description, partitions: description.partitions, get: one });
  await assert.rejects(read.get(['a', 'b']), {
    code: 'ERR_SHEAF_PARTITIONED',
    message: /get gave no array for 2 handles/,
  });
  const short = readPartitioned({ ...description, partitions: description.partitions, get: () => [1] });
  await assert.rejects(short.get(['a', 'b']), { message: /gave 1 values for 2 handles/ });
});

test('data that are no elements are refused by the name of their type', async () => {
  for (const [data, text] of [
    [new Map(), /partitions\["0"\]\.data is a Map, which can't be read as elements/],
    [new Float64Array(3), /has 3 elements, where its shape is 2/],
    [new Uint8ClampedArray(2), /is an Uint8ClampedArray|is a Uint8ClampedArray/],
    [{ shape: [1, 2], dtype: 'f64', elements: new Float64Array(2) }, /has the shape 1 x 2, where its record says 2/],
    [{ shape: [2], dtype: 'f16', elements: new Uint16Array(2) }, /elements of type f16/],
    [new Float32Array(2), /has elements of type f32, where the others have f64/],
  ] as const) {
    const { description } = container([4], [{ parts: 2 }], { get: (handles) => handles.map(() => data), dtype: 'f64' });
    await assert.rejects(description.slice({ start: [0], shape: [1] }), { name: 'FormatError', message: text });
  }
});

test('elements that are not what is said of them are refused', async () => {
  const all = new Float64Array(6);
  for (const [given, text] of [
    [{ dtype: 'f64', elements: new Float32Array(6) }, /has a Float32Array, and says that its elements are f64/],
    [{ elements: all, strides: [-3, 1] }, /has 6 elements, where its shape is 2 x 3/],
    [{ elements: all, strides: [3] }, /has the strides \[3\] from 0 on; give a whole number for each axis of 2 x 3/],
    [{ elements: all, strides: [Number.NaN, 1] }, /has the strides \[NaN, 1\]/],
    [{ elements: all, strides: [3, 1], offset: 1 }, /has 6 elements/],
  ] as const) {
    const { description } = container([2, 3], [{ parts: 1 }, { parts: 1 }], {
      get: (handles) => handles.map(() => ({ shape: [2, 3], ...given })),
    });
    await assert.rejects(description.slice({ start: [0, 0], shape: [2, 3] }), { name: 'FormatError', message: text });
  }
  const turned = { shape: [2, 3], elements: Float64Array.from([5, 4, 3, 2, 1, 0]), strides: [-3, -1], offset: 5 };
  const { description } = container([2, 3], [{ parts: 1 }, { parts: 1 }], { get: () => [turned] });
  const { elements } = await description.slice({ start: [0, 1], shape: [1, 2] });
  assert.deepEqual([...elements], [1, 2]);
});

test('a description from which something was taken is not the one that was made', () => {
  for (const [change, text] of [
    [{ shape: undefined }, /shape is missing/],
    [{ shape: [9] }, /reach to 4 along axis 0, which ends at 9/],
    [{ locals: [[7]] }, /locals\[0\] is \(7\), which is no position/],
  ] as const) {
    const { description } = container([4], [{ parts: 2 }]);
    Object.assign(description, change);
    assert.throws(() => readPartitioned(description), { name: 'FormatError', message: text });
  }
});

test('it is a property, and not a method', () => {
  const { description } = container([4], [{ parts: 2 }]);
  assert.equal(readPartitioned({ __partitioned__: description }), description);
  const old = { __partitioned__: () => description };
  assert.throws(() => readPartitioned(old), {
    code: 'ERR_SHEAF_PARTITIONED',
    message: /is a method; since October 2021/,
  });
  assert.throws(() => readPartitioned({ __partitioned__: 3 }), /is number; it has to be an object/);
});

test('a description of before a change is stale, and its get says so', async () => {
  let version = 1;
  const made = () => container([4], [{ parts: 2 }], { version: () => version }).description;
  const owner = {
    get __partitioned__() {
      return made();
    },
  };
  const description = readPartitioned(owner);
  assert.equal(description.stale, false);
  await description.get('part 0');
  version = 2;
  assert.equal(description.stale, true);
  const stale = {
    name: 'ObjectLostError',
    code: 'ERR_SHEAF_STALE',
    message: /of version 1 of the container, which has version 2 now/,
  };
  await assert.rejects(description.get('part 0'), stale);
  await assert.rejects(description.slice({ start: [0], shape: [4] }), stale);
  assert.equal(isStale(description, owner), true);
  assert.equal(isStale(readPartitioned(owner), owner), false);
  // A change while data are on their way counts as well.
  const slow = container([4], [{ parts: 2 }], {
    version: () => version,
    get: async (handles) => {
      version++;
      return handles.map(() => 0);
    },
  });
  await assert.rejects(slow.description.get('x'), { code: 'ERR_SHEAF_STALE' });
  assert.throws(() => isStale(container([4], [{ parts: 2 }]).description, owner), UsageError);
});

test('devices that a consumer can not read are refused when a record is asked for', () => {
  const { description } = container([4], [{ parts: 2 }], {
    partition: ([i]) => ({ data: String(i), location: [['127.0.0.1', 1, i === 1 ? 'kDLCUDA:3' : 'kDLCPU']] }),
  });
  assert.deepEqual(description.partitions.get('1')?.location, [['127.0.0.1', 1, 'kDLCUDA:3']]);
  const read = readPartitioned(description, { devices: ['kDLCPU', 'kDLCUDAHost'] });
  assert.equal(read.partitions.at([0]).data, '0');
  assert.throws(() => read.partitions.at([1]), {
    message: /is on kDLCUDA:3; this can be read from kDLCPU, kDLCUDAHost only/,
  });
});

test('a description travels as a value, with its handles as they are', async () => {
  registerResolver(
    'tests',
    (endpoint) => (handles) => handles.map((handle) => `${String(endpoint)}${JSON.stringify(handle)}`),
  );
  const { description } = container([4], [{ parts: 2 }], {
    resolver: { resolver: 'tests', endpoint: 'at ' },
    partition: ([i]) => ({ data: new Map([[i, 'handle']]) as never, location: [here] }),
    dtype: 'f64',
    version: () => 4,
  });
  const arrived = roundTrip({ x: description }) as { x: Partitioned };
  assert.ok(arrived.x instanceof Partitioned);
  assert.deepEqual(arrived.x.partitions.get('1'), description.partitions.get('1'));
  assert.equal(arrived.x['x-version'], 4);
  assert.equal(await arrived.x.get({ a: 1 }), 'at {"a":1}');
  assert.throws(() => JSON.stringify(description), /the handle of partition \(0\) is no JSON/);
  const named = new Partitioned({
    ...description.source,
    encode: (handle) => [...(handle as unknown as Map<number, string>).keys()],
  });
  assert.deepEqual(JSON.parse(JSON.stringify(named)).partitions['1'].data, [1]);
  assert.throws(() => roundTrip(container([4], [{ parts: 2 }]).description), /has no named resolver/);
});

test('an unknown resolver does not hinder reading, and get names it', async () => {
  const { description } = container([4], [{ parts: 2 }], { resolver: { resolver: 'nobody', endpoint: {} } });
  const read = readPartitioned(JSON.parse(JSON.stringify(description)));
  assert.equal(read.partitions.size, 2);
  await assert.rejects(read.get('x'), {
    name: 'NotAvailableError',
    code: 'ERR_SHEAF_NO_RESOLVER',
    message: /no resolver 'nobody' is registered/,
  });
});

test('wrong positions, boxes and cuts are refused where they are given', () => {
  const { description } = container([4, 4], [{ parts: 2 }, { parts: 2 }]);
  assert.throws(() => description.partitions.at([2, 0]), {
    name: 'UsageError',
    message: /no partition at \(2, 0\); the grid has 2 x 2/,
  });
  assert.throws(
    () => [...description.pieces({ start: [3, 3], shape: [2, 1] })],
    /has 0:4, 0:4, and 3:5, 3:4 is not in it/,
  );
  const wrong = (cuts: readonly Cut[], text: RegExp): void => {
    assert.throws(() => container([4], cuts), { code: 'ERR_SHEAF_SHAPE', message: text });
  };
  wrong([], /a shape of 1 axes is cut along 0/);
  wrong([{ parts: 0 }], /axis 0: parts is 0/);
  wrong([{ tile: 1.5 }], /tile is 1.5/);
  wrong([{ starts: [1] }], /parts can't start at 1/);
  wrong([{ starts: [0, 3, 2] }], /parts can't start at 0, 3, 2/);
  wrong([{ starts: [0, 5] }], /up to 4/);
});

test('an object without shape is parts by their names', async () => {
  const graph = {
    partitions: new Map([
      ['vertices', { data: 'v', location: [['10.0.0.1', 4, 'kDLCUDA', 1]] }],
      [
        'edges',
        {
          data: 'e',
          location: [
            ['10.0.0.1', 4],
            ['10.0.0.2', 5],
          ],
        },
      ],
    ]),
    get: (handles: string[]) => handles.map((each) => each.toUpperCase()),
  };
  const read = readPartitionedObject(graph);
  assert.deepEqual(read.partitions.get('vertices')?.location, [['10.0.0.1', 4, 'kDLCUDA', 1]]);
  assert.deepEqual(read.partitions.get('edges')?.location, [
    ['10.0.0.1', 4, 'kDLCPU', 0],
    ['10.0.0.2', 5, 'kDLCPU', 0],
  ]);
  assert.equal(await read.get('v'), 'V');
  assert.deepEqual(await read.get(['e', 'v']), ['E', 'V']);
  assert.equal(await read.get(null), null);
  registerResolver('upper', () => (handles) => handles.map((each) => String(each).toUpperCase()));
  const again = readPartitionedObject(JSON.parse(JSON.stringify(objectToJson(read, { resolver: 'upper' }))));
  assert.deepEqual([...again.partitions], [...read.partitions]);
  assert.equal(await again.get('e'), 'E');
  const { description } = container([4], [{ parts: 2 }]);
  assert.deepEqual([...readPartitionedObject(description).partitions.keys()], ['0', '1']);
  for (const [bad, text] of [
    [{ get: () => [] }, /partitions is missing/],
    [{ ...graph, get: 'x' }, /get is string/],
    [{ ...graph, partitions: { a: { data: 1 } } }, /partitions\.a\.location is missing/],
    [{ ...graph, locals: ['x'] }, /locals\[0\] is "x", and there is no such part/],
  ] as const) {
    assert.throws(() => readPartitionedObject(bad), { code: 'ERR_SHEAF_PARTITIONED', message: text });
  }
});
