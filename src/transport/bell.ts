import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { BroadcastChannel } from 'node:worker_threads';
import { libc } from '../native/index.ts';
import type { ControlBlock } from './control-block.ts';

/** Wakes parked parties, and this party when it is parked. A bell that rings once too often does no harm. */
export interface Bell {
  ring(party: number): void;
  /** Called when somebody rang for this party. */
  listen(heard: () => void): void;
  /** Whether waiting for the bell keeps the process alive. */
  hold(keepAlive: boolean): void;
  close(): void;
}

/** One pipe for each party, made by the session and inherited by every process of it. */
export interface BellPipes {
  readonly read: readonly number[];
  readonly write: readonly number[];
}

export function createBellPipes(parties: number): BellPipes {
  const c = libc();
  if (c === undefined) throw new Error('pipes for waking other processes need Linux, with koffi installed');
  const read: number[] = [];
  const write: number[] = [];
  for (let i = 0; i < parties; i++) {
    const [r, w] = c.pipe();
    read.push(r);
    write.push(w);
  }
  return { read, write };
}

export function closeBellPipes(pipes: BellPipes): void {
  for (const fd of [...pipes.read, ...pipes.write]) closeSync(fd);
}

/**
 * The signal that wakes workers. The kernel takes a write to a pipe as a sign that the writer is about to sleep, and
 * puts the reader in its place on the same core; a signal has no such effect, which halves the time to wake a worker.
 * This one is ignored by default, so that a late one to a process that is gone, or not ready, does no harm.
 */
const WAKING_SIGNAL = 'SIGURG';

/** Between processes and threads of one session. `read` belongs to the bell and is closed with it. */
export class PipeBell implements Bell {
  readonly #socket: Socket;
  readonly #write: readonly number[];
  readonly #block: ControlBlock;
  readonly #ring: (fd: number) => void;
  readonly #signal: (pid: number) => void;
  #heard: (() => void) | undefined;
  #signalled = false;

  /** `foreign`: rings by FFI, which is faster, but costs some milliseconds to load. */
  constructor(read: number, write: readonly number[], block: ControlBlock, foreign: boolean) {
    this.#socket = new Socket({ fd: read, readable: true, writable: false });
    this.#write = write;
    this.#block = block;
    const c = foreign ? libc() : undefined;
    this.#ring = c?.ring ?? ringBySystem;
    const number = constants.signals[WAKING_SIGNAL];
    this.#signal = c === undefined ? signalBySystem : (pid) => c.signal(pid, number);
  }

  ring(party: number): void {
    const pid = this.#block.signalled(party);
    if (pid > 0) this.#signal(pid);
    else this.#ring(this.#write[party] as number);
  }

  listen(heard: () => void): void {
    this.#heard = heard;
    this.#socket.on('data', heard);
    // A pipe that breaks belongs to a session that is ending.
    this.#socket.on('error', () => {});
  }

  /** Makes `party`, which is this process's main thread, be woken by signals. To be called after `listen`. */
  useSignals(party: number): void {
    this.#signalled = true;
    process.on(WAKING_SIGNAL, this.#heard as () => void);
    this.#block.setSignalled(party, process.pid);
  }

  hold(keepAlive: boolean): void {
    if (keepAlive) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#signalled) process.off(WAKING_SIGNAL, this.#heard as () => void);
    this.#socket.destroy();
  }
}

function signalBySystem(pid: number): void {
  try {
    process.kill(pid, WAKING_SIGNAL);
  } catch {
    // It is gone; its end will be heard of in another way.
  }
}

const stroke = new Uint8Array([1]);

function ringBySystem(fd: number): void {
  try {
    writeSync(fd, stroke);
  } catch {
    // A full pipe is as good as a written one, and a closed one belongs to a session that is ending.
  }
}

/** Between threads only, where there is no FFI. */
export class ChannelBell implements Bell {
  readonly #session: string;
  readonly #own: BroadcastChannel;
  readonly #others = new Map<number, BroadcastChannel>();

  constructor(session: string, party: number) {
    this.#session = session;
    this.#own = new BroadcastChannel(`${session}.${party}`);
  }

  ring(party: number): void {
    let channel = this.#others.get(party);
    if (channel === undefined) {
      channel = new BroadcastChannel(`${this.#session}.${party}`);
      (channel as unknown as { unref(): void }).unref();
      this.#others.set(party, channel);
    }
    channel.postMessage(1);
  }

  listen(heard: () => void): void {
    this.#own.onmessage = heard;
  }

  hold(keepAlive: boolean): void {
    const own = this.#own as unknown as { ref(): void; unref(): void };
    if (keepAlive) own.ref();
    else own.unref();
  }

  close(): void {
    this.#own.close();
    for (const channel of this.#others.values()) channel.close();
  }
}
