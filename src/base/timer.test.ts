import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { after, LONGEST_TIMER } from './timer.ts';

const HOUR = 3_600_000;

/** Runs with Node's timers replaced; gives the delays that were asked of them. */
function withTimers(run: (asked: number[]) => void): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  const asked: number[] = [];
  const { setTimeout: mocked } = globalThis;
  globalThis.setTimeout = ((then: () => void, ms: number) => {
    asked.push(ms);
    return mocked(then, ms);
  }) as typeof setTimeout;
  try {
    run(asked);
  } finally {
    globalThis.setTimeout = mocked;
    mock.timers.reset();
  }
}

test('a wait longer than a timer of Node lasts is made of several', () => {
  withTimers((asked) => {
    let fired = 0;
    after(1000 * HOUR, () => fired++);
    mock.timers.tick(LONGEST_TIMER);
    assert.equal(fired, 0);
    mock.timers.tick(1000 * HOUR - LONGEST_TIMER - 1);
    assert.equal(fired, 0);
    mock.timers.tick(1);
    assert.equal(fired, 1);
    assert.deepEqual(asked, [LONGEST_TIMER, 1000 * HOUR - LONGEST_TIMER]);
    mock.timers.tick(LONGEST_TIMER);
    assert.equal(fired, 1);
  });
});

test('a short one is one timer, and Infinity none at all', () => {
  withTimers((asked) => {
    let fired = 0;
    after(0, () => fired++);
    after(LONGEST_TIMER, () => fired++);
    after(Number.POSITIVE_INFINITY, () => fired++)();
    assert.deepEqual(asked, [0, LONGEST_TIMER]);
    mock.timers.tick(LONGEST_TIMER);
    assert.equal(fired, 2);
  });
});

test('it can be stopped, in its second piece as well', () => {
  withTimers(() => {
    let fired = 0;
    const stop = after(3 * LONGEST_TIMER, () => fired++);
    mock.timers.tick(LONGEST_TIMER + 5);
    stop();
    mock.timers.tick(LONGEST_TIMER);
    mock.timers.tick(LONGEST_TIMER);
    mock.timers.tick(LONGEST_TIMER);
    assert.equal(fired, 0);
    stop();
  });
});
