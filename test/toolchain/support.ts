import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

export const root = resolve('.');
export const node = process.env.NODE ?? process.execPath;

/**
 * A second face of `src/code`, for what this version has no tasks of, and for parts that the package does not export: definitions
 * are described here and run in a fresh process each.
 */
const probe = `
import { spawnSync } from 'node:child_process';
import { deserialize, serialize } from 'node:v8';
import { callSite, describeFunction } from './code.js';
export { describeFunction, callSite, describeModule, loadFunction, installTypeScript } from './code.js';
export function task(fn, o = {}) {
  const spec = describeFunction(fn, { captures: o.captures, callSite: callSite(task) });
  return Object.assign((...args) => fn(...args), { spec, with: () => task(fn, o) });
}
export function actor(cls, o = {}) {
  const spec = describeFunction(cls, { captures: o.captures, callSite: callSite(actor), what: 'class' });
  return { spec };
}
const runner = new URL('./runner.js', import.meta.url);
export function elsewhere(t, ...args) {
  const input = serialize({ spec: t.spec, args }).toString('base64');
  const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
  const run = spawnSync(process.env.SHEAF_TEST_NODE ?? process.execPath, [runner.pathname], { input, encoding: 'utf8', env, maxBuffer: 1 << 26 });
  const line = run.stdout.split('\\n').find((l) => l.startsWith('=>'));
  if (line === undefined) throw new Error('the child gave nothing: ' + run.stderr + run.stdout);
  const out = deserialize(Buffer.from(line.slice(2), 'base64'));
  if (run.stderr !== '') throw new Error('the child printed: ' + run.stderr);
  if (out.error) throw Object.assign(new Error(out.error.message), { remote: out.error.stack });
  return out.value;
}
`;

const runner = `
import { deserialize, serialize } from 'node:v8';
import { text } from 'node:stream/consumers';
import { loadFunction } from './code.js';
const { spec, args } = deserialize(Buffer.from(await text(process.stdin), 'base64'));
let out;
try {
  const fn = await loadFunction(spec);
  let value;
  if (/^class\\b/.test(Function.prototype.toString.call(fn))) value = await new fn(...args).run();
  else value = await fn(...args);
  if (spec.kind === 'generator' || spec.kind === 'asyncGenerator') {
    const items = [];
    for await (const item of value) items.push(item);
    value = items;
  }
  out = { value };
} catch (error) {
  out = { error: { message: String(error?.message), stack: String(error?.stack) } };
}
console.log('=>' + serialize(out).toString('base64'));
`;

/** Builds `src/code` as a package called sheaf-probe into a folder. */
function buildProbe(target: string): void {
  buildSync({
    entryPoints: {
      code: join(root, 'src/code/index.ts'),
      'typescript-hooks': join(root, 'src/code/typescript-hooks.ts'),
    },
    outdir: target,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  writeFileSync(join(target, 'index.js'), probe);
  writeFileSync(join(target, 'runner.js'), runner);
  writeFileSync(
    join(target, 'package.json'),
    JSON.stringify({ name: 'sheaf-probe', version: '0.0.0', type: 'module', exports: { '.': './index.js' } }),
  );
}

/** A fresh directory for one tool, with the fixtures in it, and the package as it is built: nothing stands in for it. */
export function workspace(name: string): string {
  const directory = join(root, 'build/toolchain', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'node_modules'), { recursive: true });
  cpSync(join(root, 'test/toolchain/fixtures'), directory, { recursive: true });
  // A package of its own, so that what it imports is looked up as in any other.
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'fixture', type: 'module' }));
  symlinkSync(root, join(directory, 'node_modules/sheaf'), 'junction');
  buildProbe(join(directory, 'node_modules/sheaf-probe'));
  return directory;
}

/** The path of a tool's program. */
export const tool = (path: string): string => join(root, 'node_modules', path);

/** A test of a tool that is not installed says so; in CI, where all of them must be, it fails. */
export function needs(path: string): { skip: string } | Record<string, never> {
  if (existsSync(tool(path)) || /^(?:true|1)$/.test(process.env.CI ?? '')) return {};
  return { skip: `${path} is not installed: npm ci` };
}

/** Runs a program and gives its exit status and what it printed. */
export function attempt(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): { code: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(file, [...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env } as NodeJS.ProcessEnv,
    maxBuffer: 1 << 26,
  });
  return { code: status, output: error === undefined ? stdout + stderr : String(error) };
}

/** Runs a program and gives what it printed; its exit status must be 0. */
export function run(file: string, args: readonly string[], cwd: string, env: Record<string, string> = {}): string {
  const { code, output } = attempt(file, args, cwd, env);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} gave ${code}:\n${output}`);
  return output;
}

export { dirname, execFileSync, join };
