import { H_HIGH_WATER, MADE_UNIT_MS, PAGE, S_END, S_FILE, S_GENERATION, S_MADE, S_START, S_STATE } from './layout.ts';
import { HOLD, USE } from './pins.ts';
import { isObject, OPEN, ownsPages, RESTORING, SPILLED } from './residence.rules.ts';
import type { Table } from './table.ts';

/** What the store holds, in bytes where not said otherwise. In memory, pages count whole. */
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
  /** On disk alone. */
  readonly spilled: number;
}

export function statsOf(table: Table): StoreStats {
  return table.locked(() => {
    const { words, layout, pages, pins } = table;
    let used = 0;
    let objects = 0;
    let pinned = 0;
    let spilled = 0;
    for (let index = 0; index < words[H_HIGH_WATER]!; index++) {
      const slot = table.slot(index);
      const state = words[slot + S_STATE]!;
      if (!isObject(state)) continue;
      objects++;
      if (ownsPages(state)) used += words[slot + S_END]! - words[slot + S_START]!;
      else spilled += table.lengthAt(slot);
      if (pins.any(slot)) pinned++;
    }
    return {
      limit: layout.pages * PAGE,
      used: used * PAGE,
      objects,
      pinned,
      warm: pages.warm * PAGE,
      free: pages.free * PAGE,
      largestFree: pages.largestFree * PAGE,
      spilled,
    };
  });
}

/** Bytes of the pages of what `party` has pinned. */
export function usedBy(table: Table, party: number): number {
  return table.locked(() => {
    const { words, pins } = table;
    let pages = 0;
    for (let index = 0; index < words[H_HIGH_WATER]!; index++) {
      const slot = table.slot(index);
      if (!ownsPages(words[slot + S_STATE]!)) continue;
      if (pins.has(slot, HOLD, party) || pins.has(slot, USE, party))
        pages += words[slot + S_END]! - words[slot + S_START]!;
    }
    return pages * PAGE;
  });
}

/** One object of the store, for people. */
export interface ObjectRow {
  readonly index: number;
  readonly generation: number;
  readonly bytes: number;
  /** `open`: still written by the one who makes it. */
  readonly where: 'open' | 'memory' | 'disk';
  /** In memory, with a copy on disk. */
  readonly copied: boolean;
  /** Milliseconds since it was made, to a tenth of a second. */
  readonly ageMs: number;
  /** Parties that hold it, so that it exists; and those that need its bytes in memory. */
  readonly holders: readonly number[];
  readonly users: readonly number[];
}

/** All objects of the store. Looked at without the lock, which others need more: an object that changes meanwhile may be shown as it was. */
export function objectsOf(table: Table): ObjectRow[] {
  const { words, layout, pins } = table;
  const now = (Date.now() / MADE_UNIT_MS) | 0;
  const parties = Array.from({ length: layout.parties }, (_, party) => party);
  const rows: ObjectRow[] = [];
  for (let index = 0; index < table.highWater; index++) {
    const slot = table.slot(index);
    const state = Atomics.load(words, slot + S_STATE);
    if (!isObject(state)) continue;
    rows.push({
      index,
      generation: words[slot + S_GENERATION]! >>> 0,
      bytes: table.lengthAt(slot),
      where: state === OPEN ? 'open' : state === SPILLED || state === RESTORING ? 'disk' : 'memory',
      copied: ownsPages(state) && words[slot + S_FILE] !== 0,
      ageMs: Math.max(0, (now - words[slot + S_MADE]!) | 0) * MADE_UNIT_MS,
      holders: parties.filter((party) => pins.has(slot, HOLD, party)),
      users: parties.filter((party) => pins.has(slot, USE, party)),
    });
  }
  return rows;
}
