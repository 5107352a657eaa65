import { ones } from './bitmap.ts';
import {
  H_DIRTY,
  H_FREE,
  H_FREE_SLOT,
  H_HIGH_WATER,
  H_WARM,
  type Layout,
  S_END,
  S_NEXT,
  S_START,
  S_STATE,
} from './layout.ts';
import { FREE, ownsPages } from './residence.rules.ts';

/** What is wrong with a table that nobody is changing: pages with two owners, and derived parts that don't fit. */
export function audit(words: Int32Array, l: Layout): string[] {
  const wrong: string[] = [];
  const owner = new Int32Array(l.pages).fill(-1);
  const slotAt = (index: number) => l.slotAt + index * l.slotWords;
  let freeSlots = 0;
  for (let index = 0; index < words[H_HIGH_WATER]!; index++) {
    if (words[slotAt(index) + S_STATE] === FREE) {
      freeSlots++;
      continue;
    }
    if (!ownsPages(words[slotAt(index) + S_STATE]!)) continue;
    const start = words[slotAt(index) + S_START]!;
    const end = words[slotAt(index) + S_END]!;
    if (start < 0 || start >= end || end > l.pages) wrong.push(`slot ${index} has the pages ${start} to ${end}`);
    for (let page = start; page < end; page++) {
      if (owner[page] !== -1) wrong.push(`page ${page} belongs to the slots ${owner[page]} and ${index}`);
      owner[page] = index;
    }
  }
  if (words[H_DIRTY] !== 0) return wrong;
  let free = 0;
  let warm = 0;
  for (let page = 0; page < l.pages; page++) {
    const bit = 1 << (page & 31);
    const isFree = (words[l.freeAt + (page >>> 5)]! & bit) !== 0;
    if (isFree !== (owner[page] === -1)) wrong.push(`page ${page} is ${isFree ? 'marked free but owned' : 'lost'}`);
    if (!isFree) continue;
    free++;
    if ((words[l.touchedAt + (page >>> 5)]! & bit) !== 0) warm++;
  }
  let bits = 0;
  for (let w = 0; w < l.bitmapWords; w++) bits += ones(words[l.freeAt + w]!);
  if (bits !== free) wrong.push('there are free bits beyond the last page');
  if (words[H_FREE] !== free) wrong.push(`${words[H_FREE]} free pages are counted, ${free} are there`);
  if (words[H_WARM] !== warm) wrong.push(`${words[H_WARM]} warm pages are counted, ${warm} are there`);
  let listed = 0;
  for (let next = words[H_FREE_SLOT]!; next !== 0 && listed <= freeSlots; listed++) {
    if (words[slotAt(next - 1) + S_STATE] !== FREE)
      wrong.push(`slot ${next - 1} is in use and in the list of free ones`);
    next = words[slotAt(next - 1) + S_NEXT]!;
  }
  if (listed !== freeSlots) wrong.push(`${listed} of ${freeSlots} free slots are in their list`);
  return wrong;
}
