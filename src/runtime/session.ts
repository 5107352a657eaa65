import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, type Worker } from 'node:worker_threads';
import { bundledError, InternalError, isInstalled, NotAvailableError, UsageError } from '../base/index.ts';
import { SharedStore, spillFolderOf } from '../memory/index.ts';
import { libc, nativeLoading, sharingWorks } from '../native/index.ts';
import {
  type BellPipes,
  type BlockShape,
  blockShape,
  ChannelBell,
  ControlBlock,
  closeBellPipes,
  createBellPipes,
  MOST_CPUS,
  PipeBell,
} from '../transport/index.ts';
import type { ArraySettings } from './array-settings.ts';
import { closeBeforeExit, explainOnSignal, reportAtExit, tidyAtExit } from './at-exit.ts';
import { type AdoptedWorker, type ControlConfig, DRIVER, FIRST_WORKER } from './config.ts';
import { checkSignals, endOnSignals } from './ending.ts';
import { Explainer } from './explain.ts';
import { sayIfNotCalled } from './inspect-task.ts';
import { ACTORS_END_MS, SESSION_END_MS } from './last-moments.ts';
import { machineLimits } from './machine.ts';
import { OwnedEngine } from './owned-engine.ts';
import { PartyHost } from './party-host.ts';
import { ProcessHost } from './process-host.ts';
import { answerWithReport } from './reports/answer.ts';
import { sessionSocket } from './session-socket.ts';
import { type SessionStats, sessionStats } from './stats.ts';
import { threadOf } from './thread-entry.ts';
import { addEngine, removeEngine } from './thread-state.ts';

export interface SessionOptions {
  readonly cpus: number;
  readonly gpus: number;
  readonly memory: number;
  /** The folder for what has no room in memory; undefined: there is none. */
  readonly spill: string | undefined;
  readonly resources: Readonly<Record<string, number>>;
  readonly isolation: 'process' | 'thread' | undefined;
  /** As in `ControlConfig`. */
  readonly workerMemory: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly checkWrites: boolean;
  readonly arrays: ArraySettings;
  readonly name: string;
}

/** Every core that a session can have and 0.3 of the memory that this process may use, unless told otherwise. */
export function defaultResources(): { cpus: number; memory: number } {
  const { cpus, memory } = machineLimits();
  return { cpus: Math.min(cpus, MOST_CPUS), memory: Math.floor(memory * 0.3) };
}

/** The most bytes that a session with so many cores can have. */
export function mostMemory(cpus: number): number {
  return SharedStore.mostBytes(blockShape(cpus, 'processes').parties);
}

let works: boolean | undefined;

/** Whether workers can be processes here: tried once. */
export function processesWork(): boolean {
  works ??= process.platform === 'linux' && libc() !== undefined && sharingWorks();
  return works;
}

/** A file of the package that another thread or process starts with, or has functions of ours from. */
export function packageEntry(name: string): string {
  const own: string | undefined = import.meta.url;
  if (own === undefined) throw bundledError(own);
  // All of them lie in one folder.
  const path = fileURLToPath(new URL(`./${name}.js`, own));
  if (existsSync(path)) return path;
  const file = fileURLToPath(own);
  if (!isInstalled(file)) throw bundledError(file);
  throw new InternalError(`the file ${path} of the package is missing; install it again`);
}

/** One open session of a driver: the node of this machine, in this process. */
export class LocalSession {
  readonly engine: OwnedEngine;
  readonly host: PartyHost;
  readonly node: string;
  readonly isolation: 'process' | 'thread';
  readonly name: string;
  readonly #control: Worker;
  readonly #block: ControlBlock;
  readonly #store: SharedStore;
  readonly #pipes: BellPipes | undefined;
  readonly #signals: () => void;
  readonly #unreport: () => void;
  #closing: Promise<void> | undefined;
  #controlGone = false;
  #retries: { name: string; charged: boolean; reason: string }[] = [];

  static open(o: SessionOptions): LocalSession {
    return new LocalSession(o);
  }

  private constructor(o: SessionOptions) {
    const entries = { worker: packageEntry('worker'), control: packageEntry('control') };
    const c = libc();
    if (o.isolation === 'process' && !processesWork()) {
      throw new NotAvailableError(
        "isolation 'process' needs memory that processes can share, which this system does not offer (see `sheaf doctor`); " +
          "use isolation 'thread'",
      );
    }
    this.isolation = o.isolation ?? (processesWork() ? 'process' : 'thread');
    if (o.isolation === undefined && this.isolation === 'thread' && process.platform === 'linux') warnOfThreads();
    const between = this.isolation === 'process' ? 'processes' : 'threads';
    const shape = blockShape(o.cpus, between);
    this.node = randomBytes(8).toString('hex');
    this.name = o.name;
    const spill = o.spill === undefined ? undefined : spillFolderOf(o.spill, this.node);
    const { block, store, pipes } = createShared(shape, o.memory, between, spill);
    this.#block = block;
    this.#store = store;
    this.#pipes = pipes;
    this.#block.reset(DRIVER, 1);

    const session = {
      node: this.node,
      block: this.#block.handle,
      shape,
      store: this.#store.handle,
      bells: this.#pipes,
      spinners: availableParallelism(),
      checkWrites: o.checkWrites,
      arrays: o.arrays,
      workerEntry: entries.worker,
      env: o.env,
    };
    // The first worker starts while the control thread does, and is handed over to it.
    let adopted: AdoptedWorker | undefined;
    if (this.isolation === 'process' && c !== undefined) {
      const [life, worker] = c.pipe();
      this.#block.reset(FIRST_WORKER, 1);
      const exited = (reason: string): void => {
        if (!this.host.closed) this.host.mailer.post(0, { type: 'exited', party: FIRST_WORKER, reason });
      };
      const { pid } = new ProcessHost(session).start(FIRST_WORKER, 1, exited, [worker]);
      c.close(worker);
      if (pid === undefined) c.close(life);
      else adopted = { party: FIRST_WORKER, incarnation: 1, pid, life };
    }
    const config: ControlConfig = {
      ...session,
      blockMemory: this.#block.segment.memory,
      bell: this.#pipes === undefined || c === undefined ? undefined : c.dup(this.#pipes.read[0] as number),
      adopted,
      capacity: { cpus: o.cpus, gpus: o.gpus, memory: o.memory, custom: o.resources },
      isolation: this.isolation,
      prestart: Math.max(1, Math.floor(o.cpus)),
      workerMemory: o.workerMemory,
      name: o.name,
      socket: sessionSocket(this.node),
    };
    this.#control = threadOf(entries.control, {
      workerData: { sheafControl: config, sheafLoading: nativeLoading },
      stdout: false,
      stderr: false,
    });
    this.#control.on('error', (error) => this.#controlFailed(error));
    this.#control.on('exit', () => {
      this.#controlGone = true;
      if (this.#closing === undefined) this.#controlFailed(new Error('it ended'));
    });
    this.#control.unref();

    const read = this.#pipes === undefined || c === undefined ? undefined : c.dup(this.#pipes.read[DRIVER] as number);
    const bell =
      this.#pipes === undefined || read === undefined
        ? new ChannelBell(this.node, DRIVER)
        : new PipeBell(read, this.#pipes.write, true);
    this.host = new PartyHost({
      self: { node: this.node, party: DRIVER, incarnation: 1 },
      block: this.#block,
      store: this.#store,
      bell,
      spinners: config.spinners,
      yieldCore: this.isolation === 'process' ? c?.yieldCore : undefined,
      role: 'driver',
      log: (line) => console.error(line),
    });
    this.host.onRetry = (call, charged, reason) => {
      if (this.#retries.length < 10_000) this.#retries.push({ name: call.name, charged, reason });
    };
    this.engine = new OwnedEngine(this.host, this.isolation, session.arrays);
    addEngine(this.engine);
    const answer = answerWithReport(this.host);
    this.host.onHostMessage = (message) => {
      if (message.type === 'signalled') checkSignals();
      else answer(message);
    };
    const explainer = new Explainer(this.host);
    this.host.onPark = () => explainer.parked();
    // Signals reach the listeners of main threads only.
    const unguard = isMainThread
      ? endOnSignals({ end: () => this.endForExit(), guarded: (signals) => this.#block.setGuarded(DRIVER, signals) })
      : () => {};
    const silent = explainOnSignal(explainer);
    const tidy = tidyAtExit(config.socket, this.#store, spill);
    this.#unreport = reportAtExit(this.host);
    const leave = closeBeforeExit(
      () => this.host.actors.made,
      () => this.close(),
    );
    this.#signals = () => {
      unguard();
      leave();
      silent();
      explainer.close();
      tidy();
    };
  }

  #controlFailed(error: Error): void {
    if (this.#closing !== undefined) return;
    this.host.log(`sheaf: the control thread failed, the session is closed: ${error.stack ?? error.message}`);
    void this.close();
  }

  get url(): string {
    return `sheaf://local/${this.node}`;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Asks the control thread; see `ControlHost.describe`. */
  ask(what: string): Promise<unknown> {
    if (this.closed) throw new UsageError('the session is closed');
    return this.host.ask(what);
  }

  stats(): SessionStats {
    return sessionStats(this.host);
  }

  /** Runs that were repeated because a worker died or the task asked for it. */
  get retries(): readonly { name: string; charged: boolean; reason: string }[] {
    return this.#retries;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The process is about to end: workers go, and nobody is told of what was pending. */
  endForExit(): Promise<void> {
    this.#closing ??= atMost(ACTORS_END_MS.exit + SESSION_END_MS.exit, this.host.askToClose('exit'));
    return this.#closing;
  }

  async #close(): Promise<void> {
    sayIfNotCalled(this.engine.called);
    removeEngine(this.engine);
    this.#signals();
    // Until it is all over, this alone keeps the process alive.
    this.#control.ref();
    const gone = new Promise<void>((resolve) => {
      if (this.#controlGone) resolve();
      else this.#control.once('exit', () => resolve());
    });
    if (!this.host.closed && !this.#controlGone) {
      await atMost(ACTORS_END_MS.close + SESSION_END_MS.close, this.host.askToClose('close'));
    }
    this.host.close('the session was closed');
    this.#unreport();
    await atMost(1000, gone);
    await this.#control.terminate();
    this.#store.close();
    this.#block.close();
    if (this.#pipes !== undefined) closeBellPipes(this.#pipes);
  }
}

interface Shared {
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly pipes: BellPipes | undefined;
}

/** What a session shares with its workers. Where a part of it can't be had, those before it are given back. */
function createShared(
  shape: BlockShape,
  memory: number,
  between: 'processes' | 'threads',
  spill: string | undefined,
): Shared {
  const block = ControlBlock.create(shape, between);
  let store: SharedStore | undefined;
  try {
    store = SharedStore.create({ limit: memory, parties: shape.parties, between, party: DRIVER, spill });
    return { block, store, pipes: libc() === undefined ? undefined : createBellPipes(shape.parties) };
  } catch (error) {
    store?.close();
    block.close();
    throw error;
  }
}

/** Waits for `promise`, but not for ever; the timer keeps the process alive meanwhile. */
function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const settled = (): void => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(settled, settled);
  });
}

let warned = false;

function warnOfThreads(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'workers are threads here, so a native crash of a task ends the program: koffi or shared memory is missing; ' +
      "`sheaf doctor` says more, and isolation 'thread' says that it is meant",
    { type: 'SheafWarning', code: 'ERR_SHEAF_THREADS' },
  );
}
