import { Gate, libc, nativeLoading } from '../native/index.ts';
import { type ControlConfig, sessionConfig, type WorkerConfig } from './config.ts';
import { threadOf } from './thread-entry.ts';
import type { WorkerHost, WorkerProcess } from './worker-host.ts';

/** A thread that can't be ended just now is tried again after so long. */
const GATE_AGAIN_MS = 1;

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
    const gate = Gate.inside();
    const worker = threadOf(workerEntry, {
      workerData: { sheafWorker: config, sheafLoading: nativeLoading, sheafGate: gate.buffer },
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
    const end = (): void => {
      if (over) return;
      // It starts, or is at what must not be cut off: both come to an end by themselves.
      if (gate.end()) void worker.terminate();
      else setTimeout(end, GATE_AGAIN_MS);
    };
    worker.unref();
    return {
      pid: process.pid,
      kill: () => {
        if (killed) return;
        killed = true;
        end();
      },
    };
  }

  close(): void {}
}
