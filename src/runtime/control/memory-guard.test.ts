import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Burden, toEnd } from './memory-guard.rules.ts';

const MiB = 1024 ** 2;
const worker = (party: number, since: number | undefined, retriable = true): Burden => ({
  party,
  bytes: 100 * MiB,
  since,
  retriable,
});
const over = { used: 500 * MiB, limit: 400 * MiB, what: 'the memory of the workers' };

test('within the limit nobody is ended', () => {
  assert.equal(toEnd([worker(2, 10)], { ...over, used: 400 * MiB }), undefined);
});

test('the run that began last is the one, if it may run again', () => {
  const workers = [worker(2, 10), worker(3, 30), worker(4, 20), worker(5, 40, false), worker(6, undefined)];
  assert.equal(toEnd(workers, over)?.party, 3);
  assert.match(
    toEnd(workers, over)!.reason,
    /^the memory of the workers was short: 500 MiB of 400 MiB .* 100 MiB of it/,
  );
});

test('one that may not run again is ended when there is no other, and none that runs nothing', () => {
  assert.equal(toEnd([worker(2, 10, false), worker(3, 20, false), worker(4, undefined)], over)?.party, 3);
  assert.equal(toEnd([worker(2, undefined)], over), undefined);
  assert.equal(toEnd([], over), undefined);
});
