import { type Board, STANDING, standingOf, type Words } from './chunks.rules.ts';

/**
 * How one run follows the other without a call: a member that finds nothing more to do waits at the board for a moment, and the owner gives it the
 * next one there. Who comes first, the owner or the end of the moment, is decided by one exchange of one word.
 */

const AWAY = 0;
const WAITING = 1;
const CALLED = 2;

/** As many numbers say where the next board is; of 32 bits each. */
export const PLACE_WORDS = STANDING - 1;

/** A member: the owner may call from now on. */
export const wait = (words: Words, board: Board, participant: number): void =>
  words.store(standingOf(board, participant), WAITING);

/** Where a member that waits is wanted; undefined: nowhere yet. */
export function calledTo(words: Words, board: Board, participant: number): number[] | undefined {
  const at = standingOf(board, participant);
  if (words.load(at) !== CALLED) return undefined;
  return Array.from({ length: PLACE_WORDS }, (_, i) => words.load(at + 1 + i));
}

/** A member does not wait any longer. False: it has been called. */
export const leave = (words: Words, board: Board, participant: number): boolean =>
  words.exchange(standingOf(board, participant), WAITING, AWAY) === WAITING;

export const isWaiting = (words: Words, board: Board, participant: number): boolean =>
  words.load(standingOf(board, participant)) === WAITING;

/** The owner: true if the member waits, and is called now. Nobody else calls, so the place is written before. */
export function call(words: Words, board: Board, participant: number, place: readonly number[]): boolean {
  if (!isWaiting(words, board, participant)) return false;
  const at = standingOf(board, participant);
  for (let i = 0; i < PLACE_WORDS; i++) words.store(at + 1 + i, place[i] ?? 0);
  return words.exchange(at, WAITING, CALLED) === WAITING;
}
