import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Spans } from './spans.rules.ts';

const PAGE = 4096;
const SIZE = 64 * PAGE;

test('room is given out once at a time, and all of it comes back', () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 * PAGE }), fc.nat(5)), { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(sizes, (requests) => {
      const spans = new Spans(PAGE, SIZE);
      const held: { offset: number; bytes: number; end: number }[] = [];
      for (const [bytes, action] of requests) {
        if (action === 0 && held.length > 0) {
          const [{ offset, bytes: own }] = held.splice(bytes % held.length, 1) as [(typeof held)[number]];
          spans.give(offset, own);
          continue;
        }
        const offset = spans.take(bytes);
        if (offset === undefined) continue;
        const end = offset + Math.max(1, Math.ceil(bytes / PAGE)) * PAGE;
        assert.ok(offset >= PAGE && end <= PAGE + SIZE && offset % PAGE === 0);
        for (const other of held) assert.ok(end <= other.offset || offset >= other.end, 'two have the same room');
        held.push({ offset, bytes, end });
        assert.equal(
          spans.used,
          held.reduce((sum, each) => sum + each.end - each.offset, 0),
        );
      }
      for (const { offset, bytes } of held) spans.give(offset, bytes);
      assert.equal(spans.used, 0);
      assert.equal(spans.take(SIZE), PAGE, 'no part of it is lost');
    }),
  );
});

test('what was used before is used again first', () => {
  const spans = new Spans(0, SIZE);
  const first = spans.take(2 * PAGE) as number;
  spans.take(PAGE);
  spans.give(first, 2 * PAGE);
  assert.equal(spans.take(PAGE), first);
});
