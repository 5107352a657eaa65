import { InternalError } from '../base/index.ts';
import { collectGarbage } from '../memory/index.ts';
import { DTYPES, type DType, type Elements, elements } from '../nd/index.ts';
import { afterRelease, type Buffer, type Buffers, type Place } from './buffers.ts';
import { Guests, releaseCopies } from './guests.ts';
import { Spans } from './spans.rules.ts';

const PAGE = 1 << 16;
/** The most that a memory of WebAssembly has. Pages that nobody touched cost nothing. */
const LARGEST = 1 << 16;
/** So many bytes at least are handed out, and not released, before garbage is collected for them: V8 does not see how large they are. */
const BETWEEN_COLLECTIONS = 128 << 20;
/** What it takes to touch a byte for the first time, in milliseconds. Room that is used again does not. */
const FIRST_TOUCH_MS = 1e-6;
/** A collection has to save so many times what it takes. */
const WORTH = 4;
/** What is smaller than that shares a block with others. */
const SMALL = 1 << 15;
const BLOCK = 1 << 18;
/** A line of the cache. */
const ALIGNMENT = 64;

/** Room that is given back when nobody holds this object any more. */
class Block {
  readonly offset: number;
  readonly bytes: number;
  /** Bytes from its beginning that are, or were, somebody's. */
  used = 0;
  /** How many buffers in it are not released. */
  live = 0;
  readonly room: Room;

  constructor(room: Room) {
    this.offset = room.offset;
    this.bytes = room.bytes;
    this.room = room;
  }
}

/** What is left of a block when it is garbage. */
interface Room {
  readonly offset: number;
  readonly bytes: number;
  /** Somebody will say when it is given back. */
  minded: boolean;
}

class LocalBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: LocalBuffers;
  /** In the memory. Undefined: elsewhere. */
  offset: number | undefined;
  /** They are somebody's, who may go on looking at them. */
  adopted = false;
  minded = false;
  /** Of all buffers in a block the garbage collector has to find out about one object alone. */
  block: Block | undefined;
  elements: Elements | undefined;
  released = false;

  constructor(home: LocalBuffers, dtype: DType, length: number, block: Block | undefined, own: Elements | undefined) {
    this.home = home;
    this.dtype = dtype;
    this.length = length;
    this.block = block;
    this.offset = block === undefined ? undefined : block.offset + block.used;
    this.elements = own;
  }
}

/** Storage of one thread: one memory, and what does not fit in there elsewhere. */
export class LocalBuffers implements Buffers {
  readonly memory: WebAssembly.Memory;
  readonly #spans: Spans;
  readonly #registry = new FinalizationRegistry<Room>((room) => this.#free(room));
  /** Buffers of others, and what stands for them here. */
  readonly #guests = new Guests(this);
  /** Where small ones are put. */
  #open: Block | undefined;
  /** Bytes that are neither released nor known to be garbage, and of which nobody will say that they are. */
  #handedOut = 0;
  #collectAt = BETWEEN_COLLECTIONS;

  readonly #copies: boolean;

  /**
   * `pages`: of 64 KiB, which the memory has at most. `copies`: what is adopted is copied into the memory when kernels
   * need it, which are so much faster there.
   */
  constructor(pages = LARGEST, { copies = true }: { readonly copies?: boolean } = {}) {
    this.#copies = copies;
    this.memory = memoryOf(pages);
    // Nothing lies at the very end, where a kernel may look at what it does not use.
    this.#spans = new Spans(0, this.memory.buffer.byteLength - PAGE);
  }

  /** Bytes of the memory that are in use. */
  get used(): number {
    return this.#spans.used;
  }

  allocate(dtype: DType, length: number): Buffer {
    const bytes = bytesOf(dtype, length);
    const block = this.#room(bytes);
    if (block === undefined) return new LocalBuffer(this, dtype, length, undefined, elements(dtype, length));
    const buffer = new LocalBuffer(this, dtype, length, block, undefined);
    block.used += bytes;
    block.live++;
    return buffer;
  }

  /** A block with so many bytes behind those that are used. */
  #room(bytes: number): Block | undefined {
    if (bytes > SMALL) return this.#block(bytes);
    if (this.#open === undefined || this.#open.used + bytes > BLOCK) {
      const block = this.#block(BLOCK);
      this.#close();
      this.#open = block;
    }
    return this.#open;
  }

  /** Elements that were adopted, where kernels see them. */
  #copyIn(own: LocalBuffer): void {
    const bytes = bytesOf(own.dtype, own.length);
    const block = this.#room(bytes);
    if (block === undefined) return;
    own.block = block;
    own.offset = block.offset + block.used;
    block.used += bytes;
    block.live++;
    const { Elements } = DTYPES[own.dtype];
    new Elements(this.memory.buffer, own.offset, own.length).set(own.elements as never);
    if (own.minded) this.mind(own, true);
  }

  adopt(dtype: DType, own: Elements): Buffer {
    const buffer = new LocalBuffer(this, dtype, own.length, undefined, own);
    buffer.adopted = true;
    return buffer;
  }

  here(buffer: Buffer): Buffer {
    return this.#guests.here(buffer);
  }

  use(): void {
    // Nothing ever leaves the memory.
  }

  unuse(): void {}

  lend(buffer: Buffer): Elements {
    const own = this.#own(buffer);
    // The room of a buffer is used again, whoever still looks at it.
    return own.block === undefined || own.adopted ? this.view(own) : (this.view(own).slice() as Elements);
  }

  view(buffer: Buffer, _access: 'read' | 'write' = 'read'): Elements {
    const own = this.#own(buffer);
    if (own.elements === undefined) {
      const { Elements } = DTYPES[own.dtype];
      own.elements = new Elements(this.memory.buffer, own.offset, own.length);
    }
    return own.elements;
  }

  place(buffer: Buffer): Place | undefined {
    const own = this.#own(buffer);
    if (own.offset === undefined && own.adopted && this.#copies) this.#copyIn(own);
    return own.offset === undefined ? undefined : { memory: this.memory, offset: own.offset };
  }

  release(buffer: Buffer): void {
    const own = buffer as LocalBuffer;
    if (own.released) return;
    own.released = true;
    releaseCopies(own);
    own.elements = undefined;
    const { block } = own;
    own.block = undefined;
    if (block === undefined || --block.live > 0) return;
    if (block === this.#open) block.used = 0;
    else this.#giveBack(block);
  }

  mind(buffer: Buffer, minded: boolean): void {
    const own = buffer as LocalBuffer;
    own.minded = minded;
    const room = own.block?.room;
    // One that is shared is others' as well.
    if (room === undefined || room.minded === minded || bytesOf(own.dtype, own.length) <= SMALL) return;
    room.minded = minded;
    this.#handedOut += minded ? -room.bytes : room.bytes;
  }

  /** Called between computations: time to find out which buffers are garbage, if that is due. */
  relieve(): Promise<void> | undefined {
    return this.#handedOut < this.#collectAt ? undefined : this.#collect();
  }

  async #collect(): Promise<void> {
    const begun = performance.now();
    collectGarbage();
    const bytes = (WORTH * (performance.now() - begun)) / FIRST_TOUCH_MS;
    // What was garbage is told of in a turn of its own, the next one or that behind it.
    const before = this.#handedOut;
    for (let turns = 0; turns < 2 && this.#handedOut === before; turns++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#collectAt = this.#handedOut + Math.max(BETWEEN_COLLECTIONS, bytes, this.#handedOut);
  }

  #own(buffer: Buffer): LocalBuffer {
    if (!(buffer instanceof LocalBuffer)) throw new InternalError('a buffer of another storage was asked for here');
    if (buffer.released) throw afterRelease();
    return buffer;
  }

  #block(bytes: number): Block | undefined {
    const offset = this.#spans.take(bytes);
    if (offset === undefined) return undefined;
    const block = new Block({ offset, bytes, minded: false });
    this.#registry.register(block, block.room, block);
    this.#handedOut += bytes;
    return block;
  }

  /** No more buffers are put into the block that was open. */
  #close(): void {
    const block = this.#open;
    this.#open = undefined;
    if (block?.live === 0) this.#giveBack(block);
  }

  #giveBack(block: Block): void {
    this.#registry.unregister(block);
    this.#free(block.room);
  }

  #free({ offset, bytes, minded }: Room): void {
    if (!minded) this.#handedOut -= bytes;
    this.#spans.give(offset, bytes);
  }
}

const bytesOf = (dtype: DType, length: number): number =>
  Math.ceil((length * DTYPES[dtype].bytes) / ALIGNMENT) * ALIGNMENT;

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
