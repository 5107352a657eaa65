import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Experiment, failed, measure, median, rate } from './harness.ts';

const series = (...values: number[]) => {
  let next = 0;
  return () => values[next++ % values.length]!;
};

const experiment = (over: Partial<Experiment>): Experiment => ({
  name: 'row',
  unit: 'ms',
  better: 'less',
  ours: series(2, 4, 3),
  ...over,
});

describe('a row of a benchmark', () => {
  it('has the median of the ratios of pairs, above 1 when less is better and ours is less', async () => {
    const [row] = await measure(experiment({ peers: { other: series(4, 4, 9) } }), {}, 3);
    assert.deepEqual(row, {
      name: 'row',
      unit: 'ms',
      ours: 3,
      peer: 4,
      peerName: 'other',
      ratio: 2,
      spread: [1, 3],
      tier: 'info',
      threshold: null,
      passed: null,
    });
  });

  it('is above 1 when more is better and ours is more', async () => {
    const [row] = await measure(experiment({ better: 'more', peers: { other: series(1) } }), {}, 3);
    assert.equal(row!.ratio, 3);
  });

  it('measures ours and the peers in turn', async () => {
    const order: string[] = [];
    const note = (who: string) => () => order.push(who);
    await measure(experiment({ ours: note('ours'), peers: { a: note('a'), b: note('b') } }), {}, 2);
    assert.deepEqual(order, ['ours', 'a', 'b', 'ours', 'a', 'b']);
  });

  it('is a gate for the target and for the peers that have one, and for information beside others', async () => {
    const rows = await measure(
      experiment({
        peers: { a: series(6), b: series(6) },
        requires: { tier: 'gate', target: 2, ratios: { a: 2, ray: 5 } },
      }),
      { ray: { row: 30 } },
      3,
    );
    assert.deepEqual(
      rows.map(({ peerName, tier, passed }) => [peerName, tier, passed]),
      [
        ['target', 'gate', false],
        ['a', 'gate', true],
        ['b', 'info', null],
        ['ray', 'gate', true],
      ],
    );
  });

  it('misses its gate when it could not be measured', () => {
    const row = failed(experiment({ requires: { tier: 'gate', target: 1 } }), new Error('no such thing'));
    assert.deepEqual([row.passed, row.note], [false, 'Error: no such thing']);
  });
});

it('the median of an even number of values is between the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

it('a rate counts the operations of a body, awaited', async () => {
  let calls = 0;
  const perSecond = await rate(20, 10, async () => {
    await new Promise((done) => setTimeout(done, 5));
    calls++;
  })();
  assert.ok(calls >= 2);
  assert.ok(perSecond > 0 && perSecond <= 2100, `${perSecond}`);
});
