import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SHAPE } from './fake-ports.fixture.ts';
import { type Candidate, depthFirst, type Placement, SCHEDULER_LIMITS, Scheduler } from './index.ts';

const WISH = { owner: 'a', shape: SHAPE };

function candidate(number: number, more: Partial<Candidate> = {}): Candidate {
  return { number, waiting: 0, used: number, asking: false, ...more };
}

describe('placement, depth first', () => {
  const place = depthFirst(2);
  const full = { count: 2, canGrow: true };

  it('takes the worker whose own tasks wait for it before any idle one', () => {
    const asking = candidate(2, { waiting: 3, asking: true });
    assert.equal(place(WISH, [candidate(1), asking, candidate(3)], full), asking);
  });

  it('takes the idle worker used last, whatever the order of the candidates', () => {
    const [early, late] = [candidate(1, { used: 5 }), candidate(2, { used: 9 })];
    assert.equal(place(WISH, [early, late], full), late);
    assert.equal(place(WISH, [late, early], full), late);
  });

  it('takes the waiting worker with the least on it, once there are enough or no other can come', () => {
    const [more, less] = [candidate(1, { waiting: 3 }), candidate(2, { waiting: 1 })];
    assert.equal(place(WISH, [more, less], full), less);
    assert.equal(place(WISH, [more], { count: 1, canGrow: true }), undefined, 'one more is started');
    assert.equal(place(WISH, [more], { count: 1, canGrow: false }), more);
  });

  it('waits when there is nobody', () => {
    assert.equal(place(WISH, [], full), undefined);
  });
});

describe('a placement other than that', () => {
  function node(placement: Placement, parties = SCHEDULER_LIMITS.parties) {
    const granted: number[] = [];
    const spawned: [worker: number, incarnation: number][] = [];
    const leases: number[] = [];
    const scheduler = new Scheduler(
      {
        spawn: (worker, incarnation) => spawned.push([worker, incarnation]),
        grant: (_owner, _key, lease, worker) => {
          granted.push(worker);
          leases.push(lease);
        },
        reclaim: () => {},
        wanted: () => {},
        infeasible: () => {},
      },
      { cpus: 4, gpus: 0, memory: 0, custom: {} },
      { ...SCHEDULER_LIMITS, parties, placement },
    );
    scheduler.reserve(0);
    scheduler.reserve(1);
    const start = (): void => {
      for (let next = spawned.shift(); next !== undefined; next = spawned.shift()) scheduler.workerStarted(...next);
    };
    return { scheduler, granted, leases, start, spawned };
  }

  it('is asked with the wish and all who may have the lease, and obeyed', () => {
    const asked: number[][] = [];
    const { scheduler, granted, start } = node((wish, candidates) => {
      assert.deepEqual(wish, WISH);
      asked.push(candidates.map((each) => each.number));
      return candidates.reduce((a, b) => (a.number < b.number ? a : b));
    });
    scheduler.prestart(3, 'process');
    start();
    scheduler.demand('a', 0, SHAPE, 2);
    assert.deepEqual(granted, [2, 3], 'not the one used last, which is the last one started');
    assert.deepEqual(asked, [
      [2, 3, 4],
      [3, 4],
    ]);
  });

  it('gets a new worker when it turns those down that wait', () => {
    const { scheduler, granted, start } = node((_wish, candidates) => candidates.find((each) => each.waiting === 0));
    for (const owner of ['a', 'b', 'c', 'd', 'e']) {
      scheduler.demand(owner, 0, SHAPE, 1);
      start();
      scheduler.blocked(granted.at(-1) as number, 1, true);
    }
    assert.deepEqual(granted, [2, 3, 4, 5, 6], 'the default would have stacked the last one');
  });

  it('can lend no worker that it was not offered, and have no demand wait for one that will not come', () => {
    const forger = node(() => candidate(99));
    forger.scheduler.demand('a', 0, SHAPE, 1);
    forger.start();
    assert.deepEqual(forger.granted, [2], 'an idle worker is there, and no other one will come');

    const picky = node((_wish, candidates) => candidates.find((each) => each.waiting === 0), 4);
    picky.scheduler.demand('a', 0, SHAPE, 2);
    picky.start();
    assert.deepEqual(picky.granted.toSorted(), [2, 3], 'all the workers that there may be');
    for (const worker of picky.granted) picky.scheduler.blocked(worker, 1, true);
    picky.scheduler.demand('b', 0, SHAPE, 1);
    assert.equal(picky.granted.length, 3, 'it takes one on which everything waits');
  });
});
