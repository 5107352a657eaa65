import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { simulate } from './index.ts';

/** More of them: `npm run simulate -- --seeds 100000`. One of them, with its log: `-- --seed S --trace`. */
const SEEDS = 2000;

describe('the protocol under random programs, schedules and crashes', () => {
  it(`keeps its promises for ${SEEDS} seeds`, () => {
    let deaths = 0;
    let tasks = 0;
    let standstills = 0;
    let retired = 0;
    let earlyCredits = 0;
    const lost = { unread: 0, missing: 0, remade: 0 };
    const counts = {
      cancelledEarly: 0,
      cancelledRunning: 0,
      bystanders: 0,
      charged: 0,
      items: 0,
      skippedItems: 0,
    };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = simulate(seed);
      assert.equal(result.problem, undefined, `seed ${seed}: ${result.problem}`);
      deaths += result.deaths;
      tasks += result.tasks;
      standstills += result.standstills;
      retired += result.retired;
      earlyCredits += result.counts.earlyCredits;
      for (const name of Object.keys(lost) as (keyof typeof lost)[]) lost[name] += result.counts[name];
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += result.counts[name];
    }
    // The injected failures do happen, and there is something for them to hit.
    for (const [what, count] of Object.entries(counts)) assert.ok(count > SEEDS / 100, `${what}: ${count}`);
    assert.ok(deaths > SEEDS / 4, `${deaths} workers died`);
    assert.ok(tasks > SEEDS * 5, `${tasks} tasks ran`);
    assert.ok(standstills > 0 && retired > 0, `${standstills} demands refused, ${retired} workers retired`);
    for (const [what, count] of Object.entries(lost)) assert.ok(count > 0, `no loss was ${what}`);
    assert.ok(earlyCredits > 0, 'no word of consumption came before its run');
  });

  it('does the same for the same seed', () => {
    const log = (seed: number): string[] => {
      const lines: string[] = [];
      simulate(seed, (line) => lines.push(line));
      return lines;
    };
    assert.deepEqual(log(17), log(17));
    assert.notDeepEqual(log(17), log(18));
  });
});
