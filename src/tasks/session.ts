import { type Bytes, bytes, NotAvailableError, UsageError } from '../base/index.ts';
import { defaultResources, LocalSession, MOST_CPUS, threadState } from '../runtime/index.ts';
import { currentEngine, engines, runWith, sessions } from './context.ts';
import { checkNames, checkObject, checkResources, checkSignal } from './options.ts';
import type { ConnectOptions, Current, Session, SessionStats } from './types.ts';

const known = new Set(['cpus', 'gpus', 'resources', 'memory', 'isolation', 'env', 'checkWrites', 'signal', 'name']);
const later: Readonly<Record<string, string>> = {
  mode: 'inline mode',
  spill: 'spilling to disk',
  workers: 'the cluster',
  token: 'the cluster',
  tls: 'the cluster',
  files: 'the cluster',
  cache: 'the SPMD engine',
  onRankLoss: 'the SPMD engine',
  divergence: 'the SPMD engine',
};

class OpenSession implements Session {
  readonly #local: LocalSession;
  readonly #unlisten: () => void;

  constructor(local: LocalSession, signal: AbortSignal | undefined) {
    this.#local = local;
    engines.set(this, local.engine);
    sessions.set(this, local);
    const abort = (): void => void this[Symbol.asyncDispose]();
    signal?.addEventListener('abort', abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener('abort', abort);
  }

  get url(): string {
    return this.#local.url;
  }

  run<T>(fn: () => T): T {
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
function fromEnvironment(): { cpus?: number; memory?: string; isolation?: string } {
  const { SHEAF_CPUS, SHEAF_MEMORY, SHEAF_ISOLATION } = process.env;
  return {
    ...(SHEAF_CPUS ? { cpus: Number(SHEAF_CPUS) } : {}),
    ...(SHEAF_MEMORY ? { memory: SHEAF_MEMORY } : {}),
    ...(SHEAF_ISOLATION ? { isolation: SHEAF_ISOLATION } : {}),
  };
}

/** Bytes: a plain number counts them, as in the options. */
function memoryOf(o: ConnectOptions, text: string | undefined, fallback: number): number {
  if (o.memory !== undefined) return bytes(o.memory, 'connect: memory');
  if (text === undefined) return fallback;
  return bytes((/^\d+$/.test(text) ? Number(text) : text) as Bytes, 'SHEAF_MEMORY');
}

function isolationOf(o: ConnectOptions, text: string | undefined): 'process' | 'thread' | undefined {
  const isolation = o.isolation ?? text;
  if (isolation === undefined || isolation === 'process' || isolation === 'thread') return isolation;
  const what = o.isolation === undefined ? 'SHEAF_ISOLATION' : 'connect: isolation';
  throw new UsageError(`${what} is ${JSON.stringify(isolation)}; give 'process' or 'thread'`);
}

/**
 * Opens a session on this machine: every core, nothing to start. Close it with `await using`, or
 * `session[Symbol.asyncDispose]()`.
 *
 * What the options leave open comes from the environment, which `sheaf run` sets: `SHEAF_CPUS` (cores),
 * `SHEAF_MEMORY` (bytes, or a text such as `2GiB`), `SHEAF_ISOLATION` (`process` or `thread`); then from the machine:
 * every core, and 0.3 of the memory, that the process may use, a container's limits included.
 */
export async function connect(where?: string | ConnectOptions): Promise<Session> {
  if (typeof where === 'string') {
    throw new NotAvailableError(`connect('${where}'): clusters are not in this version; connect() opens this machine`);
  }
  const o = where ?? {};
  checkObject(o, 'connect');
  const { mode, ...rest } = o as ConnectOptions & { mode?: string };
  checkNames(mode === 'workers' ? rest : o, known, later, 'connect');
  if (threadState().onWorker) {
    throw new UsageError(
      'connect was called inside a task: its worker is part of a session already; call tasks directly',
    );
  }
  if (o.signal !== undefined) checkSignal(o.signal, 'connect');
  if (o.resources !== undefined) checkResources(o.resources, 'connect');
  if (o.gpus !== undefined && !(Number.isInteger(o.gpus) && o.gpus >= 0)) {
    throw new UsageError(`connect: gpus is ${String(o.gpus)}; give a whole number that is not negative`);
  }
  for (const [name, value] of Object.entries(o.env ?? {})) {
    if (typeof value !== 'string') throw new UsageError(`connect: env.${name} is ${typeof value}; give a text`);
  }
  o.signal?.throwIfAborted();
  const defaults = defaultResources();
  const environment = fromEnvironment();
  const cpus = o.cpus ?? environment.cpus ?? defaults.cpus;
  if (!(typeof cpus === 'number' && cpus > 0 && cpus <= MOST_CPUS)) {
    const said = o.cpus === undefined ? `SHEAF_CPUS is ${process.env.SHEAF_CPUS}` : `connect: cpus is ${String(cpus)}`;
    throw new UsageError(`${said}; give a number above 0, and ${MOST_CPUS} at most`);
  }
  const memory = memoryOf(o, environment.memory, defaults.memory);
  if (memory < 1024 * 1024) throw new UsageError(`connect: memory is ${memory} bytes; give at least '1MiB'`);
  const local = LocalSession.open({
    cpus,
    gpus: o.gpus ?? 0,
    memory,
    resources: o.resources ?? {},
    isolation: isolationOf(o, environment.isolation),
    env: o.env ?? {},
    checkWrites: o.checkWrites ?? false,
    name: o.name ?? process.argv[1] ?? 'session',
  });
  return new OpenSession(local, o.signal);
}

/** The task that the calling code belongs to. */
export function current(): Current {
  const task = currentEngine('current').current();
  if (task === undefined) {
    throw new UsageError('current() was called outside of a task: it is for code that runs on a worker');
  }
  return task;
}
