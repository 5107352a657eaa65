import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { bytes, formatBytes, kindOf, onAbort, shown, UsageError } from '../base/index.ts';
import {
  defaultResources,
  defaultSpillFolder,
  InlineSession,
  inlineTaskEngine,
  LocalSession,
  mostMemory,
  threadState,
} from '../runtime/index.ts';
import { engines, runWith, sessions } from './context.ts';
import { arraySettings, checkConnect, checkEnvironment, type EnvironmentOption } from './options.ts';
import type { Bytes, ConnectOptions, Session, SessionStats } from './types.ts';

class OpenSession implements Session {
  readonly #local: LocalSession | InlineSession;
  readonly #unlisten: () => void = () => {};

  constructor(local: LocalSession | InlineSession, signal: AbortSignal | undefined) {
    this.#local = local;
    engines.set(this, local.engine);
    sessions.set(this, local);
    if (signal !== undefined) this.#unlisten = onAbort(signal, () => void this[Symbol.asyncDispose]());
  }

  get url(): string {
    return this.#local.url;
  }

  run<T>(fn: () => T): T {
    if (typeof fn !== 'function') throw new UsageError(`session.run takes a function, not ${kindOf(fn)}`);
    return runWith(this.#local.engine, fn);
  }

  drained(): Promise<void> {
    return this.#local.host.drained();
  }

  stats(): SessionStats {
    return this.#local.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unlisten();
    await this.#local.close();
  }
}

/** What the environment says where the program says nothing. */
function withEnvironment(o: ConnectOptions): ConnectOptions {
  const { SHEAF_CPUS: cpus, SHEAF_MEMORY: memory, SHEAF_SPILL: spill } = process.env;
  const { SHEAF_ISOLATION: isolation, SHEAF_MODE: mode } = process.env;
  const found: Record<string, unknown> = { ...o };
  const take = (option: EnvironmentOption, variable: string, value: unknown): void => {
    if (o[option] !== undefined) return;
    checkEnvironment(variable, value, option);
    found[option] = value;
  };
  if (cpus) take('cpus', 'SHEAF_CPUS', Number.isNaN(Number(cpus)) ? cpus : Number(cpus));
  // A plain number counts bytes, as in the options.
  if (memory) take('memory', 'SHEAF_MEMORY', /^\d+$/.test(memory) ? Number(memory) : memory);
  if (isolation) take('isolation', 'SHEAF_ISOLATION', isolation);
  if (mode) take('mode', 'SHEAF_MODE', mode);
  if (spill) take('spill', 'SHEAF_SPILL', spill);
  return found;
}

/** What worker processes may have together besides shared memory, where the environment says so. */
function workerMemory(): number | undefined {
  const { SHEAF_WORKER_MEMORY: text } = process.env;
  if (!text) return undefined;
  checkEnvironment('SHEAF_WORKER_MEMORY', /^\d+$/.test(text) ? Number(text) : text, 'memory');
  return bytes(/^\d+$/.test(text) ? Number(text) : (text as Bytes), 'SHEAF_WORKER_MEMORY');
}

/** Where values go that have no room in memory; undefined: nowhere. */
function spillFolder(option: string | undefined): string | undefined {
  if (option === undefined) return defaultSpillFolder();
  if (option === 'off') return undefined;
  const folder = resolve(option);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) {
    throw new UsageError(`connect: spill is ${shown(option)}, which is not a folder; give one, or 'off'`);
  }
  return folder;
}

/**
 * @internal A session for arrays alone: its workers load what computes these as soon as they start, and there are fewer of them by one, since this thread
 * computes, too.
 */
export const connectForArrays = (options: ConnectOptions): Promise<Session> => openSession(options, true);

/** `connect` on this machine. */
export async function openSession(where: ConnectOptions, forArrays: boolean): Promise<Session> {
  checkConnect(where);
  if (threadState().onWorker || inlineTaskEngine() !== undefined) {
    throw new UsageError(
      'connect was called inside a task: its worker is part of a session already; call tasks directly',
    );
  }
  where.signal?.throwIfAborted();
  const o = withEnvironment(where);
  const defaults = defaultResources();
  const cpus = o.cpus ?? defaults.cpus;
  const most = mostMemory(cpus);
  const memory = o.memory === undefined ? Math.min(defaults.memory, most) : bytes(o.memory, 'connect: memory');
  if (memory > most) {
    throw new UsageError(
      `connect: ${formatBytes(memory)} of memory are more than a session can have; give ${formatBytes(most)} at most: the ` +
        'table of all its pages has to fit one segment of shared memory',
    );
  }
  const options = {
    cpus: forArrays ? Math.max(1, cpus - 1) : cpus,
    gpus: o.gpus ?? 0,
    memory,
    spill: spillFolder(o.spill),
    resources: o.resources ?? {},
    isolation: o.isolation,
    workerMemory: workerMemory(),
    env: o.env ?? {},
    checkWrites: o.checkWrites ?? false,
    arrays: { ...arraySettings(o.arrays), cpus: Math.floor(cpus), preload: forArrays },
    name: o.name ?? process.argv[1] ?? 'session',
  };
  const local = o.mode === 'inline' ? InlineSession.open(options) : LocalSession.open(options);
  return new OpenSession(local, o.signal);
}
