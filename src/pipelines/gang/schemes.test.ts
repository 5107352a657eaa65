import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ARRAY_SCHEMES, type ArrayScheme } from '../../base/index.ts';
import { chunksOf, MOST_CHUNKS } from './schemes.rules.ts';

const sizesOf = (scheme: ArrayScheme, rows: number, workers: number, grain = 1, tile = 1): number[] => {
  const ends = chunksOf(scheme, { rows, workers, grain, tile });
  return ends.slice(1).map((end, i) => end - (ends[i] as number));
};

test('every row is in one chunk, in order; all chunks but the last have the least size and whole tiles', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ARRAY_SCHEMES),
      fc.oneof(fc.nat(300), fc.nat(10_000_000)),
      fc.integer({ min: 1, max: 300 }),
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5000 })),
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5000 })),
      (scheme, rows, workers, grain, tile) => {
        const ends = chunksOf(scheme, { rows, workers, grain, tile });
        assert.equal(ends[0], 0);
        assert.equal(ends.at(-1), rows);
        assert.ok(ends.length - 1 <= MOST_CHUNKS);
        for (let i = 1; i < ends.length; i++) {
          const [from, to] = [ends[i - 1] as number, ends[i] as number];
          assert.ok(to > from, 'no chunk is empty');
          if (i === ends.length - 1) continue;
          assert.ok(to - from >= grain);
          assert.equal((to - from) % tile, 0);
        }
      },
    ),
  );
});

// By hand from the formulas; where a paper prints a row for 1000 iterations and 4 processors, it is the same one.
const ROWS: Readonly<Record<ArrayScheme, readonly number[]>> = {
  STATIC: [250, 250, 250, 250],
  SS: new Array<number>(1000).fill(1),
  GSS: [250, 188, 141, 106, 79, 59, 45, 33, 25, 19, 14, 11, 8, 6, 4, 3, 3, 2, 1, 1, 1, 1],
  TSS: [125, 117, 109, 101, 93, 85, 77, 69, 61, 53, 45, 37, 28],
  FAC2: [125, 125, 125, 125, 63, 63, 63, 63, 32, 32, 32, 32, 16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 2, 2],
  TFSS: [
    125, 110, 96, 84, 74, 64, 56, 49, 43, 38, 33, 29, 25, 22, 19, 17, 15, 13, 11, 10, 9, 8, 7, 6, 5, 4, 4, 3, 3, 3, 2,
    2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
  ],
  FISS: [42, 42, 42, 42, 56, 56, 56, 56, 70, 70, 70, 70, 84, 84, 84, 76],
  VISS: [42, 42, 42, 42, 63, 63, 63, 63, 74, 74, 74, 74, 79, 79, 79, 47],
  PLS: [125, 125, 125, 125, 125, 94, 71, 53, 40, 30, 22, 17, 12, 9, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1],
  PSS: [
    167, 139, 116, 97, 81, 67, 56, 47, 39, 32, 27, 22, 19, 16, 13, 11, 9, 7, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1,
  ],
  MFSC: new Array<number>(31).fill(32).concat([8]),
  MSTATIC: [63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 55],
  AUTO: new Array<number>(142).fill(7).concat([6]),
};

for (const scheme of ARRAY_SCHEMES) {
  test(`${scheme} cuts as its formula says`, () => assert.deepEqual(sizesOf(scheme, 1000, 4), ROWS[scheme]));
}

test('what a scheme promises about its sizes holds for any number of rows and workers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000_000 }), fc.integer({ min: 1, max: 128 }), (rows, workers) => {
      const falling: readonly ArrayScheme[] = ['GSS', 'TSS', 'FAC2', 'TFSS', 'PSS', 'PLS'];
      const rising: readonly ArrayScheme[] = ['FISS', 'VISS'];
      const level: readonly ArrayScheme[] = ['STATIC', 'SS', 'MFSC', 'MSTATIC', 'AUTO'];
      const pairs = (scheme: ArrayScheme): [number, number][] => {
        // The last one is what is left.
        const sizes = sizesOf(scheme, rows, workers).slice(0, -1);
        return sizes.slice(1).map((size, i) => [sizes[i] as number, size]);
      };
      for (const scheme of falling) for (const [a, b] of pairs(scheme)) assert.ok(a >= b, scheme);
      for (const scheme of rising) for (const [a, b] of pairs(scheme)) assert.ok(a <= b, scheme);
      for (const scheme of level) for (const [a, b] of pairs(scheme)) assert.equal(a, b, scheme);
      // N/P is cut off, so that less than P rows are left over.
      const share = Math.max(1, Math.floor(rows / workers));
      assert.equal(sizesOf('STATIC', rows, workers)[0], Math.max(share, Math.ceil(rows / MOST_CHUNKS)));
      assert.ok(sizesOf('MSTATIC', rows, workers).length <= 4 * workers);
    }),
    { numRuns: 200 },
  );
});
