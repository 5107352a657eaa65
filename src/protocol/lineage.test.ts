import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, idOf, SHAPE, settled } from './fake-ports.fixture.ts';
import { type Cell, FAILED, FREED, PENDING, READY, type TaskRecord } from './index.ts';

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

  /** The worker says that it could not begin: an argument was gone. */
  function unread(host: FakeHost, task: ReturnType<FakeHost['task']>): void {
    host.party.replied(host.addressOf(2), {
      slot: task.slot,
      micros: -1,
      failed: true,
      results: [{ payload: 'gone', inner: [], delegate: null }],
      kept: [],
      receipt: 0,
      unread: true,
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
    assert.match(put.value as string, /it was put/);

    const spent = finished(host, [], 1);
    host.party.lost(spent.results as Cell);
    host.party.owner.settleUp();
    reply(host, spent);
    host.party.lost(spent.results as Cell);
    assert.match((spent.results as Cell).value as string, /retries of the task that made it are used up/);

    const small = new FakeHost(1, { ...host.limits, lineage: 250 });
    const tasks = [finished(small, []), finished(small, []), finished(small, [])];
    assert.deepEqual(small.forgottenTasks, tasks.slice(0, 2), 'the oldest half');
    small.party.lost((tasks[0] as (typeof tasks)[0]).results as Cell);
    assert.match(((tasks[0] as (typeof tasks)[0]).results as Cell).value as string, /how it was made was forgotten/);
  });

  it('takes an argument again that has escaped, and that nobody has held since', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const middle = first.results as Cell;
    const second = finished(host, [middle]);
    const id = host.party.references.promote(middle);
    host.party.references.drop(middle);
    host.take();
    host.party.lost(second.results as Cell);
    assert.equal(middle.id, null, 'its entry at the directory may be gone: it begins anew');
    host.party.fromControl({ type: 'freed', id, observed: false });
    assert.equal(middle.state, READY, 'which says nothing of the new one');
    host.party.owner.settleUp();
    assert.equal(host.pushed.at(-1)?.task, second);
    reply(host, second);
    assert.equal(middle.state, FREED);
  });

  it('says that it holds an argument again that has escaped and has to be made again', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const middle = first.results as Cell;
    const second = finished(host, [middle]);
    host.party.references.promote(middle);
    host.party.references.drop(middle);
    host.party.lost(middle);
    host.take();
    host.party.lost(second.results as Cell);
    assert.deepEqual(host.take(), ['add 1.1 by null']);
    host.party.owner.settleUp();
    assert.equal(host.pushed.at(-1)?.task, first);
    reply(host, first);
    assert.equal(host.pushed.at(-1)?.task, second);
    reply(host, second);
    assert.equal((second.results as Cell).state, READY);
    assert.ok(host.take().includes('remove 1 by null'), 'and gives it back with the task');
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

  it('is made again when its owner hears from the directory that it is missing, once', () => {
    const host = new FakeHost(1);
    const task = finished(host, []);
    const cell = task.results as Cell;
    const id = host.party.references.promote(cell);
    host.take();
    host.party.fromControl({ type: 'missing', id });
    assert.equal(cell.state, READY, 'it is there, so that the word is late');
    host.gone.add(shared);
    host.party.fromControl({ type: 'missing', id });
    host.party.fromControl({ type: 'missing', id });
    host.party.owner.settleUp();
    assert.deepEqual([cell.state, task.retries, host.pushed.length], [PENDING, 2, 2]);
    host.gone.clear();
    reply(host, task);
    assert.ok(host.take().includes('settle'));
  });

  it('that its owner knows of no longer fails for those who want it', () => {
    const host = new FakeHost(1);
    host.party.fromControl({ type: 'missing', id: idOf(1, 5) });
    assert.equal((host.said[0] as { settled: { failed: boolean } }).settled.failed, true);
  });

  it('sends the task back to wait that found it gone, without a charge', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const middle = first.results as Cell;
    const second = host.task({ uses: [middle], retries: 0 });
    host.gone.add(shared);
    unread(host, second);
    host.gone.clear();
    assert.deepEqual([middle.state, host.pushed.at(-1)?.task], [PENDING, first]);
    reply(host, first);
    assert.equal(host.pushed.at(-1)?.task, second);
    // Late word of the same loss, from another worker: by now it is there.
    unread(host, second);
    assert.deepEqual([host.pushed.at(-1)?.task, host.pushed.length], [second, 5]);
    reply(host, second);
    assert.deepEqual([(second.results as Cell).state, second.attempt], [READY, 0]);
  });

  it('is asked for again where it is borrowed', () => {
    const host = new FakeHost(1);
    const borrowed = host.party.references.granted(idOf(2, 1), 2);
    host.party.references.need(borrowed);
    host.party.references.resolved(idOf(2, 1), settled(shared));
    host.shared.add(shared);
    host.take();
    host.party.lost(borrowed);
    host.party.references.need(borrowed);
    assert.deepEqual(host.take(), ['resolve']);
  });

  it('is found among the arguments before a task runs again in vain', () => {
    const host = new FakeHost(1);
    const first = finished(host, []);
    const second = finished(host, [first.results as Cell]);
    host.gone.add(shared);
    host.party.lost(second.results as Cell);
    host.party.owner.settleUp();
    assert.deepEqual(
      host.pushed.slice(2).map((each) => each.task),
      [first],
    );
  });

  it('leaves with the tasks under way what was lent to them inside of it', () => {
    const host = new FakeHost(1);
    const inside = host.put('inside');
    const outer = host.put(shared, [inside]);
    host.party.references.drop(inside);
    const task = host.task({ uses: [outer] });
    host.party.fromControl({ type: 'grant', key: 0, lease: 1, worker: 2, incarnation: 1, gpus: [] });
    host.party.owner.settleUp();
    host.party.lost(outer);
    assert.equal(inside.state, READY);
    host.answer(task);
    assert.equal(inside.state, FREED);
  });

  it('behind a returned reference is made again before that is followed', () => {
    const host = new FakeHost(1);
    const made = finished(host, []);
    const target = made.results as Cell;
    const id = host.party.references.promote(target);
    const router = host.task({});
    host.gone.add(shared);
    host.party.replied(host.addressOf(2), {
      slot: router.slot,
      micros: 10,
      failed: false,
      results: [{ payload: undefined, inner: [], delegate: id }],
      kept: [],
      receipt: 0,
    });
    host.party.owner.settleUp();
    assert.deepEqual([target.state, (router.results as Cell).state], [PENDING, PENDING]);
    host.gone.clear();
    reply(host, made);
    assert.equal((router.results as Cell).state, READY);
  });

  for (const [what, change, reason] of [
    ['was cancelled', (task: TaskRecord) => (task.cancelled = 'no'), /was cancelled/],
    ['may run once only', () => {}, /may run once only/],
  ] as const) {
    it(`fails when its task ${what}, and says so`, () => {
      const host = new FakeHost(1);
      const once = what.startsWith('may');
      host.shared.add(shared);
      const task = host.task(once ? { shape: { ...SHAPE, exclusive: true }, retries: 0 } : {});
      if (task.lease === null) {
        host.party.fromControl({ type: 'grant', key: 0, lease: 1, worker: 2, incarnation: 1, gpus: [] });
        host.party.owner.settleUp();
      }
      reply(host, task);
      change(task);
      if (!once) task.kept = null;
      host.party.lost(task.results as Cell);
      assert.match((task.results as Cell).value as string, reason);
    });
  }

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
