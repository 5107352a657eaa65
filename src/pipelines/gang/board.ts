import type { ArrayQueues, ArrayVictims } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { type Board, Taker, type Words, wordsOf } from './chunks.rules.ts';
import { type Crew, orderOf, queuesOf } from './queues.rules.ts';

/** What members are told of a board, besides where it is. */
export interface BoardShape {
  readonly chunks: number;
  /** The owner included. */
  readonly workers: number;
  readonly groups: number;
  readonly layout: ArrayQueues;
  readonly victims: ArrayVictims;
}

class AtomicWords implements Words {
  readonly #all: Int32Array;

  constructor(all: Int32Array) {
    this.#all = all;
  }

  load(at: number): number {
    return Atomics.load(this.#all, at);
  }

  store(at: number, value: number): void {
    Atomics.store(this.#all, at, value);
  }

  add(at: number, value: number): number {
    return Atomics.add(this.#all, at, value);
  }

  exchange(at: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#all, at, expected, value);
  }
}

const wordBytes = (board: Board): number => Math.ceil(wordsOf(board) / 2) * 8;

const boardOf = ({ chunks, workers, groups, layout }: BoardShape): Board => ({
  queues: queuesOf(layout, { workers, groups }, chunks),
  members: workers - 1,
});

/** The words of one run in the memory of a session, and where its chunks begin. */
export class SharedBoard {
  readonly words: Words;
  readonly board: Board;
  /** Chunk i is [ends[i], ends[i + 1]). */
  readonly ends: Float64Array;
  readonly #shape: BoardShape;

  /** `bytes`: those of its object. */
  constructor(bytes: Uint8Array, shape: BoardShape) {
    const { buffer, byteOffset } = bytes;
    this.#shape = shape;
    this.board = boardOf(shape);
    this.words = new AtomicWords(new Int32Array(buffer, byteOffset, wordsOf(this.board)));
    this.ends = new Float64Array(buffer, byteOffset + wordBytes(this.board), shape.chunks + 1);
  }

  /** A new one in the store, held and used by this party. */
  static create(store: SharedStore, shape: BoardShape, ends: readonly number[]): { slot: SlotRef; board: SharedBoard } {
    const board = boardOf(shape);
    const slot = store.allocate(wordBytes(board) + 8 * ends.length);
    store.use(slot);
    const bytes = store.bytes(slot);
    bytes.fill(0, 0, wordBytes(board));
    const made = new SharedBoard(bytes, shape);
    made.ends.set(ends);
    // What is not sealed would be taken back at once if this thread died, and members may be looking at it.
    store.seal(slot);
    return { slot, board: made };
  }

  /** For a participant; 0 is the owner. */
  taker(participant: number, random: () => number): Taker {
    const { layout, victims } = this.#shape;
    const crew: Crew = this.#shape;
    return new Taker(this.words, this.board, participant, orderOf(layout, victims, crew, participant, random));
  }
}
