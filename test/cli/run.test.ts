import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

test('a TypeScript program runs with its arguments, and its exit code is the command’s', options, () => {
  using place = new Place();
  place.file(
    'helper.ts',
    'export interface Shape { n: number }\nexport const double = (n: number): number => 2 * n;\n',
  );
  place.file(
    'program.ts',
    `import { double } from './helper.js';
console.log(JSON.stringify([process.argv.length, process.argv[1]!.endsWith('program.ts'), ...process.argv.slice(2)]), double(4));
process.exitCode = 7;
`,
  );
  const { code, out, err } = place.sheaf(['run', 'program.ts', '--flag', 'x', '--', '-y']);
  assert.equal(err, '');
  assert.equal(out, '[6,true,"--flag","x","--","-y"] 8\n');
  assert.equal(code, 7);
});

test('tasks of the program run on workers, `await using` included', options, () => {
  using place = new Place();
  place.file(
    'program.ts',
    `import { connect, task } from 'sheaf';
const square = task((x: number): number => x * x);
await using session = await connect({ cpus: 1 });
using nine = square(3);
console.log(await nine.value, session.url.startsWith('sheaf://'));
`,
  );
  const { code, out, err } = place.sheaf(['run', 'program.ts']);
  assert.equal(err, '');
  assert.equal(out, '9 true\n');
  assert.equal(code, 0);
});

test('an uncaught error names the line of the program as it was written', options, () => {
  using place = new Place();
  place.file(
    'program.ts',
    `interface Unused {
  readonly n: number;
}
using nothing = { [Symbol.dispose ?? Symbol.for('d')]() {} };
function fail(x: Unused): never {
  throw new RangeError('number ' + x.n);
}
fail({ n: 5 });
`,
  );
  const { code, err } = place.sheaf(['run', 'program.ts']);
  assert.match(err, /RangeError: number 5/);
  assert.match(err, /program\.ts:6:\d+/);
  assert.match(err, /program\.ts:8:\d+/);
  assert.equal(code, 1);
});

test('plain JavaScript of both kinds runs as well', options, () => {
  using place = new Place();
  place.file('a.mjs', "import { basename } from 'node:path'; console.log(basename('/x/y'));");
  place.file('b.cjs', "console.log(require('node:path').basename('/x/z'));");
  assert.equal(place.sheaf(['run', 'a.mjs']).out, 'y\n');
  assert.equal(place.sheaf(['run', 'b.cjs']).out, 'z\n');
});

test('--cpus, --memory and --isolation are what connect() takes where the program says nothing', options, () => {
  using place = new Place();
  place.file(
    'program.ts',
    `import { connect, task } from 'sheaf';
const pid = task((): number => process.pid);
await using session = await connect();
const error: Error = await pid.with({ cpus: 2 })().value.catch((e: Error) => e) as Error;
console.log(error.name, session.stats().memory.limit, (await pid().value) === process.pid);
`,
  );
  const { out, err } = place.sheaf(['run', '--cpus', '1', '--memory', '64MiB', '--isolation', 'thread', 'program.ts']);
  assert.equal(err, '');
  assert.equal(out, `UnschedulableError ${64 * 1024 * 1024} true\n`);
});

test('options of the program win over those of the command line', options, () => {
  using place = new Place();
  place.file(
    'program.ts',
    `import { connect } from 'sheaf';
await using session = await connect({ memory: '32MiB' });
console.log(session.stats().memory.limit);
`,
  );
  assert.equal(place.sheaf(['run', '--memory', '64MiB', 'program.ts']).out, `${32 * 1024 * 1024}\n`);
});

test('what can’t be run is explained, with exit code 2', options, () => {
  using place = new Place();
  place.file('program.ts', '');
  place.file('page.tsx', '');
  place.file('notes.txt', '');
  const cases: [string[], RegExp][] = [
    [['run', 'progam.ts'], /progam\.ts does not exist; did you mean program\.ts\?/],
    [['run', 'program.js'], /program\.js does not exist; did you mean program\.ts\?/],
    [['run', '.'], /\. is a folder; give a file of it, such as program\.ts/],
    [['run', 'page.tsx'], /JSX, which has to be compiled first/],
    [['run', 'notes.txt'], /its name should end in \.ts/],
    [['run', '--cpus', 'many', 'program.ts'], /--cpus is many; give a number above 0/],
    [['run', '--cpus', '1000', 'program.ts'], /--cpus is 1000; give a number above 0, and 256 at most/],
    [['run', '--memory', '5GB', 'program.ts'], /--memory: "5GB" is not a size/],
    [['run', '--memory', '5', 'program.ts'], /--memory is 5; give bytes, at least '1MiB'/],
    [['tasks', '--limit', '0'], /--limit is 0; give a whole number of at least 1/],
    [['objects', '--limit', 'x'], /--limit is x; give a whole number of at least 1/],
    [['run', '--isolation', 'vm', 'program.ts'], /--isolation is vm; give process or thread/],
    [['run'], /missing required argument 'file'/],
    [['run', '--speed', '9', 'program.ts'], /unknown option '--speed'/],
    [['stauts'], /unknown command 'stauts'\n\(Did you mean status\?\)/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = place.sheaf(args);
    assert.match(err, message);
    assert.equal(out, '');
    assert.equal(code, 2, args.join(' '));
  }
});

test('a reader that has seen enough is no failure, and output that can not be written is', options, () => {
  using place = new Place();
  // It has closed its end when the command comes to write.
  const { code, err } = place.shell('{ sleep 0.2; $SHEAF status; echo "code $?" >&2; } | true');
  assert.equal(err, 'code 0\n');
  assert.equal(code, 0);
  if (process.platform !== 'linux') return;
  const full = place.shell('$SHEAF status > /dev/full');
  assert.match(full.err, /^error: standard output can't be written: .*ENOSPC/);
  assert.equal(full.code, 1);
});

test('help and version are on standard output', options, () => {
  using place = new Place();
  const help = place.sheaf(['--help']);
  for (const command of ['run', 'status', 'doctor']) assert.match(help.out, new RegExp(`^ {2}${command} `, 'm'));
  assert.equal(help.code, 0);
  assert.match(place.sheaf(['run', '--help']).out, /--cpus <n>/);
  assert.match(place.sheaf(['--version']).out, /^\d+\.\d+\.\d+\n$/);
  const nothing = place.sheaf([]);
  assert.equal(nothing.code, 2);
  assert.match(nothing.err, /Usage: sheaf/);
});

test('syntax that is more than types is refused by name and place', options, () => {
  using place = new Place();
  place.file('program.ts', 'const a: number = 1;\nenum Colour { Red }\nconsole.log(a, Colour.Red);\n');
  const { code, err } = place.sheaf(['run', 'program.ts']);
  assert.match(err, /program\.ts:2:1 has an enum/);
  assert.match(err, /erasableSyntaxOnly/);
  assert.equal(code, 1);
});
