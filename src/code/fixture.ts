import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';
import { callSite } from './callsite.ts';
import { describeFunction } from './describe.ts';
import { loadFunction } from './load.ts';
import type { FunctionSpec } from './spec.ts';

/** For tests: files on disk whose `sheaf` is this build, so that definitions in them are described here. */

type AnyFunction = (...args: never[]) => unknown;
type Defined = ((...args: unknown[]) => unknown) & { spec: FunctionSpec };
interface Options {
  captures?: Record<string, unknown>;
}

/** What stands for references. */
const isRef = (value: object): boolean => 'isTestReference' in value;

function task(fn: AnyFunction, o: Options = {}): Defined {
  const spec = describeFunction(fn, { captures: o.captures, isRef, callSite: callSite(task) });
  const call = (...args: unknown[]) => (fn as (...a: unknown[]) => unknown)(...args);
  return Object.assign(call, { spec, with: () => call }) as Defined;
}
function actor(cls: AnyFunction, o: Options = {}): { spec: FunctionSpec } {
  return { spec: describeFunction(cls, { captures: o.captures, isRef, callSite: callSite(actor), what: 'class' }) };
}
Object.assign(globalThis, { __sheafTest: { task, actor } });

mkdirSync(resolve('build/code-tests'), { recursive: true });
const directory = mkdtempSync(resolve('build/code-tests/'));
mkdirSync(join(directory, 'node_modules/sheaf'), { recursive: true });
writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
writeFileSync(
  join(directory, 'node_modules/sheaf/package.json'),
  '{"name":"sheaf","type":"module","exports":"./index.js"}',
);
writeFileSync(
  join(directory, 'node_modules/sheaf/index.js'),
  'export const { task, actor } = globalThis.__sheafTest; export const current = () => undefined;',
);
after(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;

/** Writes a file; gives its path and URL. */
export function file(text: string, name = `file${count++}.mjs`): { path: string; url: string } {
  const path = join(directory, name);
  writeFileSync(path, text);
  return { path, url: pathToFileURL(path).href };
}

/** Runs a file that defines tasks and gives what it exports. `task` and `actor` are imported. */
export async function define(text: string, name?: string): Promise<Record<string, Defined> & { path: string }> {
  const { path, url } = file(
    `import { task, actor, current } from 'sheaf';${text.startsWith('\n') ? '' : ' '}${text}`,
    name,
  );
  return { ...((await import(url)) as Record<string, Defined>), path } as Record<string, Defined> & { path: string };
}

/** Loads a task's function as a worker does and calls it. */
export async function call(defined: Defined | undefined, ...args: unknown[]): Promise<unknown> {
  if (defined === undefined) throw new Error('no such task');
  const fn = await loadFunction(defined.spec);
  return fn(...args);
}
