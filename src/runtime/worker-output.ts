import { writeSync } from 'node:fs';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';
import { Lines } from './lines.rules.ts';

type Write = NodeJS.WriteStream['write'];

/** A full pipe is tried again after so long, in milliseconds. */
const AGAIN_MS = 1;
/** Who writes that is no task. */
const NOBODY = {};

/**
 * The standard streams of a worker. What code there prints is written at once, by the worker itself and past the queues of Node's
 * streams, so that nothing of it is lost when the worker dies in the next moment; in whole lines, each with the name of its task.
 */
export class WorkerOutput {
  readonly #party: number;
  readonly #executions: Executions;
  readonly #streams: { readonly fd: number; readonly lines: Lines }[] = [];
  #flushing = false;

  constructor(party: number, executions: Executions) {
    this.#party = party;
    this.#executions = executions;
  }

  /** Takes the streams over, each when it is first looked at: opening one takes time. */
  install(): void {
    const prefixed = process.env.SHEAF_LOG_PREFIX !== 'off';
    this.#take('stdout', 1, prefixed);
    this.#take('stderr', 2, prefixed);
    process.on('exit', () => this.#flushAll());
  }

  #take(name: 'stdout' | 'stderr', fd: number, prefixed: boolean): void {
    const lines = new Lines();
    this.#streams.push({ fd, lines });
    const original = Object.getOwnPropertyDescriptor(process, name);
    if (original?.get === undefined) return;
    const open = (): NodeJS.WriteStream => {
      const stream = original.get!.call(process) as NodeJS.WriteStream;
      const write = stream.write.bind(stream) as Write;
      stream.write = ((chunk: unknown, encoding?: unknown, done?: unknown): boolean => {
        // Node says what is wrong with it.
        if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return write(chunk as never);
        const bytes =
          typeof chunk === 'string'
            ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
            : chunk;
        if (prefixed) this.#write(fd, lines, bytes);
        else writeAll(fd, bytes);
        const told = typeof encoding === 'function' ? encoding : done;
        if (typeof told === 'function') process.nextTick(told as () => void);
        return true;
      }) as Write;
      return stream;
    };
    let stream: NodeJS.WriteStream | undefined;
    const get = (): NodeJS.WriteStream => {
      stream ??= open();
      return stream;
    };
    Object.defineProperty(process, name, { ...original, get });
  }

  #write(fd: number, lines: Lines, bytes: Uint8Array): void {
    const run = this.#executions.current();
    const where = `worker ${this.#party}`;
    const prefix = run === undefined ? `[${where}] ` : `[${run.name}, ${where}] `;
    const writer = run === undefined || run.over ? NOBODY : run;
    for (const piece of lines.write(writer, prefix, bytes)) writeAll(fd, piece);
    if (!lines.holding) return;
    if (writer === NOBODY) this.#flushLater();
    else this.#executions.onEnd = this.#ended;
  }

  readonly #ended = (run: Execution): void => {
    this.#flush(run);
    if (!this.#streams.some(({ lines }) => lines.holding)) this.#executions.onEnd = null;
  };

  /** Nobody says when this one's line is at its end. */
  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush(NOBODY);
    });
  }

  #flush(writer: object): void {
    for (const { fd, lines } of this.#streams) for (const piece of lines.end(writer)) writeAll(fd, piece);
  }

  #flushAll(): void {
    for (const { fd, lines } of this.#streams) for (const piece of lines.endAll()) writeAll(fd, piece);
  }
}

/** A line of Sheaf's own, which is of no task. */
export function sayOnStderr(line: string): void {
  writeAll(2, Buffer.from(`${line}\n`));
}

const clock = new Int32Array(new SharedArrayBuffer(4));

/** Returns when all of it is with the system, however slow its reader is; when nobody reads it, at once. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The one who has opened it, for all who share it, does not want to wait.
      if (code === 'EAGAIN') Atomics.wait(clock, 0, 0, AGAIN_MS);
      else if (code !== 'EINTR') return;
    }
  }
}
