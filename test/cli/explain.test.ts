import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

const PROGRAM = `import { connect, task } from 'sheaf';
const slow = task((ms: number): number => { const end = Date.now() + ms; while (Date.now() < end); return ms; });
const sum = task((a: number, b: number): number => a + b);
await using session = await connect({ cpus: 1 });
await slow(1).value;
const result = sum(slow(Number(process.argv[2])), slow(1));
console.log('ready');
console.log(await result.value);
`;

test('a wait without progress is logged once, with what it waits for and why', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', 'program.ts', '3000'], { SHEAF_EXPLAIN_AFTER_MS: '400' });
  assert.equal(await running.ended, 0);
  assert.equal(running.out, 'ready\n3001\n');
  // The first worker may take its time to start, which is said as well.
  assert.equal(running.err.match(/nothing has come in for .*\n {2}sum/g)?.length, 1, running.err);
  assert.match(running.err, /sum \(called at program\.ts:6:\d+\) waits for 2 of its arguments/);
  assert.match(running.err, /\n {4}slow \(called at program\.ts:6:\d+\) runs on worker \d+ for /);
});

test('the same is said on SIGUSR2', { ...options, skip: notBuilt || process.platform === 'win32' }, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', 'program.ts', '30000']);
  await running.shows(/ready/);
  await sleep(300);
  running.process.kill('SIGUSR2');
  await running.shows(/asked by SIGUSR2\. Waiting for:\n {2}sum .*waits for 2 of its arguments\n.*runs on worker/);
});

test('what an actor that is never made keeps waiting is said of it', options, async () => {
  using place = new Place();
  place.file(
    'actor.ts',
    `import { setTimeout as sleep } from 'node:timers/promises';
import { actor, connect, init } from 'sheaf';
const Models = actor(class Model {
  async [init](): Promise<void> { await sleep(3_600_000); }
  answer(): number { return 42; }
});
await using session = await connect({ cpus: 1 });
const model = Models.create();
void model.answer().value.catch(() => {});
await model.drain();
`,
  );
  for (const mode of [[], ['--inline']]) {
    await using running = place.start(['run', ...mode, 'actor.ts'], { SHEAF_EXPLAIN_AFTER_MS: '1500' });
    await running.shows(
      /drain\(\) of the actor Model waits for its constructor or `\[init\]`, which is not over on worker \d+/,
    );
    const call =
      mode.length === 0
        ? /sent to worker \d+, where its actor is being made: its constructor or `\[init\]` is/
        : /Model\.answer/;
    assert.match(running.out + running.err, call);
  }
});

test('nothing is said while things come in, nor when it is switched off', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  place.file(
    'steady.ts',
    `import { connect, task } from 'sheaf';
const pause = task((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
await using session = await connect({ cpus: 1 });
for (let i = 0; i < 50; i++) await pause(50).value;
`,
  );
  await using off = place.start(['run', 'program.ts', '1000'], { SHEAF_EXPLAIN_AFTER_MS: '0' });
  await using steady = place.start(['run', 'steady.ts'], { SHEAF_EXPLAIN_AFTER_MS: '2000' });
  assert.deepEqual([await off.ended, off.err], [0, '']);
  assert.deepEqual([await steady.ended, steady.err], [0, '']);
});
