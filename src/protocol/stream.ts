import { Deque, InternalError } from '../base/index.ts';
import { Cell } from './cell.ts';

/** Items that a stream may run ahead of its consumer, where nothing else is asked for. */
export const STREAM_ITEMS = 16;
/** Bytes of items that it may run ahead, however few they are. */
export const STREAM_BYTES = 16 * 1024 * 1024;

/** Of a window of any size, the consumer speaks after so many items at most. */
const BATCH = STREAM_ITEMS >> 1;

/** Where a run of a stream's task begins: items that have come from earlier runs, and how many of them are consumed. */
export interface StreamStart {
  readonly skip: number;
  readonly taken: number;
  /** Items that it may run ahead. */
  readonly ahead: number;
}

/**
 * The consumer's side of a stream, which is the owner of its task: what has come and is not consumed. The items are its own: a
 * cell for each, or the value itself where that is plain and nothing is inside.
 *
 * Indices are compared modulo 2^32, as links carry them: a window is smaller by far.
 */
export class Intake {
  readonly ahead: number;
  readonly #items = new Deque<unknown>();
  /** Items that have ever come: the index of the next one. */
  received = 0;
  /** Of them, those consumed. */
  taken = 0;
  /** What the producer knows of `taken`. */
  #told = 0;
  /** Nobody will consume anything any more. */
  closed = false;
  /** Told when an item has come. */
  readonly listeners = new Set<() => void>();

  constructor(ahead: number) {
    this.ahead = ahead;
  }

  /** Items that can be taken now. */
  get size(): number {
    return this.#items.size;
  }

  /** A run of the task is sent to a worker, perhaps not the first one. */
  start(): StreamStart {
    this.#told = this.taken;
    return { skip: this.received, taken: this.taken, ahead: this.ahead };
  }

  /** Whether the item with that index is a new one, and wanted; it is counted then, and `add` follows. */
  accept(index: number): boolean {
    const distance = (index - this.received) | 0;
    if (distance > 0) throw new InternalError(`item ${index} of a stream came before item ${this.received}`);
    // One that came from an earlier run: a producer skips them, so this is a second line of defence.
    if (distance < 0) return false;
    this.received++;
    return !this.closed;
  }

  add(item: unknown): void {
    this.#items.push(item);
    if (this.listeners.size > 0) for (const listener of [...this.listeners]) listener();
  }

  /** The next item; there is one. */
  take(): unknown {
    const item = this.#items.shift();
    this.taken++;
    // Few large items fill the producer's window, which counts bytes as well.
    if (item instanceof Cell && item.pinned) this.#told = Number.NEGATIVE_INFINITY;
    return item;
  }

  /**
   * Whether the producer is to hear now how many items are consumed: after half a window, or at once when somebody `waits`. The
   * caller says it then.
   */
  owes(waits: boolean): boolean {
    const untold = this.taken - this.#told;
    if (untold === 0 || (!waits && untold < Math.max(1, Math.min(BATCH, this.ahead >> 1)))) return false;
    this.#told = this.taken;
    return true;
  }

  /** Nobody wants the items, those that have come and those that will: they are let go. */
  close(drop: (cell: Cell) => void): void {
    this.closed = true;
    while (this.#items.size > 0) {
      const item = this.#items.shift();
      if (item instanceof Cell) drop(item);
    }
  }
}

/** The producer's side, one for each run: how far the run may go ahead of its consumer. */
export class Outflow {
  readonly #skip: number;
  readonly #ahead: number;
  readonly #bytes: number;
  /** The index of the item that the generator gives next. */
  next = 0;
  #taken: number;
  /** Bytes of the items that were sent and are not consumed, and of each. */
  #unconsumed = 0;
  readonly #sizes = new Deque<number>();
  #first: number;

  constructor({ skip, taken, ahead }: StreamStart, bytes: number = STREAM_BYTES) {
    this.#skip = skip;
    this.#ahead = ahead;
    this.#bytes = bytes;
    this.#taken = taken;
    this.#first = skip;
  }

  /** Whether the generator may go on to its next item. */
  get open(): boolean {
    return this.next < this.#skip || (this.next - this.#taken < this.#ahead && this.#unconsumed < this.#bytes);
  }

  /** Whether the consumer has the next item already, from an earlier run. */
  get skips(): boolean {
    return this.next < this.#skip;
  }

  /** The generator has given its next item, of so many bytes; it was sent, or skipped. */
  gave(bytes: number): void {
    if (this.next >= this.#skip) {
      this.#sizes.push(bytes);
      this.#unconsumed += bytes;
    }
    this.next++;
  }

  /** The consumer has taken so many items in all. */
  more(taken: number): void {
    // Modulo 2^32; what is late changes nothing.
    const further = (taken - this.#taken) | 0;
    if (further <= 0) return;
    this.#taken += further;
    while (this.#first < this.#taken && this.#sizes.size > 0) {
      this.#unconsumed -= this.#sizes.shift() as number;
      this.#first++;
    }
  }
}

/**
 * Credits that have overtaken the call that they are for: the run has not begun, and will know of them when it does. That happens to
 * a run that is not the first, when items of an earlier one are consumed meanwhile.
 */
export class EarlyCredits {
  readonly #byCaller = new Map<number, Map<number, { readonly sequence: number; readonly taken: number }>>();

  keep(caller: number, slot: number, sequence: number, taken: number): void {
    let own = this.#byCaller.get(caller);
    if (own === undefined) {
      own = new Map();
      this.#byCaller.set(caller, own);
    }
    own.set(slot, { sequence, taken });
  }

  /** What has come for a run that begins now. */
  claim(caller: number, slot: number, sequence: number): number | undefined {
    const own = this.#byCaller.get(caller);
    const found = own?.get(slot);
    if (found === undefined) return undefined;
    own?.delete(slot);
    return found.sequence === sequence ? found.taken : undefined;
  }

  callerDied(caller: number): void {
    this.#byCaller.delete(caller);
  }
}
