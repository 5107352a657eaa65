import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { simulateActors } from './index.ts';

describe('actors under random schedules', () => {
  it('lose, repeat and reorder no call, and leave nothing behind', () => {
    const total = { calls: 0, onWorkers: 0, begun: 0, deaths: 0, restarts: 0, joins: 0, ends: 0 };
    for (let seed = 1; seed <= 1200; seed++) {
      const life = simulateActors(seed);
      assert.equal(life.problem, undefined, `seed ${seed}`);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += life[name];
    }
    // What never happens is not checked.
    const text = JSON.stringify(total);
    assert.ok(total.begun > total.calls / 2 && total.onWorkers > total.calls / 4, text);
    assert.ok(total.deaths > 2000 && total.restarts > 500 && total.joins > 2000 && total.ends > 100, text);
  });
});
