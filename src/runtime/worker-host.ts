import type { Shape } from '../protocol/index.ts';

/** Starts workers of one kind. The control thread has one for each kind that the platform offers. */
export interface WorkerHost {
  readonly isolation: Shape['isolation'];
  /** What it can stand. */
  readonly survives: { readonly nativeCrash: boolean; readonly heapExhaustion: boolean };
  /** Begins to start a worker; it says `hello` over its ring when it is ready. */
  start(party: number, incarnation: number, ended: (reason: string) => void): WorkerProcess;
  close(): void;
}

export interface WorkerProcess {
  /** Of the process it runs in. */
  readonly pid: number | undefined;
  /** Ends it now, whatever it is doing; `ended` follows. */
  kill(): void;
  /** Makes it stand still until the function that is returned is called, or until it is ended. A thread can't. */
  pause?(): () => void;
}
