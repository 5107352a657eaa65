import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SheafError } from '../base/index.ts';
import { arange, asarray, ones, zeros } from './index.ts';
import * as sf from './public.ts';

/** What nobody should pass, and what is right for some functions only. Nothing that names a file. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  -1,
  1.5,
  3n,
  true,
  {},
  [],
  [-1],
  [0, 0],
  [[1], [2, 3]],
  [1, 'a'],
  [undefined],
  () => 1,
  Symbol('s'),
  new Date(0),
  new Map(),
  Object.create(null),
  { axis: 9 },
  { axis: 'a' },
  { axis: null },
  { axis: {} },
  { dtype: 'foo' },
  { keepdims: 'yes' },
  { ord: Symbol('s') },
];
const ARRAYS: readonly unknown[] = [
  ones([2, 3]),
  asarray([1n, 2n]),
  ones([3, 3], { dtype: 'bool' }),
  zeros([0]),
  ones(new Array(12).fill(1)),
  arange(3).at(arange(3).greater(1)),
  [ones([2]), 1],
];

/** What a call gives: an error that is none of ours, or nothing. */
async function strange(call: () => unknown): Promise<unknown> {
  try {
    let given = call();
    // Functions that map and stencil have made.
    if (typeof given === 'function') given = (given as (...args: unknown[]) => unknown)(ARRAYS[0], null);
    await given;
    return undefined;
  } catch (error) {
    return error instanceof SheafError && error.code !== 'ERR_SHEAF_INTERNAL' ? undefined : error;
  }
}

test('whatever a function is called with, its error is one of ours', async () => {
  const functions = Object.entries(sf).filter(([, fn]) => typeof fn === 'function') as unknown as [
    string,
    (...args: unknown[]) => unknown,
  ][];
  assert.ok(functions.length > 130);
  const found = new Map<string, string>();
  // Of tens of thousands of errors, the traces would be what takes the time.
  Error.stackTraceLimit = 0;
  const seconds = [...WRONG, ARRAYS[0], ARRAYS[1]];
  let turn = 0;
  for (const [name, fn] of functions) {
    for (const first of [...ARRAYS, ...WRONG]) {
      // Each with a third of the others, another one for each function: a call of every kind is among them.
      for (let i = turn++ % 3; i < seconds.length; i += 3) {
        const second = seconds[i];
        const error = await strange(() => fn(first, second));
        if (error !== undefined) found.set(name, (error as Error).stack ?? String(error));
      }
    }
    for (const third of WRONG) {
      const error = await strange(() => fn(ARRAYS[0], ARRAYS[0], third));
      if (error !== undefined) found.set(name, (error as Error).stack ?? String(error));
    }
  }
  assert.deepEqual([...found], []);
});

test('columns of files have one axis, and are named in a list', async () => {
  await assert.rejects(sf.writeParquet('never.parquet', { a: ones([2]), b: ones([2, 2]) }), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^writeParquet: a column has one axis, and "b" has the shape 2 x 2$/,
  });
  await assert.rejects(
    sf.writeArrow('never.arrow', ones([2]) as never),
    /^UsageError: writeArrow takes an object of arrays/,
  );
});

test('the error names the operation, and shows both sides', () => {
  const x = ones([2, 3]);
  const cases: readonly (readonly [() => unknown, string, RegExp])[] = [
    [() => x.sum({ axis: 'a' as never }), 'ERR_SHEAF_AXIS', /^sum: axes are "a"; give a number.* of the shape 2 x 3$/],
    [() => x.moveaxis(0, null as never), 'ERR_SHEAF_AXIS', /^moveaxis: axes are null; .* shape 2 x 3$/],
    [() => x.roll('1' as never), 'ERR_SHEAF_USAGE', /^roll: the shift is "1"; give an integer/],
    [() => x.tile({} as never), 'ERR_SHEAF_USAGE', /^tile: a number of repetitions is an object; give an integer/],
    [() => x.reshape('6' as never), 'ERR_SHEAF_SHAPE', /^reshape takes a shape such as \[3, 4\], and not string$/],
    [
      () => x.set('0' as never, 1),
      'ERR_SHEAF_INDEX',
      /^set takes a list of indices such as \[0, ':'\], and not string$/,
    ],
    [() => x.at([0] as never), 'ERR_SHEAF_INDEX', /^at: a list is no index; /],
    [() => x.max({ keepdims: 1 as never }), 'ERR_SHEAF_USAGE', /^max: keepdims is 1; give true or false$/],
    [
      () => x.sort({ axis: Symbol('z') as never }),
      'ERR_SHEAF_AXIS',
      /^sort: Symbol\(z\) is no axis of the shape 2 x 3/,
    ],
    [() => x.at(1n as never), 'ERR_SHEAF_INDEX', /^at: the bigint 1 is no index; write Number\(1n\)/],
    [() => x.add([1] as never), 'ERR_SHEAF_USAGE', /^add takes an array, and not a list; asarray\(\) makes one of it$/],
    [() => x.tensordot(x, { axes: [[0]] as never }), 'ERR_SHEAF_AXIS', /^tensordot: axes are a list of 1; give/],
    [() => x.tensordot(x, { axes: null as never }), 'ERR_SHEAF_AXIS', /^tensordot: axes are null; give/],
    [
      () => ones([2, 3, 4]).matmul(ones([3, 4, 5])),
      'ERR_SHEAF_SHAPE',
      /^matmul: the shapes 2 x 3 x 4 and 3 x 4 x 5 don't fit together: before the matrices there are 2 and 3;/,
    ],
    [
      () => x.takeAlongAxis(ones([3, 1], { dtype: 'i64' })),
      'ERR_SHEAF_SHAPE',
      /^takeAlongAxis: the shapes 2 x 3 and 3 x 1 don't/,
    ],
    [
      () => zeros([1e9, 1e9]),
      'ERR_SHEAF_SHAPE',
      /^zeros: the shape 1000000000 x 1000000000 has 2\*\*53 elements or more/,
    ],
    [() => zeros([0, 3]).argmax(), 'ERR_SHEAF_SHAPE', /^argmax: the shape 0 x 3 is empty/],
    [() => zeros([]).cumulativeSum(), 'ERR_SHEAF_AXIS', /^cumulativeSum goes along an axis, and a scalar has none/],
    [() => sf.full([2], 1.5, { dtype: 'i32' }), 'ERR_SHEAF_DTYPE', /^full: 1.5 is no i32 .*; give an integer, or/],
    [() => arange(0, 5, 0.5, { dtype: 'i32' }), 'ERR_SHEAF_DTYPE', /^arange: steps of 0.5 make no i32;/],
    [
      () => arange(3).searchsorted(1, { sorter: asarray([0n]) }),
      'ERR_SHEAF_SHAPE',
      /^searchsorted: the sorter has the shape 1/,
    ],
    [
      () => x.digitize(x),
      'ERR_SHEAF_SHAPE',
      /^digitize: it looks in an array of one axis, and not of the shape 2 x 3$/,
    ],
    [() => x.histogram({ range: [1, 1] }), 'ERR_SHEAF_USAGE', /^histogram: range is \[1, 1\]; give two numbers/],
    [() => x.diff({ prepend: zeros([]) }), 'ERR_SHEAF_SHAPE', /^diff: the shapes a scalar and 2 x 3 differ/],
    [() => sf.isdtype('f64', null as never), 'ERR_SHEAF_USAGE', /^isdtype: the kind is null; give "bool"/],
  ];
  for (const [call, code, message] of cases) assert.throws(call, { code, message });
  assert.equal(sf.isdtype('f64', 'complex floating'), false);
  assert.deepEqual(x.tensordot(x.T, { axes: [1, 0] }).shape, [2, 2]);
  assert.deepEqual(x.reshape(6 as never).shape, [6]);
  // A number of times that nobody lives to see.
  assert.deepEqual(x.diff({ n: 1e12 }).shape, [2, 0]);
});
