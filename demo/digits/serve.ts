import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { actor, alloc, type Handle, type Ref, task } from 'sheaf';
import { PIXELS } from './mnist.ts';
import { best, forward, newPass } from './network.ts';

/** The digit, or what is wrong with the image: one bad image spoils none of those that it shares a batch with. */
export type Answer = number | string;

const SIDE = 28;

/** From an image in the PGM format, dark on white and of any size, to what the network has learned from; or what is wrong with it. */
export function prepare(file: Uint8Array): Uint8Array | string {
  const header = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(
    Buffer.from(file.buffer, file.byteOffset, Math.min(64, file.length)).toString('latin1'),
  );
  if (header === null) return 'not an image: send PGM (P5) with 255 shades';
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = file.subarray(header[0].length);
  if (width < SIDE || height < SIDE || pixels.length !== width * height)
    return `not a digit: ${pixels.length} bytes for ${width} x ${height} pixels, at least ${SIDE} x ${SIDE}`;
  const image = new Uint8Array(PIXELS);
  const cut = (i: number, length: number): number => Math.round((i * length) / SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [left, right, top, bottom] = [cut(x, width), cut(x + 1, width), cut(y, height), cut(y + 1, height)];
      let sum = 0;
      for (let j = top; j < bottom; j++) for (let i = left; i < right; i++) sum += pixels[j * width + i]!;
      image[y * SIDE + x] = 255 - sum / ((right - left) * (bottom - top));
    }
  }
  return image;
}

interface Batch {
  /** One after the other. The server has a reference to them, and passes that on. */
  readonly images: Uint8Array;
  /** By image, what is wrong with it. */
  readonly complaints: readonly (string | undefined)[];
}

const preprocess = task((files: readonly Uint8Array[]): Batch => {
  const images = alloc(Uint8Array, files.length * PIXELS);
  const complaints = files.map((file, i) => {
    const image = prepare(file);
    if (typeof image === 'string') return image;
    images.set(image, i * PIXELS);
    return undefined;
  });
  return { images, complaints };
});

/** The digit that the network sees in the image that starts at `at`. */
function read(weights: Float32Array, images: Uint8Array, at: number): number {
  const pass = newPass();
  forward(weights, images, at, pass);
  return best(pass.probabilities);
}

/** A replica: the weights are those in shared memory, of which there is one copy for all replicas. */
export class Model {
  readonly #weights: Float32Array;

  constructor(weights: Float32Array) {
    this.#weights = weights;
  }

  readAll({ images, complaints }: Batch): Answer[] {
    return complaints.map((complaint, i) => complaint ?? read(this.#weights, images, i * PIXELS));
  }

  pid(): number {
    return process.pid;
  }
}

/** A replica that dies is made again, and the batches that it had are read again: reading has no effect but its answer. */
const Models = actor(Model).with({ restarts: 3, callRetries: 3 });

interface Waiting {
  readonly file: Uint8Array;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers images into batches, each of which a task prepares and a replica reads. A batch leaves as soon as a replica has room for it,
 * with all that have come in until then: the busier they are, the larger the batches, and nobody waits for a clock.
 */
export class Router {
  readonly #replicas: { readonly model: Handle<Model>; pending: number }[];
  #waiting: Waiting[] = [];
  #soon = false;
  batches = 0;
  images = 0;

  constructor(size: number, weights: Ref<Float32Array>) {
    this.#replicas = Array.from({ length: size }, () => ({ model: Models.create(weights), pending: 0 }));
  }

  /** Resolves when all replicas are there. */
  async ready(): Promise<void> {
    await Promise.all(this.#replicas.map(({ model }) => model.ready));
  }

  /** The process of a replica. */
  pid(replica: number): Promise<number> {
    return this.#replicas[replica]!.model.pid().value;
  }

  read(file: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ file, resolve, reject });
      if (this.#soon) return;
      this.#soon = true;
      // All requests that this turn of the event loop brings go together.
      setImmediate(() => {
        this.#soon = false;
        this.#send();
      });
    });
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const replica = this.#replicas.reduce((a, b) => (b.pending < a.pending ? b : a));
      // One batch is worked on, and the next is there when it is done.
      if (replica.pending >= 2) return;
      const batch = this.#waiting.splice(0, MOST);
      replica.pending++;
      this.batches++;
      this.images += batch.length;
      using prepared = preprocess(batch.map(({ file }) => file));
      const answers = replica.model.readAll(prepared);
      answers.value
        .then(
          (list) => {
            for (const [i, { resolve }] of batch.entries()) resolve(list[i]!);
          },
          (error: unknown) => {
            for (const { reject } of batch) reject(error);
          },
        )
        .finally(() => {
          answers.release();
          replica.pending--;
          this.#send();
        });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#replicas.map(({ model }) => model.drain()));
  }
}

const MOST = 64;
const LARGEST = 1_000_000;

async function bodyOf(request: IncomingMessage): Promise<Uint8Array | string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    // The rest is read all the same: who is still sending would not see an answer.
    if (length <= LARGEST) pieces.push(piece);
  }
  if (length > LARGEST) return `more than ${LARGEST} bytes`;
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Serves digits: an image is posted to /, and the answer is its digit. The same at /here, in this process and without tasks. */
export async function serve(router: Router, weights: Float32Array) {
  const answer = async (url: string | undefined, body: Uint8Array): Promise<Answer> => {
    if (url !== '/here') return router.read(body);
    const image = prepare(body);
    return typeof image === 'string' ? image : read(weights, image, 0);
  };
  const server = createServer(async (request, response) => {
    try {
      const body = await bodyOf(request);
      const digit = typeof body === 'string' ? body : await answer(request.url, body);
      response.statusCode = typeof digit === 'number' ? 200 : 400;
      response.end(String(digit));
    } catch (error) {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: close };
}
