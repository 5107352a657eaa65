import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placed } from './select.ts';

test('elements at places of long lines are those of the sorted line', () => {
  const length = 25_000;
  const room = new Float64Array(length);
  const kinds = {
    mixed: (i: number) => Math.imul(i, 0x2c1b3c6d) / 2 ** 31,
    ascending: (i: number) => i,
    descending: (i: number) => -i,
    same: () => 7,
    few: (i: number) => Math.imul(i, 0x2c1b3c6d) >>> 30,
    infinite: (i: number) => [Number.NEGATIVE_INFINITY, i, Number.POSITIVE_INFINITY][i % 3] as number,
    crowded: (i: number) => (i % 1000 === 0 ? i : 1 + i / 1e9),
  };
  const lines = Object.entries(kinds).map(([name, of]) => {
    const line = Float64Array.from({ length }, (_, i) => of(i));
    return { name, line, sorted: line.slice().sort() };
  });
  const lists = fc.oneof(
    fc.constant([length / 2 - 1, length / 2]),
    fc.array(fc.nat(length - 1), { minLength: 1, maxLength: 6 }).map((places) => places.sort((a, b) => a - b)),
    fc.constant([0, 1, length - 2, length - 1]),
  );
  fc.assert(
    fc.property(lists, fc.constantFrom(...lines), fc.option(fc.nat(length - 1)), (places, each, at) => {
      const expected = places.map((place) => each.sorted[place] as number);
      assert.deepEqual(placed(each.line, places, room), expected, each.name);
      if (at === null) return;
      const line = each.line.slice();
      line[at] = Number.NaN;
      assert.deepEqual(
        placed(line, places, room),
        places.map(() => Number.NaN),
      );
    }),
    { numRuns: 60 },
  );
});
