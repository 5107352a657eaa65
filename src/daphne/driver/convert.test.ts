import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type Arr, asarray, nodeOf } from '../../arrays/index.ts';
import { UsageError } from '../../base/index.ts';
import type { Elements } from '../../nd/index.ts';
import { inThread } from '../../pipelines/index.ts';
import { argumentValue } from '../syntax/index.ts';
import { frame, matrix, scalar } from '../types.ts';
import type { Frame } from '../values/values.ts';
import { detached, given, literalOf, output } from './convert.ts';

const elementsOf = (array: Arr): Elements => {
  const node = nodeOf('test', array);
  inThread().computeNow([node]);
  return inThread().read(node);
};
const of = (input: unknown) => given('x', input as Arr, elementsOf);
const fails = (input: unknown, message: RegExp): void =>
  assert.throws(
    () => of(input),
    (error) => error instanceof UsageError && message.test(error.message),
  );

suite('values of scripts and of TypeScript', () => {
  test('scalars', () => {
    assert.deepEqual(of(3), { type: scalar('si64'), value: 3 });
    assert.deepEqual(of(0.5), { type: scalar('f64'), value: 0.5 });
    assert.deepEqual(of(5n), { type: scalar('si64'), value: 5 });
    assert.deepEqual(of(2n ** 60n), { type: scalar('si64'), value: 2n ** 60n });
    assert.deepEqual(of('a'), { type: scalar('str'), value: 'a' });
    assert.deepEqual(of(true), { type: scalar('bool'), value: true });
    fails(2n ** 63n, /64 bits/);
  });

  test('arrays are matrices, and come back as arrays', () => {
    const column = of(asarray(new Int32Array([1, 2, 3])));
    assert.deepEqual(column.type, matrix('si32', 3, 1));
    const { type, value } = of(
      asarray(new Float64Array([1, 2, 3, 4]))
        .reshape([2, 2])
        .add(1),
    );
    assert.deepEqual(type, matrix('f64', 2, 2));
    const back = output(value) as Arr;
    assert.deepEqual(
      [back.shape, [...elementsOf(back)]],
      [
        [2, 2],
        [2, 3, 4, 5],
      ],
    );
    const own = output(detached(value, elementsOf)) as Arr;
    assert.deepEqual([...elementsOf(own)], [2, 3, 4, 5]);
    assert.notEqual(elementsOf(own), elementsOf(back));
    fails(asarray(new Int16Array(3)), /i16.*astype/);
    fails(asarray(new Float64Array(8)).reshape([2, 2, 2]), /3 dimensions/);
  });

  test('columns are frames, and come back as columns', () => {
    const columns = { id: new BigInt64Array([1n, 2n]), name: ['a', 'b'] };
    const { type, value } = of(columns);
    assert.deepEqual(
      type,
      frame(
        [
          { label: 'id', value: 'si64' },
          { label: 'name', value: 'str' },
        ],
        2,
      ),
    );
    assert.equal((value as Frame).rows, 2);
    assert.deepEqual(output(value), columns);
    fails({ a: new Float64Array(2), b: ['x'] }, /equally long: a has 2 cells, and b has 1/);
    fails({ a: [1, 2] }, /column a/);
    fails([1, 2], /list|array/);
  });

  test('matrices of strings are rows, and lists are lists', () => {
    const strings = { kind: 'strings', value: 'str', rows: 2, columns: 2, cells: ['a', 'b', 'c', 'd'] } as const;
    assert.deepEqual(output({ kind: 'list', value: 'str', elements: [strings] }), [
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ]);
  });

  test('arguments are literals that mean the same', () => {
    const value = (given: Parameters<typeof literalOf>[1]) => argumentValue('x', literalOf('x', given));
    fc.assert(
      fc.property(fc.double(), (x) => {
        const read = value(x);
        assert.ok(Object.is(Number(read.value), x) || (x === 0 && Number(read.value) === 0), `${x} ${read.value}`);
      }),
    );
    fc.assert(fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (x) => assert.equal(value(x).value, x)));
    // A backslash before a letter has no literal that is read back as it is, in DAPHNE's way to read them.
    fc.assert(
      fc.property(
        fc.string().filter((x) => !x.includes('\\')),
        (x) => assert.equal(value(x).value, x),
      ),
    );
    assert.equal(value(true).value, true);
    assert.throws(() => literalOf('x', {} as never), UsageError);
  });
});
