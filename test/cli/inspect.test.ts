import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InspectorClient } from './inspector-client.ts';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

const PROGRAM = `import { connect, task } from 'sheaf';
const other = task((n: number): number => n + 1);
const crunch = task((n: number): number => {
  const result = n * 2;
  return result;
}, { timeout: '1s' });
await using session = await connect({ cpus: 1 });
console.log('other', await other(1).value);
console.log('crunch', await crunch(21).value);
console.log('again', await crunch(4).value);
`;

interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

async function paused(client: InspectorClient): Promise<Frame> {
  const { callFrames } = (await client.event('Debugger.paused')) as unknown as { callFrames: readonly Frame[] };
  return callFrames[0]!;
}

test('a debugger attaches to the task that is named, and to no other', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', '--inspect-task', 'crunch', 'program.ts']);
  await running.shows(/sheaf: the task crunch waits on worker \d+ for a debugger: attach one to ws:\S+,/);
  assert.equal(running.out, 'other 2\n');
  const url = /attach one to (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+),/.exec(running.err)?.[1];
  assert.ok(url !== undefined, running.err);
  // What chrome://inspect and editors ask for.
  const list = (await (await fetch(`http://${new URL(url).host}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  assert.equal(list[0]?.webSocketDebuggerUrl, url);

  using client = await InspectorClient.to(url);
  await client.send('Runtime.enable');
  await client.send('Debugger.enable');
  await client.send('Runtime.runIfWaitingForDebugger');
  let frame = await paused(client);
  assert.equal(frame.functionName, 'crunch');
  // Its own code is a step or two away.
  for (let steps = 0; !client.urlOf(frame.location.scriptId).endsWith('program.ts'); steps++) {
    assert.ok(steps < 5, `still in ${client.urlOf(frame.location.scriptId)}`);
    await client.send('Debugger.stepInto');
    frame = await paused(client);
  }
  assert.equal(frame.location.lineNumber, 3);
  const { callFrameId } = frame;
  const evaluated = await client.send('Debugger.evaluateOnCallFrame', { callFrameId, expression: 'n' });
  assert.equal((evaluated.result as { value: unknown }).value, 21);
  // Longer than its timeout: that does not count meanwhile.
  await new Promise((done) => setTimeout(done, 1500));
  assert.equal(running.out, 'other 2\n');
  await client.send('Debugger.resume');
  await running.shows(/crunch 42/);
  // The next run stops as well, without waiting for anybody to attach.
  await paused(client);
  await client.send('Debugger.disable');
  assert.equal(await running.ended, 0);
  assert.match(running.out, /again 8/);
});

test('a program whose task waits for a debugger can be ended', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  await using running = place.start(['run', '--inspect-task', 'crunch', 'program.ts']);
  await running.shows(/waits on worker \d+ for a debugger/);
  running.process.kill('SIGINT');
  assert.equal(await running.ended, 130);
});

test('a thread gets no debugger, and its task runs', options, async () => {
  using place = new Place();
  place.file('program.ts', PROGRAM.replace('cpus: 1', "cpus: 1, isolation: 'thread'"));
  const { code, out, err } = place.sheaf(['run', '--inspect-task', 'crunch', 'program.ts']);
  assert.equal(code, 0, err);
  assert.match(out, /again 8/);
  assert.match(err, /no debugger can be attached to the task crunch: its worker is a thread/);
  const refused = place.sheaf(['run', '--isolation', 'thread', '--inspect-task', 'crunch', 'program.ts']);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /--inspect-task needs workers that are processes/);
});

test('a name that no task has is told of at the end', options, () => {
  using place = new Place();
  place.file('program.ts', PROGRAM);
  const { code, out, err } = place.sheaf(['run', '--inspect-task', 'crumch', 'program.ts']);
  assert.equal(code, 0, err);
  assert.match(out, /again 8/);
  assert.match(err, /in the task crumch, but the program itself called none of that name; it called crunch, other\n/);
});
