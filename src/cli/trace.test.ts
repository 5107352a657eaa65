import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../test/cli/trace-format.ts';
import type { NodeRecording } from '../runtime/index.ts';
import { traceOf } from './trace.ts';

const nothing = { names: [], calls: [], runs: [], waits: [] };
const node: NodeRecording = {
  node: 'abc',
  name: 'a session',
  pid: 100,
  silent: [],
  startedAt: 1e12,
  began: 5000,
  ended: 6000,
  parties: [],
  busy: [],
  deaths: [],
  leftOut: 0,
};
const tasks = (trace: ReturnType<typeof traceOf>) => trace.traceEvents.filter(({ cat }) => cat === 'task');

test('runs that overlap on a worker lie in different tracks, and others in the same', () => {
  const program = { party: 1, pid: null, ...nothing, names: ['f'], calls: [0, 7, 0, 2, 5000.5, 5001, 64] };
  const worker = {
    party: 2,
    pid: 200,
    names: ['f', 'g'],
    calls: [],
    // f waits from 5010 to 5020, while g runs; then one that began before the recording and is not over.
    runs: [1, 1, 8, 0, 5011, 5015, 1, 0, 1, 7, 0, 5002, 5030, 0, 0, 1, 9, 1, 5031, 5040, 0, 1, 1, 3, 0, 4000, -1, 0],
    waits: [1, 7, 5010, 5020],
  };
  const trace = traceOf([{ ...node, parties: [program, worker] }]);
  validate(trace);
  assert.deepEqual(
    tasks(trace).map(({ name, tid, ts, dur, args }) => [name, tid, ts, dur, args?.outcome, args?.attempt]),
    [
      ['g', 2000, 0, 1_000_000, 'not over', 1],
      ['f', 2001, 2000, 28_000, 'done', 1],
      ['g', 2002, 11_000, 4000, 'failed', 1],
      ['f', 2001, 31_000, 9000, 'done', 2],
    ],
  );
  assert.equal(tasks(trace)[1]!.args?.argumentBytes, 64);
  assert.deepEqual(
    trace.traceEvents.filter(({ cat }) => cat === 'wait').map(({ tid, ts, dur }) => [tid, ts, dur]),
    [[2001, 10_000, 10_000]],
  );
  assert.deepEqual(
    trace.traceEvents.filter(({ cat }) => cat === 'queue').map(({ ph, tid, ts }) => [ph, tid, ts]),
    [
      ['b', 1000, 500],
      ['e', 1000, 2000],
    ],
  );
  const names = trace.traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name);
  assert.ok(names.includes('worker 2 (pid 200)'));
});

test('what a worker runs that is too busy to tell is known from its caller, and a death is a moment', () => {
  const program = { party: 1, pid: null, ...nothing, names: ['loop'], calls: [0, 4, 2, 3, 4000, -1, 0] };
  const trace = traceOf([
    {
      ...node,
      parties: [program],
      silent: [3],
      busy: [{ worker: 3, caller: 1, sequence: 4, began: 5500 }],
      deaths: [{ worker: 2, reason: 'it was killed', at: 5200 }],
    },
    { ...node, pid: 101, node: 'def' },
  ]);
  validate(trace);
  const [run] = tasks(trace);
  assert.deepEqual(
    [run?.name, run?.ts, run?.dur, run?.args?.outcome, run?.args?.attempt],
    ['loop', 5e5, 5e5, 'not over', 3],
  );
  assert.ok(trace.traceEvents.some(({ ph, name, ts }) => ph === 'i' && name === 'ended: it was killed' && ts === 2e5));
  assert.deepEqual(new Set(trace.traceEvents.map(({ pid }) => pid)), new Set([100, 101]));
});
