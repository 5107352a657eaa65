import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallOptions, called, f32, f64, functionOf, mat, type Plain, scalarOf } from './calls.fixture.ts';
import { PREPROCESSING } from './preprocessing.ts';

const call = (name: string, args: readonly Plain[], options?: CallOptions) =>
  called(PREPROCESSING, name, args, options);

const NAN = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

const RIGHT: readonly (readonly [string, readonly Plain[], string])[] = [
  [
    'oneHot',
    [
      mat('si64', [
        [5, 1, 9],
        [6, 0, 9],
      ]),
      mat('si64', [[-1, 2, 0]]),
    ],
    'si64 2x3: 5 0 1 | 6 1 0',
  ],
  ['oneHot', [mat('f64', [[2]]), mat('si64', [[3]])], 'f64 1x3: 0 0 1'],
  ['oneHot', [mat('str', [['b'], ['a'], ['b']]), mat('si64', [[2]])], 'si64 3x2: 1 0 | 0 1 | 1 0'],
  ['recode', [mat('si64', [[10], [5], [20], [5], [20]]), false], 'si64 5x1: 0 | 1 | 2 | 1 | 2 ; si64 3x1: 10 | 5 | 20'],
  ['recode', [mat('si64', [[10], [5], [20], [5], [20]]), true], 'si64 5x1: 1 | 0 | 2 | 0 | 2 ; si64 3x1: 5 | 10 | 20'],
  ['recode', [mat('str', [['b'], ['a'], ['b']]), false], 'si64 3x1: 0 | 1 | 0 ; str 2x1: b | a'],
  ['recode', [mat('str', [['b'], ['a'], ['b']]), true], 'si64 3x1: 1 | 0 | 1 ; str 2x1: a | b'],
  ['recode', [mat('f64', [[1.5], [-1.5], [1.5]]), true], 'si64 3x1: 1 | 0 | 1 ; f64 2x1: -1.5 | 1.5'],
  ['recode', [mat('f64', [], 1), true], 'si64 0x1:  ; f64 0x1: '],
  ['bin', [mat('si64', [[10, 20, 30, 40, 50, 60, 70]]), 3], 'si64 1x7: 0 0 0 1 1 2 2'],
  ['bin', [mat('si64', [[10, 20, 30, 40, 50, 60, 70]]), 3, 10, 70], 'si64 1x7: 0 0 0 1 1 2 2'],
  ['bin', [mat('f64', [[5, 20, NAN, 40, INF, 60, 100]]), 3, f64(10), f64(70)], 'f64 1x7: 0 0 NaN 1 2 2 2'],
  ['bin', [mat('f64', [[1], [NAN], [3]]), 2], 'f64 3x1: 0 | NaN | 1'],
  ['bin', [mat('f64', [[5, 7]]), 1, f64(5), f64(5)], 'f64 1x2: 0 0'],
  ['bin', [mat('ui8', [[0, 250]]), 5, scalarOf('ui8', 10), scalarOf('ui8', 20)], 'ui8 1x2: 0 4'],
  ['quantize', [mat('f32', [[0, 0.5, 1, 2, -1]]), f32(0), f32(1)], 'ui8 1x5: 0 128 255 255 0'],
  ['quantize', [mat('f32', [[-1, 0, 1]]), f32(-1), f32(1)], 'ui8 1x3: 0 127 255'],
];

test('data are encoded, binned, and quantized', async () => {
  for (const [name, args, expected] of RIGHT) {
    assert.equal(call(name, args), expected, name);
    assert.equal(call(name, args, { blind: true }), expected, `${name}, and nothing is known`);
    assert.equal(await call(name, args, { later: true }), expected, `${name}, and all is there later`);
  }
});

const WRONG: readonly (readonly [string, readonly Plain[], RegExp])[] = [
  ['oneHot', [mat('si64', [[1, 2]]), mat('si64', [[1]])], /^execution: oneHot/],
  ['oneHot', [mat('si64', [[1]]), mat('si64', [[1], [1]])], /^execution: oneHot/],
  ['oneHot', [mat('si64', [[1]]), mat('f64', [[1]])], /^parser: oneHot/],
  ['oneHot', [mat('si64', [[3]]), mat('si64', [[3]])], /^execution: oneHot: there is 3 at \[0, 0\]/],
  ['oneHot', [mat('si64', [[3]]), mat('si64', [[-2]])], /^execution: oneHot: info has -2/],
  ['oneHot', [mat('str', [['a']]), mat('si64', [[-1]])], /^execution: oneHot: column 0 has strings/],
  ['oneHot', [mat('str', [['a'], ['b']]), mat('si64', [[1]])], /^execution: oneHot: there is 1/],
  ['recode', [mat('si64', [[1, 2]]), true], /^execution: recode/],
  ['recode', [1, true], /^parser: /],
  ['bin', [mat('f64', [[1]]), 0], /^execution: bin: numBins is 0/],
  ['bin', [mat('f64', [[1]]), 2, f64(1)], /^parser: bin takes 2 or 4/],
  ['bin', [mat('f64', [[1]]), 2, f64(2), f64(1)], /^execution: bin: min is 2/],
  ['bin', [mat('f64', [[1]]), 2, f64(1), f64(1)], /^execution: bin: min and max are both 1/],
  ['bin', [mat('f64', [[1]]), 2, f64(NAN), f64(1)], /^execution: bin: min is nan/],
  ['bin', [mat('f64', [[1]]), 2, f64(0), f64(INF)], /^execution: bin: max is inf/],
  ['bin', [mat('str', [['a']]), 2], /^parser: /],
  ['quantize', [mat('f64', [[1]]), f32(0), f32(1)], /^parser: quantize takes a matrix of f32/],
  ['quantize', [mat('f32', [[1]]), f64(0), f32(1)], /^parser: quantize takes f32 as min/],
];

test('what can not be encoded is told', () => {
  for (const [name, args, expected] of WRONG) {
    assert.match(call(name, args) as string, expected, name);
    assert.match(call(name, args, { blind: true }) as string, expected, `${name}, and nothing is known`);
  }
});

test('map calls a function for each cell, and waits only where it has to', async () => {
  const twice = functionOf('si64', (own) => [(own as number) * 2]);
  assert.equal(call('map', [mat('si64', [[1, 2]]), twice]), 'si64 1x2: 2 4');
  const wide = functionOf('si64', (own) => [typeof own === 'bigint' ? 1 : 2]);
  assert.equal(call('map', [mat('si64', [[9007199254740993n, 5]]), wide]), 'si64 1x2: 1 2');
  const loud = functionOf('str', (own) => [`${own}!`]);
  assert.equal(call('map', [mat('str', [['a', 'b']]), loud]), 'str 1x2: a! b!');
  const later = functionOf('f64', (own) => (own === 2 ? Promise.resolve([-1]) : [own]));
  assert.equal(await call('map', [mat('f64', [[1, 2, 3]]), later]), 'f64 1x3: 1 -1 3');
  const not = functionOf('bool', (own) => [own !== true]);
  assert.equal(call('map', [mat('bool', [[1, 0]]), not]), 'bool 1x2: 0 1');
});

test('map wants the same value type back', () => {
  assert.match(
    call('map', [mat('si64', [[1]]), functionOf('f64', () => [1])]) as string,
    /^compiler: map: .*gives f64/,
  );
  assert.match(call('map', [mat('si64', [[1]]), 1]) as string, /^parser: map takes the name of a function/);
  assert.match(call('map', [1, functionOf('f64', () => [1])]) as string, /^parser: /);
});
