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

  it('sets no limit to a method whose calls wait for each other', () => {
    const box = new Mailbox<string>({ concurrency: 1, groups: [] });
    box.unlimited('together');
    box.ready = true;
    const group = box.groupOf('together');
    for (let i = 0; i < 100; i++) {
      assert.equal(box.mayBegin(group), true);
      box.began(group);
    }
    assert.equal(box.mayBegin(0), true);
  });
});
