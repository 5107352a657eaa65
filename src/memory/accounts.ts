import { H_HIGH_WATER, PAGE, S_END, S_START, S_STATE } from './layout.ts';
import { HOLD, USE } from './pins.ts';
import { isObject, ownsPages } from './residence.rules.ts';
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
