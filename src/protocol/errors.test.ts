import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, idOf, SHAPE } from './fake-ports.fixture.ts';
import { Cell, FAILED, TaskRecord, Timing } from './index.ts';

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
