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
/** Pages in the hands of `trim`. */
export const H_BUSY = 36;
/** Objects that are on disk alone. */
export const H_SPILLED = 37;
/** Grows when a file has become empty. */
export const H_EMPTIED = 38;
// What those who allocate and the one who spills tell each other; see `SpillRequests`.
export const H_CLOCK = 48;
export const H_SPILLS = 49;
export const H_HIGH = 50;
export const H_WANTED = 51;
export const H_ASKED = 52;
export const H_ANSWERED = 53;
export const H_PROGRESS = 54;
export const H_TROUBLE = 55;
export const H_TROUBLE_FILE = 56;
/** The number of the newest file. */
export const H_SERIAL = 57;
const HEAD = 64;

// Words of a party.
export const P_INCARNATION = 0;
export const P_ATTACHED = 1;
export const P_PROCESS = 2;
export const P_THREAD = 3;
export const P_STARTED = 4;
/** Pages that the arguments of its running tasks take. */
export const P_ADMITTED = 5;
/** And those of its tasks that wait for others. */
export const P_WAITING = 6;
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
/** The file that has a copy, and one more; 0 without one. */
export const S_FILE = 9;
/** Where in the file the copy begins, in blocks. */
export const S_AT = 10;
/** When somebody last began to use it, on the clock of the store. */
export const S_USED = 11;
/** Who is reading it back from its file, by the word of its lock. */
export const S_READER = 12;
/** When it was made: tenths of a second of the time of day, modulo 2^32. */
export const S_MADE = 13;
export const MADE_UNIT_MS = 100;
/** Not 0: its bytes can't be had any more, here or on disk, and are never shown to anybody again. */
export const S_LOST = 14;
/** Two sets with a bit for each party: who holds the object, and then who needs its bytes in memory. */
export const S_PINS = 15;

// Words of a file of spilled objects.
/** How many slots have a copy in it. Derived. */
export const F_COPIES = 0;
/** Its number, which no other file of the store has had. */
export const F_SERIAL = 1;
/** 1 while the file exists. */
export const F_EXISTS = 2;
export const FILE_WORDS = 4;
/** Files at one time. */
export const FILES = 4096;
/** The unit of places in files, in bytes. */
export const BLOCK = 4096;

/** Slots for objects that are on disk and have no pages: so many for each page, and at most so many in all. */
const SPARE_PER_PAGE = 16;
const MOST_SPARE = 2 ** 20;

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
  readonly fileAt: number;
  readonly slotAt: number;
  readonly words: number;
}

export function layoutOf(pages: number, parties: number): Layout {
  const pinWords = Math.ceil(parties / 32);
  const slotWords = Math.ceil((S_PINS + 2 * pinWords) / 4) * 4;
  const bitmapWords = Math.ceil(pages / 32);
  // Every object in memory has a page, and every party gives back one run at a time: of what is in memory, slots can't run
  // out before pages.
  const slots = pages + parties + Math.min(MOST_SPARE, SPARE_PER_PAGE * pages);
  const partyAt = HEAD;
  const freeAt = partyAt + parties * PARTY;
  const touchedAt = freeAt + bitmapWords;
  const fileAt = touchedAt + bitmapWords;
  const slotAt = Math.ceil((fileAt + FILES * FILE_WORDS) / 16) * 16;
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
    fileAt,
    slotAt,
    words,
  };
}

/** The most pages whose table has at most `bytes` bytes. */
export function mostPages(parties: number, bytes: number): number {
  let low = 0;
  let high = Math.ceil(bytes / 4);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (layoutOf(middle, parties).words * 4 <= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function partyWord(l: Layout, party: number, field: number): number {
  return l.partyAt + party * PARTY + field;
}

/** Makes an empty table of zeroed words. */
export function format(words: Int32Array, l: Layout, warmLimit: number): void {
  words[H_PARTIES] = l.parties;
  words[H_PAGES] = l.pages;
  words[H_WARM_LIMIT] = warmLimit;
  words[H_HIGH] = l.pages;
  words[H_DIRTY] = 1; // The first who enters builds what is derived.
  Atomics.store(words, H_MAGIC, MAGIC);
}

export function isFormatted(words: Int32Array, l: Layout): boolean {
  return Atomics.load(words, H_MAGIC) === MAGIC && words[H_PARTIES] === l.parties && words[H_PAGES] === l.pages;
}
