import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, SHAPE } from './fake-ports.fixture.ts';
import { type Cell, FAILED, OWNER_LIMITS, type TaskRecord, Timing } from './index.ts';

const known = (micros: number): Timing => {
  const timing = new Timing();
  timing.observe(micros);
  return timing;
};

function grant(host: FakeHost, lease: number, worker = lease + 1, key = 0): void {
  host.party.fromControl({ type: 'grant', key, lease, worker, incarnation: 1, gpus: [] });
  host.party.owner.settleUp();
}

function at(host: FakeHost, ms: number): void {
  host.party.owner.now = ms;
  host.party.owner.tick();
}

/** Workers of the pushes since the last look. */
function pushes(host: FakeHost): number[] {
  const from = host.looked;
  host.looked = host.pushed.length;
  return host.pushed.slice(from).map((each) => each.lease.worker);
}

describe('the owner', () => {
  it('asks for a lease, and pushes when it has one', () => {
    const host = new FakeHost(1);
    const task = host.task();
    assert.deepEqual(host.take(), ['demand 1']);
    grant(host, 1);
    assert.deepEqual(pushes(host), [2]);
    host.answer(task, 'x');
    assert.equal((task.results as Cell).value, 'x');
    assert.equal(host.party.owner.pending, 0);
  });

  it('gives leases with nothing to do back before it is deaf for long, and no others', () => {
    const host = new FakeHost(1);
    const timing = known(10_000);
    const tasks = Array.from({ length: 2 }, () => host.task({ timing }));
    grant(host, 1);
    grant(host, 2);
    host.answer(tasks[0] as TaskRecord, 1, 10_000);
    host.take();
    host.party.owner.returnIdle();
    assert.deepEqual(host.take(), ['return 1'], 'the other one works');
    host.answer(tasks[1] as TaskRecord);
    host.party.owner.returnIdle();
    assert.deepEqual(host.take(), ['return 2']);
    host.party.owner.returnIdle();
    assert.deepEqual(host.take(), []);
    const next = host.task();
    assert.deepEqual(host.take(), ['demand 1'], 'what comes later asks anew');
    grant(host, 3);
    host.answer(next);
  });

  it('goes on with a warm lease without a word to the scheduler', () => {
    const host = new FakeHost(1);
    const first = host.task();
    grant(host, 1);
    host.answer(first);
    host.take();
    for (let i = 0; i < 5; i++) host.answer(host.task());
    assert.deepEqual(host.take(), []);
  });

  it('waits for arguments, and fails with the first that fails', () => {
    const host = new FakeHost(1);
    const first = host.task();
    const second = host.task({ uses: [first.results as Cell] });
    grant(host, 1);
    assert.equal(host.pushed.length, 1);
    host.answer(first);
    assert.equal(host.pushed.length, 2);
    host.party.owner.cancel(second, 'stop', false);
    assert.equal((second.results as Cell).state, FAILED);
    const third = host.task({ uses: [second.results as Cell] });
    assert.equal((third.results as Cell).value, 'stop');
  });

  it('gives the tasks of a function whose cost it does not know to different workers', () => {
    const host = new FakeHost(1);
    const timing = new Timing();
    for (let i = 0; i < 3; i++) host.task({ timing });
    grant(host, 1);
    assert.deepEqual(pushes(host), [2], 'one until it is known');
    grant(host, 2);
    assert.deepEqual(pushes(host), [3]);
  });

  // The busy lease counted as no worse than the idle one, because its task had been expected to cost nothing.
  it('finds the idle lease when a busy one is expected to be done at once', () => {
    const host = new FakeHost(1);
    host.task({ timing: known(0) });
    grant(host, 1);
    grant(host, 2);
    pushes(host);
    host.task({ timing: new Timing() });
    assert.deepEqual(pushes(host), [3]);
  });

  it('stacks short tasks on one worker, and spreads longer ones', () => {
    const host = new FakeHost(1);
    const short = known(10);
    host.task({ timing: short });
    grant(host, 1);
    grant(host, 2);
    pushes(host);
    for (let i = 0; i < 4; i++) host.task({ timing: short });
    assert.deepEqual(pushes(host), [2, 2, 2, 2]);
    for (let i = 0; i < 2; i++) host.task({ timing: known(400) });
    assert.deepEqual(pushes(host), [3, 2]);
  });

  it('keeps to depth and window', () => {
    const host = new FakeHost(1, { ...OWNER_LIMITS, depth: 3 });
    for (let i = 0; i < 10; i++) host.task({ timing: known(1) });
    grant(host, 1);
    assert.equal(host.pushed.length, 3);
    const wide = new FakeHost(1);
    for (let i = 0; i < 10; i++) wide.task({ timing: known(300) });
    grant(wide, 1);
    assert.equal(wide.pushed.length, 3, 'a millisecond of work');
  });

  it('sends one exclusive task at a time', () => {
    const host = new FakeHost(1);
    for (let i = 0; i < 3; i++) host.task({ shape: { ...SHAPE, exclusive: true }, timing: known(1), retries: 0 });
    grant(host, 1);
    assert.equal(host.pushed.length, 1);
  });

  it('tells of a growing demand in doubling steps', () => {
    const host = new FakeHost(1);
    for (let i = 0; i < 100; i++) host.task({ timing: known(1000) });
    const demands = host.take();
    assert.deepEqual(demands, ['demand 1', 'demand 2', 'demand 4', 'demand 8', 'demand 16', 'demand 32', 'demand 64']);
  });

  it('takes a demand back when nothing waits any more', () => {
    const host = new FakeHost(1);
    const tasks = [1, 2, 3, 4].map(() => host.task({ timing: known(5000) }));
    host.take();
    for (const task of tasks) host.party.owner.cancel(task, 'stop', false);
    host.party.owner.settleUp();
    assert.deepEqual(host.take(), ['demand 0']);
  });

  // The cancelled one stood at the front of the queue and nobody looked behind it, although a lease was idle.
  it('is not held up by a cancelled task in the queue', () => {
    const host = new FakeHost(1);
    host.room = 0;
    const first = host.task({ timing: known(1) });
    grant(host, 1);
    host.party.owner.cancel(first, 'stop', false);
    host.room = 10;
    host.task({ timing: known(1) });
    assert.equal(host.pushed.length, 1);
  });

  it('returns an idle lease after its time', () => {
    const host = new FakeHost(1);
    const task = host.task();
    grant(host, 1);
    host.answer(task);
    host.take();
    assert.equal(host.party.owner.nextTick, 500);
    at(host, 499);
    assert.deepEqual(host.take(), []);
    at(host, 500);
    assert.deepEqual(host.take(), ['return 1']);
    assert.equal(host.party.owner.nextTick, undefined);
  });

  it('returns a wanted lease as soon as it has lain idle for a moment, and not while it has something to do', () => {
    const host = new FakeHost(1);
    const task = host.task();
    grant(host, 1);
    host.take();
    host.party.fromControl({ type: 'wanted', lease: 1 });
    at(host, 20);
    assert.deepEqual(host.take(), []);
    host.answer(task);
    assert.equal(host.party.owner.nextTick, 10);
    at(host, 29);
    assert.deepEqual(host.take(), []);
    at(host, 30);
    assert.deepEqual(host.take(), ['return 1']);
  });

  it('returns a reclaimed lease with its last answer, and asks for another', () => {
    const host = new FakeHost(1);
    const timing = known(10);
    const done = host.task({ timing });
    grant(host, 1);
    host.answer(done);
    const [first, second] = [host.task({ timing }), host.task({ timing })] as [TaskRecord, TaskRecord];
    host.begin(first);
    host.take();
    host.party.fromControl({ type: 'reclaim', lease: 1 });
    host.party.owner.settleUp();
    assert.equal(second.lease, null, 'what has not begun comes back');
    assert.deepEqual(host.take(), ['demand 2']);
    host.answer(first);
    assert.deepEqual(host.take(), ['return 1', 'demand 1']);
  });

  // Two that wanted one core called it back from each other before anything had begun, for ever.
  it('gets one thing done under every lease, even if it is reclaimed at once', () => {
    const host = new FakeHost(1);
    const task = host.task();
    grant(host, 1);
    host.take();
    host.party.fromControl({ type: 'reclaim', lease: 1 });
    host.party.owner.settleUp();
    assert.deepEqual(host.take(), []);
    host.answer(task);
    assert.deepEqual(host.take(), ['return 1']);
  });

  it('takes back from a silent worker what it has not begun, and gives it to another', () => {
    const host = new FakeHost(1);
    const timing = known(10);
    const [slow, stuck] = [host.task({ timing }), host.task({ timing })] as [TaskRecord, TaskRecord];
    grant(host, 1);
    host.begin(slow);
    host.take();
    host.party.owner.now = 4;
    host.party.owner.tick();
    assert.equal(stuck.lease?.worker, 2);
    at(host, 5);
    assert.equal(stuck.lease, null);
    assert.deepEqual(host.take(), ['demand 2']);
    grant(host, 2);
    assert.equal((stuck.lease as unknown as { worker: number }).worker, 3);
  });

  it('spreads what waits behind another task to a lease that has nothing', () => {
    const host = new FakeHost(1);
    const timing = known(200);
    for (let i = 0; i < 4; i++) host.task({ timing });
    grant(host, 1);
    assert.deepEqual(pushes(host), [2, 2, 2, 2]);
    host.party.fromControl({ type: 'grant', key: 0, lease: 2, worker: 3, incarnation: 1, gpus: [] });
    host.party.owner.settleUp();
    assert.deepEqual(pushes(host), [3, 3]);
  });

  it('waits for room on the way', () => {
    const host = new FakeHost(1);
    host.room = 1;
    const timing = known(1);
    for (let i = 0; i < 3; i++) host.task({ timing });
    grant(host, 1);
    assert.equal(host.pushed.length, 1);
    host.room = 10;
    // Another queue's answer, say, whose tasks had filled the way.
    host.party.owner.settleUp();
    assert.equal(host.pushed.length, 3);
  });

  it('fails what no worker can ever run', () => {
    const host = new FakeHost(1);
    const task = host.task();
    host.party.fromControl({ type: 'infeasible', key: 0, reason: 'cpus' });
    assert.equal((task.results as Cell).value, 'unschedulable: cpus');
  });
});

describe('the death of a worker', () => {
  function two(host: FakeHost, options: { retries: number }): [TaskRecord, TaskRecord] {
    const timing = known(10);
    const tasks = [host.task({ timing, ...options }), host.task({ timing, ...options })] as [TaskRecord, TaskRecord];
    grant(host, 1);
    return tasks;
  }
  const die = (host: FakeHost): void => {
    host.party.fromControl({ type: 'died', party: 2, incarnation: 1, reason: 'crash' });
    host.party.owner.settleUp();
  };

  it('charges the task that was on its stack, and no bystander', () => {
    const host = new FakeHost(1);
    const [guilty, suspended] = two(host, { retries: 1 });
    host.begin(guilty);
    host.begin(suspended);
    host.guilty = guilty.slot;
    die(host);
    assert.deepEqual([guilty.retries, guilty.attempt], [0, 1]);
    assert.deepEqual([suspended.retries, suspended.attempt, suspended.uncharged], [1, 0, 1]);
    grant(host, 2);
    assert.equal(host.pushed.length, 4);
  });

  it('fails the guilty one when it has no retries left', () => {
    const host = new FakeHost(1);
    const [guilty, waiting] = two(host, { retries: 0 });
    host.begin(guilty);
    host.guilty = guilty.slot;
    die(host);
    assert.equal((guilty.results as Cell).value, 'worker died: crash');
    assert.equal(waiting.uncharged, 0, 'it had not begun');
    assert.equal(host.party.owner.pending, 1);
  });

  it('charges in the end when nobody is found guilty', () => {
    const host = new FakeHost(1, { ...OWNER_LIMITS, uncharged: 2 });
    const task = host.task({ retries: 0 });
    for (let round = 0; round < 3; round++) {
      grant(host, round + 1, 2);
      host.begin(task);
      die(host);
    }
    assert.equal((task.results as Cell).value, 'worker died: crash');
  });

  it('ends a cancelled task with its cancelling', () => {
    const host = new FakeHost(1);
    const [task] = two(host, { retries: 3 });
    host.begin(task);
    host.party.owner.cancel(task, 'stop', true);
    assert.deepEqual(host.killed, [task]);
    die(host);
    assert.equal((task.results as Cell).value, 'stop');
    assert.equal(host.party.owner.pending, 1);
  });
});
