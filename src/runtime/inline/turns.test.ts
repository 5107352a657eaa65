import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyQueue, type Owner, QUEUED, type Shape, type TaskRecord, Timing } from '../../protocol/index.ts';
import { Turns } from './turns.rules.ts';

const shape = (cpus: number, more: Partial<Shape> = {}): Shape => ({
  cpus,
  gpus: 0,
  memory: 0,
  custom: {},
  isolation: 'process',
  exclusive: false,
  ...more,
});

/** Queues of calls that are numbers: when they were made. */
function queues(...each: [Shape, ...number[]][]): KeyQueue[] {
  return each.map(([of, ...calls], id) => {
    const key = new KeyQueue({} as Owner, id, of);
    const timing = new Timing();
    for (const at of calls) key.waiting.push({ state: QUEUED, timing, at } as unknown as TaskRecord);
    return key;
  });
}

const order = (key: KeyQueue): number => (key.waiting.peek() as unknown as { at: number }).at;

/** Starts what may start; gives when each was made, and its lease. */
function start(turns: Turns, keys: readonly KeyQueue[]): [number, number][] {
  const started: [number, number][] = [];
  for (let turn = turns.next(keys, order); turn !== undefined; turn = turns.next(keys, order)) {
    started.push([order(turn.key), turn.lease]);
    turn.key.waiting.shift();
  }
  return started;
}

const made = (started: readonly [number, number][]): number[] => started.map(([at]) => at);

test('calls of several shapes start in the order in which they were made', () => {
  const turns = new Turns({ cpus: 10, gpus: 0, memory: 0, custom: {} });
  assert.deepEqual(
    made(start(turns, queues([shape(1), 1, 4, 5], [shape(2), 2], [shape(0), 3, 6]))),
    [1, 2, 3, 4, 5, 6],
  );
});

test('one that asks for more than is free lets others go first, and has its turn when it is', () => {
  const turns = new Turns({ cpus: 2, gpus: 0, memory: 100, custom: {} });
  const keys = queues([shape(1), 1, 3, 4], [shape(2), 2]);
  const first = start(turns, keys);
  assert.deepEqual(made(first), [1, 3]);
  for (const [, lease] of first) turns.returned(lease);
  assert.deepEqual(made(start(turns, keys)), [2]);
  assert.match(turns.why(keys[0]!), /^1 cpus wanted, 0 of 2 free$/);
});

test('one that waits frees its cores and nothing else, and takes them again without asking', () => {
  const turns = new Turns({ cpus: 1, gpus: 1, memory: 0, custom: { license: 1 } });
  const keys = queues([shape(1, { gpus: 1, custom: { license: 1 } }), 1], [shape(1), 2], [shape(0, { gpus: 0.5 }), 3]);
  const [[, lease]] = start(turns, keys) as [[number, number]];
  turns.suspended(lease);
  turns.suspended(lease);
  const next = start(turns, keys);
  assert.deepEqual(made(next), [2]);
  turns.resumed(lease);
  assert.equal(turns.free.cpus, -1);
  turns.returned(lease);
  turns.returned(lease);
  assert.deepEqual(made(start(turns, keys)), [3]);
  turns.returned(next[0]![1]);
  assert.deepEqual(turns.free, { cpus: 1, gpus: 0.5, memory: 0 });
});

test('what nobody could ever have is said by name', () => {
  const turns = new Turns({ cpus: 1, gpus: 0, memory: 10, custom: {} });
  assert.equal(turns.impossible(shape(1)), undefined);
  assert.equal(
    turns.impossible(shape(2, { custom: { license: 1 } })),
    'cpus: 2 wanted, 1 here; license: 1 wanted, 0 here',
  );
});
