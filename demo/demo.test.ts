import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { connect, put } from 'sheaf';
import { WEIGHTS } from './digits/network.ts';
import { prepare, Router, serve } from './digits/serve.ts';
import { Progress } from './progress.ts';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const node = process.env.NODE ?? process.execPath;
const built = existsSync(join(root, 'dist/cli.js'));
const options = { skip: built ? false : 'dist is not built: npm run build', timeout: 110_000 };

function run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const clean: NodeJS.ProcessEnv = { ...process.env, ...env };
  delete clean.NODE_OPTIONS;
  delete clean.NODE_TEST_CONTEXT;
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: root,
    env: clean,
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** What the programs have printed with workers. */
const printed = new Map<string, string>();

test('flights: with a worker killed in the middle, the table is the one that a single thread finds', options, () => {
  const { code, out, err } = run(node, ['demo/run.mjs', 'flights'], { DEMO_CHECK: '1' });
  printed.set('flights', out);
  assert.equal(err, '');
  assert.match(out, /^3,000,000 flights in 11 row groups$/m);
  for (let i = 1; i <= 11; i++) assert.match(out, new RegExp(`^row groups ${i}/11$`, 'm'));
  assert.match(out, /^a worker was killed in the middle of a row group: another one reads it again$/m);
  assert.match(out, /^ORD +22:00 +3636 +45\.2 min$/m);
  assert.match(out, /^all 3,000,000 flights of 229 airports counted in [\d.]+ s$/m);
  assert.match(out, /^[1-9]\d* tasks? (was|were) recovered/m);
  assert.match(out, /^checked: one thread finds the same/m);
  assert.equal(code, 0);
});

test('futures: the further a way keeps the values from the driver, the fewer bytes cross it', options, () => {
  const { code, out, err } = run(node, ['demo/run.mjs', 'futures']);
  printed.set('futures', out);
  assert.equal(err, '');
  for (let i = 1; i <= 7; i++) assert.match(out, new RegExp(`^rounds ${i}/7$`, 'm'));
  const megabytes = [...out.matchAll(/ ms +([\d.]+) MB$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(megabytes, [16, 16, 8, 0]);
  assert.match(out, /^once more, .* the worker killed that computes b\(\): c is right all the same$/m);
  assert.match(out, /^1 task was recovered: run again because a worker died$/m);
  assert.match(out, /^[\d.]+ ms, and 0\.0 MB through the driver$/m);
  assert.equal(code, 0);
});

/** Of the digits never seen, in percent. */
function accuracy(out: string): number {
  const [, percent] = /^([\d.]+) % of 10,000 digits right in [\d.]+ s\r?$/m.exec(out) ?? assert.fail(out);
  return Number(percent);
}

// Sums are made in the same order whoever makes them, and a task that runs again gives the same: so does the whole training. Here all digits are
// learned from once, and twice when the demo is run as the README says.
const DIGITS = ['dist/cli.js', 'run', 'demo/digits.ts', '1'];
let learned: number | undefined;

test('digits: with a worker killed in the middle, the network learns to read', options, () => {
  const { code, out, err } = run(node, DIGITS);
  printed.set('digits', out);
  assert.equal(err, '');
  for (let i = 1; i <= 5; i++) assert.match(out, new RegExp(`^training ${i}/5$`, 'm'));
  assert.match(out, /^a worker was killed with its part of a batch: another one computes it again$/m);
  assert.match(out, /^epoch 1: [\d.]+ % .*$/m);
  learned = accuracy(out);
  assert.ok(learned >= 95 && learned < 99, out);
  assert.match(out, /^[1-9]\d* tasks? (was|were) recovered: run again because a worker died$/m);
  const [, megabytes] = /^([\d.]+) MB crossed the driver$/m.exec(out) ?? assert.fail(out);
  assert.ok(Number(megabytes) < 5, out);
  assert.equal(code, 0);
});

test('serving: with a replica killed under load, no request is lost', options, () => {
  const { code, out, err } = run(node, ['dist/cli.js', 'run', 'demo/serving.ts', '1']);
  assert.equal(err, '');
  const rows = [...out.matchAll(/^(\S.*?| {2}\S.*?) +[\d.]+ +[\d.]+ +[\d.]+ +(\d+) +(\d+) +([\d.]+) %$/gm)];
  assert.deepEqual(
    rows.map(([, name]) => name!.trim()),
    [
      'in the server itself',
      'at half of that load',
      'tasks and replicas',
      'at half of that load',
      'with a replica killed',
    ],
  );
  for (const [row, , answered, failed, right] of rows) {
    assert.ok(Number(answered) > 0 && Number(failed) === 0, row);
    // The digits are the same in each row, but not as many of them.
    assert.ok(Number(right) > 80, row);
  }
  const [, lost, amount] =
    /^a replica was killed: .* (\d+) of (\d+) requests were lost$/m.exec(out) ?? assert.fail(out);
  assert.equal(lost, '0');
  assert.equal(rows[4]![2], amount);
  assert.equal(code, 0);
});

/** An image in the PGM format: a digit, twice as large and dark on white. */
function scan(digit: Uint8Array): Buffer {
  const pixels = Uint8Array.from({ length: 56 * 56 }, (_, i) => 255 - digit[((i / 112) | 0) * 28 + ((i % 56) >> 1)]!);
  return Buffer.concat([Buffer.from('P5 56 56 255\n'), pixels]);
}

test('an image is scaled to what the network has learned from', () => {
  const digit = Uint8Array.from({ length: 784 }, (_, i) => (i * 7) % 256);
  assert.deepEqual(prepare(scan(digit)), digit);
  assert.match(String(prepare(Buffer.from('GIF89a'))), /^not an image/);
  assert.match(String(prepare(Buffer.from('P5 28 28 255\nshort'))), /^not a digit: 5 bytes for 28 x 28 pixels/);
});

test('a bad image is refused, and spoils none of those that it shares a batch with', options, async () => {
  await using _session = await connect({ cpus: 1 });
  // With weights like these it is always a seven.
  const weights = new Float32Array(WEIGHTS);
  weights[WEIGHTS - 3] = 1;
  await using router = new Router(1, put(weights));
  await using server = await serve(router, weights);
  const image = scan(new Uint8Array(784));
  for (const path of ['', 'here']) {
    const bodies = [image, 'no image', image, Buffer.alloc(2_000_000)];
    const answers = await Promise.all(bodies.map((body) => fetch(`${server.url}${path}`, { method: 'POST', body })));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400, 200, 400],
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    assert.deepEqual([texts[0], texts[2]], ['7', '7']);
    assert.match(texts[1]!, /^not an image: send PGM/);
    assert.match(texts[3]!, /^more than 1000000 bytes$/);
  }
});

const commandOf = (program: string): readonly string[] => (program === 'digits' ? DIGITS : ['demo/run.mjs', program]);

const inTerminal = options.skip || process.platform !== 'linux' || run('script', ['--version']).code !== 0;

// Two things at once: each run of a program takes seconds.
for (const [program, steps] of [
  ['flights', 11],
  ['futures', 7],
  ['digits', 5],
] as const) {
  const told = { ...options, skip: inTerminal };
  test(`${program}: in a terminal the progress is a bar; where workers are threads, none is killed`, told, () => {
    const command = [node, ...commandOf(program)].map((each) => `'${each}'`).join(' ');
    const { code, out } = run('script', ['-qec', command, '/dev/null'], { SHEAF_ISOLATION: 'thread' });
    assert.match(out, new RegExp(`\\r[a-z ]+ \\[#+-+\\] 4/${steps}`));
    assert.match(out, new RegExp(`\\r[a-z ]+ \\[#+\\] ${steps}/${steps}`));
    assert.match(out, /^no worker was killed: workers are threads here, and a thread does not die alone\r?$/m);
    assert.doesNotMatch(out, /recovered/);
    if (program === 'digits' && learned !== undefined) assert.equal(accuracy(out), learned);
    assert.equal(code, 0);
  });
}

/** What a program finds: without times, what was killed, and what went where on account of that. */
function found(out: string): string[] {
  const lines = out.replace(/[\d.]+ m?s\b/g, '').split(/\r?\n/);
  const other = /killed|recovered|crossed the driver|MB through the driver|^checked/;
  return lines.filter((line) => !other.test(line)).flatMap((line) => line.trim().replace(/ +/g, ' ') || []);
}

for (const program of ['flights', 'futures', 'digits']) {
  test(`${program}: inline it finds the same, and nothing is killed`, options, () => {
    const { code, out, err } = run(node, commandOf(program), { SHEAF_MODE: 'inline' });
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.match(out, /^no worker was killed: there are no workers here/m);
    assert.deepEqual(found(out), found(printed.get(program) ?? assert.fail('it did not run with workers')));
  });
}

function screen(isTTY: boolean): { out: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const out = new Writable({
    write(piece, _encoding, done) {
      text += String(piece);
      done();
    },
  });
  return { out: Object.assign(out, { isTTY, columns: 40 }) as unknown as NodeJS.WriteStream, text: () => text };
}

test('progress is a line for each step where there is no terminal', () => {
  const { out, text } = screen(false);
  const progress = new Progress('parts', 2, out);
  progress.step();
  progress.log('half of it');
  progress.step();
  assert.equal(text(), 'parts 1/2\nhalf of it\nparts 2/2\n');
});

test('progress redraws one line in a terminal, and what is logged stands above it', () => {
  const { out, text } = screen(true);
  const progress = new Progress('parts', 2, out);
  progress.step();
  progress.log('half of it');
  progress.step();
  const bar = (filled: number) => `\rparts [${'#'.repeat(filled)}${'-'.repeat(26 - filled)}] `;
  assert.equal(text(), `${bar(0)}0/2${bar(13)}1/2\r\u001b[Khalf of it\n${bar(13)}1/2${bar(26)}2/2\n`);
});

test('an unknown program is a usage error', options, () => {
  const { code, err } = run(node, ['demo/run.mjs', 'flight']);
  assert.equal(code, 2);
  assert.match(err, /usage: npm run demo/);
});
