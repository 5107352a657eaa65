import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost } from './fake-ports.fixture.ts';
import { Cell, EarlyCredits, FAILED, Intake, type Item, Outflow, READY, type TaskRecord } from './index.ts';

const address = (worker: number) => ({ node: '00000000000000aa', party: worker, incarnation: 1 });
const item = (task: TaskRecord, index: number, payload: unknown, receipt = 0): Item<unknown> => ({
  slot: task.slot,
  index,
  result: { payload, inner: [], delegate: null },
  receipt,
});

/** A stream whose task runs on worker 10. */
function running(host: FakeHost, retries = 3): { task: TaskRecord; stream: Intake; end: Cell } {
  const task = host.task({ retries });
  const stream = new Intake(16);
  task.stream = stream;
  if (task.lease === null) host.party.owner.granted(0, 1, 10, 1, []);
  host.party.owner.settleUp();
  host.begin(task);
  return { task, stream, end: task.results as Cell };
}

const taken = (stream: Intake): unknown[] => {
  const items: unknown[] = [];
  while (stream.size > 0) items.push(stream.take());
  return items;
};

describe('the window of a producer', () => {
  it('is open for as many items as its consumer has room for', () => {
    const flow = new Outflow({ skip: 0, taken: 0, ahead: 2 });
    for (let i = 0; i < 2; i++) {
      assert.equal(flow.open, true);
      flow.gave(8);
    }
    assert.equal(flow.open, false);
    flow.more(1);
    assert.equal(flow.open, true);
    flow.gave(8);
    assert.equal(flow.open, false);
    // What is late says nothing new.
    flow.more(1);
    assert.equal(flow.open, false);
    flow.more(3);
    assert.equal(flow.open, true);
  });

  it('counts bytes, and lets one item be larger than all of them', () => {
    const flow = new Outflow({ skip: 0, taken: 0, ahead: 100 }, 1000);
    flow.gave(5000);
    assert.equal(flow.open, false);
    flow.more(1);
    assert.equal(flow.open, true);
    flow.gave(600);
    assert.equal(flow.open, true);
    flow.gave(600);
    assert.equal(flow.open, false);
    flow.more(2);
    assert.equal(flow.open, true);
  });

  it('is no limit for items that the consumer has from an earlier run, and counts those not consumed', () => {
    const flow = new Outflow({ skip: 5, taken: 4, ahead: 2 });
    for (let i = 0; i < 5; i++) {
      assert.deepEqual([flow.open, flow.skips], [true, true]);
      flow.gave(0);
    }
    assert.deepEqual([flow.open, flow.skips], [true, false]);
    flow.gave(8);
    assert.equal(flow.open, false);
    flow.more(5);
    assert.equal(flow.open, true);
  });

  it('goes on beyond 2^32 items, as links count them', () => {
    const many = 2 ** 32 - 1;
    const flow = new Outflow({ skip: many, taken: many, ahead: 2 });
    flow.next = many;
    flow.gave(8);
    flow.gave(8);
    assert.equal(flow.open, false);
    flow.more(0);
    assert.equal(flow.open, true);
    const stream = new Intake(2);
    stream.received = many;
    assert.equal(stream.accept(-1), true);
    assert.equal(stream.accept(0), true);
    assert.equal(stream.accept(0), false);
    assert.equal(stream.received, 2 ** 32 + 1);
  });
});

describe('credits that overtake their call', () => {
  it('are kept for that very run', () => {
    const early = new EarlyCredits();
    early.keep(1, 7, 3, 10);
    early.keep(1, 7, 3, 12);
    early.keep(1, 8, 4, 1);
    early.keep(2, 7, 5, 2);
    assert.equal(early.claim(1, 7, 3), 12);
    assert.equal(early.claim(1, 7, 3), undefined);
    assert.equal(early.claim(1, 8, 9), undefined);
    early.callerDied(2);
    assert.equal(early.claim(2, 7, 5), undefined);
  });
});

describe('what a consumer says of its progress', () => {
  it('is said after half a window, at once for large items, and before it waits', () => {
    const stream = new Intake(4);
    const give = (value: unknown): void => {
      assert.equal(stream.accept(stream.received), true);
      stream.add(value);
    };
    assert.equal(stream.owes(true), false);
    for (let i = 0; i < 4; i++) give(i);
    stream.take();
    assert.equal(stream.owes(false), false);
    stream.take();
    assert.equal(stream.owes(false), true);
    assert.equal(stream.owes(true), false);
    stream.take();
    assert.equal(stream.owes(true), true);
    const large = new Cell();
    large.pinned = true;
    give(large);
    stream.take();
    stream.take();
    assert.equal(stream.owes(false), true);
  });

  it('is said after each item with a window of one', () => {
    const stream = new Intake(1);
    for (let i = 0; i < 3; i++) {
      stream.accept(i);
      stream.add(i);
      stream.take();
      assert.equal(stream.owes(false), true);
    }
  });
});

describe('the owner of a stream', () => {
  it('has its items before its end, and acknowledges what has to be', () => {
    const host = new FakeHost(1);
    const { task, stream, end } = running(host);
    host.party.yielded(10, task.slot, 0, 'a');
    host.party.item(address(10), item(task, 1, 'b', 7));
    assert.deepEqual(host.acknowledged, [{ worker: 10, receipt: 7 }]);
    assert.equal(stream.size, 2);
    const [first, second] = taken(stream);
    assert.equal(first, 'a');
    assert.equal((second as Cell).state, READY);
    assert.equal((second as Cell).value, 'b');
    host.party.references.drop(second as Cell);
    assert.equal(host.freed.includes(second as Cell), true);
    host.answer(task, undefined);
    assert.equal(end.state, READY);
  });

  it('tells those who listen', () => {
    const host = new FakeHost(1);
    const { task, stream } = running(host);
    let heard = 0;
    const listener = (): void => void heard++;
    stream.listeners.add(listener);
    host.party.yielded(10, task.slot, 0, 'a');
    stream.listeners.delete(listener);
    host.party.yielded(10, task.slot, 1, 'b');
    assert.equal(heard, 1);
  });

  it('takes each index once, and refuses a gap', () => {
    const host = new FakeHost(1);
    const { task, stream } = running(host);
    host.party.yielded(10, task.slot, 0, 'a');
    host.party.yielded(10, task.slot, 0, 'again');
    host.party.item(address(10), item(task, 0, 'again', 3));
    assert.deepEqual(host.acknowledged, [{ worker: 10, receipt: 3 }]);
    assert.deepEqual(taken(stream), ['a']);
    assert.throws(() => host.party.yielded(10, task.slot, 2, 'c'), /item 2 of a stream came before item 1/);
  });

  it('lets the next run skip what has come when a worker dies', () => {
    const host = new FakeHost(1);
    const { task, stream } = running(host);
    for (let i = 0; i < 3; i++) host.party.yielded(10, task.slot, i, i);
    stream.take();
    host.guilty = task.slot;
    host.party.fromControl({ type: 'died', party: 10, incarnation: 1, reason: 'it crashed' });
    assert.equal(task.attempt, 1);
    host.party.owner.granted(0, 2, 11, 1, []);
    host.party.owner.settleUp();
    assert.deepEqual(stream.start(), { skip: 3, taken: 1, ahead: 16 });
    // Nobody waits for what the first one says.
    host.party.yielded(10, task.slot, 3, 'late');
    host.party.yielded(11, task.slot, 3, 3);
    assert.deepEqual(taken(stream), [1, 2, 3]);
  });

  it('has its items when it fails in the end', () => {
    const host = new FakeHost(1);
    const { task, stream, end } = running(host, 0);
    host.party.yielded(10, task.slot, 0, 'a');
    host.guilty = task.slot;
    host.party.fromControl({ type: 'died', party: 10, incarnation: 1, reason: 'it crashed' });
    assert.equal(end.state, FAILED);
    assert.deepEqual(taken(stream), ['a']);
  });

  it('lets go of everything when it is cancelled, and of what comes later', () => {
    const host = new FakeHost(1);
    const { task, stream, end } = running(host);
    host.party.item(address(10), item(task, 0, 'a'));
    host.party.owner.cancel(task, 'enough', false);
    assert.equal(end.state, FAILED);
    assert.equal(stream.size, 0);
    assert.equal(host.freed.length, 1);
    host.party.item(address(10), item(task, 1, 'b', 9));
    host.party.yielded(10, task.slot, 2, 'c');
    assert.equal(stream.size, 0);
    assert.equal(host.freed.length, 2);
    assert.deepEqual(host.acknowledged, [{ worker: 10, receipt: 9 }]);
  });

  it('cancels the task when nobody holds the end any more', () => {
    const host = new FakeHost(1);
    const { task, stream, end } = running(host);
    host.party.item(address(10), item(task, 0, 'a'));
    host.party.references.drop(end);
    assert.equal(task.cancelled, 'nobody reads it');
    assert.equal(stream.closed, true);
    assert.equal(stream.size, 0);
  });

  it('lets go of items with the end when that has come', () => {
    const host = new FakeHost(1);
    const { task, stream, end } = running(host);
    host.party.item(address(10), item(task, 0, 'a'));
    host.answer(task, undefined);
    assert.equal(stream.size, 1);
    host.party.references.drop(end);
    assert.equal(stream.size, 0);
    assert.equal(host.freed.length, 2);
  });
});
