import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeActors, NodeObjects, NodeTasks } from '../../src/runtime/control/observer.ts';
import type { NodeReport } from '../../src/runtime/explain.ts';
import { notBuilt, Place, type Running } from './support.ts';

const options = { skip: notBuilt, timeout: 240_000 };
const MiB = 1024 ** 2;

/** The first session's answer to `command`, as soon as there is one for which `good` holds. */
async function answer<T>(place: Place, command: readonly string[], good: (node: T) => void): Promise<T> {
  for (let left = 60; ; left--) {
    const { out, code, err } = place.sheaf([...command, '--json']);
    assert.equal(code, 0, err);
    const node = (JSON.parse(out) as { sessions: T[] }).sessions[0];
    try {
      assert.ok(node !== undefined, 'no session was found');
      good(node);
      return node;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(200);
    }
  }
}

async function started(place: Place, text: string): Promise<Running> {
  place.file('program.ts', text);
  const running = place.start(['run', 'program.ts']);
  await running.shows(/ready/);
  return running;
}

const TASKS = `import { connect, get, task } from 'sheaf';
const busy = task((ms: number): number => { const end = Date.now() + ms; while (Date.now() < end); return ms; });
const idle = task(async (ms: number): Promise<number> => { await new Promise((done) => setTimeout(done, ms)); return ms; });
const after = task((a: number): number => a);
const parent = task(async (): Promise<number> => await idle(600_000).value);
await using session = await connect({ cpus: 2, name: 'the tested one' });
const nested = parent();
await new Promise((done) => setTimeout(done, 500));
const many = Array.from({ length: 300 }, () => busy(600_000));
const last = after(many[0]!);
console.log('ready');
await Promise.all([get(many), last.value, nested.value]);
`;

test('tasks shows where each task is, for how long, and what it waits for', options, async () => {
  using place = new Place();
  await using running = await started(place, TASKS);
  const node = await answer<NodeTasks>(place, ['tasks', '--limit', '400'], ({ tasks }) => {
    assert.ok(tasks.some(({ name, state }) => name === 'busy' && state === 'running'));
    assert.ok(tasks.some(({ name, state }) => name === 'parent' && state === 'suspended'));
  });
  assert.equal(node.name, 'the tested one');
  assert.equal(node.pid, running.process.pid);
  // Those of the program, and the one that `parent` has called, if its worker has time to say.
  assert.ok(node.pending >= 302, `${node.pending} are pending`);
  const of = (name: string) => node.tasks.filter((task) => task.name === name);

  const runs = of('busy').find(({ state }) => state === 'running');
  assert.ok(runs !== undefined && runs.worker! >= 2 && runs.runsMs! >= 0 && runs.ageMs! >= runs.runsMs!);
  assert.match(runs.site!, /^program\.ts:9:\d+$/);
  assert.equal(runs.caller, 1);
  assert.match(of('busy').find(({ state }) => state === 'queued')!.waitsFor, /^a worker with 1 cpu/);
  const [last] = of('after');
  assert.equal(last?.state, 'waiting');
  assert.equal(last.waitsFor, 'busy');
  const [parent] = of('parent');
  assert.ok(parent !== undefined && parent.worker! >= 2);
  assert.ok(new Set(node.tasks.map(({ id }) => id)).size === node.tasks.length, 'no id comes twice');

  const text = place.sheaf(['tasks', '--limit', '5']).out;
  assert.match(text, /the tested one {2}pid \d+/);
  assert.match(text, /busy +running +1 +\d+ +[\d.]+ m?s +[\d.]+ m?s +the program +at program\.ts:9:/);
  assert.match(text, /and 29\d more: --limit shows them/);
});

test('tasks says who did not answer, and shows what others know', options, async () => {
  using place = new Place();
  await using _running = await started(
    place,
    `import { connect, task } from 'sheaf';
     const idle = task(async (ms: number): Promise<number> => { await new Promise((done) => setTimeout(done, ms)); return ms; });
     await using session = await connect({ cpus: 1 });
     // Its worker is there, so that the next call goes to it before the program begins to loop.
     await idle(1).value;
     setTimeout(() => { console.log('ready'); for (;;); }, 500);
     await idle(600_000).value;
    `,
  );
  const node = await answer<NodeTasks>(place, ['tasks'], ({ tasks }) => assert.equal(tasks.length, 1));
  assert.deepEqual(node.silent, [1]);
  const { name, state, caller, ageMs, runsMs } = node.tasks[0]!;
  assert.deepEqual({ name, state, caller, ageMs }, { name: 'idle', state: 'running', caller: 1, ageMs: null });
  assert.ok(runsMs! > 0);
  assert.match(place.sheaf(['tasks']).out, /the program did not answer: what only they know is left out/);
});

const OBJECTS = `import { alloc, connect, put, task } from 'sheaf';
const make = task((n: number) => new Float64Array(n));
const inside = task(async () => { const mine = put(new Uint8Array(3 * ${MiB})); console.log('ready'); await new Promise((done) => setTimeout(done, 60_000)); return mine; });
const hold = task(async (x: Float64Array) => { await new Promise((done) => setTimeout(done, 60_000)); return x[0]; });
await using session = await connect({ cpus: 2, memory: '256MiB' });
const kept = [];
for (let i = 0; i < 20; i++) kept.push(make(${MiB} / 8));
await Promise.all(kept.map((ref) => ref.value.then(() => {})));
const given = put(new Uint8Array(2 * ${MiB}));
const room = alloc(Float64Array, ${MiB});
const held = hold(new Float64Array(${MiB} / 2));
const deep = inside();
await Promise.all([held.value, deep.value]);
console.log(kept.length, given.id, room.length);
`;

test('objects shows what is in shared memory, who holds it, and the line that has made it', options, async () => {
  using place = new Place();
  await using _running = await started(place, OBJECTS);
  const node = await answer<NodeObjects>(place, ['objects'], ({ objects, silent }) => {
    assert.deepEqual(silent, []);
    assert.equal(objects.length, 24);
  });
  assert.equal(node.bytes, (20 + 2 + 8 + 4 + 3) * MiB);
  const by = (as: string) => node.objects.filter(({ origin }) => origin?.as === as);
  assert.deepEqual(
    by('put').map(({ bytes, holders, origin }) => [bytes, holders, origin?.task, origin?.site?.replace(/:\d+$/, '')]),
    [
      [3 * MiB, by('put')[0]?.holders, 'inside', 'program.ts:3'],
      [2 * MiB, [1], null, 'program.ts:9'],
    ],
  );
  assert.ok(by('put')[0]!.holders[0]! >= 2, 'a worker holds what it has put');
  assert.deepEqual(
    by('alloc').map(({ bytes, users, origin }) => [bytes, users, origin?.site?.replace(/:\d+$/, '')]),
    [[8 * MiB, [1], 'program.ts:10']],
  );
  const [argument] = by('argument');
  assert.equal(argument?.origin?.task, 'hold');
  assert.match(argument.origin.site!, /^program\.ts:11:/);
  // Where it runs its bytes are in use.
  assert.ok(argument.users.some((party) => party >= 2));
  const results = by('result');
  assert.equal(results.length, 20);
  for (const { bytes, origin, where, ageMs } of results) {
    assert.equal(bytes, MiB);
    assert.equal(where, 'memory');
    assert.ok(ageMs >= 0 && ageMs < 600_000);
    assert.equal(origin?.task, 'make');
    assert.match(origin.site!, /^program\.ts:7:/);
  }

  const [first] = node.callSites;
  assert.deepEqual([first?.origin?.task, first?.objects, first?.bytes], ['make', 20, 20 * MiB]);
  const text = place.sheaf(['objects', '--by', 'callsite'], { NO_COLOR: '1' }).out;
  assert.match(text, /37 MiB in 24 objects/);
  assert.match(text, /20 MiB +20 +0 B +[\d.]+ m?s +result of make at (about )?program\.ts:7:/);
  assert.match(text, /3 MiB +1 .*put in the task inside at program\.ts:3:/);
  const rows = place.sheaf(['objects', '--limit', '1'], { NO_COLOR: '1' }).out;
  assert.match(rows, /8 MiB +memory|8 MiB +open/);
  assert.match(rows, /the program \(in use\) +alloc at program\.ts:10:/);
  assert.match(rows, /and 23 more: --limit shows them/);
});

test('objects says what is on disk', options, async () => {
  using place = new Place();
  await using _running = await started(
    place,
    `import { connect, put } from 'sheaf';
     await using session = await connect({ cpus: 1, memory: '16MiB', spill: ${JSON.stringify(place.folder)} });
     const refs = Array.from({ length: 24 }, (_, i) => put(new Uint8Array(${MiB}).fill(i)));
     console.log('ready');
     await new Promise((done) => setTimeout(done, 60_000));
     console.log(refs.length);
    `,
  );
  const node = await answer<NodeObjects>(place, ['objects'], ({ objects }) => assert.equal(objects.length, 24));
  const disk = node.objects.filter(({ where }) => where === 'disk');
  assert.ok(disk.length >= 8, `${disk.length} of 24 are on disk`);
  assert.equal(node.onDisk, disk.length * MiB);
  assert.equal(node.callSites[0]?.onDisk, node.onDisk);
});

test('a report by something else than call sites is refused', options, () => {
  using place = new Place();
  const { code, err } = place.sheaf(['objects', '--by', 'size']);
  assert.equal(code, 2);
  assert.match(err, /--by is size; it can be callsite/);
  assert.match(place.sheaf(['tasks', '--limit', 'x']).err, /--limit is x; give a whole number/);
});

test('actors shows where each is, what it is called, and its calls', options, async () => {
  using place = new Place();
  await using _running = await started(
    place,
    `import { actor, connect } from 'sheaf';
     const Counters = actor(class Counter {
       async wait(ms: number): Promise<number> { await new Promise((done) => setTimeout(done, ms)); return ms; }
     });
     await using session = await connect({ cpus: 2 });
     const named = Counters.with({ name: 'hits' }).create();
     await named.wait(1).value;
     const calls = [named.wait(600_000), named.wait(600_000), named.wait(600_000)];
     console.log('ready');
     await calls[0]!.value;
    `,
  );
  const { actors, count } = await answer<NodeActors>(place, ['actors'], (node) => {
    assert.equal(node.actors[0]?.pending, 3);
    assert.equal(node.actors[0].type, 'Counter');
  });
  assert.equal(count, 1);
  const { name, state, worker, livesMs, owner } = actors[0]!;
  assert.deepEqual({ name, state, owner }, { name: 'hits', state: 'ready', owner: 1 });
  assert.ok(worker! >= 2 && livesMs! > 0);
  assert.match(place.sheaf(['actors']).out, /Counter +hits +ready +\d+ +[\d.]+ (?:ms|s|min) +3 +the program/);
});

test('status says that a worker went with its actor', options, async () => {
  using place = new Place();
  await using _running = await started(
    place,
    `import { actor, connect } from 'sheaf';
     const Counters = actor(class Counter { one(): number { return 1; } });
     await using session = await connect({ cpus: 1 });
     const counter = Counters.create();
     await counter.one().value;
     await counter.drain();
     console.log('ready');
     await new Promise((done) => setTimeout(done, 600_000));
    `,
  );
  const { deaths } = await answer<NodeReport>(place, ['status'], (node) => assert.ok(node.deaths.length > 0));
  assert.deepEqual([...new Set(deaths.map(({ reason }) => reason))], ['ended: its actor had ended']);
});
