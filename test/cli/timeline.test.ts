import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Trace } from '../../src/cli/trace.ts';
import { notBuilt, Place } from './support.ts';
import { validate } from './trace-format.ts';

const options = { skip: notBuilt, timeout: 240_000 };

/**
 * Records until there are runs of all these tasks: a session listens a moment after it has begun, and on a machine that is busy with
 * other things its first tasks may come later still.
 */
function record(place: Place, seconds: string, names: readonly string[]): Trace {
  for (let left = 30; ; left--) {
    const { code, err, out } = place.sheaf(['timeline', '--seconds', seconds, 'out.json']);
    if (code !== 0 && left > 0) continue;
    assert.equal(code, 0, err);
    assert.match(out, /out\.json: \d+ runs of tasks/);
    const trace = JSON.parse(readFileSync(join(place.folder, 'out.json'), 'utf8')) as Trace;
    validate(trace);
    const recorded = new Set(trace.traceEvents.filter(({ cat }) => cat === 'task').map(({ name }) => name));
    if (names.every((name) => recorded.has(name)) || left === 0) return trace;
  }
}

for (const isolation of ['process', 'thread']) {
  test(`a timeline has the runs of each worker, valid for Perfetto (${isolation})`, options, async () => {
    using place = new Place();
    place.file(
      'program.ts',
      `import { connect, get, task } from 'sheaf';
       const leaf = task((n: number, _more: Uint8Array): number => { const end = Date.now() + 3; while (Date.now() < end); return n; });
       const parent = task(async (n: number): Promise<number> => (await leaf(n, new Uint8Array(1000)).value) + 1);
       const broken = task((): never => { throw new Error('as meant'); });
       await using session = await connect({ cpus: 2, name: 'the tested one', isolation: '${isolation}' });
       console.log('ready');
       for (;;) {
         await get(Array.from({ length: 10 }, (_, i) => parent(i)));
         await broken().value.catch(() => {});
       }`,
    );
    await using running = place.start(['run', 'program.ts']);
    await running.shows(/ready/);
    const trace = record(place, '1', ['leaf', 'parent', 'broken']);
    const { traceEvents } = trace;
    const tasks = traceEvents.filter(({ cat }) => cat === 'task');
    for (const name of ['leaf', 'parent', 'broken'])
      assert.ok(
        tasks.some((each) => each.name === name),
        name,
      );
    assert.equal(tasks.find(({ name }) => name === 'broken')!.args?.outcome, 'failed');
    for (const { name, args, ts, dur } of tasks) {
      // One that had begun before the recording is shown from there on.
      if (name !== 'leaf' || args?.outcome !== 'done' || ts === 0) continue;
      assert.ok(dur! >= 2000, `a run of 3 ms took ${dur} µs`);
      if (args.argumentBytes !== null) assert.ok((args.argumentBytes as number) >= 1000);
    }
    assert.ok(traceEvents.some(({ cat, ph }) => cat === 'queue' && ph === 'b'));
    assert.ok(traceEvents.some(({ cat }) => cat === 'wait'));
    const names = traceEvents.filter(({ name }) => name.endsWith('_name')).map(({ args }) => String(args?.name));
    assert.ok(names.some((name) => name.startsWith('the tested one')));
    assert.ok(names.some((name) => (isolation === 'process' ? /^worker \d+ \(pid \d+\)$/ : /^worker \d+$/).test(name)));
    // Nothing records any more, and the session goes on: a second recording is as good.
    record(place, '0.2', ['leaf']);
  });
}

test('a timeline shows what a worker is busy with for longer than the recording', options, async () => {
  using place = new Place();
  place.file(
    'program.ts',
    `import { connect, task } from 'sheaf';
     const loop = task((): never => { console.log('ready'); for (;;); });
     await using session = await connect({ cpus: 1 });
     await loop().value;`,
  );
  await using running = place.start(['run', 'program.ts']);
  await running.shows(/ready/);
  const trace = record(place, '0.3', ['loop']);
  const [run] = trace.traceEvents.filter(({ cat }) => cat === 'task');
  assert.equal(run?.name, 'loop');
  assert.equal(run.args?.outcome, 'not over');
});

test('without a session there is nothing to record', options, () => {
  using place = new Place();
  const { code, err } = place.sheaf(['timeline', '--seconds', '0.1', 'out.json']);
  assert.equal(code, 1);
  assert.match(err, /no session of yours is running: nothing was recorded/);
  assert.match(place.sheaf(['timeline', '--seconds', '0', 'out.json']).err, /--seconds is 0/);
  assert.match(place.sheaf(['timeline', 'no/such/folder.json']).err, /no\/such\/folder\.json can't be written/);
  assert.ok(!existsSync(join(place.folder, 'no')));
});
