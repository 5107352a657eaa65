import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const TIMEOUT_MS = 120_000;

/** What a program prints. With one core, so that nothing depends on who is faster. */
function printed(mode: 'workers' | 'inline', name: string, args: readonly string[]): Promise<string> {
  const command = [join(root, 'dist/cli.js'), 'run', join(root, 'examples', `${name}.ts`), ...args];
  const env = { ...process.env, SHEAF_MODE: mode, SHEAF_CPUS: '1' };
  const child = spawn(process.execPath, command, { cwd: root, env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((done, fail) => {
    child.on('close', (code) =>
      code === 0 ? done(out) : fail(new Error(`${name} (${mode}) ended with ${code}:\n${err}\n${out}`)),
    );
  });
}

interface Example {
  readonly args?: readonly string[];
  /** What differs from run to run, whatever the mode, and is taken out. */
  readonly without?: readonly RegExp[];
  /** What is compared instead of the text, where the order of things is one of the network's. */
  readonly of?: (out: string) => unknown;
}

/** How many pages there are at which depth depends on which link to a page is found first. */
function crawled(out: string): unknown {
  const rows = [...out.matchAll(/^ +(\d+) +(\d+) +(\d+) +\d+ ms$/gm)].map((row) => row.slice(1).map(Number));
  const sum = (column: number) => rows.reduce((all, row) => all + (row[column] as number), 0);
  const rest = out
    .slice(out.indexOf('most linked to'))
    .replace(/ in [\d.]+ s,/, '')
    .replace(/, at most .*/, '');
  return { pages: sum(1), words: sum(2), rest };
}

describe('the same is printed with workers and inline by the example', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sheaf-modes-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const examples: Record<string, Example | (() => Example)> = {
    pi: { args: ['0.001'] },
    image: { args: ['512', '512'], without: [/^\d+ bytes/m] },
    'merge-sort': { args: ['100000'] },
    records: { args: ['2000'], without: [/never more than \d+/] },
    deadline: {},
    // How many were under way at the end is a matter of moments.
    'monte-carlo': { args: ['0.03', '100'], without: [/^\d+ batches were cancelled/m] },
    crawler: { args: ['60'], of: crawled },
    thumbnails: {},
    tournament: { args: ['3', '7'] },
    heat: () => ({ args: [folder, '64'] }),
    'k-means': () => ({ args: [folder, '20', '2000'] }),
    pca: () => ({ args: [folder, '2000'] }),
    'page-rank': () => ({ args: [folder, '1'] }),
    regression: () => ({ args: [folder, '1'] }),
    filters: () => ({ args: [folder] }),
  };
  const helpers = ['primes', 'mnist', 'flights'];
  // Of these examples.test.ts knows every word, in both modes.
  const known = ['word-count', 'remote', 'delays'];

  for (const [name, example] of Object.entries(examples)) {
    it(name, async () => {
      const { args = [], without = [], of } = typeof example === 'function' ? example() : example;
      const facts = async (mode: 'workers' | 'inline') => {
        const out = await printed(mode, name, args);
        for (const part of without) assert.match(out, part);
        return (of ?? ((text) => text))(without.reduce((text, part) => text.replace(part, ''), out));
      };
      const [there, here] = await Promise.all([facts('workers'), facts('inline')]);
      assert.deepEqual(here, there);
    });
  }

  it('all of them', () => {
    const there = readdirSync(join(root, 'examples')).filter((name) => /^[\w-]+\.ts$/.test(name));
    assert.deepEqual(there.sort(), [...Object.keys(examples), ...known, ...helpers].map((name) => `${name}.ts`).sort());
  });
});
