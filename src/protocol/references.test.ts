import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, idOf, settled } from './fake-ports.fixture.ts';
import { type Cell, FREED, READY, Run } from './index.ts';

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
