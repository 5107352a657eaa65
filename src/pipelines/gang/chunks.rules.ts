import { InternalError } from '../../base/index.ts';
import { chunkAt, lengthOf, type Queues } from './queues.rules.ts';

/** Shared words. Each call is one atomic operation on one of them, and all there is between those who take part. */
export interface Words {
  load(at: number): number;
  store(at: number, value: number): void;
  /** Answers what was there before. */
  add(at: number, value: number): number;
  /** Writes `value` where `expected` is. Answers what was there before. */
  exchange(at: number, expected: number, value: number): number;
}

/** Not 0: nothing more is to be taken. */
const STOP = 0;
/** Not 0: the owner waits to hear of the end of members. */
const LISTENS = 1;
/** The core that the owner was on when it called, plus 1; 0: unknown. */
const CORE = 2;
/** Words that many write at once have a cache line each. */
const LINE = 16;

/** What a chunk's word says; from `TAKEN` on, that the participant of the number above it has it. */
const FREE = 0;
const DONE = 1;
const TAKEN = 2;

/** Where the words of a run are, for `members` participants besides the owner, which is participant 0. */
export interface Board {
  readonly queues: Queues;
  readonly members: number;
}

const cursorOf = (queue: number): number => LINE * (1 + queue);
const begunOf = ({ queues }: Board, participant: number): number => LINE * (1 + queues.count) + participant;
const statesOf = ({ queues, members }: Board): number => LINE * (1 + queues.count) + members + 1;

/** Words for each member behind all others: whether it waits there, and for what; see `standby.rules.ts`. */
export const STANDING = 6;
export const standingOf = (board: Board, participant: number): number =>
  LINE * (Math.ceil((statesOf(board) + board.queues.chunks) / LINE) + participant - 1);

/** How many words a run takes. They are 0 in the beginning. */
export const wordsOf = (board: Board): number => standingOf(board, board.members + 1);

/** Nobody takes a chunk any more who has not begun to. */
export const stop = (words: Words): void => words.store(STOP, 1);
export const isStopped = (words: Words): boolean => words.load(STOP) !== 0;

/** Who is on the same core as the owner holds it up: both note where they are. */
export const setCore = (words: Words, core: number): void => words.store(CORE, core + 1);
export const coreOf = (words: Words): number | undefined => {
  const core = words.load(CORE);
  return core === 0 ? undefined : core - 1;
};

/** The owner can't go on before a member is over: whoever has nothing to do ends at once. */
export const listen = (words: Words): void => words.store(LISTENS, 1);
export const isHeard = (words: Words): boolean => words.load(LISTENS) !== 0;

/** A look, or a try, that gave nothing: there is more to do. */
export const AGAIN = -1;
/** No chunk is free. Some may be in the hands of others still. */
export const NONE = -2;

/**
 * How a participant takes chunks. The word of a chunk is the truth: it is taken by the one exchange that finds it free, and done when its
 * taker says so. The cursors of the queues are hints where to try; when they have come to their ends, every word is looked at, since a
 * chunk may have been given back, or its hint taken by somebody who died.
 *
 * Each step is one atomic operation, so that a simulator can let others go between any two, and participants die there.
 */
export class Taker {
  readonly #words: Words;
  readonly #board: Board;
  readonly #order: readonly number[];
  readonly #taken: number;
  #next: 'stop' | 'hint' | 'take' | 'look' = 'stop';
  #queue = 0;
  /** The chunk to try, or to look at. */
  #chunk = 0;
  #looking = false;

  /** `order`: the queues to take from, the own one first. */
  constructor(words: Words, board: Board, participant: number, order: readonly number[]) {
    this.#words = words;
    this.#board = board;
    this.#taken = TAKEN + participant;
    this.#order = order;
  }

  #state(chunk: number): number {
    return statesOf(this.#board) + chunk;
  }

  /** A chunk that is this participant's now, or `AGAIN`, or `NONE`. After `NONE` it looks from the beginning. */
  step(): number {
    const { queues } = this.#board;
    switch (this.#next) {
      case 'stop':
        if (this.#words.load(STOP) !== 0) return NONE;
        this.#next = this.#looking ? 'look' : 'hint';
        return AGAIN;
      case 'hint': {
        const queue = this.#order[this.#queue];
        if (queue === undefined) {
          this.#looking = true;
          this.#chunk = 0;
          this.#next = 'look';
          return AGAIN;
        }
        const place = this.#words.add(cursorOf(queue), 1);
        if (place >= lengthOf(queues, queue)) this.#queue++;
        else {
          this.#chunk = chunkAt(queues, queue, place);
          this.#next = 'take';
        }
        return AGAIN;
      }
      case 'look':
        if (this.#chunk >= queues.chunks) {
          this.#chunk = 0;
          this.#next = 'stop';
          return NONE;
        }
        if (this.#words.load(this.#state(this.#chunk)) === FREE) this.#next = 'take';
        else this.#chunk++;
        return AGAIN;
      case 'take': {
        const found = this.#words.exchange(this.#state(this.#chunk), FREE, this.#taken);
        this.#next = found === FREE ? 'stop' : this.#looking ? 'look' : 'hint';
        return found === FREE ? this.#chunk : AGAIN;
      }
    }
  }

  /** A chunk, or `NONE`. */
  take(): number {
    for (;;) {
      const chunk = this.step();
      if (chunk !== AGAIN) return chunk;
    }
  }

  /** What was taken is done: its results are all there. */
  done(chunk: number): void {
    this.#leave(chunk, DONE);
  }

  /** What was taken is for somebody else to do. */
  giveBack(chunk: number): void {
    this.#leave(chunk, FREE);
  }

  #leave(chunk: number, as: number): void {
    const found = this.#words.exchange(this.#state(chunk), this.#taken, as);
    if (found !== this.#taken)
      throw new InternalError(`chunk ${chunk} was taken away from who was computing it (${found})`);
  }

  /**
   * A participant begins. One that has before, on a worker that is gone, has left chunks that it had taken. True: those are to be given back
   * first, by `release`.
   */
  begin(): boolean {
    return this.#words.exchange(begunOf(this.#board, this.#taken - TAKEN), 0, 1) !== 0;
  }
}

/** Gives one chunk back if a participant has it that is certainly dead. To be asked for all of them. */
export function release(words: Words, board: Board, participant: number, chunk: number): void {
  words.exchange(statesOf(board) + chunk, TAKEN + participant, FREE);
}

/** The first chunk from `from` on that is not done, or how many there are: nobody touches what was done again. */
export function firstOpen(words: Words, board: Board, from: number): number {
  const states = statesOf(board);
  let chunk = from;
  while (chunk < board.queues.chunks && words.load(states + chunk) === DONE) chunk++;
  return chunk;
}

/** The first chunk from `from` on that somebody is computing, or how many there are. */
export function firstTaken(words: Words, board: Board, from: number): number {
  const states = statesOf(board);
  let chunk = from;
  while (chunk < board.queues.chunks && words.load(states + chunk) < TAKEN) chunk++;
  return chunk;
}

/** Before others know of the words: the owner has done the chunks before this one, and is at this one. */
export function markBegun(words: Words, board: Board, chunk: number): void {
  const states = statesOf(board);
  for (let before = 0; before < chunk; before++) words.store(states + before, DONE);
  words.store(states + chunk, TAKEN);
}

/** Whether a member has begun to take chunks. */
export const hasBegun = (words: Words, board: Board, participant: number): boolean =>
  words.load(begunOf(board, participant)) !== 0;
