import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const TIMEOUT_MS = 60_000;

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** How programs are run: with workers, or all in one thread, as `sheaf run --inline` does. */
type Mode = 'workers' | 'inline';
let mode: Mode = 'workers';

function start(name: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const command = [
    join(root, 'dist/cli.js'),
    'run',
    ...(mode === 'inline' ? ['--inline'] : []),
    join(root, 'examples', `${name}.ts`),
    ...args,
  ];
  return spawn(process.execPath, command, { cwd: root, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
}

function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })));
}

const run = (name: string, ...args: string[]): Promise<Outcome> => outcomeOf(start(name, ...args));

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([, parent]) => parent === pid).map(([child]) => child!);
}

/** What a run printed; it must have ended well and without complaint. */
async function output(name: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await run(name, ...args);
  assert.equal(code, 0, `${name} ended with ${code}:\n${err}\n${out}`);
  assert.equal(err, '', `${name} wrote to standard error:\n${err}`);
  return out;
}

for (const each of ['workers', 'inline'] as const)
  describe(`the example (${each})`, () => {
    let folder: string;
    before(() => {
      mode = each;
      folder = mkdtempSync(join(tmpdir(), 'sheaf-examples-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    it('word-count adds the words of all files', async () => {
      const files = ['a', 'b', 'c'].map((name) => join(folder, `${name}.txt`));
      writeFileSync(files[0]!, 'One fish, two fish.');
      writeFileSync(files[1]!, 'Red fish; blue fish!');
      writeFileSync(files[2]!, 'one');
      assert.equal(
        await output('word-count', ...files),
        '9 words, 5 different ones, in 3 files\n' +
          '      4  fish\n      2  one\n      1  blue\n      1  red\n      1  two\n',
      );
    });

    it('word-count says which file is missing', async () => {
      const { code, err } = await run('word-count', join(folder, 'none.txt'));
      assert.equal(code, 1);
      assert.match(err, /ENOENT.*none\.txt/);
    });

    it('pi stops early, and is right', async () => {
      const out = await output('pi', '0.002');
      const [, pi, batches] = /^pi is (\S+), .*\n(\d+) of 1000 batches were looked at\n$/.exec(out) ?? assert.fail(out);
      assert.ok(Math.abs(Number(pi) - Math.PI) < 0.02, out);
      assert.ok(Number(batches) < 100, out);
    });

    it('image keeps the mean, narrows the range, and keeps pixels out of the driver', async () => {
      const out = await output('image', '1024', '512');
      assert.match(out, /^1024 x 512 pixels, 2\.1 MB\nbefore: mean 127\.5, from 0 to 255\nafter: {2}mean 127\.\d, /);
      const [, bytes] = /(\d+) bytes crossed the driver\n$/.exec(out) ?? assert.fail(out);
      assert.ok(Number(bytes) < 50_000, out);
    });

    it('merge-sort sorts', async () => {
      assert.match(await output('merge-sort', '400000'), /^400000 numbers sorted: from 0\.00\d+ to 0\.99\d+\n$/);
    });

    it('records counts failures and does not read far ahead', async () => {
      const out = await output('records', '2000');
      assert.match(out, /^SyntaxError: 2 records\nTypeError: 2 records\n2000 records/m);
      assert.equal([...out.matchAll(/^s\d .* °C {2}28\d readings$/gm)].length, 7, out);
      const [, ahead] = /never more than (\d+) read ahead/.exec(out) ?? assert.fail(out);
      assert.ok(Number(ahead) <= 32, out);
    });

    it('remote counts primes with a table that only workers have', async () => {
      assert.equal(await output('remote'), '148933 primes below 2000000\n2026 is 2 * 1013\n');
    });

    it('deadline finds what can be found, and gives up in time', async () => {
      const out = await output('deadline');
      assert.match(out, /^found: 0000[0-9a-f]{4}\.\.\.\ngave up: .*300 ms.*\n0 tasks are left\n$/);
    });

    // What six million paths give: 6.160, give or take 0.0035.
    const PRICE = 6.16;

    it('monte-carlo stops as soon as the error is small enough, and cancels the rest', async () => {
      const out = await output('monte-carlo', '0.03', '55');
      const [, price, error] =
        /^good enough after \d+ batches: ([\d.]+), give or take ([\d.]+)$/m.exec(out) ?? assert.fail(out);
      assert.ok(Number(error) <= 0.03 && Number(error) > 0.02, out);
      assert.ok(Math.abs(Number(price) - PRICE) < 5 * 0.03, out);
      const [, cancelled] = /^(\d+) batches were cancelled, 0 are left\n$/m.exec(out) ?? assert.fail(out);
      assert.ok(Number(cancelled) > 0, out);
    });

    it('monte-carlo has its best estimate at a deadline', async () => {
      const out = await output('monte-carlo', '1e-9', '1');
      assert.match(out, /^the time is up after \d+ batches: (6\.\d+, give or take 0\.\d+|no price yet)$/m);
      assert.match(out, /^[1-8] batches were cancelled, 0 are left\n$/m);
    });

    it('crawler finds each page of the site, and asks for none of them twice', async () => {
      const out = await output('crawler', '120');
      const rows = [...out.matchAll(/^ +\d+ +(\d+) +\d+ +\d+ ms$/gm)].map((row) => Number(row[1]));
      assert.equal(
        rows.reduce((a, b) => a + b, 0),
        120,
        out,
      );
      assert.match(out, /^ +120 {2}\/page\/0$/m);
      assert.match(out, /^broken {3}\/moved: 404 Not Found, linked from \/page\/20$/m);
      assert.match(out, /^121 addresses in [\d.]+ s, 0 asked for twice, at most [1-8] at once\n$/m);
    });

    describe('thumbnails', () => {
      let folder: string;
      const made = () => readdirSync(join(folder, 'thumbnails'));
      before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'sheaf-photos-'));
        const create = { width: 1500, height: 1000, channels: 3, background: '#4a6' } as const;
        const image = await sharp({ create }).jpeg().toBuffer();
        for (let i = 0; i < 150; i++) writeFileSync(join(folder, `${i}.jpg`), image);
        writeFileSync(join(folder, 'damaged.jpg'), image.subarray(0, 1000));
        writeFileSync(join(folder, 'notes.txt'), 'no image');
      });
      beforeEach(() => rmSync(join(folder, 'thumbnails'), { recursive: true, force: true }));
      after(() => rmSync(folder, { recursive: true }));

      it('makes one of each image, and says which of them is damaged', async () => {
        const { code, out, err } = await run('thumbnails', folder);
        assert.equal(code, 0, err);
        assert.match(out, /^150 of 151 thumbnails\n[\d.]+ MB of images became [\d.]+ MB\nfailed: damaged\.jpg: .+\n$/);
        assert.match(err, /^(thumbnails: \d+\/151 after [\d.]+ s\n)*thumbnails: 151\/151 after [\d.]+ s\n$/);
        assert.equal(made().length, 150);
        const { width, height, format } = await sharp(join(folder, 'thumbnails/0.jpg')).metadata();
        assert.deepEqual([width, height, format], [160, 107, 'jpeg']);
      });

      it('leaves whole files and no process when it is interrupted', async () => {
        // Each takes a tenth of a second: there is time to interrupt it.
        const create = { width: 4000, height: 3000, channels: 3, background: '#a64' } as const;
        const image = await sharp({ create }).png().toBuffer();
        const slow = join(folder, 'slow');
        mkdirSync(slow);
        for (let i = 0; i < 200; i++) writeFileSync(join(slow, `${i}.png`), image);
        const thumbnails = join(slow, 'thumbnails');
        const there = () =>
          existsSync(thumbnails) ? readdirSync(thumbnails).filter((name) => name !== '.partial') : [];

        const child = start('thumbnails', slow);
        const outcome = outcomeOf(child);
        while (there().length === 0 && child.exitCode === null) await setTimeout(5);
        const processes = childrenOf(child.pid!);
        child.kill('SIGINT');
        const { code, out, err } = await outcome;
        assert.equal(code, 130, err);
        assert.match(out, /^\d+ of 200 thumbnails before the interruption$/m);
        assert.ok(there().length > 0 && there().length < 200, `${there().length} were made: it was not interrupted`);
        for (const name of readdirSync(thumbnails)) {
          assert.match(name, /^\d+\.png$/);
          // Decodes all of it.
          await sharp(join(thumbnails, name), { failOn: 'warning' }).stats();
        }
        if (process.platform === 'linux' && mode === 'workers') assert.ok(processes.length > 0);
        for (const pid of processes) assert.throws(() => process.kill(pid, 0), /ESRCH/, `process ${pid} is left`);
      });

      it('makes a folder of its own without one, and removes it', async () => {
        const { code, out } = await run('thumbnails');
        assert.equal(code, 0);
        assert.match(out, /^39 of 40 thumbnails\n.*\nfailed: IMG_0007\.jpg: .+\n$/);
      });
    });

    it('tournament has an agent that gets better, and the same one for the same seed', async () => {
      const [out, again] = [await output('tournament', '9', '7'), await output('tournament', '9', '7')];
      assert.equal(again, out);
      const scores = [...out.matchAll(/^ +\d+ {3}#+ ([\d.]+) %$/gm)].map((row) => Number(row[1]));
      assert.equal(scores.length, 10, out);
      const mean = (some: readonly number[]) => some.reduce((a, b) => a + b, 0) / some.length;
      assert.ok(scores[0]! < 30, out);
      assert.ok(mean(scores.slice(1, 4)) > scores[0]! + 10, out);
      assert.ok(mean(scores.slice(7)) > mean(scores.slice(1, 4)) + 10, out);
      assert.ok(scores[9]! > 65, out);
    });

    it('delays says of three million flights what pandas says', async () => {
      assert.equal(
        await output('delays'),
        [
          'airport  hour  flights  mean delay',
          'PHL        22     1022  63.6 min',
          'EWR        21     1125  55.7 min',
          'ORD        22     3636  45.2 min',
          'PHX        23     1187  44.6 min',
          'BOS        21     1770  38.2 min',
          '',
          'long flights leave from',
          'CA  115267 of them; half are -2 min late at most, and of a hundred one more than 131',
          'TX  88352 of them; half are -2 min late at most, and of a hundred one more than 137',
          'FL  66904 of them; half are -1 min late at most, and of a hundred one more than 169',
          '',
          'most flights: 17548 on 2001-06-29',
          '',
        ].join('\n'),
      );
    });
  });

// They find that out before they have workers, whatever kind these would be.
it('says how it is called when it is called wrongly', async () => {
  mode = 'workers';
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-examples-'));
  const none = join(folder, 'no such folder');
  const calls = [
    ['pi', 'many'],
    ['image', '0', '10'],
    ['image', '10', '1.5'],
    ['merge-sort', '-3'],
    ['monte-carlo', '0.01', 'soon'],
    ['records', 'all'],
    ['crawler', '0'],
    ['tournament', '3', 'x'],
    ['thumbnails', none],
    ['heat', none, '3'],
    ['k-means', none, '20', '70000'],
    ['pca', none, 'x'],
    ['page-rank', none, '0'],
    ['regression', none, 'many'],
    ['filters', folder, none],
  ] as const;
  const outcomes = await Promise.all(calls.map(([name, ...args]) => run(name, ...args)));
  for (const [i, [name, ...args]] of calls.entries()) {
    const { code, out, err } = outcomes[i]!;
    assert.match(err, new RegExp(`usage: sheaf run ${name}\\.ts \\[`), `${name} ${args}`);
    assert.deepEqual([code, out], [2, ''], `${name} ${args}`);
  }
  assert.equal(existsSync(none), false);
  rmSync(folder, { recursive: true });
});

it('is tested, whatever its name', () => {
  const tested = [
    'word-count',
    'pi',
    'image',
    'merge-sort',
    'records',
    'remote',
    'deadline',
    'delays',
    'monte-carlo',
    'crawler',
    'thumbnails',
    'tournament',
  ];
  // These are tested in jobs.test.ts.
  const jobs = ['heat', 'k-means', 'pca', 'page-rank', 'regression', 'filters'];
  const helpers = ['primes', 'mnist', 'flights'];
  const there = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts') && !name.includes('.test.'));
  assert.deepEqual(there.sort(), [...tested, ...jobs, ...helpers].map((name) => `${name}.ts`).sort());
});
