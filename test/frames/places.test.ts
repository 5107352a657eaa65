import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const folder = mkdtempSync(join(tmpdir(), 'sheaf-frame-places-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What a program prints that is run with a copy of the package, beside which there are only some packages. */
function run(program: string, has: (name: string) => boolean) {
  const app = mkdtempSync(join(folder, 'app-'));
  const itself = join(app, 'node_modules/sheaf');
  mkdirSync(itself, { recursive: true });
  cpSync(join(root, 'dist'), join(itself, 'dist'), { recursive: true, filter: (path) => !/\.(map|d\.ts)$/.test(path) });
  cpSync(join(root, 'package.json'), join(itself, 'package.json'));
  const packages = join(root, 'node_modules');
  for (const name of readdirSync(packages))
    if (has(name) && name !== 'sheaf') symlinkSync(join(packages, name), join(app, 'node_modules', name));
  writeFileSync(join(app, 'program.mjs'), program);
  const { stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], {
    cwd: app,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { out: stdout, err: stderr };
}

test('without DuckDB the first look at a frame says how to install it', () => {
  const { out, err } = run(
    `import { connect } from 'sheaf';
     import { fromColumns } from 'sheaf/frame';
     const session = await connect({ cpus: 1 });
     const frame = fromColumns({ x: [1] }).where((c) => c.x.gt(0));
     await frame.count().catch((e) => console.log(e.name, e.code, e.message, e.details.package));
     await session[Symbol.asyncDispose]();`,
    (name) => name !== '@duckdb',
  );
  assert.equal(
    out,
    'NotAvailableError ERR_SHEAF_NO_PEER sheaf/frame needs the package @duckdb/node-api, which is not installed: npm i @duckdb/node-api @duckdb/node-api\n',
    err,
  );
});

test('frames give the same on processes, on threads and in one thread, and leave no complaint', () => {
  const { out, err } = run(
    `import { connect } from 'sheaf';
     import { count, fromColumns } from 'sheaf/frame';
     import { existsSync, readdirSync, readlinkSync } from 'node:fs';
     for (const mode of [{ isolation: 'process' }, { isolation: 'thread' }, { mode: 'inline' }]) {
       const session = await connect({ cpus: 2, ...mode });
       const frame = fromColumns({ x: Int32Array.from({ length: 1000 }, (_, i) => i % 7) }, undefined, { partitions: 3 });
       const [row] = await frame.orderBy('x').groupBy('x').agg({ n: count() }).orderBy('-x').head(1).rows();
       // Files in memory that nobody has closed, where the system says so.
       const open = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : [];
       const left = open.filter((fd) => { try { return readlinkSync('/proc/self/fd/' + fd).includes('sheaf-frame'); } catch { return false; } });
       console.log(row.x, row.n, left.length);
       await session[Symbol.asyncDispose]();
     }`,
    () => true,
  );
  assert.deepEqual([out, err], ['6 142n 0\n6 142n 0\n6 142n 0\n', '']);
});
