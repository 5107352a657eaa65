import { Socket } from 'node:net';
import type { AdoptedWorker } from './config.ts';
import { pauseProcess } from './pause.ts';
import type { WorkerProcess } from './worker-host.ts';

/** How long to wait for the main thread's word on why a worker ended, before going on without. */
const GRACE_MS = 30;

/**
 * A worker that another thread of this process has started. Its end shows by its pipe, whatever that thread is doing;
 * what it ended of is known to that thread alone, which says so if it can.
 */
export class AdoptedProcess implements WorkerProcess {
  readonly pid: number;
  readonly #life: Socket;
  readonly #ended: (reason: string) => void;
  #over = false;

  constructor(worker: AdoptedWorker, ended: (reason: string) => void) {
    this.pid = worker.pid;
    this.#ended = ended;
    this.#life = new Socket({ fd: worker.life, readable: true, writable: false });
    this.#life.on('error', () => {});
    this.#life.on('close', () => setTimeout(() => this.exited('it ended'), GRACE_MS));
    this.#life.resume();
  }

  exited(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#life.destroy();
    this.#ended(reason);
  }

  pause(): () => void {
    return this.#over ? () => {} : pauseProcess(this.pid);
  }

  kill(): void {
    if (this.#over) return;
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // Gone already; its pipe says so.
    }
  }
}
