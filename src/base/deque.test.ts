import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Deque } from './deque.ts';

function contents<T>(deque: Deque<T>): T[] {
  const items: T[] = [];
  deque.forEach((item) => {
    items.push(item);
  });
  return items;
}

describe('a queue', () => {
  test('does what an array does (model)', () => {
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ op: fc.constant('push' as const), n: fc.nat(60) }) },
      { weight: 4, arbitrary: fc.record({ op: fc.constant('shift' as const), n: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('unshift' as const), n: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), n: fc.integer({ min: 2, max: 5 }) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const deque = new Deque<number>();
        const model: number[] = [];
        let next = 0;
        for (const { op, n } of operations) {
          if (op === 'remove') {
            const dropped = deque.remove((item) => item % n === 0);
            assert.deepEqual(
              dropped,
              model.filter((item) => item % n === 0),
            );
            model.splice(0, model.length, ...model.filter((item) => item % n !== 0));
          } else {
            for (let i = 0; i < n; i++) {
              if (op === 'push') model.push(next);
              if (op === 'unshift') model.unshift(next);
              if (op === 'push') deque.push(next++);
              else if (op === 'unshift') deque.unshift(next++);
              else assert.equal(deque.shift(), model.shift());
            }
          }
          assert.equal(deque.size, model.length);
          assert.equal(deque.peek(), model[0]);
          assert.deepEqual(contents(deque), model);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes a million items and goes on as if nothing had been', () => {
    const deque = new Deque<number>();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1_000_000; i++) deque.push(i);
      let wrong = 0;
      for (let i = 0; i < 1_000_000; i++) if (deque.shift() !== i) wrong++;
      assert.equal(wrong, 0);
      assert.equal(deque.shift(), undefined);
      assert.equal(deque.peek(), undefined);
    }
    deque.unshift(2);
    deque.unshift(1);
    deque.push(3);
    assert.deepEqual(contents(deque), [1, 2, 3]);
  });
});
