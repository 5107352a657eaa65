import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallOptions, called, f64, mat, type Plain, scalarOf } from './calls.fixture.ts';
import { GENERATION } from './generation.ts';

const call = (name: string, args: readonly Plain[], options?: CallOptions) => called(GENERATION, name, args, options);

test('fill makes a matrix of any value type', () => {
  assert.equal(call('fill', [7, 2, 3]), 'si64 2x3: 7 7 7 | 7 7 7');
  assert.equal(call('fill', [f64(1.5), 1, 2]), 'f64 1x2: 1.5 1.5');
  assert.equal(call('fill', [scalarOf('ui8', 200), 1, 1]), 'ui8 1x1: 200');
  assert.equal(call('fill', [9223372036854775807n, 1, 1]), 'si64 1x1: 9223372036854775807');
  assert.equal(call('fill', ['ab', 2, 1]), 'str 2x1: ab | ab');
  assert.equal(call('fill', [true, 1, 2]), 'bool 1x2: 1 1');
  assert.equal(call('fill', [1, 0, 2]), 'si64 0x2: ');
  assert.equal(call('fill', [1, f64(2.9), 1]), 'si64 2x1: 1 | 1');
  assert.equal(call('fill', [f64(Number.NaN), 1, 1]), 'f64 1x1: NaN');
});

test('fill refuses what is no size', () => {
  assert.match(call('fill', [1, -1, 1]) as string, /^execution: numRows is -1/);
  assert.match(call('fill', [1, -1, 1], { blind: true }) as string, /^execution: numRows is -1/);
  assert.match(call('fill', [1, 'a', 1]) as string, /^parser: /);
  assert.match(call('fill', [mat('f64', [[1]]), 1, 1]) as string, /^parser: /);
  assert.match(call('fill', [1, 2 ** 40, 2 ** 10]) as string, /^execution: .* larger/);
});

test('rand draws in the type of its limits, as a seed says, and leaves out what sparsity says', () => {
  const drawn = call('rand', [2, 2, f64(0), f64(1), f64(1), 42]);
  assert.match(drawn as string, /^f64 2x2: 0\.\d+ 0\.\d+ \| 0\.\d+ 0\.\d+$/);
  assert.equal(call('rand', [2, 2, f64(0), f64(1), f64(1), 42], { blind: true }), drawn);
  assert.notEqual(call('rand', [2, 2, f64(0), f64(1), f64(1), 43]), drawn);
  assert.equal(call('rand', [2, 2, 5, 5, f64(1), 1]), 'si64 2x2: 5 5 | 5 5');
  assert.equal(call('rand', [2, 2, 5, 5, f64(0), 1]), 'si64 2x2: 0 0 | 0 0');
  assert.equal(call('rand', [2, 2, 5, 5, 1, 1]), 'si64 2x2: 5 5 | 5 5');
  const half = call('rand', [10, 10, f64(1), f64(2), f64(0.5), 7]) as string;
  assert.equal(
    half
      .split(': ')[1]!
      .split(/[ |]+/)
      .filter((each) => each === '0').length,
    50,
  );
  assert.match(call('rand', [0, 3, 1, 2, f64(1), 1]) as string, /^si64 0x3: $/);
});

test('rand with the seed -1 is another one each time', () => {
  const seeds = new Set(Array.from({ length: 4 }, () => call('rand', [2, 2, f64(0), f64(1), f64(1), -1])));
  assert.ok(seeds.size > 1);
});

test('rand is sparse where the compiler chooses so, below a quarter', () => {
  const options = { selects: true };
  assert.match(call('rand', [10, 10, 3, 3, f64(0.1), 1], options) as string, /^sparse si64 10x10: /);
  assert.match(call('rand', [10, 10, 3, 3, f64(0.25), 1], options) as string, /^si64 10x10: /);
  assert.match(call('rand', [10, 10, 3, 3, f64(0.1), 1]) as string, /^si64 10x10: /);
});

test('rand refuses limits of two types, those that are the wrong way round, and what is no sparsity', () => {
  assert.match(call('rand', [2, 2, 0, f64(1), f64(1), 1]) as string, /^parser: .*min is si64, and max is f64/);
  assert.match(call('rand', [2, 2, 5, 1, f64(1), 1]) as string, /^execution: rand: min is 5/);
  assert.match(call('rand', [2, 2, 0, 0, f64(1), 1]) as string, /^execution: rand: min and max are 0/);
  assert.match(call('rand', [2, 2, 1, 2, f64(1.5), 1]) as string, /^execution: .*sparsity/);
  assert.match(call('rand', [2, 2, 1, 2, f64(1.5), 1], { blind: true }) as string, /^execution: .*sparsity/);
  assert.match(call('rand', [2, 2, 'a', 'b', f64(1), 1]) as string, /^parser: /);
});

test('sample draws with and without replacement', () => {
  const drawn = call('sample', [5, 5, false, 1]) as string;
  assert.match(drawn, /^si64 5x1: /);
  assert.deepEqual(drawn.split(': ')[1]!.split(' | ').sort(), ['0', '1', '2', '3', '4']);
  assert.match(call('sample', [3, 10, true, 1]) as string, /^si64 10x1: [012]( \| [012]){9}$/);
  assert.match(call('sample', [f64(2), 2, true, 1]) as string, /^f64 2x1: [01]\.\d+ \| [01]\.\d+$/);
  assert.match(call('sample', [3, 4, false, 1]) as string, /^execution: sample: of 3 numbers 4/);
  assert.match(call('sample', [0, 1, true, 1]) as string, /^execution: sample: the range is 0/);
  assert.match(call('sample', ['a', 1, true, 1]) as string, /^parser: /);
});

const SEQUENCES: readonly (readonly [readonly Plain[], string])[] = [
  [[1, 5], 'si64 5x1: 1 | 2 | 3 | 4 | 5'],
  [[1, 6, 2], 'si64 3x1: 1 | 3 | 5'],
  [[5, 1, -2], 'si64 3x1: 5 | 3 | 1'],
  [[3, 3], 'si64 1x1: 3'],
  [[5, 1, 1], 'si64 0x1: '],
  [[1, 5, -1], 'si64 0x1: '],
  [[f64(0), f64(1), f64(0.25)], 'f64 5x1: 0 | 0.25 | 0.5 | 0.75 | 1'],
  [[f64(0), f64(1), f64(0.1)], 'f64 11x1: 0 | 0.1 | 0.2 | 0.3 | 0.4 | 0.5 | 0.6 | 0.7 | 0.8 | 0.9 | 1'],
  [[f64(0), f64(1), f64(0.3)], 'f64 4x1: 0 | 0.3 | 0.6 | 0.9'],
  [[f64(1), f64(0), f64(-0.5)], 'f64 3x1: 1 | 0.5 | 0'],
  [[f64(1), f64(0), f64(0.5)], 'f64 0x1: '],
  [[1, f64(2.5)], 'f64 2x1: 1 | 2'],
  [[scalarOf('ui8', 250), scalarOf('ui8', 255), scalarOf('ui8', 2)], 'ui8 3x1: 250 | 252 | 254'],
  [[scalarOf('ui8', 1), scalarOf('ui8', 2)], 'ui8 2x1: 1 | 2'],
  [[9223372036854775806n, 9223372036854775807n], 'si64 2x1: 9223372036854775806 | 9223372036854775807'],
];

test('seq goes up or down, includes its end, and is empty in the wrong direction', () => {
  for (const [args, expected] of SEQUENCES) {
    assert.equal(call('seq', args), expected);
    assert.equal(call('seq', args, { blind: true }), expected);
  }
});

test('seq refuses an increment of 0, nan, and strings', () => {
  assert.match(call('seq', [1, 5, 0]) as string, /^execution: seq: the increment is 0/);
  assert.match(call('seq', [f64(Number.NaN), f64(1)]) as string, /^execution: seq: an argument is nan/);
  assert.match(call('seq', ['a', 5]) as string, /^parser: /);
  assert.match(call('seq', [0, 2 ** 50]) as string, /^execution: .*too many/);
  assert.match(call('seq', [f64(0), f64(1), f64(1e-300)]) as string, /^execution: .*too many/);
});

test('diagMatrix puts a column on the diagonal', () => {
  assert.equal(call('diagMatrix', [mat('si64', [[1], [2]])]), 'si64 2x2: 1 0 | 0 2');
  assert.match(call('diagMatrix', [mat('si64', [[1, 2]])]) as string, /^execution: .*has 2/);
  assert.match(call('diagMatrix', [mat('si64', [[1, 2]])], { blind: true }) as string, /^execution: .*has 2/);
  assert.match(call('diagMatrix', [mat('str', [['a']])]) as string, /^parser: /);
});
