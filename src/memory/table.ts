import { InternalError, UsageError } from '../base/index.ts';
import {
  F_COPIES,
  FILE_WORDS,
  FILES,
  H_BUSY,
  H_CLOCK,
  H_CLOSED,
  H_DIRTY,
  H_EMPTIED,
  H_FREE_SLOT,
  H_HIGH_WATER,
  H_PRESSURE,
  H_SPILLED,
  type Layout,
  MADE_UNIT_MS,
  P_ADMITTED,
  P_ATTACHED,
  P_INCARNATION,
  P_PROCESS,
  P_STARTED,
  P_THREAD,
  P_WAITING,
  partyWord,
  S_END,
  S_FILE,
  S_GENERATION,
  S_HAS_SUM,
  S_LENGTH_HIGH,
  S_LENGTH_LOW,
  S_LOST,
  S_MADE,
  S_NEXT,
  S_READER,
  S_START,
  S_STATE,
  S_SUM,
  S_USED,
} from './layout.ts';
import { currentThread, TableLock } from './lock.ts';
import { Pages } from './pages.ts';
import { HOLD, type PinKind, Pins, USE } from './pins.ts';
import {
  BUSY,
  FREE,
  isObject,
  isPresent,
  LEAVING,
  OPEN,
  ownsPages,
  RESTORING,
  residenceAfter,
  SPILLED,
} from './residence.rules.ts';

/** An object of the store: two unsigned 32-bit numbers, cheap to send. */
export interface SlotRef {
  readonly index: number;
  /** Tells this object from earlier and later ones with the same index. */
  readonly generation: number;
}

/**
 * The shared table of slots and pages, seen by one party. It knows nothing of the memory that it hands out.
 *
 * The slots are the truth about who owns which page: a slot in a state that has pages (see `residence.rules.ts`) owns
 * [start, end). Its state is written last when pages are taken and first when they are let go, so at every moment a page
 * has at most one owner, and no page is lost. A second truth is the bitmap of touched pages: a bit is set before anybody may
 * touch the page and cleared after it has been given back to the system. All the rest (free pages, free slots, copies in a
 * file, counters) is derived, is changed under the lock, and is rebuilt by the next holder after one that did not come to
 * the end.
 *
 * Pins are bits per party, set and cleared without the lock. Whoever sees the last one gone frees the slot.
 */
export class Table {
  readonly words: Int32Array;
  readonly layout: Layout;
  readonly party: number;
  readonly pages: Pages;
  readonly pins: Pins;
  readonly #lock: TableLock;
  readonly #incarnation: number;
  readonly #me: number;

  constructor(words: Int32Array, layout: Layout, party: number) {
    if (!Number.isInteger(party) || party < 0 || party >= layout.parties) {
      throw new UsageError(`party ${party} is not one of the ${layout.parties} parties of this store (0 is the first)`);
    }
    this.words = words;
    this.layout = layout;
    this.party = party;
    this.#lock = new TableLock(words, layout);
    this.pages = new Pages(words, layout);
    this.pins = new Pins(words, layout);
    const at = (field: number) => partyWord(layout, party, field);
    if (Atomics.compareExchange(words, at(P_ATTACHED), 0, 1) !== 0) {
      throw new InternalError(
        `party ${party} of the shared memory is taken (process ${words[at(P_PROCESS)]}); reclaim it first if that is over`,
      );
    }
    this.#incarnation = Atomics.load(words, at(P_INCARNATION));
    this.#me = TableLock.word(party, this.#incarnation);
    const id = currentThread();
    Atomics.store(words, at(P_STARTED), id.started);
    Atomics.store(words, at(P_THREAD), id.thread);
    Atomics.store(words, at(P_PROCESS), id.process);
  }

  /** Why this party can't use the table any more; undefined while it can. */
  get over(): string | undefined {
    if (Atomics.load(this.words, H_CLOSED) !== 0) return 'the shared memory of this session is closed';
    if (Atomics.load(this.words, partyWord(this.layout, this.party, P_INCARNATION)) !== this.#incarnation) {
      return `party ${this.party} of the shared memory was given up as dead`;
    }
    return undefined;
  }

  check(): void {
    const why = this.over;
    if (why !== undefined) throw new UsageError(`${why}; connect again to go on`);
  }

  get pressure(): number {
    return Atomics.load(this.words, H_PRESSURE);
  }

  raisePressure(): void {
    Atomics.add(this.words, H_PRESSURE, 1);
  }

  /** A new open slot with a pin of this party, on `pages` adjacent pages; undefined when there is no room. */
  allocate(pages: number, byteLength: number): SlotRef | undefined {
    return this.locked(() => {
      const start = this.pages.find(pages);
      return start < 0 ? undefined : this.#claim(start, start + pages, byteLength, OPEN);
    });
  }

  /** Takes warm pages out of use, from the end of the memory, at most `most` and no more than exceed `keep` in all. */
  takeWarm(keep: number, most: number): SlotRef | undefined {
    return this.locked(() => {
      const excess = this.pages.warm - keep;
      if (excess <= 0) return undefined;
      const run = this.pages.lastWarm(Math.min(most, excess));
      return run === undefined ? undefined : this.#claim(run[0], run[1], 0, BUSY);
    });
  }

  /** Puts pages taken by `takeWarm` back; `cold` when they were given to the system meanwhile. */
  putBack(ref: SlotRef, cold: boolean): void {
    this.locked(() => {
      const slot = this.slot(ref.index);
      if (cold) this.pages.cool(this.words[slot + S_START]!, this.words[slot + S_END]!);
      this.#free(ref.index);
    });
  }

  seal(ref: SlotRef, sum?: number): void {
    const slot = this.live(ref);
    // Whatever else it may be by now, it was sealed before.
    if (this.words[slot + S_STATE] !== OPEN) return;
    if (sum !== undefined) {
      this.words[slot + S_SUM] = sum | 0;
      this.words[slot + S_HAS_SUM] = 1;
    }
    this.become(slot, 'sealed');
  }

  isOpen(ref: SlotRef): boolean {
    return this.words[this.live(ref) + S_STATE] === OPEN;
  }

  sumOf(ref: SlotRef): number | undefined {
    const slot = this.live(ref);
    return this.words[slot + S_HAS_SUM] === 1 ? this.words[slot + S_SUM]! >>> 0 : undefined;
  }

  /** Whoever looks at the object from now on hears that it is lost. Those who use it already keep what they see. */
  lose(ref: SlotRef): void {
    Atomics.store(this.words, this.live(ref) + S_LOST, 1);
  }

  isLost(ref: SlotRef): boolean {
    return Atomics.load(this.words, this.live(ref) + S_LOST) !== 0;
  }

  /** The first page of an object that is in memory, and stays there because somebody uses it or writes it. */
  firstPage(ref: SlotRef): number {
    const slot = this.live(ref);
    const state = Atomics.load(this.words, slot + S_STATE);
    if (!isPresent(state) && state !== RESTORING) {
      throw new InternalError(`object ${ref.index}.${ref.generation} is looked at while it is not in memory`);
    }
    return this.words[slot + S_START]!;
  }

  /** The pages of what `takeWarm` took. */
  runOf(ref: SlotRef): { start: number; end: number } {
    const slot = this.slot(ref.index);
    return { start: this.words[slot + S_START]!, end: this.words[slot + S_END]! };
  }

  byteLength(ref: SlotRef): number {
    return this.lengthAt(this.live(ref));
  }

  /** Sets the bit of this party. The slot must be pinned by somebody until this returns. */
  pin(ref: SlotRef, kind: PinKind = HOLD): void {
    const slot = this.live(ref);
    this.pins.set(slot, kind, this.party);
    if (this.#isLive(slot, ref)) return;
    // It was freed meanwhile, against the contract. The bit may now be on another object: take it off again.
    this.#clearPin(ref.index, kind);
    throw stale(ref);
  }

  /** Clears the bit of this party, and frees the slot when it was the last. True when the slot was freed. */
  unpin(ref: SlotRef, kind: PinKind = HOLD): boolean {
    this.live(ref);
    return this.#clearPin(ref.index, kind);
  }

  /**
   * Says that this party needs the bytes. True: they are in memory, and stay there until `unpin`. False: they may be on disk,
   * see `Residence.arrive`; the pin is set all the same.
   */
  use(ref: SlotRef): boolean {
    this.pin(ref, USE);
    const slot = this.slot(ref.index);
    // Written without a lock: who is a little wrong about the order chooses a little worse what leaves memory.
    this.words[slot + S_USED] = Atomics.add(this.words, H_CLOCK, 1);
    // The bit comes before the look, and who evicts says so before he looks at the bits: one of both sees the other.
    return isPresent(Atomics.load(this.words, slot + S_STATE));
  }

  /**
   * Frees what `party` had begun and not sealed or read back, and forgets what it used. Nobody else can know of that, so it
   * need not wait for those who may have something from the party, as `reclaim` does. The caller knows that it is over.
   */
  reclaimUnsealed(party: number): void {
    const { words, layout } = this;
    this.#breakLock(party, Atomics.load(words, partyWord(layout, party, P_INCARNATION)));
    for (const field of [P_ADMITTED, P_WAITING]) Atomics.store(words, partyWord(layout, party, field), 0);
    this.#endReading(party);
    this.#dropPins(party, (state) => state === OPEN || state === BUSY);
  }

  /** Ends the part of `party`: its lock, its pins, its half-made objects. The caller knows that it is over. */
  reclaim(party: number): void {
    const { words, layout } = this;
    this.#breakLock(party, Atomics.add(words, partyWord(layout, party, P_INCARNATION), 1));
    this.#endReading(party);
    this.#dropPins(party, () => true);
    this.#vacate(party);
  }

  #breakLock(party: number, incarnation: number): void {
    // The dirty flag tells the next holder to rebuild.
    if (this.#lock.takeOver(TableLock.word(party, incarnation), this.#me)) this.#lock.release(this.#me);
  }

  /** Leaves in good order: this party's pins are taken off, and its number is free for another. */
  detach(): void {
    if (this.over !== undefined) return;
    this.#endReading(this.party);
    this.#dropPins(this.party, () => true);
    Atomics.add(this.words, partyWord(this.layout, this.party, P_INCARNATION), 1);
    this.#vacate(this.party);
  }

  #vacate(party: number): void {
    const { words, layout } = this;
    const at = (field: number) => partyWord(layout, party, field);
    for (const field of [P_PROCESS, P_THREAD, P_STARTED, P_ADMITTED, P_WAITING]) Atomics.store(words, at(field), 0);
    Atomics.store(words, at(P_ATTACHED), 0);
  }

  /** What `party` was reading back is on disk as before. */
  #endReading(party: number): void {
    const { words } = this;
    const isIts = (slot: number): boolean =>
      Atomics.load(words, slot + S_STATE) === RESTORING && (words[slot + S_READER]! & 0xfff) === party + 1;
    for (let index = 0; index < this.highWater; index++) {
      if (!isIts(this.slot(index))) continue;
      this.locked(() => {
        const slot = this.slot(index);
        if (isIts(slot)) this.letPagesGo(slot, 'unread');
      });
    }
  }

  /** Clears the bits of `party`: those of use, and those of slots in such states; and frees what nobody holds. */
  #dropPins(party: number, which: (state: number) => boolean): void {
    const { words, pins } = this;
    for (let index = 0; index < this.highWater; index++) {
      const slot = this.slot(index);
      const state = Atomics.load(words, slot + S_STATE);
      if (state === FREE) continue;
      if (pins.has(slot, USE, party)) pins.clear(slot, USE, party);
      if (which(state) && pins.has(slot, HOLD, party)) pins.clear(slot, HOLD, party);
      // Also one that lost its last pin to a party that died before it could free it.
      if (!pins.any(slot)) this.#freeUnpinned(index);
    }
  }

  close(): void {
    Atomics.store(this.words, H_CLOSED, 1);
  }

  /** The index of the first word of a slot that `ref` still names. */
  live(ref: SlotRef): number {
    const { index } = ref;
    if (!(index >= 0 && index < this.layout.slots)) throw stale(ref);
    const slot = this.slot(index);
    if (!this.#isLive(slot, ref)) throw stale(ref);
    return slot;
  }

  exists(ref: SlotRef): boolean {
    return ref.index < this.layout.slots && this.#isLive(this.slot(ref.index), ref);
  }

  #isLive(slot: number, ref: SlotRef): boolean {
    const state = Atomics.load(this.words, slot + S_STATE);
    return isObject(state) && this.words[slot + S_GENERATION]! >>> 0 === ref.generation;
  }

  // ---- for `Residence`

  /** Slots from here on have never been used. */
  get highWater(): number {
    return Math.min(Atomics.load(this.words, H_HIGH_WATER), this.layout.slots);
  }

  slot(index: number): number {
    return this.layout.slotAt + index * this.layout.slotWords;
  }

  lengthAt(slot: number): number {
    return (this.words[slot + S_LENGTH_LOW]! >>> 0) + this.words[slot + S_LENGTH_HIGH]! * 2 ** 32;
  }

  become(slot: number, happening: Parameters<typeof residenceAfter>[1]): void {
    Atomics.store(this.words, slot + S_STATE, residenceAfter(Atomics.load(this.words, slot + S_STATE), happening));
  }

  /** Under the lock: an object on disk gets pages to be read into, by this party. */
  takePages(slot: number, start: number, end: number): void {
    const { words } = this;
    Atomics.store(words, slot + S_START, start);
    Atomics.store(words, slot + S_END, end);
    Atomics.store(words, slot + S_READER, this.#me);
    const warm = this.pages.touch(start, end);
    this.become(slot, 'claimed');
    this.pages.take(start, end, warm);
    words[H_SPILLED]!--;
  }

  /** Under the lock: the object is on disk alone from now on. */
  letPagesGo(slot: number, happening: 'left' | 'unread'): void {
    const { words } = this;
    const start = words[slot + S_START]!;
    const end = words[slot + S_END]!;
    this.become(slot, happening);
    this.pages.giveBack(start, end);
    words[H_SPILLED]!++;
  }

  #clearPin(index: number, kind: PinKind): boolean {
    const slot = this.slot(index);
    this.pins.clear(slot, kind, this.party);
    return !this.pins.any(slot) && this.#freeUnpinned(index);
  }

  /** Two parties may come here for the same slot, or late, when it is another object: hence a second look. */
  #freeUnpinned(index: number): boolean {
    return this.locked(() => {
      const slot = this.slot(index);
      if (this.words[slot + S_STATE] === FREE || this.pins.any(slot)) return false;
      this.#free(index);
      return true;
    });
  }

  /** Undefined when there is no slot left: there are many objects on disk. */
  #claim(start: number, end: number, byteLength: number, state: typeof OPEN | typeof BUSY): SlotRef | undefined {
    const { words, layout } = this;
    const fresh = words[H_FREE_SLOT] === 0;
    const index = fresh ? words[H_HIGH_WATER]! : words[H_FREE_SLOT]! - 1;
    if (index >= layout.slots) return undefined;
    const slot = this.slot(index);
    const generation = (words[slot + S_GENERATION]! + 1) | 0;
    const next = fresh ? 0 : words[slot + S_NEXT]!;
    if (fresh) Atomics.store(words, H_HIGH_WATER, index + 1);
    Atomics.store(words, slot + S_START, start);
    Atomics.store(words, slot + S_END, end);
    Atomics.store(words, slot + S_LENGTH_LOW, byteLength | 0);
    Atomics.store(words, slot + S_LENGTH_HIGH, Math.floor(byteLength / 2 ** 32));
    Atomics.store(words, slot + S_HAS_SUM, 0);
    Atomics.store(words, slot + S_FILE, 0);
    Atomics.store(words, slot + S_LOST, 0);
    Atomics.store(words, slot + S_USED, Atomics.add(words, H_CLOCK, 1));
    Atomics.store(words, slot + S_MADE, (Date.now() / MADE_UNIT_MS) | 0);
    Atomics.store(words, slot + S_GENERATION, generation);
    this.pins.none(slot);
    this.pins.set(slot, HOLD, this.party);
    const warm = this.pages.touch(start, end);
    this.become(slot, state === OPEN ? 'allocated' : 'taken');

    this.pages.take(start, end, warm);
    words[H_FREE_SLOT] = next;
    if (state === BUSY) words[H_BUSY]! += end - start;
    return { index, generation: generation >>> 0 };
  }

  #free(index: number): void {
    const { words, layout } = this;
    const slot = this.slot(index);
    const state = words[slot + S_STATE]!;
    const start = words[slot + S_START]!;
    const end = words[slot + S_END]!;
    const file = words[slot + S_FILE]!;
    this.become(slot, 'released');

    if (ownsPages(state)) this.pages.giveBack(start, end);
    if (state === BUSY) words[H_BUSY]! -= end - start;
    if (state === SPILLED) words[H_SPILLED]!--;
    if (file !== 0 && --words[layout.fileAt + (file - 1) * FILE_WORDS + F_COPIES]! === 0)
      Atomics.add(words, H_EMPTIED, 1);
    words[slot + S_NEXT] = words[H_FREE_SLOT]!;
    words[H_FREE_SLOT] = index + 1;
  }

  /** Runs `body` alone; what it leaves half done by an error or a death is put right by the next one. */
  locked<T>(body: () => T): T {
    const { words } = this;
    this.#lock.acquire(this.#me);
    try {
      this.check();
      if (words[H_DIRTY] !== 0) this.#rebuild();
      Atomics.store(words, H_DIRTY, 1);
      const result = body();
      Atomics.store(words, H_DIRTY, 0);
      return result;
    } finally {
      // After an error (a stack that is full, say) the flag stays, and the next holder rebuilds.
      this.#lock.release(this.#me);
    }
  }

  #rebuild(): void {
    const { words, layout } = this;
    for (let file = 0; file < FILES; file++) words[layout.fileAt + file * FILE_WORDS + F_COPIES] = 0;
    let freeSlot = 0;
    let busy = 0;
    let spilled = 0;
    this.pages.rebuild((take) => {
      for (let index = words[H_HIGH_WATER]! - 1; index >= 0; index--) {
        const slot = this.slot(index);
        // Its eviction did not come to an end; somebody may have begun to use it.
        if (words[slot + S_STATE] === LEAVING) this.become(slot, 'used');
        const state = words[slot + S_STATE]!;
        if (state === FREE) {
          words[slot + S_NEXT] = freeSlot;
          freeSlot = index + 1;
          continue;
        }
        if (ownsPages(state)) take(words[slot + S_START]!, words[slot + S_END]!);
        if (state === BUSY) busy += words[slot + S_END]! - words[slot + S_START]!;
        if (state === SPILLED) spilled++;
        const file = words[slot + S_FILE]!;
        if (file !== 0) words[layout.fileAt + (file - 1) * FILE_WORDS + F_COPIES]!++;
      }
    });
    words[H_FREE_SLOT] = freeSlot;
    words[H_BUSY] = busy;
    words[H_SPILLED] = spilled;
    // Which files are empty is to be found out anew.
    Atomics.add(words, H_EMPTIED, 1);
  }
}

function stale(ref: SlotRef): InternalError {
  return new InternalError(
    `object ${ref.index}.${ref.generation} is not in the shared memory (any more): it was used after its last pin had ` +
      'been taken off. Please report this',
  );
}
