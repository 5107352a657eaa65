import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Starts } from './starts.rules.ts';

const fail = (starts: Starts, times: number, others: boolean, now = 0): (string | undefined)[] =>
  Array.from({ length: times }, () => starts.failed('it exited with code 1', others, now));

describe('workers that end before they are ready', () => {
  it('are followed by others at once, at first', () => {
    const starts = new Starts();
    assert.deepEqual(fail(starts, 2, false), [undefined, undefined]);
    assert.equal(starts.pause, 0);
    assert.equal(starts.refusal(0), undefined);
  });

  it('have all demands refused when there is no other worker, with the reason', () => {
    const starts = new Starts();
    const reason = fail(starts, 3, false)[2];
    assert.match(reason ?? '', /^3 workers in a row .* because it exited with code 1$/);
    assert.equal(starts.refusal(4999), reason);
  });

  // Workers that lived were not used: every demand was refused until one of those that failed had started.
  it('do not keep others from being used, and are tried ever more rarely', () => {
    const starts = new Starts();
    assert.deepEqual(fail(starts, 4, true), [undefined, undefined, undefined, undefined]);
    assert.equal(starts.refusal(0), undefined);
    assert.equal(starts.pause, 200);
    fail(starts, 100, true);
    assert.equal(starts.pause, 25_600);
    starts.succeeded();
    assert.equal(starts.pause, 0);
  });

  it('are tried once more after a while', () => {
    const starts = new Starts();
    fail(starts, 3, false);
    assert.equal(starts.refusal(5000), undefined);
    assert.equal(starts.pause, 0);
    assert.match(fail(starts, 1, false, 5000)[0] ?? '', /in a row/);
    assert.notEqual(starts.refusal(9999), undefined);
    starts.succeeded();
    assert.equal(starts.refusal(9999), undefined);
  });
});
