import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, SHAPE } from './fake-ports.fixture.ts';
import { Cell, FAILED, type KeyQueue, QUEUED, TaskRecord, Timing, WAITING } from './index.ts';

/** One party that calls one actor. */
class Caller extends FakeHost {
  readonly queue: KeyQueue;
  readonly #timing = new Timing();

  constructor() {
    super(1);
    this.queue = this.party.owner.orderedQueue({ ...SHAPE, cpus: 0, exclusive: true });
  }

  call(options: { retries?: number; uses?: Cell[] } = {}): TaskRecord {
    const cell = new Cell();
    const task = new TaskRecord(this.queue, this.#timing, cell, options.retries ?? 0, 1);
    cell.task = task;
    task.uses = options.uses ?? [];
    task.dependencies = task.uses;
    this.party.owner.submit(task);
    this.party.owner.settleUp();
    return task;
  }

  hosted(worker = 5): void {
    this.party.owner.attach(this.queue, worker, 1);
    this.party.owner.settleUp();
  }

  died(worker = 5): void {
    this.party.fromControl({ type: 'died', party: worker, incarnation: 1, reason: 'by chance' });
    this.party.owner.settleUp();
  }

  /** Calls sent since the last look. */
  sent(): TaskRecord[] {
    const from = this.looked;
    this.looked = this.pushed.length;
    return this.pushed.slice(from).map((each) => each.task);
  }
}

const outcome = (task: TaskRecord): unknown => (task.results as Cell).value;

describe('the calls of one party to an actor', () => {
  it('wait for its place, ask nobody for a lease, and go there in their order', () => {
    const host = new Caller();
    const calls = [host.call(), host.call(), host.call()];
    assert.deepEqual(host.sent(), []);
    host.hosted();
    assert.deepEqual(host.sent(), calls);
    const next = host.call();
    assert.deepEqual(host.sent(), [next]);
    assert.deepEqual(host.take(), []);
  });

  it('stand behind one whose argument is pending', () => {
    const host = new Caller();
    host.hosted();
    const argument = new Cell();
    const first = host.call({ uses: [argument] });
    const second = host.call();
    assert.equal(first.state, WAITING);
    assert.equal(second.state, QUEUED);
    assert.deepEqual(host.sent(), []);
    host.party.references.settle(argument, false, 1, false, []);
    host.party.owner.settleUp();
    assert.deepEqual(host.sent(), [first, second]);
  });

  it('go on when one before them is cancelled, or its argument fails', () => {
    const host = new Caller();
    host.hosted();
    const first = host.call({ uses: [new Cell()] });
    const bad = new Cell();
    const second = host.call({ uses: [bad] });
    const third = host.call();
    host.party.owner.cancel(first, 'cancelled', false);
    host.party.references.settle(bad, true, 'no', false, []);
    host.party.owner.settleUp();
    assert.equal(outcome(first), 'cancelled');
    assert.equal(outcome(second), 'no');
    assert.deepEqual(host.sent(), [third]);
  });

  it('go on in their order when the way was full', () => {
    const host = new Caller();
    host.room = 1;
    host.hosted();
    const calls = [host.call(), host.call(), host.call()];
    assert.deepEqual(host.sent(), [calls[0]]);
    host.room = 1000;
    host.party.owner.settleUp();
    assert.deepEqual(host.sent(), [calls[1], calls[2]]);
  });

  it('keep their order over a death: what had not begun goes on, what had fails', () => {
    const host = new Caller();
    host.hosted();
    const [first, second, third] = [host.call(), host.call(), host.call()];
    host.begin(first);
    host.sent();
    host.died();
    assert.equal(outcome(first), 'worker died: by chance');
    const later = host.call();
    assert.deepEqual(host.sent(), []);
    host.hosted(6);
    assert.deepEqual(host.sent(), [second, third, later]);
    assert.ok(host.pushed.slice(-3).every(({ lease }) => lease.worker === 6));
  });

  it('have not begun while the actor keeps them for later, and are not charged', () => {
    const host = new Caller();
    host.hosted();
    const [running, kept, overtook, inRing] = [
      host.call(),
      host.call(),
      host.call({ retries: 1 }),
      host.call({ retries: 1 }),
    ];
    host.begin(running);
    host.keep(kept);
    host.begin(overtook);
    host.sent();
    host.died();
    assert.equal(outcome(running), 'worker died: by chance');
    const later = host.call();
    host.hosted(6);
    assert.deepEqual(host.sent(), [kept, overtook, inRing, later]);
    assert.deepEqual(
      [kept, overtook, inRing].map(({ attempt, retries }) => [attempt, retries]),
      [
        [0, 0],
        [1, 0],
        [0, 1],
      ],
    );
    // Kept there as well, more often than what has begun may be resubmitted without a charge.
    for (let worker = 6; worker < 30; worker++) {
      host.keep(kept);
      host.died(worker);
      host.hosted(worker + 1);
    }
    assert.equal((kept.results as Cell).settled, false);
    host.begin(kept);
    host.died(30);
    assert.equal(outcome(kept), 'worker died: by chance');
  });

  it('fail where they were cancelled, and do not come again', () => {
    const host = new Caller();
    host.hosted();
    const [running, kept, next] = [host.call(), host.call(), host.call()];
    host.begin(running);
    host.keep(kept);
    host.keep(next);
    host.party.owner.cancel(kept, 'cancelled', false);
    host.sent();
    host.died();
    assert.equal(outcome(kept), 'cancelled');
    host.hosted(6);
    assert.deepEqual(host.sent(), [next]);
  });

  it('run again at the front, as often as they may', () => {
    const host = new Caller();
    host.hosted();
    const first = host.call({ retries: 1 });
    const second = host.call();
    host.begin(first);
    host.died();
    host.sent();
    host.hosted(6);
    assert.deepEqual(host.sent(), [first, second]);
    assert.equal(first.attempt, 1);
    host.begin(first);
    host.died(6);
    assert.equal((first.results as Cell).state, FAILED);
  });

  it('go on elsewhere in their order as soon as they hear of it, and the death changes nothing any more', () => {
    const host = new Caller();
    host.hosted();
    const calls = [host.call(), host.call()];
    host.sent();
    host.party.owner.detach(host.queue, 5, 1);
    assert.equal(host.queue.leases.length, 0);
    const later = host.call();
    assert.deepEqual(host.sent(), []);
    // Hosted, and then ready.
    host.hosted(6);
    host.hosted(6);
    assert.equal(host.queue.leases.length, 1);
    assert.deepEqual(host.sent(), [...calls, later]);
    host.died();
    assert.deepEqual(host.sent(), []);
  });

  it('fail with a dead actor; those that have begun only with the death of its worker', () => {
    const host = new Caller();
    host.hosted();
    const begun = host.call();
    host.begin(begun);
    const waiting = host.call({ uses: [new Cell()] });
    host.party.owner.failLine(host.queue, () => 'the actor died');
    assert.equal(outcome(waiting), 'the actor died');
    assert.equal((begun.results as Cell).settled, false);
    host.died();
    assert.equal(outcome(begun), 'worker died: by chance');
    assert.equal(host.party.owner.pending, 0);
    assert.deepEqual([...host.party.owner.lines], []);
  });
});
