import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** The longest request; who sends more is cut off. */
const LONGEST_LINE = 4096;

/**
 * Answers questions about a session on a socket that only its user can open: one JSON object per line each way,
 * `{"ask": "status"}` to `{"answer": ...}` or `{"error": "..."}`. It runs on the control thread, so it answers whatever the
 * program itself is busy with.
 */
export class StatusServer {
  readonly #path: string;
  readonly #ask: (what: string) => Promise<unknown>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, ask: (what: string) => Promise<unknown>) {
    this.#path = path;
    this.#ask = ask;
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
      const { ask } = JSON.parse(line) as { ask?: unknown };
      reply =
        ask === 'status'
          ? { answer: await this.#ask('status') }
          : { error: `there is no question ${JSON.stringify(ask)}; ask "status"` };
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
