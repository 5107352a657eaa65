import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextCodes } from '../../io/index.ts';
import { equalPairs, rowsWithPartner } from '../sql/joins.ts';
import { groupsOf, ranksOf, sortedRows } from '../sql/keys.ts';
import { gather } from './frames.ts';
import { alike, compareTexts, Texts } from './texts.ts';

const codesOf = (texts: readonly string[]): TextCodes => {
  const codes = new TextCodes(texts.length);
  for (const [row, text] of texts.entries()) codes.set(row, text);
  return codes;
};
const codedOf = (texts: readonly string[]): Texts => {
  const { cells } = codesOf(texts);
  assert.ok('codes' in cells);
  return Texts.of(cells);
};
const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 2 }), { maxLength: 60 });

test('columns of words are what columns of strings are', () => {
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const [own, others] = [codedOf(a), codedOf(b)];
      assert.deepEqual(own.strings(), a);
      assert.deepEqual(own.words, [...new Set(a)].sort(compareTexts));
      assert.deepEqual(
        a.map((_, row) => own.at(row)),
        a,
      );
      const [left, right] = alike(own, others);
      assert.deepEqual([left.strings(), right.strings()], [a, b]);
      assert.equal(left.words, right.words);
      assert.deepEqual(left.words, [...new Set([...a, ...b])].sort(compareTexts));
      const rows = [a.length - 1, 0].filter((row) => row >= 0 && row < a.length);
      assert.deepEqual(gather(own, rows).strings(), gather(a, rows));
      assert.deepEqual(own.slice(1, 3).strings(), a.slice(1, 3));
      assert.deepEqual(groupsOf([ranksOf(own)], a.length), groupsOf([ranksOf(a)], a.length));
      for (const ascending of [true, false])
        assert.deepEqual(
          sortedRows([{ cells: own, ascending }], a.length),
          sortedRows([{ cells: a, ascending }], a.length),
        );
      // With words of both, of one side, and of none.
      for (const [l, r] of [
        [own, others],
        [own, b],
        [a, others],
      ] as const) {
        assert.deepEqual(equalPairs(l, r, true), equalPairs(a, b, true));
        assert.deepEqual(rowsWithPartner(l, r, true), rowsWithPartner(a, b, true));
      }
    }),
    { numRuns: 50 },
  );
});

test('texts most of which differ stay as they are', () => {
  const all = Array.from({ length: 5000 }, (_, i) => `${i % 4000}`);
  const { cells, length } = codesOf(all);
  assert.ok(Array.isArray(cells));
  assert.deepEqual([cells, length], [all, 5000]);
  const few = all.map((text) => text.slice(-2));
  assert.deepEqual(codedOf(few).strings(), few);
  // Of many rows, many words are few.
  const more = Array.from({ length: 9000 }, (_, i) => `${i % 2000}`);
  assert.deepEqual(codedOf(more).strings(), more);
});
