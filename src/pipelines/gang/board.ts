import { Buffer } from 'node:buffer';
import type { ArrayQueues, ArrayVictims } from '../../base/index.ts';
import { Decoder } from '../../codec/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { type Board, Taker, type Words, wordsOf } from './chunks.rules.ts';
import { orderOf, queuesOf } from './queues.rules.ts';
import type { Placed, RunnerModule } from './work.ts';

/** Where a board is, as numbers that travel fast: its object, and from which byte on the brief is, and behind it what is common to all runs of the same. */
export type BoardPlace = readonly [index: number, generation: number, brief: number, common: number];

/** What all members of a run have to know. */
export interface Brief {
  readonly shape: BoardShape;
  readonly module: RunnerModule;
  readonly plan: unknown;
  readonly region: number;
  readonly objects: readonly Placed[];
}

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

/** The words of one run in the memory of a session, where its chunks begin, and what members have to know. */
export class SharedBoard {
  readonly words: Words;
  readonly board: Board;
  /** Chunk i is [ends[i], ends[i + 1]). */
  readonly ends: Float64Array;
  readonly #shape: BoardShape;

  constructor({ buffer, byteOffset }: Uint8Array, shape: BoardShape) {
    this.#shape = shape;
    this.board = boardOf(shape);
    this.words = new AtomicWords(new Int32Array(buffer, byteOffset, wordsOf(this.board)));
    this.ends = new Float64Array(buffer, byteOffset + wordBytes(this.board), shape.chunks + 1);
  }

  /** A new one in the store, held and used by this party. */
  static create(
    store: SharedStore,
    shape: BoardShape,
    ends: readonly number[],
    brief: Uint8Array,
    common: Uint8Array,
  ): { at: BoardPlace; slot: SlotRef; board: SharedBoard } {
    const start = wordBytes(boardOf(shape)) + 8 * ends.length;
    const behind = start + brief.length;
    const slot = store.allocate(behind + common.length);
    store.use(slot);
    const bytes = store.bytes(slot);
    bytes.fill(0, 0, start);
    bytes.set(brief, start);
    bytes.set(common, behind);
    const board = new SharedBoard(bytes, shape);
    board.ends.set(ends);
    // What is not sealed would be taken back at once if this thread died, and members may be looking at it.
    store.seal(slot);
    return { at: [slot.index, slot.generation, start, behind], slot, board };
  }

  /** One that somebody has created, and what there is to know. Its object is in use. */
  static open(
    store: SharedStore,
    slot: SlotRef,
    start: number,
    behind: number,
  ): { brief: Brief; common: unknown; board: SharedBoard } {
    const bytes = store.bytes(slot);
    const brief = decoder.decode(bytes, start, behind) as Brief;
    return { brief, common: commonOf(bytes.subarray(behind)), board: new SharedBoard(bytes, brief.shape) };
  }

  /** For a participant; 0 is the owner. */
  taker(participant: number, random: () => number): Taker {
    const { layout, victims } = this.#shape;
    return new Taker(this.words, this.board, participant, orderOf(layout, victims, this.#shape, participant, random));
  }
}

const decoder = new Decoder();

/** So many of what runs have in common are kept, the latest first. */
const KEPT = 16;
const kept: { readonly bytes: Uint8Array; readonly value: unknown }[] = [];

/** What the bytes are the encoding of: the same object for the same bytes, for as long as it is not forgotten. */
function commonOf(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const at = kept.findIndex((each) => each.bytes.length === bytes.length && Buffer.compare(each.bytes, bytes) === 0);
  const found = at < 0 ? { bytes: new Uint8Array(bytes), value: decoder.decode(bytes, 0, bytes.length) } : kept[at];
  if (at !== 0) {
    if (at > 0) kept.splice(at, 1);
    kept.unshift(found as (typeof kept)[number]);
    if (kept.length > KEPT) kept.pop();
  }
  return found?.value;
}
