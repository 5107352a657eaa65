import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Board, type Words, wordsOf } from './chunks.rules.ts';
import { queuesOf } from './queues.rules.ts';
import { call, calledTo, isWaiting, leave, wait } from './standby.rules.ts';

const board: Board = { queues: queuesOf('CENTRALIZED', { workers: 3, groups: 1 }, 5), members: 2 };

/** Words of which each step of one party lets `others` go first. */
function wordsWith(others: () => void): Words {
  const all = new Array<number>(wordsOf(board)).fill(0);
  const at = (place: number): number => {
    others();
    assert.ok(place < all.length);
    return all[place] as number;
  };
  return {
    load: at,
    store: (place, value) => {
      at(place);
      all[place] = value;
    },
    add: (place, value) => {
      const before = at(place);
      all[place] = before + value;
      return before;
    },
    exchange: (place, expected, value) => {
      const before = at(place);
      if (before === expected) all[place] = value;
      return before;
    },
  };
}

test('a member that waits is called once, and one that has left is not', () => {
  const words = wordsWith(() => {});
  assert.equal(call(words, board, 1, [1, 2, 3, 4, 5]), false, 'it does not wait');
  wait(words, board, 1);
  assert.equal(isWaiting(words, board, 1), true);
  assert.equal(isWaiting(words, board, 2), false);
  assert.equal(calledTo(words, board, 1), undefined);
  assert.equal(call(words, board, 1, [1, 2, 3, 4, 5]), true);
  assert.equal(call(words, board, 1, [6, 7, 8, 9, 10]), false, 'it is called already');
  assert.equal(leave(words, board, 1), false);
  assert.deepEqual(calledTo(words, board, 1), [1, 2, 3, 4, 5]);
  wait(words, board, 2);
  assert.equal(leave(words, board, 2), true);
  assert.equal(call(words, board, 2, [1, 2, 3, 4, 5]), false);
});

test('whenever a member leaves while it is called, both say the same', () => {
  for (let step = 0; step < 10; step++) {
    let left: boolean | undefined;
    let steps = 0;
    const words: Words = wordsWith(() => {
      if (steps++ !== step || left !== undefined) return;
      left = true;
      left = leave(words, board, 1);
    });
    steps = -2;
    wait(words, board, 1);
    steps = 0;
    const called = call(words, board, 1, [1, 2, 3, 4, 5]);
    left ??= leave(words, board, 1);
    assert.equal(called, !left, `in step ${step}`);
  }
});
