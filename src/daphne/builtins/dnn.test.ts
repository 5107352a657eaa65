import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallOptions, called, f64, mat, type Plain } from './calls.fixture.ts';
import { DNN } from './dnn.ts';

const call = (name: string, args: readonly Plain[], options?: CallOptions) => called(DNN, name, args, options);

/** One image of one channel, 3x3. */
const image = mat('f64', [[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
const ones = mat('f64', [[1, 1, 1, 1]]);
const gradient = mat('f64', [[1, 2, 3, 4]]);
const windows = [1, 1, 3, 3, 2, 2, 1, 1, 0, 0];
const backward = [1, 1, 0, 0, 1, 1, 3, 3, 1, 1, 2, 2];

const RIGHT: readonly (readonly [string, readonly Plain[], string])[] = [
  ['affine', [mat('f64', [[1, 2]]), mat('f64', [[1], [1]]), mat('f64', [[10]])], 'f64 1x1: 13'],
  ['biasAdd', [mat('f64', [[1, 2, 3, 4]]), mat('f64', [[10], [20]])], 'f64 1x4: 11 12 23 24'],
  ['biasAdd', [mat('si64', [[1, 2]]), mat('si64', [[1, 2]])], 'si64 1x2: 2 4'],
  ['relu', [mat('f64', [[-1, 0, 2.5]])], 'f64 1x3: 0 0 2.5'],
  ['relu', [mat('si64', [[-1, 2]])], 'si64 1x2: 0 2'],
  [
    'softmax',
    [
      mat('f64', [
        [0, 0],
        [1000, 1000],
      ]),
    ],
    'f64 2x2: 0.5 0.5 | 0.5 0.5',
  ],
  ['softmax', [mat('si64', [[0, 0]])], 'f64 1x2: 0.5 0.5'],
  ['max_pool2d', [image, ...windows], 'f64 1x4: 5 6 8 9 ; 2 ; 2'],
  ['avg_pool2d', [image, ...windows], 'f64 1x4: 3 4 6 7 ; 2 ; 2'],
  ['avg_pool2d', [image, 1, 1, 3, 3, 2, 2, 2, 2, 1, 1], 'f64 1x4: 0.25 1.25 2.75 7 ; 2 ; 2'],
  ['max_pool2d', [image, 1, 1, 3, 3, 1, 2, 1, 1, 0, 0], 'f64 1x6: 2 3 5 6 8 9 ; 3 ; 2'],
  ['conv2d', [image, ones, ...windows], 'f64 1x4: 12 16 24 28 ; 2 ; 2'],
  ['conv2d', [image, ones, ...windows, mat('f64', [[100]])], 'f64 1x4: 112 116 124 128 ; 2 ; 2'],
  [
    'conv2d',
    [
      image,
      mat('f64', [
        [1, 0, 0, 0],
        [0, 0, 0, 1],
      ]),
      ...windows,
    ],
    'f64 1x8: 1 2 4 5 5 6 8 9 ; 2 ; 2',
  ],
  [
    'conv2d',
    [mat('f64', [[1, 2, 3, 4]]), mat('f64', [[10, 1]]), 1, 2, 1, 2, 1, 1, 1, 1, 0, 0],
    'f64 1x2: 13 24 ; 1 ; 2',
  ],
  ['conv2d_backward_filter', [image, gradient, ...backward], 'f64 1x4: 37 47 67 77'],
  ['conv2d_backward_data', [ones, gradient, ...backward], 'f64 1x9: 1 3 2 4 10 6 3 7 4'],
  ['avg_pool2d_backward', [image, mat('f64', [[4, 8, 12, 16]]), ...windows], 'f64 1x9: 1 3 2 4 10 6 3 7 4'],
  ['max_pool2d_backward', [image, gradient, ...windows], 'f64 1x9: 0 0 0 0 1 2 0 3 4'],
  [
    'batch_norm2d',
    [
      mat('f64', [[1, 3, 10, 20]]),
      mat('f64', [[2], [1]]),
      mat('f64', [[0], [5]]),
      mat('f64', [[1], [10]]),
      mat('f64', [[3], [24]]),
      f64(1),
    ],
    'f64 1x4: 0 2 5 7',
  ],
  [
    'batch_norm2d_backward',
    [mat('f64', [[2]]), mat('f64', [[1]]), mat('f64', [[1, 3]]), mat('f64', [[1, 5]]), mat('f64', [[2]]), f64(0)],
    'f64 1x2: 0 0 ; f64 1x1: 4 ; f64 1x1: 6',
  ],
];

test('layers of neural networks, forwards and backwards', async () => {
  for (const [name, args, expected] of RIGHT) {
    assert.equal(call(name, args), expected, name);
    assert.equal(call(name, args, { blind: true }), expected, `${name}, and nothing is known`);
    assert.equal(await call(name, args, { later: true }), expected, `${name}, and all is there later`);
  }
});

const WRONG: readonly (readonly [string, readonly Plain[], RegExp])[] = [
  ['max_pool2d', [image, 2, 1, 3, 3, 2, 2, 1, 1, 0, 0], /^execution: max_pool2d: there are 1 rows/],
  ['max_pool2d', [image, 1, 1, 3, 4, 2, 2, 1, 1, 0, 0], /^execution: max_pool2d: a row of/],
  ['avg_pool2d', [image, 1, 1, 3, 3, 4, 4, 1, 1, 0, 0], /^execution: avg_pool2d: .*does not fit/],
  ['avg_pool2d', [image, 1, 1, 3, 3, 2, 2, 0, 1, 0, 0], /^execution: avg_pool2d: /],
  ['conv2d', [image, mat('f64', [[1, 1, 1]]), ...windows], /^execution: conv2d: a row of filters/],
  ['conv2d', [image, ones, ...windows, mat('f64', [[1, 2]])], /^execution: conv2d: the bias/],
  [
    'conv2d_backward_filter',
    [image, mat('f64', [[1]]), ...backward],
    /^execution: conv2d_backward_filter: a row of gradients/,
  ],
  ['biasAdd', [mat('f64', [[1, 2, 3]]), mat('f64', [[1], [2]])], /^execution: biasAdd: rows of 3/],
  [
    'biasAdd',
    [
      image,
      mat('f64', [
        [1, 2],
        [3, 4],
      ]),
    ],
    /^execution: biasAdd: bias is a matrix of 2x2/,
  ],
  ['affine', [image, ones, ones], /^execution: affine/],
  ['relu', [1], /^parser: /],
  ['softmax', [mat('str', [['a']])], /^parser: /],
];

test('images that do not fit are told', () => {
  for (const [name, args, expected] of WRONG) {
    assert.match(call(name, args) as string, expected, name);
    assert.match(call(name, args, { blind: true }) as string, expected, `${name}, and nothing is known`);
  }
});
