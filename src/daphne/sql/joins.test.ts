import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { equalPairs } from './joins.ts';

test('pairs of equal numbers are those that looking at each with each finds', () => {
  const number = fc.constantFrom(0, -0, 1, -3, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 1e6, 2 ** 40);
  const close = fc.constantFrom(-2, 0, 1, 5);
  fc.assert(
    fc.property(fc.array(number), fc.array(fc.oneof(close, number)), fc.array(close), (left, right, few) => {
      for (const other of [right, few]) {
        const expected = left.flatMap((a, i) => other.flatMap((b, j) => (a === b ? [[i, j]] : [])));
        const pairs = equalPairs(Float64Array.from(left), Float64Array.from(other));
        assert.deepEqual(
          Array.from(pairs.left, (i, at) => [i, pairs.right[at]]),
          expected,
        );
      }
    }),
    { numRuns: 100 },
  );
});
