import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorEndings, type Disposable } from './actor-endings.ts';

const on = (id: string, worker: number, ...heldOn: number[]): Disposable => ({ id, worker, incarnation: 1, heldOn });

function ending(...actors: Disposable[]): { endings: ActorEndings; take: () => string } {
  const ended: string[] = [];
  const endings = new ActorEndings(actors, ({ id }) => void ended.push(id));
  return { endings, take: () => ended.splice(0).join(' ') };
}

describe('the end of the actors of a session', () => {
  it('is at once that of those whom no other one holds', () => {
    const { endings, take } = ending(on('a', 2, 1), on('b', 3, 1, 3));
    assert.equal(take(), 'a b');
    assert.equal(endings.over, false);
    endings.ended('b');
    endings.ended('b');
    endings.ended('a');
    assert.equal(endings.over, true);
    assert.equal(take(), '');
  });

  it('is that of those who are held after that of their holders', () => {
    const { endings, take } = ending(on('log', 2, 1, 3, 4), on('store', 3, 4), on('front', 4, 1));
    assert.equal(take(), 'front');
    endings.ended('front');
    assert.equal(take(), 'store');
    endings.ended('store');
    assert.equal(take(), 'log');
  });

  it('goes on when the worker of a holder dies', () => {
    const { endings, take } = ending(on('held', 2, 3), on('holder', 3));
    assert.equal(take(), 'holder');
    endings.workerDied(3, 2);
    assert.equal(take(), '');
    endings.workerDied(3, 1);
    assert.equal(take(), 'held');
    endings.workerDied(2, 1);
    assert.equal(endings.over, true);
  });

  it('waits for nobody where they hold each other', () => {
    const { endings, take } = ending(on('a', 2, 3), on('b', 3, 2), on('c', 4));
    assert.equal(take(), 'c');
    endings.ended('c');
    assert.equal(take(), 'a b');
  });

  it('is at the same time for those that share a worker, whoever holds whom', () => {
    const { take } = ending(on('a', 2, 2), on('b', 2, 2));
    assert.equal(take(), 'a b');
  });

  it('is over where there is none', () => {
    assert.equal(ending().endings.over, true);
  });
});
