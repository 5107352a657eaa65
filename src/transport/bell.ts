import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { BroadcastChannel } from 'node:worker_threads';
import { libc } from '../native/index.ts';

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
  try {
    for (let i = 0; i < parties; i++) {
      const [r, w] = c.pipe();
      read.push(r);
      write.push(w);
    }
  } catch (error) {
    closeBellPipes({ read, write });
    throw error;
  }
  return { read, write };
}

export function closeBellPipes(pipes: BellPipes): void {
  for (const fd of [...pipes.read, ...pipes.write]) libc()?.close(fd);
}

/** More strokes than this at once are heard as several. */
const HEARD_AT_ONCE = 64;

/** Between processes and threads of one session. `read` belongs to the bell and is closed with it. */
export class PipeBell implements Bell {
  readonly #socket: Socket;
  readonly #write: readonly number[];
  readonly #ring: (fd: number) => void;
  #heard: (() => void) | undefined;

  /** `foreign`: rings by FFI, which is faster, but costs some milliseconds to load. */
  constructor(read: number, write: readonly number[], foreign: boolean) {
    this.#socket = new Socket({
      fd: read,
      readable: true,
      writable: false,
      // Past the stream machinery, which would take most of the time that a sleeper needs to get up.
      onread: {
        buffer: new Uint8Array(HEARD_AT_ONCE),
        callback: () => {
          this.#heard?.();
          return true;
        },
      },
    });
    this.#write = write;
    this.#ring = (foreign ? libc()?.ring : undefined) ?? ringBySystem;
  }

  ring(party: number): void {
    this.#ring(this.#write[party] as number);
  }

  listen(heard: () => void): void {
    this.#heard = heard;
    this.#socket.resume();
    // A pipe that breaks belongs to a session that is ending.
    this.#socket.on('error', () => {});
  }

  hold(keepAlive: boolean): void {
    if (keepAlive) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
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
