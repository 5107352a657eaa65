import { InternalError, UsageError } from '../base/index.ts';
import { clearBits, countBits, eachRun, findRun, lastRun, ones, type Pick, setBits } from './bitmap.ts';
import {
  BUSY,
  FREE,
  H_BUSY,
  H_CLOSED,
  H_DIRTY,
  H_FREE,
  H_FREE_SLOT,
  H_HIGH_WATER,
  H_LOW,
  H_PRESSURE,
  H_WARM,
  H_WARM_LIMIT,
  type Layout,
  OPEN,
  P_ATTACHED,
  P_INCARNATION,
  P_PROCESS,
  P_STARTED,
  P_THREAD,
  PAGE,
  partyWord,
  S_END,
  S_GENERATION,
  S_HAS_SUM,
  S_LENGTH_HIGH,
  S_LENGTH_LOW,
  S_NEXT,
  S_PINS,
  S_START,
  S_STATE,
  S_SUM,
  SEALED,
} from './layout.ts';
import { currentThread, TableLock } from './lock.ts';

/** An object of the store: two unsigned 32-bit numbers, cheap to send. */
export interface SlotRef {
  readonly index: number;
  /** Tells this object from earlier and later ones with the same index. */
  readonly generation: number;
}

/** What the store holds, in bytes where not said otherwise. Pages count whole. */
export interface StoreStats {
  readonly limit: number;
  readonly used: number;
  /** How many objects there are. */
  readonly objects: number;
  /** How many of them somebody has pinned. */
  readonly pinned: number;
  /** Free, but present in memory for the next object. */
  readonly warm: number;
  readonly free: number;
  readonly largestFree: number;
}

/**
 * The shared table of slots and pages, seen by one party. It knows nothing of the memory that it hands out.
 *
 * The slots are the truth about who owns which page: a slot whose state is not FREE owns the pages [start, end). Its
 * state is written last when pages are taken and first when they are let go, so at every moment a page has at most one
 * owner, and no page is lost. A second truth is the bitmap of touched pages: a bit is set before anybody may touch the
 * page and cleared after it has been given back to the system. All the rest (free pages, free slots, counters) is
 * derived, is changed under the lock, and is rebuilt by the next holder after one that did not come to the end.
 *
 * Pins are one bit per party, set and cleared without the lock. Whoever sees the last one gone frees the slot.
 */
export class Table {
  readonly words: Int32Array;
  readonly layout: Layout;
  readonly party: number;
  readonly #lock: TableLock;
  readonly #incarnation: number;
  readonly #me: number;
  readonly #freePages: Pick;
  readonly #warmPages: Pick;
  readonly #coldPages: Pick;

  constructor(words: Int32Array, layout: Layout, party: number) {
    if (!Number.isInteger(party) || party < 0 || party >= layout.parties) {
      throw new UsageError(`party ${party} is not one of the ${layout.parties} parties of this store (0 is the first)`);
    }
    this.words = words;
    this.layout = layout;
    this.party = party;
    this.#lock = new TableLock(words, layout);
    const { freeAt, touchedAt } = layout;
    this.#freePages = (w) => words[freeAt + w]!;
    this.#warmPages = (w) => words[freeAt + w]! & words[touchedAt + w]!;
    this.#coldPages = (w) => words[freeAt + w]! & ~words[touchedAt + w]!;
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

  /** Pages above the limit of what is kept warm. */
  get surplus(): number {
    return Math.max(0, this.words[H_WARM]! - this.words[H_WARM_LIMIT]!);
  }

  get warmPages(): number {
    return Atomics.load(this.words, H_WARM);
  }

  get busyPages(): number {
    return Atomics.load(this.words, H_BUSY);
  }

  /** A new open slot with a pin of this party, on `pages` adjacent pages; undefined when there is no room. */
  allocate(pages: number, byteLength: number): SlotRef | undefined {
    return this.#locked(() => {
      const { words, layout } = this;
      if (words[H_FREE]! < pages) return undefined;
      const from = words[H_LOW]!;
      let start = -1;
      // Warm pages first: touching a page for the first time costs far more than filling it.
      if (words[H_WARM]! >= pages) start = findRun(this.#warmPages, from, layout.bitmapWords, pages);
      if (start < 0) start = findRun(this.#freePages, from, layout.bitmapWords, pages);
      if (start < 0) return undefined;
      return this.#claim(start, start + pages, byteLength, OPEN);
    });
  }

  /** Takes warm pages out of use, from the end of the memory, at most `most` and no more than exceed `keep` in all. */
  takeWarm(keep: number, most: number): SlotRef | undefined {
    return this.#locked(() => {
      const excess = this.words[H_WARM]! - keep;
      if (excess <= 0) return undefined;
      const run = lastRun(this.#warmPages, this.layout.bitmapWords, Math.min(most, excess));
      return run === undefined ? undefined : this.#claim(run[0], run[1], 0, BUSY);
    });
  }

  /** Takes cold pages out of use, from the beginning, at most `most`, unless `enough` pages are warm. */
  takeCold(enough: number, most: number): SlotRef | undefined {
    return this.#locked(() => {
      const { words, layout } = this;
      const wanted = Math.min(most, enough - words[H_WARM]!);
      if (wanted <= 0) return undefined;
      const start = findRun(this.#coldPages, words[H_LOW]!, layout.bitmapWords, 1);
      if (start < 0) return undefined;
      let end = start + 1;
      eachRun(this.#coldPages, start >>> 5, layout.bitmapWords, (_, runEnd) => {
        end = Math.min(runEnd, start + wanted);
        return true;
      });
      return this.#claim(start, end, 0, BUSY);
    });
  }

  /** Puts pages taken by `takeWarm` or `takeCold` back; `cold` when they were given to the system meanwhile. */
  putBack(ref: SlotRef, cold: boolean): void {
    this.#locked(() => {
      const slot = this.#slot(ref.index);
      const { words, layout } = this;
      if (cold) clearBits(words, layout.touchedAt, words[slot + S_START]!, words[slot + S_END]!);
      this.#free(ref.index);
    });
  }

  seal(ref: SlotRef, sum?: number): void {
    const slot = this.live(ref);
    if (this.words[slot + S_STATE] === SEALED) return;
    if (sum !== undefined) {
      this.words[slot + S_SUM] = sum | 0;
      this.words[slot + S_HAS_SUM] = 1;
    }
    Atomics.store(this.words, slot + S_STATE, SEALED);
  }

  isOpen(ref: SlotRef): boolean {
    return this.words[this.live(ref) + S_STATE] === OPEN;
  }

  sumOf(ref: SlotRef): number | undefined {
    const slot = this.live(ref);
    return this.words[slot + S_HAS_SUM] === 1 ? this.words[slot + S_SUM]! >>> 0 : undefined;
  }

  firstPage(ref: SlotRef): number {
    return this.words[this.live(ref) + S_START]!;
  }

  /** The pages of what `takeWarm` or `takeCold` took. */
  runOf(ref: SlotRef): { start: number; end: number } {
    const slot = this.#slot(ref.index);
    return { start: this.words[slot + S_START]!, end: this.words[slot + S_END]! };
  }

  byteLength(ref: SlotRef): number {
    const slot = this.live(ref);
    return (this.words[slot + S_LENGTH_LOW]! >>> 0) + this.words[slot + S_LENGTH_HIGH]! * 2 ** 32;
  }

  /** Sets the bit of this party. The slot must be pinned by somebody until this returns. */
  pin(ref: SlotRef): void {
    const slot = this.live(ref);
    const at = this.#pinWord(slot, this.party);
    Atomics.or(this.words, at, 1 << (this.party & 31));
    if (this.#isLive(slot, ref)) return;
    // It was freed meanwhile, against the contract. The bit may now be on another object: take it off again.
    this.#clearPin(ref.index, this.party);
    throw stale(ref);
  }

  /** Clears the bit of this party, and frees the slot when it was the last. True when the slot was freed. */
  unpin(ref: SlotRef): boolean {
    this.live(ref);
    return this.#clearPin(ref.index, this.party);
  }

  /**
   * Frees what `party` had begun and not sealed. Nobody else can know of that, so it need not wait for those who may have
   * something from the party, as `reclaim` does. The caller knows that it is over.
   */
  reclaimUnsealed(party: number): void {
    const { words, layout } = this;
    this.#breakLock(party, Atomics.load(words, partyWord(layout, party, P_INCARNATION)));
    this.#dropPins(party, (slot) => Atomics.load(words, slot + S_STATE) !== SEALED);
  }

  /** Ends the part of `party`: its lock, its pins, its half-made objects. The caller knows that it is over. */
  reclaim(party: number): void {
    const { words, layout } = this;
    this.#breakLock(party, Atomics.add(words, partyWord(layout, party, P_INCARNATION), 1));
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
    this.#dropPins(this.party, () => true);
    Atomics.add(this.words, partyWord(this.layout, this.party, P_INCARNATION), 1);
    this.#vacate(this.party);
  }

  #vacate(party: number): void {
    const { words, layout } = this;
    const at = (field: number) => partyWord(layout, party, field);
    for (const field of [P_PROCESS, P_THREAD, P_STARTED]) Atomics.store(words, at(field), 0);
    Atomics.store(words, at(P_ATTACHED), 0);
  }

  /** Clears the bits of `party` on those slots, and frees what nobody holds. */
  #dropPins(party: number, which: (slot: number) => boolean): void {
    const bit = 1 << (party & 31);
    const { words } = this;
    const end = Math.min(Atomics.load(words, H_HIGH_WATER), this.layout.slots);
    for (let index = 0; index < end; index++) {
      const slot = this.#slot(index);
      if (Atomics.load(words, slot + S_STATE) === FREE || !which(slot)) continue;
      const at = this.#pinWord(slot, party);
      if ((Atomics.load(words, at) & bit) !== 0) Atomics.and(words, at, ~bit);
      // Also one that lost its last pin to a party that died before it could free it.
      if (!this.#hasPins(slot)) this.#freeUnpinned(index);
    }
  }

  close(): void {
    Atomics.store(this.words, H_CLOSED, 1);
  }

  stats(): StoreStats {
    return this.#locked(() => {
      const { words, layout } = this;
      let used = 0;
      let objects = 0;
      let pinned = 0;
      for (let index = 0; index < words[H_HIGH_WATER]!; index++) {
        const slot = this.#slot(index);
        const state = words[slot + S_STATE];
        if (state !== OPEN && state !== SEALED) continue;
        objects++;
        used += words[slot + S_END]! - words[slot + S_START]!;
        if (this.#hasPins(slot)) pinned++;
      }
      let largest = 0;
      eachRun(this.#freePages, words[H_LOW]!, layout.bitmapWords, (start, end) => {
        largest = Math.max(largest, end - start);
        return false;
      });
      return {
        limit: layout.pages * PAGE,
        used: used * PAGE,
        objects,
        pinned,
        warm: words[H_WARM]! * PAGE,
        free: words[H_FREE]! * PAGE,
        largestFree: largest * PAGE,
      };
    });
  }

  /** Bytes of the pages that `party` has pinned. */
  usedBy(party: number): number {
    return this.#locked(() => {
      let pages = 0;
      for (let index = 0; index < this.words[H_HIGH_WATER]!; index++) {
        const slot = this.#slot(index);
        if (this.words[slot + S_STATE] === FREE) continue;
        if ((this.words[this.#pinWord(slot, party)]! & (1 << (party & 31))) === 0) continue;
        pages += this.words[slot + S_END]! - this.words[slot + S_START]!;
      }
      return pages * PAGE;
    });
  }

  /** The index of the first word of a slot that `ref` still names. */
  live(ref: SlotRef): number {
    const { index } = ref;
    if (!(index >= 0 && index < this.layout.slots)) throw stale(ref);
    const slot = this.#slot(index);
    if (!this.#isLive(slot, ref)) throw stale(ref);
    return slot;
  }

  #isLive(slot: number, ref: SlotRef): boolean {
    const state = Atomics.load(this.words, slot + S_STATE);
    return (state === OPEN || state === SEALED) && this.words[slot + S_GENERATION]! >>> 0 === ref.generation;
  }

  #slot(index: number): number {
    return this.layout.slotAt + index * this.layout.slotWords;
  }

  #pinWord(slot: number, party: number): number {
    return slot + S_PINS + (party >>> 5);
  }

  #hasPins(slot: number): boolean {
    for (let i = 0; i < this.layout.pinWords; i++) {
      if (Atomics.load(this.words, slot + S_PINS + i) !== 0) return true;
    }
    return false;
  }

  #clearPin(index: number, party: number): boolean {
    const slot = this.#slot(index);
    Atomics.and(this.words, this.#pinWord(slot, party), ~(1 << (party & 31)));
    return !this.#hasPins(slot) && this.#freeUnpinned(index);
  }

  /** Two parties may come here for the same slot, or late, when it is another object: hence a second look. */
  #freeUnpinned(index: number): boolean {
    return this.#locked(() => {
      const slot = this.#slot(index);
      if (this.words[slot + S_STATE] === FREE || this.#hasPins(slot)) return false;
      this.#free(index);
      return true;
    });
  }

  #claim(start: number, end: number, byteLength: number, state: number): SlotRef {
    const { words, layout } = this;
    const fresh = words[H_FREE_SLOT] === 0;
    const index = fresh ? words[H_HIGH_WATER]! : words[H_FREE_SLOT]! - 1;
    if (index >= layout.slots) throw new InternalError('the slots of the shared memory ran out before its pages');
    const slot = this.#slot(index);
    const generation = (words[slot + S_GENERATION]! + 1) | 0;
    const next = fresh ? 0 : words[slot + S_NEXT]!;
    if (fresh) Atomics.store(words, H_HIGH_WATER, index + 1);
    Atomics.store(words, slot + S_START, start);
    Atomics.store(words, slot + S_END, end);
    Atomics.store(words, slot + S_LENGTH_LOW, byteLength | 0);
    Atomics.store(words, slot + S_LENGTH_HIGH, Math.floor(byteLength / 2 ** 32));
    Atomics.store(words, slot + S_HAS_SUM, 0);
    Atomics.store(words, slot + S_GENERATION, generation);
    for (let i = 0; i < layout.pinWords; i++) Atomics.store(words, slot + S_PINS + i, 0);
    Atomics.or(words, this.#pinWord(slot, this.party), 1 << (this.party & 31));
    const warm = countBits(words, layout.touchedAt, start, end);
    setBits(words, layout.touchedAt, start, end);
    Atomics.store(words, slot + S_STATE, state);

    clearBits(words, layout.freeAt, start, end);
    words[H_FREE_SLOT] = next;
    words[H_FREE]! -= end - start;
    words[H_WARM]! -= warm;
    if (state === BUSY) words[H_BUSY]! += end - start;
    while (words[H_LOW]! < layout.bitmapWords && words[layout.freeAt + words[H_LOW]!] === 0) words[H_LOW]!++;
    return { index, generation: generation >>> 0 };
  }

  #free(index: number): void {
    const { words, layout } = this;
    const slot = this.#slot(index);
    const start = words[slot + S_START]!;
    const end = words[slot + S_END]!;
    if (words[slot + S_STATE] === BUSY) words[H_BUSY]! -= end - start;
    Atomics.store(words, slot + S_STATE, FREE);

    setBits(words, layout.freeAt, start, end);
    words[slot + S_NEXT] = words[H_FREE_SLOT]!;
    words[H_FREE_SLOT] = index + 1;
    words[H_FREE]! += end - start;
    words[H_WARM]! += countBits(words, layout.touchedAt, start, end);
    words[H_LOW] = Math.min(words[H_LOW]!, start >>> 5);
  }

  #locked<T>(body: () => T): T {
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
    words.fill(0, layout.freeAt, layout.freeAt + layout.bitmapWords);
    setBits(words, layout.freeAt, 0, layout.pages);
    let freeSlot = 0;
    let busy = 0;
    for (let index = words[H_HIGH_WATER]! - 1; index >= 0; index--) {
      const slot = this.#slot(index);
      const state = words[slot + S_STATE];
      if (state === FREE) {
        words[slot + S_NEXT] = freeSlot;
        freeSlot = index + 1;
        continue;
      }
      clearBits(words, layout.freeAt, words[slot + S_START]!, words[slot + S_END]!);
      if (state === BUSY) busy += words[slot + S_END]! - words[slot + S_START]!;
    }
    let warm = 0;
    for (let w = 0; w < layout.bitmapWords; w++) {
      warm += ones(this.#warmPages(w));
    }
    words[H_FREE_SLOT] = freeSlot;
    words[H_BUSY] = busy;
    words[H_FREE] = countBits(words, layout.freeAt, 0, layout.pages);
    words[H_WARM] = warm;
    words[H_LOW] = 0;
  }
}

function stale(ref: SlotRef): InternalError {
  return new InternalError(
    `object ${ref.index}.${ref.generation} is not in the shared memory (any more): it was used after its last pin had ` +
      'been taken off. Please report this',
  );
}
