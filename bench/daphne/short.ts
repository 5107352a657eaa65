/** What everybody who runs a script waits for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Group } from '../suite.ts';
import { sheaf } from './command.ts';

const ONE_LINE = 'one line, from a cold shell';
const LOOP = '10,000 turns of a loop with arithmetic';
const COMPILED = 'the same, read and compiled';
const LINES = '500,000 lines';

const SCRIPTS = {
  'one.daphne': 'print("Hello");\n',
  'loop.daphne': `x = 1;
y = 0.5;
for (i in 1:10000) {
  x = (x * 31 + i) % 1000003;
  y = y * 0.999 + 1.0 / (x + 1.0);
}
print(x);
print(y);
`,
  'lines.daphne': 'for (i in 1:500000) print(i * 0.5);\n',
};

/** Seconds that each part of a run has taken. */
const timesOf = async (path: string): Promise<Record<string, number>> =>
  JSON.parse((await sheaf('--timing', path)).stderr) as Record<string, number>;

export const short: Group = {
  names: [ONE_LINE, LOOP, COMPILED, LINES],
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'sheaf-bench-'));
    for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(join(folder, name), text);
    const path = (name: keyof typeof SCRIPTS) => join(folder, name);
    return {
      experiments: [
        {
          name: ONE_LINE,
          unit: 'ms',
          better: 'less',
          ours: async () => (await sheaf(path('one.daphne'))).wall,
          requires: { tier: 'gate', target: 200 },
        },
        {
          name: LOOP,
          unit: 'ms',
          better: 'less',
          ours: async () => 1000 * (await timesOf(path('loop.daphne'))).execution_seconds!,
          requires: { tier: 'gate', target: 5 },
        },
        {
          name: COMPILED,
          unit: 'ms',
          better: 'less',
          // From the text to the end of the run, when all code is cold.
          ours: async () => {
            const times = await timesOf(path('loop.daphne'));
            return 1000 * (times.parsing_seconds! + times.compilation_seconds! + times.execution_seconds!);
          },
        },
        {
          name: LINES,
          unit: 'ms',
          better: 'less',
          ours: async () => (await sheaf(path('lines.daphne'))).wall,
          requires: { tier: 'gate', target: 1500 },
        },
      ],
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};
