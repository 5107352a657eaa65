import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDED, addedBy, gainOf, type Left, membersFor } from './calling.rules.ts';

const MIB = 2 ** 20;
const left = (given: Partial<Left>): Left => ({
  ms: 5,
  bytes: 0,
  most: 1,
  waiting: 0,
  awake: false,
  added: ADDED.before,
  measured: 1,
  ...given,
});

test('what computes is divided among threads, what streams is not', () => {
  assert.equal(gainOf(2, left({ bytes: 0 })), 2);
  assert.equal(gainOf(8, left({ bytes: 24 * MIB })), 8);
  // 80 MB in 3 ms is as fast as one thread gets them.
  assert.equal(gainOf(2, left({ ms: 3, bytes: 80e6 })), 1.45);
  // The same bytes with much to do for each.
  assert.equal(gainOf(2, left({ ms: 40, bytes: 80e6 })), 2);
  const between = gainOf(2, left({ ms: 7, bytes: 80e6 }));
  assert.ok(between > 1.45 && between < 2, String(between));
});

test('others are called for two milliseconds of computing, not for two of reading', () => {
  assert.equal(membersFor(left({ ms: 2 })), 1);
  assert.equal(membersFor(left({ ms: 2, bytes: 50e6 })), 0);
  // More is worth it.
  assert.equal(membersFor(left({ ms: 4, bytes: 80e6 })), 1);
});

test('sleepers are called for more than those who are awake', () => {
  assert.equal(membersFor(left({ ms: 1 })), 0);
  assert.equal(membersFor(left({ ms: 1, awake: true })), 1);
  assert.equal(membersFor(left({ ms: 0.2, awake: true })), 0);
});

test('those who wait are called for little, the others not', () => {
  assert.equal(membersFor(left({ ms: 0.3, most: 7 })), 0);
  assert.equal(membersFor(left({ ms: 0.3, most: 7, waiting: 1 })), 1);
  assert.equal(membersFor(left({ ms: 0.05, waiting: 1 })), 0);
});

test('what threads add to streams is measured where the memory is what they wait for', () => {
  const streams = { ms: 2, bytes: 80e6, alone: 1 };
  assert.equal(addedBy(2, { ...streams, together: 2 }), ADDED.least);
  assert.equal(addedBy(2, { ...streams, together: 4 / 3 }), 0.5);
  assert.equal(addedBy(3, { ...streams, together: 1 }), ADDED.most);
  assert.equal(addedBy(2, { ...streams, together: 1, ms: 20 }), undefined);
  assert.equal(addedBy(2, { ...streams, together: 1, bytes: 1e6 }), undefined);
  // What was measured decides.
  assert.equal(membersFor(left({ ms: 2.2, bytes: 80e6 })), 0);
  assert.equal(membersFor(left({ ms: 2.2, bytes: 80e6, added: 0.8 })), 1);
});

test('nobody is called before it is known what rows cost, or when there is nobody', () => {
  assert.equal(membersFor(left({ ms: 1000, measured: 0.001 })), 0);
  assert.equal(membersFor(left({ ms: 1000, most: 0 })), 0);
});

test('more are called for more, never more than there are', () => {
  let before = 0;
  for (const ms of [0.1, 1, 2, 4, 8, 16, 32, 64, 128, 1024]) {
    const members = membersFor(left({ ms, most: 31 }));
    assert.ok(members >= before && members <= 31, `${members} for ${ms} ms`);
    before = members;
  }
  assert.equal(before, 31);
  const few = membersFor(left({ ms: 8, most: 31 }));
  assert.ok(few > 0 && few < 31, String(few));
});
