import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hosts, LIMIT, PATIENCE_MS, root, sleep, within } from './support.ts';

interface Printed {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What the program has printed, to a reader that takes its time. */
async function printed(how: string, isolation: string, env: Readonly<Record<string, string>> = {}): Promise<Printed> {
  const { NODE_OPTIONS: _o, NODE_TEST_CONTEXT: _t, ...rest } = process.env;
  const child = spawn(process.execPath, [join(root, 'test/fixtures/conformance/prints.mjs'), how, isolation], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = async (stream: NodeJS.ReadableStream): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      await sleep(1);
    }
    return Buffer.concat(chunks);
  };
  const code = new Promise<number | null>((done) => child.on('close', done));
  try {
    const all = Promise.all([read(child.stdout), read(child.stderr), code]);
    const [out, err, ended] = await within(PATIENCE_MS, all, how);
    return { code: ended, out: out.toString('latin1'), err: err.toString('latin1') };
  } finally {
    child.kill('SIGKILL');
  }
}

/** The lines, without their end. */
const linesOf = (text: string): string[] => {
  assert.ok(text === '' || text.endsWith('\n'), `the last line has no end: ${text.slice(-100)}`);
  return text.split('\n').slice(0, -1);
};
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

for (const isolation of hosts) {
  describe(`what tasks print (${isolation})`, () => {
    test('comes in whole lines with the names of task and worker, however many write at once', LIMIT, async () => {
      const { code, out, err } = await printed('talk', isolation);
      assert.equal(code, 0, err);
      const lines = linesOf(out);
      for (const line of lines) assert.match(line, /^\[talk, worker \d+\] of several parts by \d+$/);
      const by = (text: string[]) => text.map((line) => Number(/\d+$/.exec(line)![0])).sort((a, b) => a - b);
      assert.deepEqual(by(lines), numbers(20));
      // Standard error is apart from it, and an unfinished line ends with its task.
      const errors = linesOf(err).filter((line) => line.includes('unfinished'));
      for (const line of errors) assert.match(line, /^\[talk, worker \d+\] unfinished \d+$/);
      assert.deepEqual(by(errors), numbers(20));
    });

    for (const how of ['count', 'exit']) {
      const end = how === 'count' ? 'the session' : 'the program';
      test(`is all there at the end of ${end}`, LIMIT, async () => {
        const { code, out, err } = await printed(how, isolation);
        assert.equal(code, 0, err);
        const lines = linesOf(out);
        for (const n of numbers(how === 'count' ? 3 : 2)) {
          const own = lines.filter((line) => line.endsWith(` of ${n}`)).map((line) => line.replace(/worker \d+/, 'w'));
          assert.deepEqual(
            own,
            numbers(500).map((i) => `[count, w] line ${i} of ${n}`),
          );
        }
      });
    }

    test('after the end of the task comes all the same, and no end of a line is needed', LIMIT, async () => {
      const { code, out } = await printed('late', isolation);
      assert.equal(code, 0);
      assert.deepEqual(
        linesOf(out).map((line) => line.replace(/worker \d+/, 'w')),
        ['[late, w] during', '[late, w] afterwards', '[late, w] and without an end'],
      );
    });

    test('may be bytes, and any encoding; who waits for it is told', LIMIT, async () => {
      const { out } = await printed('strange', isolation);
      assert.deepEqual(
        linesOf(out).map((line) => line.replace(/worker \d+/, 'w')),
        ['[strange, w] a\u00ff', '[strange, w] abc', 'true'],
      );
    });

    test('is left alone with SHEAF_LOG_PREFIX=off', LIMIT, async () => {
      const { code, out } = await printed('count', isolation, { SHEAF_LOG_PREFIX: 'off' });
      assert.equal(code, 0);
      assert.deepEqual(
        linesOf(out).sort(),
        numbers(3)
          .flatMap((n) => numbers(500).map((i) => `line ${i} of ${n}`))
          .sort(),
      );
    });
  });
}

test('no line of a worker that is killed is lost, nor when its reader is slow', LIMIT, async () => {
  const { code, out, err } = await printed('die', 'process');
  assert.equal(code, 0, err);
  const lines = linesOf(out);
  assert.equal(lines.at(-1), 'WorkerDiedError');
  assert.deepEqual(
    lines.slice(0, -1).map((line) => line.replace(/worker \d+/, 'w')),
    numbers(30_000).map((i) => `[die, w] line ${i}`),
  );
});
