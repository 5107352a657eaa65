import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, NODE, SHAPE, settled } from './fake-ports.fixture.ts';
import { Cell, FAILED, FREED, makeId, PENDING, READY, Run, TaskRecord, Timing } from './index.ts';

const idOf = (party: number, sequence: number): string => makeId({ node: NODE, party, incarnation: 1 }, sequence);

/** A run on `host` for `caller` that was lent these ids. */
function lend(host: FakeHost, caller: number, ids: readonly string[]): Run {
  const { references, executor } = host.party;
  const run = new Run(caller, 0, 1, false);
  executor.started(run);
  run.lent = ids.map((id) => {
    const cell = references.adopt(id);
    references.hold(cell);
    executor.own(run, cell);
    return cell;
  });
  return run;
}

describe('references', () => {
  it('that stay private cost no message', () => {
    const host = new FakeHost(1);
    const cell = host.put(7);
    host.party.references.drop(cell);
    assert.equal(cell.state, FREED);
    assert.deepEqual(host.take(), []);
    assert.deepEqual(host.freed, [cell]);
  });

  it('that escape are promoted with what is inside, inner ones first', () => {
    const host = new FakeHost(1);
    const inner = host.put(1);
    const outer = host.put([1], [inner]);
    const id = host.party.references.promote(outer);
    assert.equal(id, idOf(1, 2));
    assert.equal(inner.id, idOf(1, 1));
    assert.deepEqual(host.take(), ['promote', 'promote']);
    assert.equal(host.party.references.promote(outer), id);
    assert.deepEqual(host.take(), []);
  });

  it('that escaped are kept by their owner until the directory frees them', () => {
    const host = new FakeHost(1);
    const cell = host.put(1);
    const id = host.party.references.promote(cell);
    host.take();
    host.party.references.drop(cell);
    assert.deepEqual(host.take(), ['remove 1 by null']);
    assert.equal(cell.state, READY);
    host.party.references.freed(id, false);
    assert.equal(cell.state, FREED);
    assert.equal(host.party.references.owned.size, 0);
  });

  it('whose failure others have looked at are let go as such', () => {
    const host = new FakeHost(1);
    const cells = [true, false].map((observed) => {
      const cell = host.failed('no');
      const id = host.party.references.promote(cell);
      host.party.references.drop(cell);
      host.party.references.freed(id, observed);
      return cell;
    });
    assert.deepEqual(host.freed, cells);
    assert.deepEqual(
      cells.map((cell) => cell.observed),
      [true, false],
    );
  });

  it('say when they are given back that somebody has looked, or that nobody need', () => {
    const host = new FakeHost(1);
    for (const observed of [true, false]) {
      const cell = host.party.references.granted(idOf(2, 1), 2);
      cell.observed = observed;
      host.party.references.drop(cell);
    }
    assert.deepEqual(
      host.said.map((m) => m.type === 'remove' && m.observed),
      [true, undefined],
    );
  });

  it('that a result is delegated to hand their failure over, and share in its being ignored', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const [result, ignored] = [new Cell(), new Cell()];
    ignored.observed = true;
    const targets = [result, ignored].map((cell, i) => {
      const target = references.granted(idOf(2, i + 1), 2);
      references.delegate(cell, target);
      return target;
    });
    assert.deepEqual(
      targets.map((target) => target.observed),
      [false, true],
    );
    references.need(result);
    references.resolved(idOf(2, 1), { failed: true, payload: 'no', inner: [] });
    assert.equal(result.state, FAILED);
    assert.equal(result.observed, false);
    assert.equal(targets[0]?.observed, true);
  });

  it('that were lent and let go cost the borrower no message', () => {
    const host = new FakeHost(2);
    const run = lend(host, 1, [idOf(1, 1)]);
    assert.deepEqual(host.party.executor.finish(run, [], undefined), { kept: [], receipt: 0 });
    assert.deepEqual(host.take(), []);
    assert.equal(host.party.references.borrowed.size, 0);
  });

  it('that were lent and are kept are named in the reply, and given back to the lender’s account', () => {
    const host = new FakeHost(2);
    const run = lend(host, 1, [idOf(1, 1)]);
    const [cell] = run.lent as [Cell];
    host.party.references.hold(cell);
    assert.deepEqual(host.party.executor.finish(run, [], undefined).kept, [idOf(1, 1)]);
    host.party.references.drop(cell);
    assert.deepEqual(host.take(), ['remove 1 by 1']);
  });

  it('that a reply keeps are added before the caller lets go', () => {
    const host = new FakeHost(1);
    const arg = host.put(1);
    host.party.references.promote(arg);
    const task = host.task({ uses: [arg] });
    host.party.references.drop(arg);
    host.party.fromControl({ type: 'grant', key: 0, lease: 1, worker: 2, incarnation: 1, gpus: [] });
    host.party.owner.settleUp();
    host.take();
    host.party.replied(host.addressOf(2), {
      slot: task.slot,
      micros: 1,
      failed: false,
      results: [{ payload: 1, inner: [], delegate: null }],
      kept: [arg.id as string],
      receipt: 0,
    });
    assert.deepEqual(host.take(), ['add 2.1 by 1', 'remove 1 by null']);
  });

  // The removal of the executor came before the addition of the caller, which went another way: freed too early.
  it('inside a result are counted for the caller by the executor, before its own removal', () => {
    const host = new FakeHost(2);
    const run = lend(host, 1, []);
    const cell = host.put(1);
    host.party.executor.own(run, cell);
    assert.deepEqual(host.party.executor.finish(run, [cell], undefined), { kept: [], receipt: 0 });
    assert.deepEqual(host.take(), ['promote', 'add 1.1 by 2', 'remove 1 by null']);
  });

  it('that were granted are given back to the one that granted them', () => {
    const host = new FakeHost(1);
    const cell = host.party.references.granted(idOf(2, 1), 2);
    host.party.references.drop(cell);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
  });

  // Given back at once, the second one could overtake its own addition and cancel the first.
  it('granted twice by the same party are given back together', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const cell = references.granted(idOf(2, 1), 2);
    references.granted(idOf(2, 1), 2);
    assert.deepEqual(host.take(), []);
    references.drop(cell);
    references.drop(cell);
    assert.deepEqual(host.take(), ['remove 2 by 2']);
  });

  it('granted by a second party are given back at once', () => {
    const host = new FakeHost(1);
    host.party.references.granted(idOf(2, 1), 2);
    host.party.references.granted(idOf(2, 1), 3);
    assert.deepEqual(host.take(), ['remove 1 by 3']);
  });

  // The one that grants it may have been lent it from here, so that each would rely on the other.
  it('granted while they are lent here stay the lender’s', () => {
    const host = new FakeHost(2);
    const run = lend(host, 1, [idOf(1, 1)]);
    const cell = host.party.references.granted(idOf(1, 1), 3);
    assert.deepEqual(host.take(), ['remove 1 by 3']);
    assert.deepEqual(host.party.executor.finish(run, [], undefined).kept, [idOf(1, 1)]);
    assert.equal(cell.sponsor, 1);
  });

  // The lender's removal overtook the addition that a mere borrower had made for a third party.
  it('passed on by one that is not counted are held by it until it is', () => {
    const host = new FakeHost(2);
    const outer = lend(host, 1, [idOf(1, 1)]);
    host.party.references.keptBy(host.addressOf(3), [idOf(1, 1)]);
    assert.deepEqual(host.take(), ['add 3.1 by 2']);
    assert.deepEqual(host.party.executor.finish(outer, [], undefined).kept, [idOf(1, 1)]);
    assert.deepEqual(host.take(), ['remove 1 by 1']);
  });

  // Two runs, the second called (by way of others) from the first: its lender waits for this party itself.
  it('lent to two runs are kept by way of the first lender only', () => {
    const host = new FakeHost(2);
    const first = lend(host, 1, [idOf(1, 1)]);
    host.party.executor.suspend(first);
    const second = lend(host, 3, [idOf(1, 1)]);
    assert.deepEqual(host.party.executor.finish(second, [], undefined).kept, []);
    const [cell] = first.lent as [Cell];
    host.party.references.hold(cell);
    assert.deepEqual(host.party.executor.finish(first, [], undefined).kept, [idOf(1, 1)]);
  });

  it('lent by a party to itself are not kept by way of itself', () => {
    const host = new FakeHost(2);
    lend(host, 1, [idOf(1, 1)]);
    const inner = lend(host, 2, [idOf(1, 1)]);
    assert.deepEqual(host.party.executor.finish(inner, [], undefined).kept, []);
  });

  it('granted by a party to itself are held until the result has arrived', () => {
    const host = new FakeHost(2);
    const run = lend(host, 2, []);
    const cell = host.put(1);
    host.party.executor.own(run, cell);
    const { receipt } = host.party.executor.finish(run, [cell], undefined);
    assert.equal(receipt, 1);
    assert.equal(cell.holds, 1);
    assert.equal(host.party.references.granted(cell.id as string, 2), cell);
    host.party.executor.acknowledged(receipt);
    assert.equal(cell.holds, 1);
    assert.deepEqual(host.take(), ['promote']);
  });

  it('served inside a value are counted by the directory', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const outer = references.granted(idOf(2, 2), 2);
    references.need(outer);
    references.resolved(idOf(2, 2), settled('x', [idOf(2, 1)]));
    assert.equal(outer.state, READY);
    references.drop(outer);
    assert.deepEqual(host.take(), ['resolve', 'remove 1 by 2', 'remove 1 by null']);
    assert.equal(references.borrowed.size, 0);
  });

  it('that are served too late are given back', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const outer = references.granted(idOf(2, 2), 2);
    references.need(outer);
    references.drop(outer);
    host.take();
    references.resolved(idOf(2, 2), settled('x', [idOf(2, 1)]));
    assert.deepEqual(host.take(), ['remove 1 by null']);
    assert.equal(references.borrowed.size, 0);
  });

  it('are asked for once', () => {
    const host = new FakeHost(1);
    const cell = host.party.references.granted(idOf(2, 1), 2);
    host.party.references.need(cell);
    host.party.references.need(cell);
    assert.deepEqual(host.take(), ['resolve']);
  });

  it('whose sponsor or lender has died are counted by their holder, before it says so', () => {
    const host = new FakeHost(2);
    host.party.references.granted(idOf(1, 1), 3);
    lend(host, 4, [idOf(1, 2)]);
    host.party.fromControl({ type: 'died', party: 3, incarnation: 1, reason: 'test' });
    assert.deepEqual(host.take(), ['add 2.1 by null', 'add 2.1 by null', 'buried']);
  });
});

describe('a result that is another reference', () => {
  it('takes its value when that comes, and lets it go', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const cell = new Cell();
    const target = references.granted(idOf(2, 1), 2);
    references.delegate(cell, target);
    let told = 0;
    cell.addWaiter({ cellSettled: () => told++ });
    references.need(cell);
    assert.deepEqual(host.take(), ['resolve']);
    references.resolved(idOf(2, 1), settled('x'));
    assert.deepEqual([cell.state, cell.value, told], [READY, 'x', 1]);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
  });

  it('is asked for at once when it has escaped already, and settled for all', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const cell = new Cell();
    references.promote(cell);
    references.delegate(cell, references.granted(idOf(2, 1), 2));
    assert.deepEqual(host.take(), ['promote', 'resolve']);
    references.resolved(idOf(2, 1), settled('x'));
    assert.deepEqual(host.take(), ['settle', 'remove 1 by 2']);
  });

  it('follows chains', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const [a, b, c] = [new Cell(), new Cell(), new Cell()];
    references.hold(b);
    references.delegate(a, b);
    references.hold(c);
    references.delegate(b, c);
    references.settle(c, false, 5, false, []);
    assert.deepEqual([a.value, b.value], [5, 5]);
    for (const cell of [a, b, c]) references.drop(cell);
    assert.deepEqual([a.state, b.state, c.state, host.freed.length], [FREED, FREED, FREED, 3]);
  });

  it('that nobody wants any more lets the other go', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const cell = new Cell();
    references.delegate(cell, references.granted(idOf(2, 1), 2));
    references.drop(cell);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
  });

  it('that fails instead lets the other go', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const cell = new Cell();
    references.delegate(cell, references.granted(idOf(2, 1), 2));
    references.settle(cell, true, 'cancelled', false, []);
    assert.equal(cell.state, FAILED);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
  });
});

describe('an error with references in it', () => {
  const pixels = { bytes: 'many' };

  /** A task with two results on worker 2. */
  function tuple(host: FakeHost): TaskRecord {
    const key = host.party.owner.queue(SHAPE);
    const results = [new Cell(), new Cell()];
    const task = new TaskRecord(key, new Timing(), results, 3, 1);
    for (const cell of results) cell.task = task;
    host.party.owner.submit(task);
    host.party.owner.settleUp();
    host.party.fromControl({ type: 'grant', key: 0, lease: 1, worker: 2, incarnation: 1, gpus: [] });
    host.party.owner.settleUp();
    host.shared.add(pixels);
    host.take();
    return task;
  }

  function fails(host: FakeHost, task: TaskRecord): void {
    host.party.replied(host.addressOf(2), {
      slot: task.slot,
      micros: 1,
      failed: true,
      results: [{ payload: pixels, inner: [idOf(2, 1)], delegate: null }],
      kept: [],
      receipt: 7,
    });
  }

  // Each result took what the worker had granted once, and gave back more than there was.
  it('is granted once, and held by every result of the task', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const task = tuple(host);
    const [a, b] = task.results as [Cell, Cell];
    fails(host, task);
    for (const cell of [a, b]) {
      assert.deepEqual([cell.state, cell.value, cell.pinned], [FAILED, pixels, true]);
      assert.deepEqual(
        cell.inner.map((each) => each.id),
        [idOf(2, 1)],
      );
    }
    const [inner] = a.inner as [Cell];
    assert.equal(inner.holds, 2);
    assert.deepEqual(host.acknowledged, [{ worker: 2, receipt: 7 }]);
    references.drop(a);
    assert.equal(inner.holds, 1);
    assert.deepEqual(host.take(), []);
    references.drop(b);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
    assert.equal(references.borrowed.size, 0);
    // What was taken in, and both results.
    assert.deepEqual(
      host.freed.map((cell) => cell.pinned),
      [true, true, true],
    );
  });

  it('goes on to those that depend on it, who hold what is in it themselves', () => {
    const host = new FakeHost(1);
    const { references } = host.party;
    const task = tuple(host);
    const [a, b] = task.results as [Cell, Cell];
    const before = host.task({ uses: [a] });
    fails(host, task);
    const after = host.task({ uses: [b] });
    for (const cell of [a, b]) references.drop(cell);
    host.take();
    for (const each of [before, after]) {
      const cell = each.results as Cell;
      assert.deepEqual([cell.state, cell.value, cell.inner[0]?.id], [FAILED, pixels, idOf(2, 1)]);
    }
    references.drop(before.results as Cell);
    assert.deepEqual(host.take(), []);
    references.drop(after.results as Cell);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
  });

  it('can be looked at by who decides on a retry, and is let go by it', () => {
    const host = new FakeHost(1);
    let seen: Cell | undefined;
    host.wantsRetry = (_task, failure) => {
      seen = failure;
      assert.deepEqual([failure.state, failure.value, failure.inner[0]?.holds], [FAILED, pixels, 1]);
      return true;
    };
    const task = tuple(host);
    fails(host, task);
    assert.equal(task.attempt, 1);
    assert.deepEqual(host.freed, [seen]);
    assert.deepEqual(host.take(), ['remove 1 by 2']);
    assert.deepEqual(host.acknowledged, [{ worker: 2, receipt: 7 }]);
    assert.equal(host.party.references.borrowed.size, 0);
  });

  it('of a cancelled task is taken in and let go', () => {
    const host = new FakeHost(1);
    const task = tuple(host);
    host.begin(task);
    host.party.owner.cancel(task, 'stop', false);
    host.take();
    fails(host, task);
    assert.equal((task.results as Cell[])[0]?.value, 'stop');
    assert.deepEqual(host.take(), ['remove 1 by 2']);
    assert.deepEqual(host.acknowledged, [{ worker: 2, receipt: 7 }]);
  });
});

describe('an orphaned run', () => {
  it('grants nothing, and its payload is let go', () => {
    const host = new FakeHost(2);
    const run = lend(host, 1, []);
    const cell = host.put(1);
    host.party.executor.own(run, cell);
    host.party.fromControl({ type: 'died', party: 1, incarnation: 1, reason: 'test' });
    assert.equal(run.orphaned, true);
    assert.deepEqual(host.party.executor.finish(run, [cell], 'pins'), { kept: [], receipt: 0 });
    assert.deepEqual(host.discarded, ['pins']);
    assert.equal(cell.state, FREED);
  });
});

describe('a lost value', () => {
  const shared = { bytes: 'many' };

  function finished(host: FakeHost, uses: Cell[], retries = 3) {
    host.shared.add(shared);
    const task = host.task({ uses, retries });
    if (task.lease === null) {
      host.party.fromControl({ type: 'grant', key: 0, lease: 1, worker: 2, incarnation: 1, gpus: [] });
      host.party.owner.settleUp();
    }
    reply(host, task);
    return task;
  }

  function reply(host: FakeHost, task: ReturnType<FakeHost['task']>): void {
    host.party.replied(host.addressOf(2), {
      slot: task.slot,
      micros: 10,
      failed: false,
      results: [{ payload: shared, inner: [], delegate: null }],
      kept: [],
      receipt: 0,
    });
    host.party.owner.settleUp();
  }

  it('is made again, and charged', () => {
    const host = new FakeHost(1);
    const task = finished(host, []);
    const cell = task.results as Cell;
    host.party.lost(cell);
    host.party.owner.settleUp();
    assert.equal(cell.state, PENDING);
    assert.deepEqual([task.retries, task.attempt, host.pushed.length], [2, 1, 2]);
    reply(host, task);
    assert.deepEqual([cell.state, cell.value], [READY, shared]);
  });

  it('is made again together with the arguments that are gone', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const middle = first.results as Cell;
    const second = finished(host, [middle]);
    host.party.references.drop(middle);
    assert.equal(middle.state, FREED, 'nobody holds it, so its memory is free');
    host.party.lost(second.results as Cell);
    host.party.owner.settleUp();
    assert.deepEqual(
      host.pushed.slice(2).map((each) => each.task),
      [first],
    );
    reply(host, first);
    assert.deepEqual(
      host.pushed.slice(3).map((each) => each.task),
      [second],
    );
    reply(host, second);
    assert.equal((second.results as Cell).state, READY);
    assert.equal(middle.state, FREED);
  });

  it('fails when it was put, when retries are used up, and when its lineage was dropped', () => {
    const host = new FakeHost(1);
    const put = host.put(shared);
    host.party.lost(put);
    assert.equal(put.state, FAILED);
    assert.match(put.value as string, /a value that was put/);

    const spent = finished(host, [], 1);
    host.party.lost(spent.results as Cell);
    host.party.owner.settleUp();
    reply(host, spent);
    host.party.lost(spent.results as Cell);
    assert.match((spent.results as Cell).value as string, /retries .* used up/);

    const small = new FakeHost(1, { ...host.limits, lineage: 250 });
    const tasks = [finished(small, []), finished(small, []), finished(small, [])];
    assert.deepEqual(small.forgottenTasks, tasks.slice(0, 2), 'the oldest half');
    small.party.lost((tasks[0] as (typeof tasks)[0]).results as Cell);
    assert.match(((tasks[0] as (typeof tasks)[0]).results as Cell).value as string, /lineage was dropped/);
  });

  it('fails those that depend on what can’t be made again, with the same cause', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const middle = first.results as Cell;
    const second = finished(host, [middle]);
    host.party.references.drop(middle);
    first.retries = 0;
    host.party.lost(second.results as Cell);
    assert.equal((second.results as Cell).state, FAILED);
    assert.match((second.results as Cell).value as string, /retries/);
    assert.equal(host.party.owner.pending, 0);
  });

  it('is forgotten with the last holder of the result', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const second = finished(host, [first.results as Cell]);
    host.party.references.drop(first.results as Cell);
    assert.equal(host.party.lineage.size, 2);
    host.party.references.drop(second.results as Cell);
    assert.equal(host.party.lineage.size, 0);
    assert.deepEqual(host.forgottenTasks, [second, first]);
  });

  it('is unsettled at the directory when it has escaped', () => {
    const host = new FakeHost(1);
    const task = finished(host, []);
    host.party.references.promote(task.results as Cell);
    host.take();
    host.party.lost(task.results as Cell);
    assert.equal(host.take()[0], 'unsettle');
    host.party.owner.settleUp();
    reply(host, task);
    assert.ok(host.take().includes('settle'));
  });
});
