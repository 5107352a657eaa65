import { spawn } from 'node:child_process';
import { type ControlConfig, forChild, type SessionConfig, sessionConfig, type WorkerConfig } from './config.ts';
import { pauseProcess } from './pause.ts';
import type { WorkerHost, WorkerProcess } from './worker-host.ts';

type SpawnConfig = SessionConfig & Pick<ControlConfig, 'workerEntry' | 'env'>;

/**
 * Workers as processes: a native crash or an exhausted heap costs one worker. They inherit the session's memory and
 * its standard streams, to which they write themselves, so that no line of a dying worker is lost (see `WorkerOutput`).
 */
export class ProcessHost implements WorkerHost {
  readonly isolation = 'process';
  readonly survives = { nativeCrash: true, heapExhaustion: true };
  readonly #config: SpawnConfig;

  constructor(config: SpawnConfig) {
    this.#config = config;
  }

  /** `extra` descriptors are inherited behind the session's own, for nothing but their lifetime. */
  start(
    party: number,
    incarnation: number,
    ended: (reason: string) => void,
    extra: readonly number[] = [],
  ): WorkerProcess {
    const { workerEntry, env } = this.#config;
    const session = sessionConfig(this.#config);
    const worker: WorkerConfig = {
      ...session,
      isolation: 'process',
      self: { node: session.node, party, incarnation },
      parent: process.pid,
    };
    const { fds, config } = forChild(worker);
    const child = spawn(process.execPath, [workerEntry], {
      stdio: ['ignore', 'inherit', 'inherit', ...fds, ...extra],
      env: { ...process.env, ...env, SHEAF_WORKER: JSON.stringify(config) },
    });
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      ended(reason);
    };
    child.on('error', (error) => end(`it could not be started: ${error.message}`));
    child.on('exit', (code, signal) => end(describeExit(code, signal)));
    child.unref();
    return {
      pid: child.pid,
      kill: () => void child.kill('SIGKILL'),
      pause: () => pauseProcess(child.pid as number),
    };
  }

  close(): void {}
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  switch (signal) {
    case null:
      return code === 134 ? HEAP : `it exited with code ${code}`;
    case 'SIGABRT':
      return HEAP;
    case 'SIGKILL':
      return 'it was killed (SIGKILL: by hand, or by the system for want of memory)';
    case 'SIGTRAP':
    case 'SIGILL':
      return `V8 or native code stopped it (${signal}), as happens when a collection grows beyond what V8 allows`;
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGFPE':
      return `native code crashed (${signal})`;
    default:
      return `it was ended by ${signal}`;
  }
}

const HEAP = 'it aborted (SIGABRT), as Node does when a heap is exhausted';
