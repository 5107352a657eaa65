import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cells, compareKeys, type Key, sortedRows } from './keys.ts';

const row = fc.record({
  text: fc.string({ unit: 'grapheme', maxLength: 1 }),
  float: fc.constantFrom(0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, -2, 7),
  wide: fc.constantFrom(0n, 1n, -(2n ** 63n), 2n ** 62n + 1n, 2n ** 62n),
  small: fc.integer({ min: -2, max: 2 }),
});

test('rows are sorted by each column in turn', () => {
  const directions = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 80 }), order, directions, (rows, places, ascending) => {
      const all: readonly (readonly [Cells, (row: number) => Key])[] = [
        [rows.map(({ text }) => text), (i) => rows[i]!.text],
        [Float64Array.from(rows, ({ float }) => float), (i) => rows[i]!.float],
        [BigInt64Array.from(rows, ({ wide }) => wide), (i) => rows[i]!.wide],
        [Int32Array.from(rows, ({ small }) => small), (i) => rows[i]!.small],
      ];
      const expected = rows
        .map((_, i) => i)
        .sort((a, b) => {
          const orders = places.map((at) => compareKeys(all[at]![1](a), all[at]![1](b)) * (ascending[at] ? 1 : -1));
          return orders.find((each) => each !== 0) ?? 0;
        });
      const columns = places.map((at) => ({ cells: all[at]![0], ascending: ascending[at]! }));
      assert.deepEqual(Array.from(sortedRows(columns, rows.length)), expected);
    }),
    { numRuns: 100 },
  );
});
