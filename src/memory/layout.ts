/** The unit of allocation. Every object starts on a page of its own. */
export const PAGE = 65_536;
/** Pages of one data region: 4 GiB, the most that one mapping can hold. An object never straddles regions. */
export const REGION_PAGES = 65_536;

const MAGIC = 0x53484d31;

// Indices of 32-bit words in the head of the table. The lock has a cache line of its own.
const H_MAGIC = 0;
const H_PARTIES = 1;
const H_PAGES = 2;
export const H_WARM_LIMIT = 3;
export const H_CLOSED = 4;
export const H_PRESSURE = 5;
/** Slots below this number have been in use at some time. It only grows, before the slot is committed. */
export const H_HIGH_WATER = 6;
export const H_LOCK = 16;
/** 1 while somebody changes the table: whoever finds it set at his turn rebuilds what is derived. */
export const H_DIRTY = 17;
// Derived from the slots and the touched pages, as the bitmap of free pages is.
export const H_FREE = 32;
export const H_WARM = 33;
export const H_FREE_SLOT = 34;
export const H_LOW = 35;
/** Pages in the hands of `trim` and `prefault`. */
export const H_BUSY = 36;
const HEAD = 64;

// Words of a party.
export const P_INCARNATION = 0;
export const P_ATTACHED = 1;
export const P_PROCESS = 2;
export const P_THREAD = 3;
export const P_STARTED = 4;
const PARTY = 8;

// Words of a slot.
export const S_STATE = 0;
export const S_GENERATION = 1;
export const S_START = 2;
export const S_END = 3;
export const S_LENGTH_LOW = 4;
export const S_LENGTH_HIGH = 5;
export const S_SUM = 6;
export const S_HAS_SUM = 7;
export const S_NEXT = 8;
export const S_PINS = 9;

export const FREE = 0;
export const OPEN = 1;
export const SEALED = 2;
/** Free pages that a party is giving back to the system or fetching from it, outside of the lock. */
export const BUSY = 3;

/** Where the parts of the table are, in 32-bit words. */
export interface Layout {
  readonly parties: number;
  readonly pages: number;
  readonly slots: number;
  readonly pinWords: number;
  readonly slotWords: number;
  readonly bitmapWords: number;
  readonly partyAt: number;
  readonly freeAt: number;
  readonly touchedAt: number;
  readonly slotAt: number;
  readonly words: number;
}

export function layoutOf(pages: number, parties: number): Layout {
  const pinWords = Math.ceil(parties / 32);
  const slotWords = Math.ceil((S_PINS + pinWords) / 4) * 4;
  const bitmapWords = Math.ceil(pages / 32);
  // Every object has a page and every party gives back or fetches one run at a time: slots can't run out before pages.
  const slots = pages + parties;
  const partyAt = HEAD;
  const freeAt = partyAt + parties * PARTY;
  const touchedAt = freeAt + bitmapWords;
  const slotAt = Math.ceil((touchedAt + bitmapWords) / 16) * 16;
  const words = slotAt + slots * slotWords;
  return {
    parties,
    pages,
    slots,
    pinWords,
    slotWords,
    bitmapWords,
    partyAt,
    freeAt,
    touchedAt,
    slotAt,
    words,
  };
}

/** The most pages whose table has at most `bytes` bytes. */
export function mostPages(parties: number, bytes: number): number {
  const empty = layoutOf(0, parties);
  // A page costs a slot and a bit in each of two bitmaps, which take whole words, and the slots begin at a cache line.
  const room = bytes / 4 - empty.words - 32;
  return Math.floor(room / (empty.slotWords + 2 / 32));
}

export function partyWord(l: Layout, party: number, field: number): number {
  return l.partyAt + party * PARTY + field;
}

/** Makes an empty table of zeroed words. */
export function format(words: Int32Array, l: Layout, warmLimit: number): void {
  words[H_PARTIES] = l.parties;
  words[H_PAGES] = l.pages;
  words[H_WARM_LIMIT] = warmLimit;
  words[H_DIRTY] = 1; // The first who enters builds what is derived.
  Atomics.store(words, H_MAGIC, MAGIC);
}

export function isFormatted(words: Int32Array, l: Layout): boolean {
  return Atomics.load(words, H_MAGIC) === MAGIC && words[H_PARTIES] === l.parties && words[H_PAGES] === l.pages;
}
