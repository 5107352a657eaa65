import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DTYPES, type DType, elements, sizeOf } from '../../nd/index.ts';
import { type Dense, type Params, type RoutineName, routine } from './index.ts';

function dense(shape: readonly number[], values: readonly (number | bigint)[], dtype: DType = 'f64'): Dense {
  const x = elements(dtype, sizeOf(shape));
  x.set(values as never);
  return { shape, dtype, elements: x };
}

function run(name: RoutineName, inputs: readonly Dense[], params: Params = {}, memory?: WebAssembly.Memory): Dense[] {
  const { outputs, run } = routine(name);
  let next = 32_768;
  const made = outputs(inputs, params).map(({ dtype, shape }): Dense => {
    const { Elements, bytes } = DTYPES[dtype];
    const x = memory === undefined ? elements(dtype, sizeOf(shape)) : new Elements(memory.buffer, next, sizeOf(shape));
    next += Math.ceil((sizeOf(shape) * bytes) / 8) * 8;
    x.fill((dtype === 'i64' ? 77n : 77) as never);
    return { dtype, shape, elements: x };
  });
  run(inputs, params, made, memory);
  return made;
}

const list = ({ elements }: Dense, count = elements.length): (number | bigint)[] => [...elements].slice(0, count);

/** 2 x 3: [[0, 1, 2], [3, 0, 0]]. */
const matrix = (index: 'i32' | 'i64' = 'i32'): Dense[] => {
  const indices = (values: number[]): Dense =>
    dense([values.length], index === 'i64' ? values.map(BigInt) : values, index);
  return [indices([0, 2, 3]), indices([1, 2, 0]), dense([3], [1, 2, 3])];
};

test('products by name, in a memory or not', () => {
  for (const index of ['i32', 'i64'] as const) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    let next = 8;
    const inside = (x: Dense): Dense => {
      const copy = new DTYPES[x.dtype].Elements(memory.buffer, next, x.elements.length);
      copy.set(x.elements as never);
      next += Math.ceil(copy.byteLength / 8) * 8;
      return { ...x, elements: copy };
    };
    const vector = [...matrix(index), dense([3], [10, 100, 1000])];
    const two = [...matrix(index), dense([3, 2], [10, 1, 100, 2, 1000, 3])];
    for (const [name, inputs, want] of [
      ['spmv', vector, [2100, 30]],
      ['spmm', two, [2100, 8, 30, 3]],
    ] as const) {
      assert.deepEqual(list(run(name, inputs)[0]!), want);
      assert.deepEqual(list(run(name, inputs.map(inside), {}, memory)[0]!), want);
    }
  }
});

test('conversions, transposes and operators by name', () => {
  for (const index of ['i32', 'i64'] as const) {
    const own = (x: Dense, count?: number): number[] => list(x, count).map(Number);
    const [indptr, indices, values] = run('csrTranspose', matrix(index), { columns: 3 });
    assert.equal(indptr!.dtype, index);
    assert.deepEqual(
      [own(indptr!), own(indices!), own(values!)],
      [
        [0, 1, 2, 3],
        [1, 0, 0],
        [3, 1, 2],
      ],
    );
    const [full] = run('csrToDense', matrix(index), { columns: 3 });
    assert.deepEqual(
      [full!.shape, own(full!)],
      [
        [2, 3],
        [0, 1, 2, 3, 0, 0],
      ],
    );
    const back = run('csrFromDense', [full!], { index });
    assert.deepEqual(back.at(-1)!.elements[0], 3n);
    assert.deepEqual(
      back.slice(0, 3).map((x) => own(x, 3)),
      [
        [0, 2, 3],
        [1, 2, 0],
        [1, 2, 3],
      ],
    );
    const [row, column, twice] = [
      [1, 0, 1],
      [2, 1, 2],
    ]
      .map((x) => dense([3], index === 'i64' ? x.map(BigInt) : x, index))
      .concat(dense([3], [5, 6, 7]));
    const made = run('csrFromCoo', [row!, column!, twice!], { rows: 2, columns: 3 });
    assert.deepEqual(made.at(-1)!.elements[0], 2n);
    assert.deepEqual(
      [own(made[0]!), own(made[1]!, 2), own(made[2]!, 2)],
      [
        [0, 1, 2],
        [1, 2],
        [6, 12],
      ],
    );
    const combined = run('csrCombine', [...matrix(index), ...matrix(index)], { op: 'subtract', columns: 3 });
    assert.deepEqual([combined.at(-1)!.elements[0], own(combined[0]!)], [0n, [0, 0, 0]]);
  }
});

test('what makes no matrix is refused before anything runs', () => {
  const [indptr, indices, values] = matrix() as [Dense, Dense, Dense];
  const x = dense([3], [1, 2, 3]);
  const spmv = routine('spmv');
  assert.throws(() => spmv.outputs([indptr, dense([3], [], 'i64'), values, x], {}), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => spmv.outputs([x, x, values, x], {}), { code: 'ERR_SHEAF_DTYPE', message: /i32 or i64/ });
  assert.throws(() => spmv.outputs([indptr, indices, values, dense([3], [], 'f32')], {}), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => spmv.outputs([indptr, indices, values, dense([3, 1], [])], {}), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => spmv.outputs([dense([0], [], 'i32'), indices, values, x], {}), { code: 'ERR_SHEAF_SHAPE' });
  const combine = routine('csrCombine');
  assert.throws(() => combine.outputs([...matrix(), ...matrix()], { op: 'nonsense', columns: 3 }), {
    code: 'ERR_SHEAF_USAGE',
  });
  const one = [dense([2], [0, 3], 'i32'), indices, values];
  assert.throws(() => combine.outputs([...matrix(), ...one], { op: 'add', columns: 3 }), { code: 'ERR_SHEAF_SHAPE' });
});
