import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { NODE, settled } from './fake-ports.fixture.ts';
import { addressKey, Directory, makeId } from './index.ts';

const key = (party: number): string => addressKey({ node: NODE, party, incarnation: 1 });
const at = (party: number): string => `${NODE}.${party}`;
const id = (party: number, sequence: number): string => makeId({ node: NODE, party, incarnation: 1 }, sequence);

describe('the directory', () => {
  let events: string[] = [];
  let directory: Directory<unknown>;
  const gone = new Set<unknown>();

  beforeEach(() => {
    events = [];
    directory = new Directory<unknown>(NODE, {
      resolved: (party, _id, { payload }) => events.push(`resolved ${party.slice(17)} ${payload}`),
      lost: (party, _id, reason) => events.push(`lost ${party.slice(17)}: ${reason}`),
      freed: (owner, _id, observed) => events.push(`freed ${owner.slice(17)}${observed ? ', observed' : ''}`),
      keep: (payload) => events.push(`keep ${payload}`),
      drop: (payload) => events.push(`drop ${payload}`),
      isLost: (payload) => gone.has(payload),
      missing: (owner) => events.push(`missing ${owner.slice(17)}`),
    });
  });
  const take = (): string[] => events.splice(0);

  it('keeps an entry while anybody is counted', () => {
    directory.promote(id(1, 1), settled('x'));
    directory.add(id(1, 1), key(2), at(1));
    directory.remove(id(1, 1), key(1), 1, null);
    assert.equal(directory.size, 1);
    directory.remove(id(1, 1), key(2), 1, at(1));
    assert.deepEqual(take(), ['keep x', 'drop x', 'freed 1.1']);
    assert.equal(directory.size, 0);
  });

  it('knows what is gone for good, and what may still come', () => {
    directory.promote(id(1, 2), null);
    assert.equal(directory.isGone(id(1, 2)), false);
    assert.equal(directory.isGone(id(1, 3)), false, 'it may be on its way');
    assert.equal(directory.isGone(id(1, 1)), true, 'a newer one has come');
    directory.remove(id(1, 2), key(1), 1, null);
    assert.equal(directory.isGone(id(1, 2)), true);
    directory.partyDying(key(1));
    assert.equal(directory.isGone(id(1, 3)), true, 'its owner has said all that it will ever say');
    directory.partyDied(key(1));
    assert.equal(directory.isGone(id(1, 3)), true);
    take();
  });

  it('tells the owner, once, when the value that somebody asks for is gone', () => {
    directory.promote(id(1, 1), settled('x'));
    for (const party of [2, 3]) directory.add(id(1, 1), key(party), at(1));
    gone.add('x');
    directory.resolve(id(1, 1), key(2));
    directory.resolve(id(1, 1), key(3));
    assert.deepEqual(take(), ['keep x', 'drop x', 'missing 1.1']);
    directory.unsettle(id(1, 1));
    directory.settle(id(1, 1), settled('y'));
    assert.deepEqual(take(), ['keep y', 'resolved 2.1 y', 'resolved 3.1 y']);
    gone.clear();
  });

  it('knows whether somebody needs what a party owns', () => {
    directory.promote(id(1, 1), settled('x'));
    assert.deepEqual([directory.owns(key(1)), directory.owns(key(2))], [true, false]);
    directory.remove(id(1, 1), key(1), 1, null);
    assert.equal(directory.owns(key(1)), false);
  });

  it('counts with signs, because an addition and its removal come different ways', () => {
    directory.promote(id(1, 1), null);
    directory.remove(id(1, 1), key(2), 1, at(3));
    directory.remove(id(1, 1), key(1), 1, null);
    assert.equal(directory.size, 1);
    directory.add(id(1, 1), key(2), at(3));
    assert.equal(directory.size, 0);
  });

  it('remembers what comes before the promotion, and forgets what comes after the end', () => {
    directory.add(id(1, 1), key(2), at(3));
    directory.resolve(id(1, 1), key(2));
    assert.equal(directory.strays, 2);
    directory.promote(id(1, 1), settled('x'));
    assert.equal(directory.strays, 0);
    assert.deepEqual(take(), ['keep x', 'resolved 2.1 x']);
    directory.remove(id(1, 1), key(1), 1, null);
    directory.remove(id(1, 1), key(2), 1, at(3));
    directory.add(id(1, 1), key(4), at(2));
    assert.equal(directory.size + directory.strays, 0);
  });

  it('counts those to whom it serves what is inside', () => {
    directory.promote(id(1, 1), settled('inner'));
    directory.promote(id(1, 2), settled('outer', [id(1, 1)]));
    directory.add(id(1, 2), key(2), at(1));
    directory.resolve(id(1, 2), key(2));
    directory.remove(id(1, 1), key(1), 1, null);
    directory.remove(id(1, 2), key(1), 1, null);
    directory.remove(id(1, 2), key(2), 1, at(1));
    assert.equal(directory.size, 1, 'the inner one, for party 2');
    directory.remove(id(1, 1), key(2), 1, null);
    assert.equal(directory.size, 0);
  });

  // A router's failure, which its caller had caught, was reported as one that nobody had looked at.
  it('tells the owner in the end whether anybody has asked for the value, or said that nobody need', () => {
    const held = (sequence: number): string => {
      directory.promote(id(1, sequence), { ...settled('x'), failed: true });
      directory.add(id(1, sequence), key(2), at(1));
      directory.remove(id(1, sequence), key(1), 1, null);
      take();
      return id(1, sequence);
    };
    const dropped = held(1);
    directory.remove(dropped, key(2), 1, at(1));
    assert.deepEqual(take(), ['drop x', 'freed 1.1']);
    const asked = held(2);
    directory.resolve(asked, key(2));
    directory.remove(asked, key(2), 1, at(1));
    assert.deepEqual(take(), ['resolved 2.1 x', 'drop x', 'freed 1.1, observed']);
    const ignored = held(3);
    directory.remove(ignored, key(2), 1, at(1), true);
    assert.deepEqual(take(), ['drop x', 'freed 1.1, observed']);
    // Its holder may be done with it before it is known here.
    directory.add(id(1, 4), key(2), at(1));
    directory.remove(id(1, 4), key(2), 1, at(1), true);
    directory.promote(id(1, 4), { ...settled('x'), failed: true });
    directory.remove(id(1, 4), key(1), 1, null);
    assert.deepEqual(take(), ['keep x', 'drop x', 'freed 1.1, observed']);
    assert.equal(directory.strays, 0);
  });

  it('knows the failures that nobody has asked for and whose owners have let go', () => {
    for (const sequence of [1, 2, 3, 4]) {
      directory.promote(id(1, sequence), { ...settled(`x${sequence}`), failed: sequence !== 4 });
      directory.add(id(1, sequence), key(2), at(1));
    }
    for (const sequence of [1, 2, 4]) directory.remove(id(1, sequence), key(1), 1, null);
    directory.resolve(id(1, 2), key(2));
    assert.deepEqual(directory.unobserved(key(2)), [{ id: id(1, 1), payload: 'x1', references: 0 }]);
    assert.deepEqual(directory.unobserved(key(1)), []);
  });

  it('forgets what it was told early of what a dead party owned', () => {
    directory.add(id(3, 1), key(2), at(1));
    directory.remove(id(3, 1), key(2), 1, at(1), true);
    assert.equal(directory.strays, 1);
    directory.partyDying(key(3));
    directory.partyDied(key(3));
    assert.equal(directory.strays, 0);
  });

  it('strikes out what a dead party held and what it had counted others in for', () => {
    directory.promote(id(1, 1), settled('x'));
    directory.add(id(1, 1), key(2), at(3));
    directory.add(id(1, 1), key(3), at(1));
    directory.remove(id(1, 1), key(1), 1, null);
    directory.add(id(1, 1), key(2), null);
    directory.partyDied(key(3));
    assert.deepEqual(
      directory.entries().map((entry) => entry.holders),
      [{ [key(2)]: 1 }],
    );
  });

  it('frees nothing while not everybody has heard of a death', () => {
    directory.promote(id(1, 1), settled('x'));
    directory.partyDying(key(3));
    directory.remove(id(1, 1), key(1), 1, null);
    assert.equal(directory.size, 1);
    directory.add(id(1, 1), key(2), null);
    directory.partyDied(key(3));
    assert.equal(directory.size, 1);
    directory.remove(id(1, 1), key(2), 1, null);
    assert.equal(directory.size, 0);
  });

  it('tells those who wait that the owner is dead', () => {
    directory.promote(id(1, 1), null);
    directory.add(id(1, 1), key(2), at(1));
    directory.resolve(id(1, 1), key(2));
    directory.partyDied(key(1));
    directory.resolve(id(1, 1), key(2));
    assert.deepEqual(take(), ['lost 2.1: its owner has died', 'lost 2.1: its owner has died']);
  });

  // It was on its way to a party that had not read it yet when its memory was given back.
  it('keeps a value that it has served until the receiver lets go, even when the owner is dead', () => {
    directory.promote(id(1, 1), settled('x'));
    directory.add(id(1, 1), key(2), null);
    directory.resolve(id(1, 1), key(2));
    directory.partyDied(key(1));
    assert.deepEqual(take(), ['keep x', 'resolved 2.1 x']);
    directory.resolve(id(1, 1), key(2));
    directory.remove(id(1, 1), key(2), 1, null);
    assert.deepEqual(take(), ['lost 2.1: its owner has died', 'drop x']);
  });

  it('makes those wait whose value is being made again', () => {
    directory.promote(id(1, 1), settled('x'));
    directory.unsettle(id(1, 1));
    directory.add(id(1, 1), key(2), at(1));
    directory.resolve(id(1, 1), key(2));
    assert.deepEqual(take(), ['keep x', 'drop x']);
    directory.settle(id(1, 1), settled('y'));
    assert.deepEqual(take(), ['keep y', 'resolved 2.1 y']);
  });
});
