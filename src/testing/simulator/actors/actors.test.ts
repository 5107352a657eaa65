import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { simulateActors } from './index.ts';

describe('actors under random schedules', () => {
  it('lose, repeat and reorder no call, and leave nothing behind', () => {
    const total = { calls: 0, answered: 0, deaths: 0, restarts: 0 };
    for (let seed = 1; seed <= 2000; seed++) {
      const { problem, calls, answered, deaths, restarts } = simulateActors(seed);
      assert.equal(problem, undefined, `seed ${seed}`);
      total.calls += calls;
      total.answered += answered;
      total.deaths += deaths;
      total.restarts += restarts;
    }
    // What never happens is not checked.
    assert.ok(total.answered > total.calls / 2, JSON.stringify(total));
    assert.ok(total.deaths > 2000 && total.restarts > 500, JSON.stringify(total));
  });
});
