/**
 * Where threads leave what they have found in pieces of a file, in memory that all of them see. Pieces are taken in their order, each into the next of a
 * few slots, which the owner empties in the same order: however large the file is, what is not yet with the owner stays in the caches. A thread
 * owns a slot from taking a piece until the owner has had what is in it, so that one that is held up for long holds up nobody else.
 */

/** Words: the next piece that nobody has taken, and whether there is anything left to do. */
const NEXT = 0;
const OVER = 1;
const HEAD_WORDS = 16;
/** Words of a slot, each slot in a line of the cache of its own: whose it is, as the piece and one more, and the same again when that is done. */
const TAKEN = 0;
const DONE = 1;
/** How many values there are; or AGAIN. */
const COUNT = 2;
const SLOT_WORDS = 16;
/** Whether the thread with the number of the slot has begun. */
const BEGUN = 3;
/** There is more to say of the piece than a slot can: the owner has to look at it again. */
const AGAIN = -1;

/** What a thread that wants a piece can get instead. */
export const NO_ROOM = -1;
export const NONE_LEFT = -2;

export interface RingShape {
  readonly slots: number;
  /** Of the file. */
  readonly pieces: number;
  readonly columns: number;
  /** Values that a slot has room for. */
  readonly room: number;
}

const kindBytes = (columns: number): number => Math.ceil(columns / 64) * 64;
const slotBytes = ({ columns, room }: RingShape): number => Math.ceil((8 * room) / 64) * 64 + kindBytes(columns);

/** How many bytes it takes. */
export const ringBytes = (shape: RingShape): number =>
  4 * (HEAD_WORDS + SLOT_WORDS * shape.slots) + slotBytes(shape) * shape.slots;

export class Ring {
  readonly #shape: RingShape;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, shape: RingShape) {
    this.#shape = shape;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, HEAD_WORDS + SLOT_WORDS * shape.slots);
    this.#bytes = bytes;
  }

  /** Before anybody else sees it. */
  clear(): void {
    this.#words.fill(0);
  }

  /** A thread has come; there are no more of them than slots. */
  begin(thread: number): void {
    Atomics.store(this.#words, this.#slot(thread) + BEGUN, 1);
  }

  hasBegun(thread: number): boolean {
    return Atomics.load(this.#words, this.#slot(thread) + BEGUN) !== 0;
  }

  /** Nobody takes any more pieces. */
  end(): void {
    Atomics.store(this.#words, OVER, 1);
  }

  /** The next piece, whose slot is the caller's then; NO_ROOM, NONE_LEFT. */
  take(): number {
    const words = this.#words;
    for (;;) {
      const piece = Atomics.load(words, NEXT);
      if (piece >= this.#shape.pieces || Atomics.load(words, OVER) !== 0) return NONE_LEFT;
      const taken = this.#slot(piece) + TAKEN;
      if (Atomics.compareExchange(words, taken, 0, piece + 1) !== 0) {
        if (Atomics.load(words, NEXT) === piece) return NO_ROOM;
        continue;
      }
      if (Atomics.compareExchange(words, NEXT, piece, piece + 1) === piece) return piece;
      // Somebody had it, and is done with it already.
      Atomics.store(words, taken, 0);
    }
  }

  /** The same for the owner, of a piece that needs no slot; false if somebody has it. */
  takeDirectly(piece: number): boolean {
    return Atomics.compareExchange(this.#words, NEXT, piece, piece + 1) === piece;
  }

  /** Waits until the slot of the next piece may be free, at most so many milliseconds. Not for the thread that empties them. */
  wait(ms: number): void {
    const taken = this.#slot(Atomics.load(this.#words, NEXT)) + TAKEN;
    const holder = Atomics.load(this.#words, taken);
    if (holder !== 0) Atomics.wait(this.#words, taken, holder, ms);
  }

  /** Where the values of a piece go that was taken. */
  values(piece: number): Float64Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Float64Array(buffer, byteOffset + this.#place(piece), this.#shape.room);
  }

  /** A piece that was taken is done. */
  put(piece: number, count: number, kinds: Uint8Array): void {
    this.#kinds(piece).set(kinds);
    this.#done(piece, count);
  }

  /** A piece that was taken is one for the owner to look at again. */
  leave(piece: number): void {
    this.#done(piece, AGAIN);
  }

  #done(piece: number, count: number): void {
    const slot = this.#slot(piece);
    this.#words[slot + COUNT] = count;
    Atomics.store(this.#words, slot + DONE, piece + 1);
  }

  /** Whether somebody is done with a piece. */
  isDone(piece: number): boolean {
    return Atomics.load(this.#words, this.#slot(piece) + DONE) === piece + 1;
  }

  /** What somebody has found in a piece that is done; undefined where it has to be looked at again. */
  found(piece: number): { readonly values: Float64Array; readonly kinds: Uint8Array } | undefined {
    const count = this.#words[this.#slot(piece) + COUNT] as number;
    return count === AGAIN
      ? undefined
      : { values: this.values(piece).subarray(0, count), kinds: this.#kinds(piece).subarray(0, this.#shape.columns) };
  }

  /** The slot of a piece that is done is for another one. */
  free(piece: number): void {
    Atomics.store(this.#words, this.#slot(piece) + TAKEN, 0);
    Atomics.notify(this.#words, this.#slot(piece) + TAKEN);
  }

  #slot(piece: number): number {
    return HEAD_WORDS + SLOT_WORDS * (piece % this.#shape.slots);
  }

  #place(piece: number): number {
    const { slots } = this.#shape;
    return 4 * (HEAD_WORDS + SLOT_WORDS * slots) + slotBytes(this.#shape) * (piece % slots);
  }

  #kinds(piece: number): Uint8Array {
    const { columns } = this.#shape;
    const end = this.#place(piece) + slotBytes(this.#shape);
    return this.#bytes.subarray(end - kindBytes(columns), end - kindBytes(columns) + columns);
  }
}
