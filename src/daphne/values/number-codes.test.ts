import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberCodes } from './number-codes.ts';

test('codes are those that a Map gives', () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.nat(9), fc.constantFrom(0, -0, Number.NaN, 2 ** -1074));
  fc.assert(
    fc.property(fc.array(number, { maxLength: 3000, size: 'max' }), number, (numbers, other) => {
      const [codes, known] = [new NumberCodes(), new Map<number, number>()];
      for (const each of numbers) {
        const code = known.get(each) ?? known.size;
        known.set(each, code);
        assert.equal(codes.add(each), code);
      }
      assert.equal(codes.size, known.size);
      assert.deepEqual([...codes.keys()], [...known.keys()]);
      for (const each of [...numbers, other]) assert.equal(codes.find(each), known.get(each) ?? -1);
    }),
    { numRuns: 20 },
  );
});

test('many numbers of a kind do not meet in one place', () => {
  const count = 50_000;
  const kinds = [(i: number) => i, (i: number) => i * 2 ** 20, (i: number) => 1 + i * 2 ** -52, (i: number) => -i / 8];
  const begin = performance.now();
  for (const kind of kinds) {
    const codes = new NumberCodes();
    for (let i = 0; i < count; i++) codes.add(kind(i));
    assert.equal(codes.size, count);
  }
  // In one chain they would take minutes.
  assert.ok(performance.now() - begin < 10_000);
});
