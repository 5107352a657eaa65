import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Batches } from './batch.rules.ts';

type Step =
  | { readonly does: 'call' | 'end' | 'look' }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'withdraw'; readonly which: number };

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Step>({ does: 'call' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ does: 'end' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ does: 'look' }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('withdraw' as const), which: fc.nat(20) }) },
  ),
  { maxLength: 200 },
);

describe('batches', () => {
  test('are of the calls in their order, no more than fit, one at a time, neither early nor late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(10), steps, (max, wait, schedule) => {
        const batches = new Batches<number>(max, wait);
        const came: { call: number; at: number }[] = [];
        let now = 0;
        let calls = 0;
        let running = false;
        const look = (): void => {
          const full = came.length >= max;
          const first = came[0];
          const ripe = !running && first !== undefined && (full || now >= first.at + wait);
          const batch = batches.begin(now);
          assert.deepEqual(batch, ripe ? came.splice(0, max).map(({ call }) => call) : []);
          running ||= ripe;
        };
        for (const step of schedule) {
          if (step.does === 'call') {
            batches.add(calls, now);
            came.push({ call: calls++, at: now });
          } else if (step.does === 'end' && running) {
            batches.ended();
            running = false;
          } else if (step.does === 'wait') now += step.ms;
          else if (step.does === 'withdraw') {
            const gone = came.filter(({ call }) => call % 20 === step.which);
            assert.deepEqual(
              batches.withdraw((call) => call % 20 === step.which),
              gone.map(({ call }) => call),
            );
            for (const each of gone) came.splice(came.indexOf(each), 1);
          } else if (step.does === 'look') look();
          assert.equal(batches.waiting, came.length);
          assert.equal(batches.running, running);
          // Whoever sleeps until then misses nothing.
          const { due } = batches;
          if (running || came.length === 0) assert.equal(due, undefined);
          else assert.ok(due !== undefined && due <= (came[0]?.at ?? 0) + wait);
        }
        // In the end everybody is in a batch.
        for (let left = came.length; left > 0; left = came.length) {
          if (running) batches.ended();
          running = false;
          now = Math.max(now, batches.due as number);
          look();
          assert.ok(came.length < left);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('wait for ever for their last call where there is no limit', () => {
    const batches = new Batches<number>(2, Number.POSITIVE_INFINITY);
    batches.add(1, 0);
    assert.equal(batches.due, Number.POSITIVE_INFINITY);
    assert.deepEqual(batches.begin(1e12), []);
    batches.add(2, 5);
    assert.deepEqual(batches.begin(5), [1, 2]);
  });
});
