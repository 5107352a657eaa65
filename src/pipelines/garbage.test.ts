import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Interval } from './garbage.rules.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

it('looks for garbage as often as touching new memory would take as long, at first', () => {
  const interval = new Interval(8 * GIB);
  assert.equal(interval.bytes, 16 * MIB);
  interval.looked({ took: 10, since: 10_000, held: 0 });
  assert.equal(interval.bytes, 20 * MIB);
});

it('looks half as often while that takes much of the time, up to a part of the memory', () => {
  const interval = new Interval(GIB);
  const seen: number[] = [];
  for (let i = 0; i < 6; i++) {
    interval.looked({ took: 10, since: 100, held: 0 });
    seen.push(interval.bytes / MIB);
  }
  assert.deepEqual(seen, [32, 64, 128, 256, 256, 256]);
  const roomy = new Interval(1000 * GIB);
  for (let i = 0; i < 20; i++) roomy.looked({ took: 10, since: 0, held: 0 });
  assert.equal(roomy.bytes, 512 * MIB);
});

it('keeps its pace when looks are rare', () => {
  const interval = new Interval(8 * GIB);
  interval.looked({ took: 10, since: 100, held: 0 });
  const { bytes } = interval;
  for (let i = 0; i < 10; i++) interval.looked({ took: 10, since: 1000, held: 0 });
  assert.equal(interval.bytes, bytes);
});

it('waits for as much as is held, which a look does not make less', () => {
  const interval = new Interval(8 * GIB);
  interval.looked({ took: 1, since: 1000, held: 2 * GIB });
  assert.equal(interval.bytes, 2 * GIB);
  interval.looked({ took: 1, since: 1000, held: 0 });
  assert.equal(interval.bytes, 16 * MIB);
});
