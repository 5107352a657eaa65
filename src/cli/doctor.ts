import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { formatBytes, makeFolders } from '../base/index.ts';
import { stripTypes } from '../code/index.ts';
import { libc, searchBlas, sharingWorks } from '../native/index.ts';
import {
  coreCache,
  defaultResources,
  defaultSpillFolder,
  folderProblem,
  machineLimits,
  processesWork,
  runtimeFolder,
} from '../runtime/index.ts';
import { connect, task } from '../tasks/index.ts';
import { bold, dim, green, red, say, sayJson, table, yellow } from './output.ts';

interface Finding {
  readonly name: string;
  /** `warn`: it works, with less than could be had. `fail`: nothing runs before it is mended. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

const OLDEST_NODE = [20, 19] as const;
/** Descriptors that a session of a usual size holds: doorbells, shared memory, and what Node itself needs. */
const FILES_NEEDED = 256;
const ROUND_TRIPS = 200;
const LONGEST_TRIAL_MS = 15_000;

const ok = (name: string, text: string): Finding => ({ name, status: 'ok', text });
const warn = (name: string, text: string, advice: string): Finding => ({ name, status: 'warn', text, advice });
const fail = (name: string, text: string, advice: string): Finding => ({ name, status: 'fail', text, advice });

export async function doctor({ json = false }: { readonly json?: boolean }): Promise<void> {
  const findings = [
    node(),
    platform(),
    foreignCalls(),
    sharing(),
    host(),
    cores(),
    cache(),
    memory(),
    disk(),
    openFiles(),
    addressSpace(),
    linearAlgebra(),
    typeScript(),
    folder(),
    await roundTrip(),
  ].filter((finding) => finding !== undefined);
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (json) sayJson({ ok: failed === 0, findings });
  else show(findings, failed);
  if (failed > 0) process.exitCode = 1;
}

function show(findings: readonly Finding[], failed: number): void {
  const marks = { ok: green('ok  '), warn: yellow('warn'), fail: red('FAIL') };
  const lines = table(findings.map(({ name, text }) => [name, text]));
  for (const [i, { status, advice }] of findings.entries()) {
    say(`${marks[status]}  ${lines[i]}`);
    if (advice !== undefined) say(`      ${dim('->')} ${advice}`);
  }
  const warned = findings.filter(({ status }) => status === 'warn').length;
  say();
  if (failed > 0) say(bold(red(`${failed} of ${findings.length} must be mended first`)));
  else if (warned > 0) say(bold(`Sheaf runs here; ${warned} of ${findings.length} could be better`));
  else say(bold('Sheaf runs here'));
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const text = `${process.versions.node} (${process.execPath})`;
  const [oldest, oldestMinor] = OLDEST_NODE;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return ok('node', text);
  return fail('node', text, `install Node ${oldest}.${oldestMinor} or later; 24 is the fastest`);
}

function platform(): Finding {
  const text = `${process.platform} ${process.arch}`;
  if (process.platform === 'linux') return ok('platform', text);
  return warn(
    'platform',
    text,
    'workers are threads here: a native crash of a task ends the program; on Linux it does not',
  );
}

function foreignCalls(): Finding | undefined {
  if (process.platform !== 'linux') return undefined;
  if (libc() !== undefined) return ok('koffi', 'loads, and finds the C library');
  return warn(
    'koffi',
    'does not load, or finds no C library',
    `run \`npm ls koffi @koromix/koffi-linux-${process.arch}\` and install what is missing (optional dependencies must not be left out)`,
  );
}

function sharing(): Finding | undefined {
  if (libc() === undefined) return undefined;
  if (sharingWorks()) return ok('shared memory', 'processes see each other’s writes');
  return warn(
    'shared memory',
    'can’t be mapped between processes here',
    'a sandbox may forbid memfd_create or mmap, or `ulimit -v` may be too small; workers are threads until then',
  );
}

function host(): Finding {
  if (processesWork()) return ok('workers', 'processes: a crash costs one worker');
  return warn('workers', 'threads: a native crash of a task ends the program', 'see the findings above for why');
}

function cores(): Finding {
  const { cpus, cpuQuota } = machineLimits();
  const quota = cpuQuota === undefined ? '' : `, of which a control group allows ${Math.round(cpuQuota * 100) / 100}`;
  const most = defaultResources().cpus;
  const text = `${cpus} (connect() uses ${most < cpus ? most : 'all'} of them)${quota}`;
  if (cpuQuota !== undefined && cpuQuota < 1) {
    return warn('cores', text, 'less than one core: give the container more, or expect waiting');
  }
  return ok('cores', text);
}

/** What tiles of arrays are cut for. */
function cache(): Finding {
  const name = 'cache of a core';
  try {
    const { bytes, from } = coreCache();
    const source = { 'the system': '', 'an assumption': ' (assumed: the system does not say)' }[from as string];
    return ok(name, `${formatBytes(bytes)}${source ?? ` (${from})`}`);
  } catch (error) {
    return fail(name, (error as Error).message, 'correct SHEAF_CORE_CACHE, or unset it');
  }
}

function memory(): Finding {
  const { memoryQuota } = machineLimits();
  const limit = defaultResources().memory;
  const quota = memoryQuota === undefined ? '' : `, of which a control group allows ${formatBytes(memoryQuota)}`;
  const text = `${formatBytes(totalmem())}${quota}; ${formatBytes(freemem())} free; objects may take ${formatBytes(limit)}`;
  if (freemem() < 256 * 1024 * 1024)
    return warn('memory', text, 'little is free: each worker takes about 50 MiB by itself');
  return ok('memory', text);
}

/** Where values go that have no room in memory. */
function disk(): Finding {
  const chosen = process.env.SHEAF_SPILL;
  if (chosen === 'off')
    return ok('disk', 'values that have no room in memory are not written to disk: SHEAF_SPILL is off');
  const folder = chosen ? resolve(chosen) : defaultSpillFolder();
  if (folder === undefined) {
    return warn(
      'disk',
      'values that have no room in memory have nowhere to go: all folders for temporary files lie in memory',
      'name a folder on a disk with SHEAF_SPILL or connect({ spill })',
    );
  }
  let place = folder;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.W_OK);
    const { bavail, bsize } = statfsSync(place);
    return ok('disk', `values that have no room in memory go to ${folder}; ${formatBytes(bavail * bsize)} free`);
  } catch (error) {
    return warn(
      'disk',
      `values can't be written to ${folder}: ${(error as Error).message}`,
      'name another folder with SHEAF_SPILL',
    );
  }
}

/** Soft limits of this process, as Linux shows them. */
function limitOf(name: string): number | undefined {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find((each) => each.startsWith(name));
    const soft = line?.slice(name.length).trim().split(/\s+/)[0];
    if (soft === undefined) return undefined;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return undefined;
  }
}

function openFiles(): Finding | undefined {
  const limit = limitOf('Max open files');
  if (limit === undefined) return undefined;
  if (limit >= FILES_NEEDED)
    return ok('open files', limit === Number.POSITIVE_INFINITY ? 'no limit' : `${limit} at most`);
  return warn(
    'open files',
    `${limit} at most`,
    `a session needs about ${FILES_NEEDED}: \`ulimit -n ${FILES_NEEDED * 4}\``,
  );
}

function addressSpace(): Finding | undefined {
  const limit = limitOf('Max address space');
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return undefined;
  return warn(
    'address space',
    `${formatBytes(limit)} at most`,
    'shared memory is reserved as addresses long before it is used: `ulimit -v unlimited`',
  );
}

/** What multiplies matrices fastest where it is installed. */
function linearAlgebra(): Finding | undefined {
  if (libc() === undefined) return undefined;
  const name = 'OpenBLAS';
  if (process.env.SHEAF_BLAS === 'off') return ok(name, 'is not used: SHEAF_BLAS is off');
  const { blas, problem } = searchBlas();
  if (blas === undefined) {
    return warn(
      name,
      `${problem}: matrices are multiplied and factorized by Sheaf’s own kernels, which are slower`,
      'Debian, Ubuntu: `apt install libopenblas0`; Fedora: `dnf install openblas`; Alpine: `apk add openblas`; or name one with SHEAF_BLAS',
    );
  }
  const lapack = blas.lapack === undefined ? ', without LAPACK' : '';
  return ok(name, `${blas.version.replace(`${name} `, '')} for ${blas.core} (${blas.path})${lapack}`);
}

function typeScript(): Finding {
  const { stripTypeScriptTypes, registerHooks } = nodeModule as {
    stripTypeScriptTypes?: unknown;
    registerHooks?: unknown;
  };
  const how =
    (stripTypeScriptTypes === undefined
      ? 'types are taken out by @swc/wasm-typescript'
      : 'types are taken out by Node itself') +
    (registerHooks === undefined ? ', files loaded through a hooks thread' : ', files loaded in the same thread');
  try {
    stripTypes('const n: number = 1;', 'probe.ts');
    return ok('TypeScript', how);
  } catch (error) {
    return warn(
      'TypeScript',
      `can’t be read: ${String(error)}`,
      'install @swc/wasm-typescript, or compile programs first',
    );
  }
}

function folder(): Finding {
  const path = runtimeFolder();
  const problem = folderProblem(path);
  if (problem !== undefined)
    return warn('runtime folder', path, `${problem}; until then \`sheaf status\` finds nothing`);
  try {
    makeFolders(path, 0o700);
    accessSync(path, constants.W_OK);
    return ok('runtime folder', path);
  } catch (error) {
    const advice = existsSync(dirname(path)) ? 'make it writable' : `create ${dirname(path)}`;
    return warn(
      'runtime folder',
      String(error),
      `${advice}, or set XDG_RUNTIME_DIR; until then \`sheaf status\` finds nothing`,
    );
  }
}

const increment = task((n: number) => n + 1);

/** A real session with one worker: how long until the first result, and how long a call takes then. */
async function roundTrip(): Promise<Finding> {
  const name = 'round trip';
  const advice = 'run it again with `--json` and report the message, with the output of `sheaf doctor`';
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const text = `no result after ${LONGEST_TRIAL_MS / 1000} s`;
    timer = setTimeout(() => resolve(fail(name, text, advice)), LONGEST_TRIAL_MS);
  });
  const trial = async (): Promise<Finding> => {
    try {
      const begun = performance.now();
      await using session = await connect({ cpus: 1, memory: '64MiB', name: 'sheaf doctor' });
      const first = await session.run(() => increment(41).value);
      const toFirst = performance.now() - begun;
      if (first !== 42) return fail(name, `41 + 1 came back as ${first}`, advice);
      const times: number[] = [];
      for (let i = 0; i < ROUND_TRIPS; i++) {
        const start = performance.now();
        await session.run(() => increment(i).value);
        times.push(performance.now() - start);
      }
      const median = times.sort((x, y) => x - y)[ROUND_TRIPS >> 1]!;
      return ok(name, `first result after ${toFirst.toFixed(0)} ms, then ${(median * 1000).toFixed(0)} µs a call`);
    } catch (error) {
      return fail(name, error instanceof Error ? `${error.name}: ${error.message}` : String(error), advice);
    }
  };
  const finding = await Promise.race([trial(), late]);
  clearTimeout(timer);
  return finding;
}
