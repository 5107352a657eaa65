import { InternalError } from '../base/index.ts';
import { DTYPES, type DType, type Elements, elements } from '../nd/index.ts';
import type { Buffer, Buffers, Place } from './buffers.ts';
import { Spans } from './spans.rules.ts';

const PAGE = 1 << 16;
/** The most that a memory of WebAssembly has. Pages that nobody touched cost nothing. */
const LARGEST = 1 << 16;
/** So many bytes are handed out before it is looked for buffers that are garbage. */
const BETWEEN_LOOKS = 64 << 20;

class LocalBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  /** In the memory. Undefined: elsewhere. */
  readonly offset: number | undefined;
  elements: Elements | undefined;
  released = false;

  constructor(dtype: DType, length: number, offset: number | undefined, own: Elements | undefined) {
    this.dtype = dtype;
    this.length = length;
    this.offset = offset;
    this.elements = own;
  }
}

/** What is known of a buffer's room without holding it. */
interface Held {
  readonly buffer: WeakRef<LocalBuffer>;
  readonly bytes: number;
}

/** Storage of one thread: one memory, and what does not fit in there elsewhere. */
export class LocalBuffers implements Buffers {
  readonly memory: WebAssembly.Memory;
  readonly #spans: Spans;
  readonly #held = new Map<number, Held>();
  #handedOut = 0;

  /** `pages`: of 64 KiB, which the memory has at most. */
  constructor(pages = LARGEST) {
    this.memory = memoryOf(pages);
    // Nothing lies at 0, nor at the very end, where a kernel might look beyond it.
    this.#spans = new Spans(this.memory.buffer.byteLength - PAGE);
  }

  /** Bytes of the memory that are in use. */
  get used(): number {
    return this.#spans.used;
  }

  allocate(dtype: DType, length: number): Buffer {
    const bytes = length * DTYPES[dtype].bytes;
    this.#handedOut += bytes;
    if (this.#handedOut > BETWEEN_LOOKS) this.#look();
    const offset = this.#spans.take(bytes);
    if (offset === undefined) return new LocalBuffer(dtype, length, undefined, elements(dtype, length));
    const buffer = new LocalBuffer(dtype, length, offset, undefined);
    this.#held.set(offset, { buffer: new WeakRef(buffer), bytes });
    return buffer;
  }

  adopt(dtype: DType, own: Elements): Buffer {
    return new LocalBuffer(dtype, own.length, undefined, own);
  }

  view(buffer: Buffer): Elements {
    const own = this.#own(buffer);
    if (own.elements === undefined) {
      const { Elements } = DTYPES[own.dtype];
      own.elements = new Elements(this.memory.buffer, own.offset, own.length);
    }
    return own.elements;
  }

  place(buffer: Buffer): Place | undefined {
    const { offset } = this.#own(buffer);
    return offset === undefined ? undefined : { memory: this.memory, offset };
  }

  release(buffer: Buffer): void {
    const own = buffer as LocalBuffer;
    if (own.released) return;
    own.released = true;
    own.elements = undefined;
    if (own.offset !== undefined) this.#free(own.offset);
  }

  #own(buffer: Buffer): LocalBuffer {
    if (!(buffer instanceof LocalBuffer)) throw new InternalError('a buffer of another storage was asked for here');
    if (buffer.released) throw new InternalError('a buffer was used after its release');
    return buffer;
  }

  #free(offset: number): void {
    const held = this.#held.get(offset) as Held;
    this.#held.delete(offset);
    this.#spans.give(offset, held.bytes);
  }

  /** Takes the room of garbage back. */
  #look(): void {
    this.#handedOut = 0;
    for (const [offset, { buffer }] of this.#held) if (buffer.deref() === undefined) this.#free(offset);
  }
}

function memoryOf(pages: number): WebAssembly.Memory {
  for (let most = pages; ; most = Math.floor(most / 2)) {
    try {
      return new WebAssembly.Memory({ initial: most, maximum: most, shared: true });
    } catch (error) {
      // Address space may be limited.
      if (most < 256) throw error;
    }
  }
}
