import assert from 'node:assert/strict';
import { test } from 'node:test';
import { called, mat } from './calls.fixture.ts';
import { SYSTEM } from './system.ts';

test('stop ends the script, with what it is told', () => {
  assert.equal(called(SYSTEM, 'stop', ['no more']), 'execution: system stopped: no more');
  assert.equal(called(SYSTEM, 'stop', []), 'execution: system stopped: unspecified reason');
  assert.match(called(SYSTEM, 'stop', [1]) as string, /^parser: /);
});

test('now counts nanoseconds since 1970', () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const own = BigInt(called(SYSTEM, 'now', []) as string);
  assert.ok(own >= before && own <= BigInt(Date.now() + 1) * 1_000_000n);
});

test('profiling is asked for in vain', () => {
  for (const name of ['startProfiling', 'stopProfiling']) {
    assert.equal(called(SYSTEM, name, ['region']), '');
    assert.equal(called(SYSTEM, name, []), '');
    assert.match(called(SYSTEM, name, [1]) as string, /^parser: /);
  }
});

test("what belongs to DAPHNE's Python library says so", () => {
  assert.match(called(SYSTEM, 'receiveFromNumpy', [1, 2, 3, 4]) as string, /^parser: receiveFromNumpy: .*runScript/);
  assert.match(called(SYSTEM, 'saveDaphneLibResult', [mat('f64', [[1]])]) as string, /^parser: .*runScript/);
});
