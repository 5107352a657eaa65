import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallOptions, called, f32, f64, mat, type Plain, scalarOf, sparseMat } from './calls.fixture.ts';
import { LINEAR } from './linear.ts';

const call = (name: string, args: readonly Plain[], options?: CallOptions) => called(LINEAR, name, args, options);

/** Rows of one test: built-in, arguments, result. Each is called twice: the compiler knows shapes and values, or not. */
type Case = readonly [string, readonly Plain[], string];

const x = mat('f64', [
  [1, 2],
  [3, 4],
  [5, 6],
]);
const NAN = Number.NaN;

const RIGHT: readonly Case[] = [
  ['$matMul', [x, mat('f64', [[1], [1]])], 'f64 3x1: 3 | 7 | 11'],
  ['$matMul', [mat('si64', [[1, 2]]), mat('si64', [[3], [4]])], 'si64 1x1: 11'],
  ['$matMul', [mat('si64', [[1], [2]]), mat('si64', [[3, 4]])], 'si64 2x2: 3 4 | 6 8'],
  ['$matMul', [mat('si64', [[9007199254740993n]]), mat('si64', [[1]])], 'si64 1x1: 9007199254740993'],
  ['$matMul', [mat('si8', [[1]]), mat('f32', [[0.5]])], 'f32 1x1: 0.5'],
  ['$matMul', [mat('ui8', [[2, 3]]), mat('ui8', [[4], [5]])], 'ui8 1x1: 23'],
  ['$matMul', [mat('bool', [[1, 0]]), mat('bool', [[1], [1]])], 'bool 1x1: 1'],
  ['$matMul', [mat('f64', [], 2), mat('f64', [[1], [1]])], 'f64 0x1: '],
  ['$matMul', [mat('f64', [[], []], 0), mat('f64', [], 3)], 'f64 2x3: 0 0 0 | 0 0 0'],
  [
    '$matMul',
    [
      sparseMat('f64', [
        [0, 2],
        [1, 0],
      ]),
      mat('f64', [
        [1, 2],
        [3, 4],
      ]),
    ],
    'f64 2x2: 6 8 | 1 2',
  ],
  [
    '$matMul',
    [
      mat('f64', [
        [1, 2],
        [3, 4],
      ]),
      sparseMat('f64', [
        [0, 2],
        [1, 0],
      ]),
    ],
    'f64 2x2: 2 2 | 4 6',
  ],
  [
    '$matMul',
    [
      sparseMat('f64', [
        [0, 2],
        [1, 0],
      ]),
      sparseMat('f64', [
        [0, 2],
        [1, 0],
      ]),
    ],
    'f64 2x2: 2 0 | 0 2',
  ],
  ['$matMul', [sparseMat('si64', [[0, 2]]), mat('f64', [[1], [0.5]])], 'f64 1x1: 1'],
  ['syrk', [x], 'f64 2x2: 35 44 | 44 56'],
  ['syrk', [mat('si64', [[1, 2]])], 'si64 2x2: 1 2 | 2 4'],
  [
    'syrk',
    [
      sparseMat('f64', [
        [0, 2],
        [1, 0],
      ]),
    ],
    'f64 2x2: 1 0 | 0 4',
  ],
  ['gemv', [x, mat('f64', [[1], [1], [1]])], 'f64 2x1: 9 | 12'],
  ['gemv', [mat('si64', [[1, 2]]), mat('f64', [[0.5]])], 'f64 2x1: 0.5 | 1'],
  [
    'solve',
    [
      mat('f64', [
        [2, 1],
        [1, 3],
      ]),
      mat('f64', [[3], [5]]),
    ],
    'f64 2x1: 0.8 | 1.4',
  ],
  [
    'solve',
    [
      mat('si64', [
        [2, 0],
        [0, 4],
      ]),
      mat('si64', [[1], [1]]),
    ],
    'f64 2x1: 0.5 | 0.25',
  ],
  ['solve', [mat('f32', [[2]]), mat('f32', [[1]])], 'f32 1x1: 0.5'],
  [
    'solve',
    [
      mat('f64', [
        [2, 0],
        [0, 4],
      ]),
      mat('f64', [
        [1, 2],
        [1, 2],
      ]),
    ],
    'f64 2x2: 0.5 1 | 0.25 0.5',
  ],
  ['eigen', [mat('f64', [[2]])], 'f64 1x1: 2 ; f64 1x1: 1'],
  [
    'eigen',
    [
      mat('f64', [
        [2, 0],
        [0, 1],
      ]),
    ],
    'f64 2x1: 2 | 1 ; f64 2x2: 1 0 | 0 1',
  ],
  [
    'diagVector',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
    ],
    'si64 2x1: 1 | 4',
  ],
  [
    'lowerTri',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
      true,
      true,
    ],
    'si64 2x2: 1 0 | 3 4',
  ],
  [
    'lowerTri',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
      false,
      true,
    ],
    'si64 2x2: 0 0 | 3 0',
  ],
  [
    'lowerTri',
    [
      mat('f64', [
        [5, 2],
        [0, 4],
      ]),
      true,
      false,
    ],
    'f64 2x2: 1 0 | 0 1',
  ],
  [
    'upperTri',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
      true,
      true,
    ],
    'si64 2x2: 1 2 | 0 4',
  ],
  [
    'upperTri',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
      0,
      0,
    ],
    'si64 2x2: 0 1 | 0 0',
  ],
  [
    'upperTri',
    [
      mat('si64', [
        [1, 2],
        [3, 4],
      ]),
      mat('si64', [[1]]),
      true,
    ],
    'si64 2x2: 1 2 | 0 4',
  ],
  ['replace', [mat('si64', [[1, 2, 1]]), 1, 9], 'si64 1x3: 9 2 9'],
  ['replace', [mat('f64', [[NAN, 2]]), f64(NAN), f64(0)], 'f64 1x2: 0 2'],
  ['replace', [mat('f64', [[1, 2]]), f64(2), f64(NAN)], 'f64 1x2: 1 NaN'],
  ['replace', [mat('si64', [[1, 2]]), 1, f64(0.5)], 'f64 1x2: 0.5 2'],
  [
    'replace',
    [mat('si64', [[9007199254740993n, 9007199254740992n]]), 9007199254740993n, 1],
    'si64 1x2: 1 9007199254740992',
  ],
  ['replace', [mat('str', [['a', 'b']]), 'a', 'c'], 'str 1x2: c b'],
  ['ctable', [mat('si64', [[0], [1], [1]]), mat('si64', [[2], [0], [0]])], 'f64 2x3: 0 0 1 | 2 0 0'],
  ['ctable', [mat('si64', [[0], [1], [1]]), mat('si64', [[2], [0], [0]]), 5], 'si64 2x3: 0 0 5 | 10 0 0'],
  ['ctable', [mat('f64', [[0], [1]]), mat('f64', [[1], [0]]), f64(0.5)], 'f64 2x2: 0 0.5 | 0.5 0'],
  ['ctable', [mat('si64', [[0], [1]]), mat('si64', [[0], [3]]), 3, 2], 'f64 3x2: 1 0 | 0 0 | 0 0'],
  ['ctable', [mat('si64', [[0], [1]]), mat('si64', [[0], [1]]), 7, -1, 3], 'si64 2x3: 7 0 0 | 0 7 0'],
];

test('matrices are multiplied, solved, taken apart, and counted', async () => {
  for (const [name, args, expected] of RIGHT) {
    assert.equal(call(name, args), expected, name);
    assert.equal(call(name, args, { blind: true }), expected, `${name}, and nothing is known`);
    assert.equal(await call(name, args, { later: true }), expected, `${name}, and all is there later`);
  }
});

const WRONG: readonly (readonly [string, readonly Plain[], RegExp])[] = [
  ['$matMul', [x, x], /^execution: @: .* 2 columns, .* 3 rows/],
  ['$matMul', [x, 1], /^parser: /],
  ['$matMul', [mat('str', [['a']]), mat('str', [['a']])], /^parser: /],
  ['gemv', [x, mat('f64', [[1]])], /^execution: gemv/],
  ['gemv', [x, x], /^execution: gemv/],
  ['solve', [x, x], /^execution: solve takes a square/],
  ['solve', [mat('f64', [[1]]), mat('f64', [[1], [2]])], /^execution: solve/],
  [
    'solve',
    [
      mat('f64', [
        [1, 2],
        [2, 4],
      ]),
      mat('f64', [[1], [2]]),
    ],
    /^execution: solve: .*singular/,
  ],
  ['eigen', [x], /^execution: eigen/],
  [
    'eigen',
    [
      mat('f64', [
        [1, 2],
        [3, 4],
      ]),
    ],
    /^execution: eigen takes a symmetric matrix/,
  ],
  [
    'eigen',
    [
      mat('f64', [
        [1, 1],
        [1 + 2 ** -52, 1],
      ]),
    ],
    /^execution: eigen takes a symmetric matrix/,
  ],
  ['diagVector', [x], /^execution: /],
  ['lowerTri', [x, true, true], /^execution: /],
  ['upperTri', [mat('f64', [[1]]), 'a', true], /^parser: /],
  ['upperTri', [mat('f64', [[1]]), mat('f64', [[1, 2]]), true], /^execution: /],
  ['replace', [mat('f64', [[1]]), 'a', 'b'], /^parser: /],
  ['replace', [mat('f64', [[1]]), x, 1], /^parser: /],
  ['ctable', [x, x], /^execution: ctable/],
  ['ctable', [mat('si64', [[0]]), mat('si64', [[0], [1]])], /^execution: ctable/],
  ['ctable', [mat('si64', [[-1]]), mat('si64', [[0]])], /^execution: ctable: at 0/],
  ['ctable', [mat('f64', [[NAN]]), mat('f64', [[0]]), 1, 1], /^execution: ctable: at 0/],
];

test('ctable adds up weights, one for each pair', () => {
  const [rows, columns] = [mat('si64', [[0], [1], [0]]), mat('si64', [[1], [0], [1]])];
  assert.equal(call('ctable', [rows, columns, mat('f64', [[0.5], [2], [1]])]), 'f64 2x2: 0 1.5 | 2 0');
  assert.equal(call('ctable', [rows, columns, mat('si64', [[5], [2], [1]]), 2, 2]), 'si64 2x2: 0 6 | 2 0');
  assert.match(call('ctable', [rows, columns, mat('f64', [[1]])]) as string, /^execution: ctable: there are 1 weights/);
});

test('types that are wrong are told by the compiler, and shapes and values by the run', () => {
  for (const [name, args, expected] of WRONG) {
    assert.match(call(name, args) as string, expected, name);
    assert.match(call(name, args, { blind: true }) as string, expected, `${name}, and nothing is known`);
  }
});

test('eigenvectors of f32 have their greatest element positive, and belong to their values', () => {
  const [values, vectors] = (
    call('eigen', [
      mat('f32', [
        [2, 1],
        [1, 2],
      ]),
    ]) as string
  ).split(' ; ');
  assert.deepEqual(values!.split(': ')[1]!.split(' | ').sort(), ['1', '3']);
  assert.match(vectors!, /^f32 2x2: /);
  const rows = vectors!
    .split(': ')[1]!
    .split(' | ')
    .map((row) => row.split(' ').map(Number));
  for (const k of [0, 1]) assert.ok(Math.max(rows[0]![k]!, rows[1]![k]!) > 0.7);
});

test('a value of f32 is compared as one', () => {
  assert.equal(call('replace', [mat('f32', [[0.1, 1]]), f32(0.1), f32(2)]), 'f32 1x2: 2 1');
  assert.equal(call('replace', [mat('ui8', [[3]]), scalarOf('ui8', 3), scalarOf('ui8', 4)]), 'ui8 1x1: 4');
});
