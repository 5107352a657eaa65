import { readFileSync, readlinkSync } from 'node:fs';
import { InternalError } from '../base/index.ts';
import { H_LOCK, type Layout, P_INCARNATION, P_PROCESS, P_STARTED, P_THREAD, partyWord } from './layout.ts';

/** A thread as the system knows it; zeros where the system doesn't say (no /proc). */
interface ThreadId {
  readonly process: number;
  readonly thread: number;
  readonly started: number;
}

interface Stat {
  readonly state: string;
  readonly started: number;
}

function statOf(process: number, thread: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${process}/task/${thread}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold blanks and parentheses of its own. Then: the state, ..., the start time (field 22).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, started: Number(fields[19]) | 0 };
}

export function currentThread(): ThreadId {
  try {
    const match = /^(\d+)\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'));
    if (match !== null) {
      const id = { process: Number(match[1]), thread: Number(match[2]) };
      const stat = statOf(id.process, id.thread);
      if (stat !== undefined) return { ...id, started: stat.started };
    }
  } catch {
    // Not Linux, or no /proc.
  }
  return { process: 0, thread: 0, started: 0 };
}

/** Whether the thread is certainly over. A process that is dead but not yet waited for counts as over. */
function isOver(id: ThreadId): boolean {
  if (id.process === 0) return false;
  const stat = statOf(id.process, id.thread);
  return stat === undefined || stat.started !== id.started || stat.state === 'Z' || stat.state === 'X';
}

const PARTY_BITS = 12;
const SPINS = 2_000;
const DEATH_CHECK_MS = 3;
const GIVE_UP_MS = 10_000;

/**
 * A spin lock in shared memory whose word names its holder: party and incarnation. `Atomics.wait` can't wait for another
 * process, so a waiter spins, then naps. It never waits for a dead holder: the event that would tell of a death can't
 * arrive while this thread is blocked, so the waiter asks the system itself and takes the lock over.
 */
export class TableLock {
  readonly #words: Int32Array;
  readonly #layout: Layout;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));

  constructor(words: Int32Array, layout: Layout) {
    this.#words = words;
    this.#layout = layout;
  }

  static word(party: number, incarnation: number): number {
    return ((incarnation << PARTY_BITS) | (party + 1)) >> 0;
  }

  /** Takes the lock. It may be one that a dead party left: the caller looks at the dirty flag. */
  acquire(mine: number): void {
    const words = this.#words;
    for (let spins = 0; spins < SPINS; spins++) {
      if (Atomics.load(words, H_LOCK) === 0 && Atomics.compareExchange(words, H_LOCK, 0, mine) === 0) return;
    }
    const began = performance.now();
    let checked = began;
    for (;;) {
      Atomics.wait(this.#nap, 0, 0, 0.05);
      const holder = Atomics.compareExchange(words, H_LOCK, 0, mine);
      // One's own: left behind by an error in the middle, since a party is one thread and never enters twice.
      if (holder === 0 || holder === mine) return;
      const now = performance.now();
      if (now - checked > DEATH_CHECK_MS) {
        checked = now;
        if (this.#holderIsOver(holder) && this.takeOver(holder, mine)) return;
      }
      if (now - began > GIVE_UP_MS) {
        throw new InternalError(
          `party ${(holder & 0xfff) - 1} has held the lock of the shared memory for ${GIVE_UP_MS / 1000} s; ` +
            'it is stopped, or it ended in a way that this system does not show. Please report this if it was not stopped',
        );
      }
    }
  }

  takeOver(from: number, mine: number): boolean {
    return Atomics.compareExchange(this.#words, H_LOCK, from, mine) === from;
  }

  /** Leaves it alone when another has taken it over meanwhile. */
  release(mine: number): void {
    Atomics.compareExchange(this.#words, H_LOCK, mine, 0);
  }

  #holderIsOver(holder: number): boolean {
    const party = (holder & 0xfff) - 1;
    const at = (field: number) => Atomics.load(this.#words, partyWord(this.#layout, party, field));
    // A reclaimed party gives the lock back as soon as it sees that it was; it does nothing in between.
    if (TableLock.word(party, at(P_INCARNATION)) !== holder) return true;
    return isOver({ process: at(P_PROCESS), thread: at(P_THREAD), started: at(P_STARTED) });
  }
}
