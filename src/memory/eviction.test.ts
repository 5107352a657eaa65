import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { obstacles, oldest, type Piece } from './eviction.rules.ts';

const piece = (start: number, end: number, usedAt: number, more: Partial<Piece> = {}): Piece => ({
  start,
  end,
  usedAt,
  idle: true,
  copied: false,
  ...more,
});

test('before memory is full the longest unused leaves first, and no more than has to', () => {
  const a = piece(0, 4, 3);
  const b = piece(4, 6, 1);
  const c = piece(6, 7, 2);
  assert.deepEqual(oldest([a, b, c], 1), [b]);
  assert.deepEqual(oldest([a, b, c], 3), [b, c]);
  assert.deepEqual(oldest([a, b, c], 100), [b, c, a]);
  assert.deepEqual(oldest([a, { ...b, idle: false }, c], 1), [c]);
  assert.deepEqual(oldest([a, b, c], 0), []);
});

test('room is made where it takes what has been idle for longest', () => {
  const old = piece(0, 2, 1);
  const used = piece(2, 4, 0, { idle: false });
  const fresh = piece(4, 10, 9);
  assert.deepEqual(obstacles([old, used, fresh], 10, 100, 2), [old]);
  assert.deepEqual(obstacles([old, used, fresh], 10, 100, 3), [fresh], 'only there are three adjacent ones');
  assert.equal(obstacles([old, used, fresh], 10, 100, 7), undefined);
  assert.deepEqual(obstacles([old], 10, 100, 8), [], 'what is free need not be made free');
  assert.equal(obstacles([], 10, 5, 6), undefined, 'nothing lies in two regions');
});

test('of places that are as good, one where less has to be written', () => {
  const dirty = piece(0, 2, 1);
  const clean = piece(2, 4, 1, { copied: true });
  assert.deepEqual(obstacles([dirty, clean], 4, 100, 2), [clean]);
});

/** Objects with gaps between them, none across a border of regions. */
const REGION = 16;
const layouts = fc
  .array(fc.record({ gap: fc.nat(3), length: fc.integer({ min: 1, max: 6 }), usedAt: fc.nat(12), kind: fc.nat(5) }), {
    maxLength: 14,
  })
  .map((list) => {
    const pieces: Piece[] = [];
    let at = 0;
    for (const { gap, length, usedAt, kind } of list) {
      at += gap;
      if (Math.floor(at / REGION) !== Math.floor((at + length - 1) / REGION)) at = Math.ceil(at / REGION) * REGION;
      pieces.push(piece(at, at + length, usedAt, { idle: kind !== 0, copied: kind === 1 || kind === 2 }));
      at += length;
    }
    return { pieces, pages: at + (list.length % 3) };
  });

test('the place that is found is as good as any, found one by one', () => {
  fc.assert(
    fc.property(layouts, fc.integer({ min: 1, max: REGION }), fc.nat(), ({ pieces, pages }, needed, seed) => {
      const shuffled = [...pieces].sort((a, b) => ((a.start * 7 + seed) % 11) - ((b.start * 7 + seed) % 11));
      const found = obstacles(shuffled, pages, REGION, needed);
      const cost = (chosen: readonly Piece[]): [number, number] => [
        Math.max(-1, ...chosen.map((each) => each.usedAt)),
        chosen.reduce((sum, each) => sum + (each.copied ? 0 : each.end - each.start), 0),
      ];
      let best: [number, number] | undefined;
      for (let from = 0; from + needed <= pages; from++) {
        if (Math.floor(from / REGION) !== Math.floor((from + needed - 1) / REGION)) continue;
        const inside = pieces.filter((each) => each.start < from + needed && each.end > from);
        if (inside.some((each) => !each.idle)) continue;
        const [newest, written] = cost(inside);
        if (best === undefined || newest < best[0] || (newest === best[0] && written < best[1]))
          best = [newest, written];
      }
      assert.deepEqual(found === undefined ? undefined : cost(found), best);
      if (found === undefined) return;
      // With those gone there is room, in one piece.
      const left = pieces.filter((each) => !found.includes(each));
      assert.deepEqual(obstacles(left, pages, REGION, needed), []);
    }),
    { numRuns: 2000 },
  );
});

test('what leaves before memory is full is idle, is enough if there is enough, and none of it for nothing', () => {
  fc.assert(
    fc.property(layouts, fc.nat(40), ({ pieces }, pages) => {
      const chosen = oldest(pieces, pages);
      const size = (list: readonly Piece[]) => list.reduce((sum, each) => sum + each.end - each.start, 0);
      const idle = pieces.filter((each) => each.idle);
      assert.ok(chosen.every((each) => each.idle));
      assert.ok(size(chosen) >= Math.min(pages, size(idle)));
      if (chosen.length > 0) assert.ok(size(chosen.slice(0, -1)) < pages);
      const newest = Math.max(-1, ...chosen.map((each) => each.usedAt));
      for (const each of idle) if (!chosen.includes(each)) assert.ok(each.usedAt >= newest);
    }),
    { numRuns: 1000 },
  );
});
