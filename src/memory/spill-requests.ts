import {
  H_ANSWERED,
  H_ASKED,
  H_HIGH,
  H_PROGRESS,
  H_SPILLS,
  H_TROUBLE,
  H_TROUBLE_FILE,
  H_WANTED,
  type Layout,
} from './layout.ts';

/** Why the last attempt to write objects to disk failed. */
export interface Trouble {
  /** As `error.errno` has it, without its sign. */
  readonly errno: number;
  /** The number of the file that could not be written; 0 when it was the folder. */
  readonly serial: number;
}

/**
 * What those who find no room and the one who writes objects to disk tell each other, in a few words of the table: an
 * allocation can't wait for a message.
 */
export class SpillRequests {
  readonly #words: Int32Array;
  readonly #pages: number;

  constructor(words: Int32Array, { pages }: Layout) {
    this.#words = words;
    this.#pages = pages;
  }

  /** From now on somebody writes to disk, and does so by himself while more than `high` pages are taken. */
  begin(high: number): void {
    Atomics.store(this.#words, H_HIGH, high);
    Atomics.store(this.#words, H_SPILLS, 1);
  }

  /** Nobody does any more. */
  end(): void {
    Atomics.store(this.#words, H_SPILLS, 0);
    Atomics.store(this.#words, H_HIGH, this.#pages);
  }

  get open(): boolean {
    return Atomics.load(this.#words, H_SPILLS) !== 0;
  }

  get high(): number {
    return Atomics.load(this.#words, H_HIGH);
  }

  // ---- by those who find no room

  /** Asks for `pages` adjacent ones. Returns the number to look for in `answered`. */
  ask(pages: number): number {
    const words = this.#words;
    for (let wanted = Atomics.load(words, H_WANTED); wanted < pages; ) {
      const found = Atomics.compareExchange(words, H_WANTED, wanted, pages);
      if (found === wanted) break;
      wanted = found;
    }
    return (Atomics.add(words, H_ASKED, 1) + 1) | 0;
  }

  /** Whether what could be done at that time has been done. */
  answered(request: number): boolean {
    return ((Atomics.load(this.#words, H_ANSWERED) - request) | 0) >= 0;
  }

  /** Grows with everything that is written, or leaves memory. */
  get progress(): number {
    return Atomics.load(this.#words, H_PROGRESS);
  }

  get trouble(): Trouble | undefined {
    const errno = Atomics.load(this.#words, H_TROUBLE);
    return errno === 0 ? undefined : { errno, serial: Atomics.load(this.#words, H_TROUBLE_FILE) };
  }

  // ---- by the one who writes

  /** All that has been asked for until now: the number to answer under, and the most pages. */
  take(): { readonly asked: number; readonly pages: number } {
    const asked = Atomics.load(this.#words, H_ASKED);
    return { asked, pages: Atomics.exchange(this.#words, H_WANTED, 0) };
  }

  get wanted(): boolean {
    return Atomics.load(this.#words, H_WANTED) !== 0;
  }

  answer(asked: number): void {
    Atomics.store(this.#words, H_ANSWERED, asked);
  }

  progressed(): void {
    Atomics.add(this.#words, H_PROGRESS, 1);
  }

  setTrouble(trouble: Trouble | undefined): void {
    Atomics.store(this.#words, H_TROUBLE_FILE, trouble?.serial ?? 0);
    Atomics.store(this.#words, H_TROUBLE, trouble?.errno ?? 0);
  }
}
