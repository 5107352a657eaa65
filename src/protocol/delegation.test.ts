import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeHost, idOf, settled } from './fake-ports.fixture.ts';
import { Cell, FAILED, FREED, READY } from './index.ts';

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

  it('takes a failure over as it is, and hands on that nobody need look at it', () => {
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
});
