import { scalar } from '../types.ts';
import { type Builtin, RunError } from './builtin.ts';
import { narrowed, textOf, wantText } from './wanted.ts';

const STOP: Builtin = {
  name: 'stop',
  parameters: ['message'],
  least: 0,
  most: 1,
  effects: true,
  infer(call) {
    if (call.args.length > 0) wantText(call, 0);
    return [];
  },
  run(_runtime, _site, [message]) {
    throw new RunError(`system stopped: ${message === undefined ? 'unspecified reason' : textOf(message)}`);
  },
};

const NOW: Builtin = {
  name: 'now',
  parameters: [],
  least: 0,
  most: 0,
  // It has to be asked in its place: what is between two of them is what somebody measures.
  effects: true,
  infer: () => [scalar('si64')],
  run: (runtime) => narrowed(runtime.now()),
};

/** Regions of hardware counters: there are none here, and the scripts that name them run all the same. */
const profiling = (name: string): Builtin => ({
  name,
  parameters: ['region'],
  least: 0,
  most: 1,
  infer(call) {
    if (call.args.length > 0) wantText(call, 0);
    return [];
  },
  run: () => undefined,
});

/** What is of DAPHNE's Python library alone. */
const refused = (name: string, count: number, why: string): Builtin => ({
  name,
  parameters: new Array<string>(count).fill(''),
  least: count,
  most: count,
  infer: (call) => call.fail('parser', `${name}: ${why}`),
  run() {
    throw new RunError(`${name}: ${why}`);
  },
});

export const SYSTEM: readonly Builtin[] = [
  STOP,
  NOW,
  profiling('startProfiling'),
  profiling('stopProfiling'),
  refused(
    'receiveFromNumpy',
    4,
    "it reads the memory of a Python process; give arrays to the script by runScript's variables",
  ),
  refused(
    'saveDaphneLibResult',
    1,
    'it writes into the memory of a Python process; what a script assigns comes back from runScript',
  ),
];
