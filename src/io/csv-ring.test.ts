import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_ROOM, NONE_LEFT, Ring, type RingShape, ringBytes } from './csv-ring.ts';

const ringOf = (shape: RingShape): Ring => {
  const ring = new Ring(new Uint8Array(new SharedArrayBuffer(ringBytes(shape))), shape);
  ring.clear();
  return ring;
};

test('every piece comes to the owner once and in its order, whoever is held up', () => {
  const shape = fc.record({
    slots: fc.integer({ min: 1, max: 5 }),
    pieces: fc.integer({ min: 1, max: 30 }),
    columns: fc.integer({ min: 1, max: 70 }),
    room: fc.constant(3),
  });
  fc.assert(
    fc.property(shape, fc.array(fc.nat(11), { maxLength: 200 }), (shape, steps) => {
      const ring = ringOf(shape);
      /** What each of four threads is at; the first one is the owner. */
      const at: (number | undefined)[] = [undefined, undefined, undefined, undefined];
      const seen: number[] = [];
      const lost = new Set<number>();
      const put = (thread: number): void => {
        const piece = at[thread] as number;
        at[thread] = undefined;
        if (piece % 7 === 3) ring.leave(piece);
        else {
          ring.values(piece).set([piece, -piece]);
          ring.put(piece, 2, new Uint8Array(shape.columns).fill(piece + 1));
        }
      };
      const take = (thread: number): void => {
        const piece = ring.take();
        if (piece >= 0) at[thread] = piece;
        else assert.ok(piece === NO_ROOM || piece === NONE_LEFT);
      };
      const own = (patient: boolean): void => {
        for (const late of lost) if (ring.isDone(late)) lost.delete(late) && ring.free(late);
        const piece = seen.length;
        if (piece === shape.pieces) return;
        if (ring.isDone(piece)) {
          const found = ring.found(piece);
          if (piece % 7 === 3) assert.equal(found, undefined);
          else {
            assert.deepEqual([...(found?.values ?? [])], [piece, -piece]);
            assert.deepEqual([...(found?.kinds ?? [])], Array(shape.columns).fill(piece + 1));
          }
          ring.free(piece);
        } else if (!ring.takeDirectly(piece)) {
          if (patient) return;
          lost.add(piece);
        }
        seen.push(piece);
      };
      for (const step of steps) {
        const thread = step % 4;
        if (thread === 0) own(step !== 8);
        else if (at[thread] === undefined) take(thread);
        else put(thread);
      }
      while (seen.length < shape.pieces) own(false);
      for (const [thread, piece] of at.entries()) if (piece !== undefined) put(thread);
      assert.equal(ring.take(), NONE_LEFT);
      assert.deepEqual(
        seen,
        seen.map((_, i) => i),
      );
    }),
  );
});

test('who wants a piece is told that there is no room, or that it is over', () => {
  const ring = ringOf({ slots: 2, pieces: 9, columns: 1, room: 1 });
  assert.deepEqual([ring.take(), ring.take(), ring.take()], [0, 1, NO_ROOM]);
  ring.put(1, 0, Uint8Array.of(0));
  ring.free(1);
  assert.equal(ring.take(), NO_ROOM, 'the next one has another slot');
  ring.put(0, 0, Uint8Array.of(0));
  ring.free(0);
  assert.deepEqual([ring.take(), ring.take(), ring.take()], [2, 3, NO_ROOM]);
  assert.ok(!ring.hasBegun(1));
  ring.begin(1);
  assert.ok(ring.hasBegun(1) && !ring.hasBegun(0));
  ring.end();
  assert.equal(ring.take(), NONE_LEFT);
});
