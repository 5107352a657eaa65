import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Mailbox } from './mailbox.ts';

describe('the mailbox of an actor', () => {
  it('lets nothing begin before the actor is made', () => {
    const box = new Mailbox<string>({ concurrency: 2, groups: [] });
    assert.equal(box.mayBegin(0), false);
    box.ready = true;
    assert.equal(box.mayBegin(0), true);
  });

  it('lets as many calls go on as its concurrency says', () => {
    const box = new Mailbox<string>({ concurrency: 2, groups: [] });
    box.ready = true;
    box.began(0);
    assert.equal(box.mayBegin(0), true);
    box.began(0);
    assert.equal(box.mayBegin(0), false);
    box.ended(0);
    assert.equal(box.mayBegin(0), true);
    assert.equal(box.quiet, false);
    box.ended(0);
    assert.equal(box.quiet, true);
  });

  it('counts each group by itself, and leaves calls in their rings where there is only one', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [{ methods: ['read', 'list'], concurrency: 2 }] });
    box.ready = true;
    assert.equal(box.keeps, true);
    const read = box.groupOf('read');
    assert.equal(box.groupOf('list'), read);
    const rest = box.groupOf('write');
    assert.notEqual(rest, read);
    box.began(rest);
    assert.equal(box.mayBegin(rest), false);
    assert.equal(box.mayBegin(read), true);
    box.began(read);
    box.began(read);
    assert.equal(box.mayBegin(read), false);
    box.ended(rest);
    assert.equal(box.mayBegin(rest), true);
    const plain = new Mailbox<string>({ concurrency: 1, groups: [] });
    plain.ready = true;
    assert.equal(plain.keeps, false);
  });

  it('holds those behind a kept call up, of its group only, and gives them out in order', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [{ methods: ['slow'], concurrency: 1 }] });
    box.ready = true;
    const slow = box.groupOf('slow');
    box.began(slow);
    box.keep(slow, 'a');
    box.keep(slow, 'b');
    assert.equal(box.next(), undefined);
    assert.equal(box.mayBegin(0), true);
    box.ended(slow);
    assert.equal(box.mayBegin(slow), false, 'those that were kept go first');
    assert.equal(box.next(), 'a');
    box.began(slow);
    assert.equal(box.next(), undefined);
    box.ended(slow);
    assert.equal(box.next(), 'b');
    assert.equal(box.quiet, true);
  });

  it('lets those go that are not to begin any more, and keeps the order of the others', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [{ methods: ['slow'], concurrency: 1 }] });
    box.ready = true;
    for (const call of ['a', 'b', 'c']) box.keep(1, call);
    box.keep(0, 'd');
    assert.deepEqual(
      box.remove((call) => call === 'b' || call === 'd'),
      ['d', 'b'],
    );
    assert.equal(box.next(), 'a');
    assert.equal(box.next(), 'c');
    assert.equal(box.next(), undefined);
    assert.equal(box.quiet, true);
  });

  it('has a method whose calls are handled together take one place for them all, in its turn', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [] });
    assert.equal(box.gathers('together', 2), 0);
    box.ready = true;
    const group = box.groupOf('together');
    for (let i = 0; i < 2; i++) {
      assert.equal(box.mayBegin(group), true);
      box.began(group);
    }
    assert.equal(box.mayBegin(group), false);
    // None of them has taken a place of the others.
    box.began(0);
    box.keep(0, 'batch');
    box.keep(0, 'call');
    assert.equal(box.next(), undefined);
    box.ended(0);
    assert.equal(box.next(), 'batch');
    box.began(0);
    assert.equal(box.next(), undefined);
    box.ended(group);
    box.ended(group);
    assert.equal(box.quiet, false);
    box.ended(0);
    assert.equal(box.next(), 'call');
    assert.equal(box.quiet, true);
  });

  it('takes the places of the group that such a method is in', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [{ methods: ['together'], concurrency: 3 }] });
    assert.equal(box.gathers('together', 8), 1);
    assert.equal(box.groupOf('together'), 2);
  });

  it('keeps calls that may not begin yet where those of other actors may stand behind them', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [] });
    assert.equal(box.keeps, false);
    box.shares = true;
    assert.equal(box.keeps, true);
    box.keep(0, 'call');
    assert.equal(box.next(), undefined);
    box.ready = true;
    assert.equal(box.next(), 'call');
  });
});
