import {
  F_COPIES,
  F_EXISTS,
  F_SERIAL,
  FILE_WORDS,
  FILES,
  H_EMPTIED,
  H_SERIAL,
  H_SPILLED,
  PAGE,
  S_AT,
  S_END,
  S_FILE,
  S_GENERATION,
  S_HAS_SUM,
  S_START,
  S_STATE,
  S_SUM,
  S_USED,
} from './layout.ts';
import { USE } from './pins.ts';
import { isPresent, ownsPages, RESTORING, SEALED } from './residence.rules.ts';
import type { SlotRef, Table } from './table.ts';

/** A file of spilled objects: its place in the table, and a number that no other file of the store has had. */
export interface FileRef {
  readonly index: number;
  readonly serial: number;
}

/** Where the copy of an object is. */
export interface Copy {
  readonly file: FileRef;
  /** In blocks. */
  readonly at: number;
  readonly length: number;
  readonly sum: number;
}

/** What has pages, as those see it who look for what may leave memory. */
export interface Resident {
  readonly ref: SlotRef;
  readonly start: number;
  readonly end: number;
  readonly byteLength: number;
  /** Finished, and nobody needs its bytes now. */
  readonly idle: boolean;
  /** It has a copy on disk: it can leave at once. */
  readonly copied: boolean;
  /** When somebody last began to use it, on the clock of the store. */
  readonly usedAt: number;
}

/** What an object that somebody wants to use is found to be. */
export type Arrival =
  /** In memory. */
  | 'present'
  /** Another party is reading it. */
  | 'coming'
  /** On disk, with no pages free to read it into. */
  | 'no room'
  /** This party has pages for it, is to read the copy into them, and then says so by `arrived`. */
  | Copy;

/** Where the objects of a store are, in memory or on disk, and how they come and go. */
export class Residence {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  // ---- out of memory

  /**
   * What has pages now. `but`: a party whose own uses don't count. Looked at without the lock: everything is asked again when
   * it is acted upon.
   */
  residents(but = -1): Resident[] {
    const table = this.#table;
    const { words, pins } = table;
    const found: Resident[] = [];
    for (let index = 0; index < table.highWater; index++) {
      const slot = table.slot(index);
      const state = Atomics.load(words, slot + S_STATE);
      if (!ownsPages(state)) continue;
      found.push({
        ref: { index, generation: words[slot + S_GENERATION]! >>> 0 },
        start: words[slot + S_START]!,
        end: words[slot + S_END]!,
        byteLength: table.lengthAt(slot),
        idle: state === SEALED && !(but < 0 ? pins.anyUse(slot) : pins.othersUse(slot, but)),
        copied: words[slot + S_FILE] !== 0,
        usedAt: words[slot + S_USED]! >>> 0,
      });
    }
    return found;
  }

  /** Pins an object that is to be copied; false when it is gone, or not finished. */
  keep(ref: SlotRef): boolean {
    const table = this.#table;
    return table.locked(() => {
      const slot = this.#find(ref);
      if (slot === undefined || table.words[slot + S_STATE] !== SEALED) return false;
      table.pins.set(slot, USE, table.party);
      return true;
    });
  }

  /** Objects that this party keeps have copies now. */
  copied(file: FileRef, copies: readonly { ref: SlotRef; at: number; sum: number }[]): void {
    const table = this.#table;
    const { words, layout } = table;
    table.locked(() => {
      for (const { ref, at, sum } of copies) {
        const slot = this.#find(ref);
        if (slot === undefined || words[slot + S_FILE] !== 0) continue;
        words[slot + S_AT] = at;
        words[slot + S_SUM] = sum | 0;
        words[slot + S_HAS_SUM] = 1;
        Atomics.store(words, slot + S_FILE, file.index + 1);
        words[layout.fileAt + file.index * FILE_WORDS + F_COPIES]!++;
      }
    });
  }

  /** An object that has a copy gives its pages up, unless somebody uses it. */
  evict(ref: SlotRef): boolean {
    const table = this.#table;
    const { words, pins } = table;
    return table.locked(() => {
      const slot = this.#find(ref);
      if (slot === undefined || words[slot + S_STATE] !== SEALED || words[slot + S_FILE] === 0) return false;
      table.become(slot, 'evicted');
      if (pins.anyUse(slot)) {
        table.become(slot, 'used');
        return false;
      }
      table.letPagesGo(slot, 'left');
      return true;
    });
  }

  // ---- into memory

  /** To be asked by a party that has said that it uses the object, and did not find it in memory. */
  arrive(ref: SlotRef): Arrival {
    const table = this.#table;
    const { words, layout, pages } = table;
    return table.locked(() => {
      const slot = table.live(ref);
      const state = words[slot + S_STATE]!;
      if (isPresent(state)) return 'present';
      if (state === RESTORING) return 'coming';
      const length = table.lengthAt(slot);
      const count = pagesOf(length);
      const start = pages.find(count);
      if (start < 0) return 'no room';
      table.takePages(slot, start, start + count);
      const index = words[slot + S_FILE]! - 1;
      const serial = words[layout.fileAt + index * FILE_WORDS + F_SERIAL]!;
      return { file: { index, serial }, at: words[slot + S_AT]!, length, sum: words[slot + S_SUM]! >>> 0 };
    });
  }

  /** The copy has been read, or can't be. */
  arrived(ref: SlotRef, read: boolean): void {
    const table = this.#table;
    table.locked(() => {
      const slot = table.live(ref);
      if (read) table.become(slot, 'read');
      else table.letPagesGo(slot, 'unread');
    });
  }

  /** The number of the file that has a copy of the object. */
  fileOf(ref: SlotRef): number | undefined {
    const { words, layout } = this.#table;
    const file = words[this.#table.live(ref) + S_FILE]!;
    return file === 0 ? undefined : words[layout.fileAt + (file - 1) * FILE_WORDS + F_SERIAL]!;
  }

  /** Whether the object is not in memory at this moment. */
  isAbsent(ref: SlotRef): boolean {
    return !isPresent(Atomics.load(this.#table.words, this.#table.live(ref) + S_STATE));
  }

  // ---- files

  /** A new one, which nobody has copies in; undefined when there are as many as there can be. */
  newFile(): FileRef | undefined {
    const { words, layout } = this.#table;
    return this.#table.locked(() => {
      for (let index = 0; index < FILES; index++) {
        const file = layout.fileAt + index * FILE_WORDS;
        if (words[file + F_EXISTS] !== 0) continue;
        words[file + F_COPIES] = 0;
        words[file + F_EXISTS] = 1;
        const serial = Atomics.add(words, H_SERIAL, 1) + 1;
        words[file + F_SERIAL] = serial;
        return { index, serial };
      }
      return undefined;
    });
  }

  /** Grows when a file may have become empty. */
  get emptied(): number {
    return Atomics.load(this.#table.words, H_EMPTIED);
  }

  /** Those that exist and have no copy of anything that is left. */
  emptyFiles(): FileRef[] {
    const { words, layout } = this.#table;
    return this.#table.locked(() => {
      const found: FileRef[] = [];
      for (let index = 0; index < FILES; index++) {
        const file = layout.fileAt + index * FILE_WORDS;
        if (words[file + F_EXISTS] !== 0 && words[file + F_COPIES] === 0)
          found.push({ index, serial: words[file + F_SERIAL]! });
      }
      return found;
    });
  }

  /** It has been deleted. */
  forgetFile(file: FileRef): void {
    this.#table.words[this.#table.layout.fileAt + file.index * FILE_WORDS + F_EXISTS] = 0;
  }

  /** How many objects are on disk alone. */
  get spilled(): number {
    return Atomics.load(this.#table.words, H_SPILLED);
  }

  #find(ref: SlotRef): number | undefined {
    try {
      return this.#table.live(ref);
    } catch {
      return undefined;
    }
  }
}

/** Pages that so many bytes take. */
export function pagesOf(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / PAGE));
}
