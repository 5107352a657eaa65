import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeReport } from '../../src/runtime/explain.ts';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

const PROGRAM = `import { connect, get, task } from 'sheaf';
const slow = task((ms: number): number => { const end = Date.now() + ms; while (Date.now() < end); return ms; });
const after = task((a: number, b: number): number => a + b);
await using session = await connect({ cpus: 1, name: 'the tested one' });
console.log(await slow(1).value);
const many = Array.from({ length: 100 }, () => slow(30_000));
const last = after(many[0]!, many[1]!);
if (process.argv[2] === 'loop') setTimeout(() => { console.log('looping'); for (;;); }, 500);
console.log('ready');
await Promise.all([get(many), last.value]);
`;

interface StatusJson {
  sessions: (NodeReport & { waits: string[] })[];
  silent: string[];
  removed: string[];
}

/** Sessions listen a moment after they have begun. */
async function statusOf(place: Place): Promise<StatusJson> {
  for (let i = 0; i < 50; i++) {
    const { out, code } = place.sheaf(['status', '--json']);
    assert.equal(code, 0);
    const status = JSON.parse(out) as StatusJson;
    if (status.sessions.length > 0) return status;
    await sleep(100);
  }
  throw new Error('no session was found');
}

/** On a machine that is busy with other things a program may not answer in time at first. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 10; ; left--) {
    try {
      return await check();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(200);
    }
  }
}

test('status shows what each worker runs, what is queued, and why it waits', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', 'program.ts']);
  await running.shows(/ready/);
  await sleep(300);
  await eventually(async () => {
    const {
      sessions: [node],
    } = await statusOf(place);
    assert.equal(node?.name, 'the tested one');
    assert.equal(node.pid, running.process.pid);
    assert.equal(node.capacity.cpus, 1);
    const busy = node.workers.find(({ state }) => state === 'busy');
    assert.notEqual(busy?.pid, null);
    assert.equal(busy?.caller, 1);
    assert.match(node.waits.join('\n'), /slow \(called at program\.ts:6:\d+\) runs on worker \d+ for /);
    assert.match(node.waits.join('\n'), /\d+ × slow .*is queued: \d+ calls are queued for 1 cpu/);
    assert.match(node.waits.join('\n'), /after .*waits for 2 of its arguments/);

    const text = place.sheaf(['status'], { NO_COLOR: '1', FORCE_COLOR: '1' }).out;
    assert.ok(!text.includes('\u001b'));
    assert.match(text, /the tested one {2}pid \d+, up /);
    assert.match(text, /cpus +1 of 1 in use/);
    assert.match(text, /tasks +1 done, 101 pending, 0 failed/);
    assert.match(text, /busy +\d+ +[\d.]+ MiB +slow for /);
    assert.match(text, /\d+ × slow of the program \(each 1 cpu\): 1 cpus wanted, 0 of 1 free/);
  });
});

test('status answers while the program is in an endless loop', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', 'program.ts', 'loop']);
  await running.shows(/looping/);
  const { sessions } = await statusOf(place);
  assert.equal(sessions.length, 1);
  assert.match(sessions[0]!.waits.join('\n'), /the program gives its event loop no turn/);
});

test('only the user can open the socket, and it goes with the session', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  const folder = join(place.runtime, 'sheaf');
  {
    await using running = place.start(['run', 'program.ts']);
    await running.shows(/ready/);
    await statusOf(place);
    const [socket] = readdirSync(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, socket!)).mode & 0o777, 0o600);
    running.process.kill('SIGINT');
    assert.equal(await running.ended, 130);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('what a killed session left behind is removed', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  {
    await using running = place.start(['run', 'program.ts']);
    await running.shows(/ready/);
    await statusOf(place);
  }
  const { sessions, removed } = JSON.parse(place.sheaf(['status', '--json']).out) as StatusJson;
  assert.deepEqual(sessions, []);
  assert.equal(removed.length, 1);
  assert.deepEqual(readdirSync(join(place.runtime, 'sheaf')), []);
  assert.match(place.sheaf(['status']).out, /no session of yours is running/);
});

test('a folder that others can open is not believed', options, () => {
  using place = new Place();
  const folder = join(place.runtime, 'sheaf');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const { code, err } = place.sheaf(['status']);
  assert.equal(code, 1);
  assert.match(err, /is open to others \(mode 0755\); run: chmod 700/);
});

test('a file in the place of the folder is refused', options, () => {
  using place = new Place();
  writeFileSync(join(place.runtime, 'sheaf'), '');
  assert.match(place.sheaf(['status']).err, /is not a folder; remove it/);
});

test('somebody who listens and does not answer costs a second', options, async () => {
  using place = new Place();
  const folder = join(place.runtime, 'sheaf');
  mkdirSync(folder, { mode: 0o700 });
  const path = join(folder, 'mute.sock');
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const running = place.start(['status', '--json']);
    assert.equal(await running.ended, 0);
    assert.deepEqual((JSON.parse(running.out) as StatusJson).silent, [path]);
  } finally {
    server.close();
  }
});
