import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

const TEXT = 0x81;
const CLOSED = 8;

/** Speaks to an inspector: as much of WebSocket (RFC 6455) as that takes, since Node 20 has no client of its own. */
export class InspectorClient {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #next = 1;
  readonly #open = new Map<
    number,
    { resolve(result: Readonly<Record<string, unknown>>): void; reject(e: Error): void }
  >();
  readonly #events: Message[] = [];
  readonly #urls = new Map<string, string>();
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async to(url: string): Promise<InspectorClient> {
    const { hostname, port, pathname, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    const client = new InspectorClient(socket);
    await new Promise<void>((resolve, reject) => {
      let head = '';
      const onData = (data: Buffer): void => {
        head += data.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        socket.off('data', onData);
        if (!head.startsWith('HTTP/1.1 101')) reject(new Error(head));
        socket.on('data', (more: Buffer) => client.#take(more));
        client.#take(Buffer.from(head.slice(end + 4), 'latin1'));
        resolve();
      };
      socket.on('data', onData);
      socket.on('error', reject);
      const key = randomBytes(16).toString('base64');
      socket.write(
        `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    });
    return client;
  }

  #take(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    for (;;) {
      const bytes = this.#bytes;
      if (bytes.length < 2) return;
      let length = bytes[1]! & 0x7f;
      let at = 2;
      if (length === 126) {
        if (bytes.length < 4) return;
        length = bytes.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (bytes.length < 10) return;
        length = Number(bytes.readBigUInt64BE(2));
        at = 10;
      }
      if (bytes.length < at + length) return;
      this.#bytes = bytes.subarray(at + length);
      if ((bytes[0]! & 0xf) === CLOSED) return;
      this.#message(JSON.parse(bytes.toString('utf8', at, at + length)) as Message);
    }
  }

  /** Of a script that has been loaded. */
  urlOf(scriptId: string): string {
    return this.#urls.get(scriptId) ?? '';
  }

  #message(message: Message): void {
    if (message.method === 'Debugger.scriptParsed') {
      const { scriptId, url } = message.params as { scriptId: string; url: string };
      this.#urls.set(scriptId, url);
      return;
    }
    if (message.id === undefined) {
      this.#events.push(message);
      this.#wake?.();
      return;
    }
    const asked = this.#open.get(message.id);
    this.#open.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.result ?? {});
    else asked?.reject(new Error(message.error.message));
  }

  send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#next++;
    const body = Buffer.from(JSON.stringify({ id, method, params }));
    const mask = randomBytes(4);
    const head = body.length < 126 ? Buffer.of(TEXT, 0x80 | body.length) : Buffer.of(TEXT, 0x80 | 126, 0, 0);
    if (body.length >= 126) head.writeUInt16BE(body.length, 2);
    this.#socket.write(Buffer.concat([head, mask, body.map((byte, i) => byte ^ mask[i & 3]!)]));
    return new Promise((resolve, reject) => this.#open.set(id, { resolve, reject }));
  }

  /** The next event of that name that nobody has taken yet. */
  async event(method: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const at = this.#events.findIndex((message) => message.method === method);
      if (at >= 0) return this.#events.splice(at, 1)[0]!.params ?? {};
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
