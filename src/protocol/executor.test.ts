import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost } from './fake-ports.fixture.ts';
import { EXECUTOR_LIMITS, type Executor, Run } from './index.ts';

const executor = (): Executor => new FakeHost(2).party.executor;

function suspended(on: Executor, depth: number, exclusive = false, caller = 1): Run {
  const run = new Run(caller, 0, depth, exclusive);
  on.started(run);
  on.suspend(run);
  return run;
}

describe('a worker', () => {
  it('runs one task at a time', () => {
    const e = executor();
    assert.equal(e.mayStart(1, false, false), true);
    const run = new Run(1, 0, 1, false);
    e.started(run);
    assert.equal(e.mayStart(9, false, true), false);
    assert.equal(e.blocked, false);
    e.suspend(run);
    assert.equal(e.blocked, true);
    assert.equal(e.mayStart(1, false, false), true);
    e.resume(run);
    assert.equal(e.mayStart(1, false, false), false);
    e.finish(run, [], undefined);
    assert.equal(e.running, 0);
  });

  it('knows who holds its place, also when one goes on while another runs', () => {
    const e = executor();
    assert.equal(e.placed, undefined);
    const waiting = suspended(e, 1);
    assert.equal(e.placed, undefined);
    const running = new Run(1, 1, 2, false);
    e.started(running);
    assert.equal(e.placed, running);
    e.resume(waiting);
    assert.equal(e.running, 2);
    e.finish(running, [], undefined);
    assert.equal(e.placed, waiting);
    e.suspend(waiting);
    assert.equal(e.placed, undefined);
  });

  it('tells whose cores it takes when others wait here, each time that it changes and no more', () => {
    const e = executor();
    const run = new Run(1, 0, 1, false, 4);
    e.started(run);
    assert.equal(e.occupancy(false), undefined, 'nobody waits here: all count, as at the start');
    e.suspend(run);
    assert.equal(e.occupancy(false), undefined, 'another one may begin at once');
    assert.deepEqual(e.occupancy(true), { blocked: true, running: null });
    assert.equal(e.occupancy(true), undefined);
    const child = new Run(2, 0, 2, false, 7);
    e.started(child);
    assert.deepEqual(e.occupancy(false), { blocked: false, running: { caller: 2, key: 7 } });
    e.finish(child, [], undefined);
    const next = new Run(2, 1, 2, false, 7);
    e.started(next);
    assert.equal(e.occupancy(false), undefined, 'one more of the same');
    e.resume(run);
    assert.deepEqual(e.occupancy(false), { blocked: false, running: null }, 'two at once, and nobody waits');
    e.suspend(run);
    e.finish(next, [], undefined);
    const unknown = new Run(3, 0, 2, false);
    e.started(unknown);
    assert.equal(e.occupancy(false), undefined, 'of a queue that is not known: all count');
    e.finish(unknown, [], undefined);
    e.resume(run);
    e.finish(run, [], undefined);
    assert.equal(e.occupancy(true), undefined);
  });

  it('takes only deeper tasks beyond its limit of suspended ones, unless it would go to sleep', () => {
    const e = executor();
    for (let i = 0; i < EXECUTOR_LIMITS.shared; i++) suspended(e, 2);
    assert.equal(e.mayStart(2, false, false), false);
    assert.equal(e.mayStart(3, false, false), true);
    assert.equal(e.mayStart(2, false, true), true);
  });

  it('lets tasks that can’t be repeated share with no suspended one', () => {
    const e = executor();
    const run = suspended(e, 1);
    assert.equal(e.mayStart(2, true, true), false);
    e.resume(run);
    e.finish(run, [], undefined);
    suspended(e, 1, true);
    assert.equal(e.mayStart(2, false, true), false);
  });

  // The scheduler took the worker for an idle one, and what it sent never began.
  it('does not mind orphans', () => {
    const e = executor();
    const orphan = suspended(e, 1, true);
    e.callerDied(1);
    assert.equal(e.mayStart(2, false, false), true);
    assert.equal(e.mayStart(2, true, false), true);
    e.finish(orphan, [], undefined);
    suspended(e, 1, true, 3);
    assert.equal(e.mayStart(2, false, true), false);
  });

  it('counts overlapping waits of one task once', () => {
    const e = executor();
    const run = new Run(1, 0, 1, false);
    e.started(run);
    e.suspend(run);
    e.suspend(run);
    e.resume(run);
    assert.deepEqual([e.running, e.suspended], [0, 1]);
    e.resume(run);
    assert.deepEqual([e.running, e.suspended], [1, 0]);
    e.suspend(run);
    e.finish(run, [], undefined);
    assert.deepEqual([e.running, e.suspended], [0, 0]);
  });

  it('keeps a payload until it is acknowledged, or its caller is dead', () => {
    const e = executor();
    const answer = (caller: number, payload: unknown): number => {
      const run = new Run(caller, 0, 1, false);
      e.started(run);
      return e.finish(run, [], payload).receipt;
    };
    assert.equal(answer(1, undefined), 0);
    const receipt = answer(1, 'a');
    answer(3, 'b');
    assert.equal(e.acknowledged(receipt), 'a');
    assert.deepEqual(e.callerDied(3), ['b']);
    assert.equal(e.unacknowledged.size, 0);
  });
});
