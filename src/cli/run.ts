import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bytes, bytes, closest } from '../base/index.ts';
import { installTypeScript } from '../code/index.ts';
import { LEAST_MEMORY, MOST_CPUS } from '../runtime/index.ts';
import { CommandError } from './output.ts';

interface RunOptions {
  readonly cpus?: string;
  readonly memory?: string;
  readonly isolation?: string;
  readonly inspectTask?: string;
  readonly inline?: boolean;
}

const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** The program as an absolute path, or an error that says what is wrong with what was given. */
export function programAt(file: string): string {
  const path = resolve(file);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new CommandError(`${file} does not exist${suggestion(file, path)}`, 2);
  if (stat.isDirectory()) {
    const inside = namesIn(path).filter((name) => EXTENSIONS.includes(extname(name)));
    const example = inside.find((name) => /^(index|main)\./.test(name)) ?? inside[0];
    const advice = example === undefined ? 'it has no program' : `give a file of it, such as ${join(file, example)}`;
    throw new CommandError(`${file} is a folder; ${advice}`, 2);
  }
  const extension = extname(path);
  if (extension === '.tsx' || extension === '.jsx') {
    throw new CommandError(`${file} has JSX, which has to be compiled first (tsc, esbuild); run the output`, 2);
  }
  if (!EXTENSIONS.includes(extension)) {
    throw new CommandError(`${file} is not a program of this kind: its name should end in ${EXTENSIONS.join(', ')}`, 2);
  }
  return path;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function suggestion(file: string, path: string): string {
  const names = namesIn(dirname(path)).filter((name) => EXTENSIONS.includes(extname(name)));
  const same = names.find((name) => basename(name, extname(name)) === basename(path, extname(path)));
  const meant = same ?? closest(basename(path), names);
  return meant === undefined ? '' : `; did you mean ${join(dirname(file), meant)}?`;
}

/** What `connect()` in the program takes as its defaults. */
function setDefaults({ cpus, memory, isolation, inspectTask, inline }: RunOptions): void {
  if (cpus !== undefined) {
    const n = Number(cpus);
    if (!(n > 0 && n <= MOST_CPUS))
      throw new CommandError(`--cpus is ${cpus}; give a number above 0, and ${MOST_CPUS} at most`, 2);
    process.env.SHEAF_CPUS = cpus;
  }
  if (memory !== undefined) {
    const size = bytes((/^\d+$/.test(memory) ? Number(memory) : memory) as Bytes, '--memory');
    if (size < LEAST_MEMORY) throw new CommandError(`--memory is ${memory}; give bytes, at least '1MiB'`, 2);
    process.env.SHEAF_MEMORY = memory;
  }
  if (isolation !== undefined) {
    if (isolation !== 'process' && isolation !== 'thread') {
      throw new CommandError(`--isolation is ${isolation}; give process or thread`, 2);
    }
    process.env.SHEAF_ISOLATION = isolation;
  }
  if (inspectTask !== undefined) {
    if (isolation === 'thread') {
      throw new CommandError('--inspect-task needs workers that are processes; leave --isolation thread away', 2);
    }
    process.env.SHEAF_INSPECT_TASK = inspectTask;
  }
  if (inline) process.env.SHEAF_MODE = 'inline';
}

/** Checks and prepares; what it returns runs the program, in this process, and fails as the program fails. */
export function prepareRun(file: string, args: readonly string[], options: RunOptions): () => Promise<void> {
  const path = programAt(file);
  setDefaults(options);
  return async () => {
    process.argv = [process.execPath, path, ...args];
    installTypeScript();
    await import(pathToFileURL(path).href);
  };
}
