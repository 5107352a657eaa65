import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

test('a thread is not ended while it is inside, and does not enter once it is being ended', () => {
  const host = Gate.inside();
  const thread = new Gate(host.buffer);
  assert.equal(host.end(), false, 'it is starting');
  thread.leave();
  assert.equal(thread.enter(), true);
  assert.equal(host.end(), false);
  thread.leave();
  assert.equal(host.end(), true);
  assert.equal(thread.enter(), false);
  assert.equal(host.end(), true, 'being told twice changes nothing');
});
