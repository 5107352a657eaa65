import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** The longest request; who sends more is cut off. */
const LONGEST_LINE = 4096;

/** What a question says beside its name. */
export interface Asked {
  /** The most rows that an answer is to have. */
  readonly limit: number;
  /** How long it may look. */
  readonly seconds: number;
}

export type Questions = Readonly<Record<string, (asked: Asked) => Promise<unknown>>>;

/** Rows, where nothing else is asked for. */
const LIMIT = 100;

/**
 * Answers questions about a session on a socket that only its user can open: one JSON object per line each way,
 * `{"ask": "tasks", "limit": 10}` to `{"answer": ...}` or `{"error": "..."}`. It runs on the control thread, so it answers whatever the
 * program itself is busy with.
 */
export class StatusServer {
  readonly #path: string;
  readonly #questions: Questions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, questions: Questions) {
    this.#path = path;
    this.#questions = questions;
    this.#server = createServer((socket) => this.#serve(socket));
    // Without it the session can't be found, and works all the same.
    this.#server.on('error', () => this.close());
    this.#server.listen(path, () => {
      try {
        chmodSync(path, 0o600);
      } catch {
        this.close();
      }
    });
    this.#server.unref();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.unref();
    socket.setEncoding('utf8');
    let text = '';
    socket.on('data', (piece: string) => {
      text += piece;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        void this.#reply(socket, line);
      }
      if (text.length > LONGEST_LINE) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async #reply(socket: Socket, line: string): Promise<void> {
    let reply: { answer: unknown } | { error: string };
    try {
      const { ask, ...rest } = JSON.parse(line) as { ask?: unknown; limit?: unknown; seconds?: unknown };
      const question =
        typeof ask === 'string' && Object.hasOwn(this.#questions, ask) ? this.#questions[ask] : undefined;
      reply =
        question === undefined
          ? { error: `there is no question ${JSON.stringify(ask)}; ask ${Object.keys(this.#questions).join(', ')}` }
          : { answer: await question({ limit: numberOr(rest.limit, LIMIT), seconds: numberOr(rest.seconds, 0) }) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.#path, { force: true });
  }
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 && value < 1e9 ? value : otherwise;
}
