import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DType, type Elements, elements, rowMajor, sizeOf } from '../nd/index.ts';
import { LocalBuffers, Node, type Op, Pipelines } from './index.ts';
import { evaluate } from './reference.ts';

const buffers = new LocalBuffers();
const pipelines = new Pipelines(buffers);

function array(shape: readonly number[], values: readonly (number | bigint)[], dtype: DType = 'f64'): Node {
  const own = elements(dtype, sizeOf(shape));
  own.set(values as never);
  const buffer = pipelines.buffers.adopt(dtype, own);
  return new Node({ kind: 'source', buffer, offset: 0, strides: rowMajor(shape) }, shape, dtype);
}

/** By definition, and as it is done. */
async function computed(node: Node): Promise<(number | bigint)[]> {
  const expected = evaluate([node], (buffer) => buffers.view(buffer)).get(node);
  await pipelines.compute([node]);
  assert.deepEqual(pipelines.read(node), expected);
  assert.equal(node.op.kind, 'source');
  assert.equal(node.args.length, 0);
  return [...(pipelines.read(node) as Iterable<number | bigint>)];
}

const two = array([2, 3], [1, 2, 3, 4, 5, 6]);
const make = (op: Op, shape: readonly number[], args: readonly Node[], dtype: DType = 'f64'): Node =>
  new Node(op, shape, dtype, args);

test('elements are combined, with shapes that broadcast', async () => {
  const row = array([3], [10, 20, 30]);
  assert.deepEqual(await computed(make({ kind: 'element', op: 'add' }, [2, 3], [two, row])), [11, 22, 33, 14, 25, 36]);
  const less = make({ kind: 'element', op: 'less' }, [2, 3], [two, array([2, 1], [3, 5])], 'bool');
  assert.deepEqual(await computed(less), [1, 1, 0, 1, 0, 0]);
  const where = make(
    { kind: 'element', op: 'where' },
    [2, 3],
    [less, two, make({ kind: 'constant', value: -1 }, [], [])],
  );
  assert.deepEqual(await computed(where), [1, 2, -1, 4, -1, -1]);
  assert.deepEqual(await computed(make({ kind: 'cast' }, [2], [array([2], [1.7, -300])], 'i8')), [1, -128]);
  assert.deepEqual(await computed(make({ kind: 'position', axis: 0 }, [2, 2], [], 'i64')), [0n, 0n, 1n, 1n]);
});

test('views, reshapes and reductions', async () => {
  const transposed = make(
    {
      kind: 'view',
      maps: [
        { start: 0, step: 1, axis: 1 },
        { start: 2, step: -2, axis: 0 },
      ],
    },
    [2, 2],
    [two],
  );
  assert.deepEqual(await computed(transposed), [3, 6, 1, 4]);
  assert.deepEqual(await computed(make({ kind: 'reshape' }, [4], [transposed])), [3, 6, 1, 4]);
  const column = make(
    {
      kind: 'view',
      maps: [
        { start: 1, step: 1, axis: undefined },
        { start: 0, step: 1, axis: 1 },
      ],
    },
    [2, 3],
    [two],
  );
  assert.deepEqual(await computed(column), [4, 5, 6, 4, 5, 6]);
  const sum = (axes: readonly number[], shape: readonly number[]): Node =>
    make({ kind: 'reduce', reducer: 'sum', axes }, shape, [two]);
  assert.deepEqual(await computed(sum([0], [3])), [5, 7, 9]);
  assert.deepEqual(await computed(sum([1], [2])), [6, 15]);
  assert.deepEqual(await computed(sum([0, 1], [])), [21]);
  const none = array([0, 2], []);
  assert.deepEqual(await computed(make({ kind: 'reduce', reducer: 'max', axes: [0] }, [2], [none])), [
    -Infinity,
    -Infinity,
  ]);
  const place = (of: 'min' | 'max', axis: number, from: Node, shape: readonly number[]): Node =>
    make({ kind: 'place', of, axis }, shape, [from], 'i64');
  const odd = array([2, 3], [3, 1, 1, 2, Number.NaN, 9]);
  assert.deepEqual(await computed(place('min', 1, odd, [2])), [1n, 1n]);
  assert.deepEqual(await computed(place('max', 0, odd, [3])), [0n, 1n, 1n]);
  await assert.rejects(computed(place('max', 0, none, [2])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^argmax: axis 0 is empty/,
  });
});

test('products, taking, putting together', async () => {
  const square = array([2, 2], [1, 2, 3, 4]);
  assert.deepEqual(await computed(make({ kind: 'matmul' }, [2, 3], [square, two])), [9, 12, 15, 19, 26, 33]);
  const stack = array([2, 1, 2], [1, 0, 0, 1]);
  assert.deepEqual(await computed(make({ kind: 'matmul' }, [2, 1, 3], [stack, two])), [1, 2, 3, 4, 5, 6]);
  const take = (axis: number, indices: readonly bigint[]): Node =>
    make({ kind: 'take', axis }, axis === 0 ? [indices.length, 3] : [2, indices.length], [
      two,
      array([indices.length], indices, 'i64'),
    ]);
  assert.deepEqual(await computed(take(1, [2n, 0n])), [3, 1, 6, 4]);
  assert.deepEqual(await computed(take(0, [1n])), [4, 5, 6]);
  await assert.rejects(computed(take(0, [2n])), {
    code: 'ERR_SHEAF_INDEX',
    message: /no index 2 along an axis of length 2; give 0 to 1/,
  });
  const zeros = make({ kind: 'constant', value: 0 }, [2, 3], []);
  const at = [
    [
      { start: 0, step: 1, axis: 0 },
      { start: 0, step: 1, axis: 1 },
    ],
    [
      { start: 1, step: 1, axis: undefined },
      { start: 2, step: -2, axis: 0 },
    ],
  ];
  assert.deepEqual(
    await computed(make({ kind: 'assemble', at }, [2, 3], [zeros, array([2], [7, 8])])),
    [0, 0, 0, 8, 0, 7],
  );
});

test('products of many matrices, and slices that are long', async () => {
  const left = array(
    [3, 1, 20, 30],
    Array.from({ length: 1800 }, (_, i) => i % 5),
  );
  const right = array(
    [2, 30, 25],
    Array.from({ length: 1500 }, (_, i) => i % 7),
  );
  const found = await computed(make({ kind: 'matmul' }, [3, 2, 20, 25], [left, right]));
  assert.equal(found.length, 3000);
  const long = array(
    [4, 3, 50],
    Array.from({ length: 600 }, (_, i) => i),
  );
  const flipped = make(
    {
      kind: 'view',
      maps: [
        { start: 0, step: 1, axis: 0 },
        { start: 0, step: 1, axis: 1 },
        { start: 49, step: -1, axis: 2 },
      ],
    },
    [4, 3, 50],
    [long],
  );
  for (const from of [long, flipped]) {
    const indices = array([4], [2n, 0n, 2n, 1n], 'i64');
    const taken = await computed(make({ kind: 'take', axis: 1 }, [4, 4, 50], [from, indices]));
    assert.equal(taken[0], from === long ? 100 : 149);
  }
});

test('a call has several results, by the name of its routine', async () => {
  const halves = (
    args: readonly { elements: Elements }[],
    _: unknown,
    results: readonly { elements: Elements }[],
  ): void => {
    for (const [i, x] of (args[0]!.elements as Float64Array).entries()) {
      results[0]!.elements[i] = Math.floor(x / 2);
      results[1]!.elements[i] = x % 2;
    }
  };
  const own = new Pipelines(buffers, { routines: () => ({ run: halves }) });
  const type = { shape: [2, 3], dtype: 'f64' } as const;
  const call = make({ kind: 'call', routine: 'halves', params: {}, outputs: [type, type] }, type.shape, [two]);
  const outputs = [0, 1].map((index) => make({ kind: 'output', index }, type.shape, [call]));
  await own.compute(outputs);
  assert.deepEqual(
    outputs.map((node) => [...own.read(node)]),
    [
      [0, 1, 1, 2, 2, 3],
      [1, 0, 1, 0, 1, 0],
    ],
  );
});

test('a chain of 10,000 operations is not too deep', async () => {
  let node = array([1], [0]);
  const one = make({ kind: 'constant', value: 1 }, [], []);
  for (let i = 0; i < 10_000; i++) node = make({ kind: 'element', op: 'add' }, [1], [node, one]);
  assert.deepEqual(await computed(node), [10_000]);
});
