import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedStore } from '../memory/index.ts';
import { Origins } from './origins.ts';
import { Values } from './values.ts';

const KiB = 1024;

function made() {
  const store = SharedStore.create({ limit: 1024 ** 3, parties: 2, between: 'threads' });
  let running: string | undefined;
  const origins = new Origins(store, () => running);
  const values = new Values(store, () => assert.fail('there are no references'));
  const put = () => values.keep(new Uint8Array(200 * KiB), 'value').value;
  const runs = (name: string | undefined): void => {
    running = name;
  };
  return { store, origins, values, put, runs };
}

test('an object is known by what it was made as, and by the task that has made it', () => {
  const { store, origins, values, put, runs } = made();
  origins.kept('put', put(), undefined);
  runs('inner');
  origins.kept('put', put(), undefined);
  const argument = put();
  origins.given('item', 'outer', argument);
  // A second claim is of somebody who passes it on.
  origins.given('result', 'other', argument);
  store.allocate(10 * KiB, true);
  const { origins: found } = origins.report();
  assert.deepEqual(
    found.map(({ as, task }) => [as, task]),
    [
      ['put', null],
      ['put', 'inner'],
      ['item', 'outer'],
      ['alloc', 'inner'],
    ],
  );
  values.unpin(argument);
  assert.equal(origins.report().slots.length, 3 * 3);
  store.close();
});

test('those of objects that are gone are told no more, though others have their places', () => {
  const { store, origins } = made();
  const held = Array.from({ length: 10 }, () => store.allocate(KiB));
  // Each one while the one before is there, so that slots are many.
  const burst = Array.from({ length: 2000 }, () => store.allocate(KiB));
  for (const ref of burst) store.unpin(ref);
  for (let i = 0; i < 10; i++) held.push(store.allocate(KiB));
  assert.equal(origins.report().slots.length, 20 * 3);
  store.close();
});
