import { Worker } from 'node:worker_threads';
import { libc, nativeLoading } from '../native/index.ts';
import { type ControlConfig, sessionConfig, type WorkerConfig } from './config.ts';
import type { WorkerHost, WorkerProcess } from './worker-host.ts';

/**
 * Workers as threads of the session's process, for systems where memory can't be shared between processes, and on
 * request. A native crash, `process.abort` and most ways to exhaust a heap take the whole process down; a thread can't be
 * ended inside native code.
 */
export class ThreadHost implements WorkerHost {
  readonly isolation = 'thread';
  readonly survives = { nativeCrash: false, heapExhaustion: false };
  readonly #config: ControlConfig;

  constructor(config: ControlConfig) {
    this.#config = config;
  }

  start(party: number, incarnation: number, ended: (reason: string) => void): WorkerProcess {
    const { workerEntry, env } = this.#config;
    const session = sessionConfig(this.#config);
    const { bells } = session;
    const config: WorkerConfig = {
      ...session,
      isolation: 'thread',
      self: { node: session.node, party, incarnation },
      parent: process.pid,
      // The thread closes its bell when it ends; the pipe itself stays for the next one.
      bells: bells === undefined ? undefined : { read: [libc()!.dup(bells.read[party] as number)], write: bells.write },
    };
    const worker = new Worker(workerEntry, {
      workerData: { sheafWorker: config, sheafLoading: nativeLoading },
      env: { ...process.env, ...env },
      stdout: false,
      stderr: false,
    });
    let failure: string | undefined;
    let killed = false;
    let over = false;
    worker.on('error', (error: Error & { code?: string }) => {
      failure =
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'its heap was exhausted'
          : `of an uncaught error: ${error.name}: ${error.message}`;
    });
    worker.on('exit', (code) => {
      if (over) return;
      over = true;
      ended(failure ?? (killed ? 'it was killed' : `it exited with code ${code}`));
    });
    // A thread that is ended while it loads native code takes the process down: until it has, its end is put off.
    let loaded = false;
    worker.once('message', () => {
      loaded = true;
      if (killed) void worker.terminate();
    });
    worker.unref();
    return {
      pid: process.pid,
      kill: () => {
        killed = true;
        if (loaded) void worker.terminate();
      },
    };
  }

  close(): void {}
}
