// Runs the tests: bundles every *.test.ts (Node 20 reads no TypeScript) and hands them to Node's test runner.
// Usage: node scripts/test.mjs [part of a path ...]
//
// Tests of the product import from 'sheaf' and get dist; unit tests import the sources beside them. Bundles do not lie where
// their sources do: a test finds the repository in process.cwd() or SHEAF_ROOT. The worker and control entries are bundled
// along with the tests, so that a runtime built from sources finds them beside itself.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { BUNDLING, entryPoints, root } from './bundling.mjs';
import { filesUnder } from './files.mjs';
import { isAlive } from './lock.mjs';

// What takes long by itself comes first, so that no core is idle at the end.
const PLACES = ['docs', 'demo', 'examples', 'bench', 'test', 'scripts', 'src'];
// Far more than any needs: a machine under load is no reason to fail.
const FILE_TIMEOUT_MS = 300_000;
const SIMULTANEOUS_FILES = Math.min(2, availableParallelism());

const wanted = process.argv.slice(2);
const fixtures = join(root, 'test/fixtures') + sep;
const files = PLACES.flatMap((place) => filesUnder(join(root, place)))
  .filter((file) => /\.test\.(ts|mjs)$/.test(file) && !file.startsWith(fixtures))
  .map((file) => relative(root, file))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));

/** Tests from several terminals do not disturb each other; what earlier runs that were killed left behind goes. */
function ownFolder() {
  const all = join(root, 'build/tests');
  mkdirSync(all, { recursive: true });
  for (const pid of readdirSync(all))
    if (!isAlive(Number(pid))) rmSync(join(all, pid), { recursive: true, force: true });
  return join(all, String(process.pid));
}

/**
 * The runner's own limit is a timer in the test's process on recent versions of Node: a test that blocks its event loop, in an
 * endless loop or an Atomics.wait, never hears it. This one stands outside.
 */
function killWhatHangs() {
  const firstSeen = new Map();
  const look = () =>
    execFile('ps', ['-A', '-o', 'pid=,ppid=,args='], { maxBuffer: 1 << 26 }, (error, text) => {
      if (error !== null) return;
      for (const line of text.split('\n')) {
        const [pid, parent] = line.trim().split(/\s+/, 2).map(Number);
        if (parent !== process.pid || !line.includes(outdir)) continue;
        if (!firstSeen.has(pid)) firstSeen.set(pid, performance.now());
        if (performance.now() - firstSeen.get(pid) < FILE_TIMEOUT_MS + 5000) continue;
        console.error(
          `killed after ${FILE_TIMEOUT_MS / 1000} s with its event loop blocked: ${line.match(/\S+\.test\.js/)}`,
        );
        process.kill(pid, 'SIGKILL');
        firstSeen.delete(pid);
      }
    });
  return setInterval(look, 2000);
}

function report(stream) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  // A suite, and the file around its tests, are no tests themselves; a file that fails by itself did not end as it should.
  const counts = ({ details, name, file }) => details?.type !== 'suite' && name !== file;
  stream.on('test:pass', (test) => {
    if (!counts(test)) return;
    count[test.skip !== undefined || test.todo !== undefined ? 'skipped' : 'passed'] += 1;
  });
  stream.on('test:fail', (test) => {
    if (test.details?.error?.failureType === 'subtestsFailed') return;
    count[test.todo === undefined ? 'failed' : 'skipped'] += 1;
  });
  return count;
}

if (files.length === 0) {
  console.error(`no test file has ${wanted.join(' or ')} in its path`);
  process.exit(1);
}
const outdir = ownFolder();
process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(code));
}
const flat = (file) => file.replace(/\.(ts|mjs)$/, '').replaceAll(sep, '--');
await build({
  ...BUNDLING,
  outdir,
  entryPoints: [...files.map((file) => ({ in: join(root, file), out: flat(file) })), ...entryPoints()],
});

process.chdir(root);
process.env.SHEAF_ROOT = root;
// Stacks of tests have the lines of the sources. Workers and other programs that tests start go without: each of them would read all maps
// first, a fifth of what a test takes that starts many. Node 20 passes on its own flags, and later versions what they are told.
const flags = ['--import', pathToFileURL(join(root, 'scripts/source-maps.mjs')).href];
process.execArgv.push(...flags);
const stream = run({
  files: files.map((file) => join(outdir, `${flat(file)}.js`)),
  execArgv: flags,
  concurrency: SIMULTANEOUS_FILES,
  timeout: FILE_TIMEOUT_MS,
});
const count = report(stream);
killWhatHangs();
stream
  .compose(spec)
  .on('end', () => {
    console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
  })
  .pipe(process.stdout, { end: false });
