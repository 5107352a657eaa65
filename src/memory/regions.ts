import { attachSegment, libc, type Segment } from '../native/index.ts';
import type { StoreHandle } from './handle.ts';
import { BLOCK, PAGE, REGION_PAGES } from './layout.ts';

/** Where something lies: the number of its region, and the bytes from the region's beginning. */
export interface Place {
  readonly region: number;
  readonly offset: number;
}

export function placeOf(page: number): Place {
  return { region: Math.floor(page / REGION_PAGES), offset: (page % REGION_PAGES) * PAGE };
}

/** The memory behind the pages of a store: one mapping for each region, made when it is first used. */
export class Regions {
  readonly #handle: StoreHandle;
  /** The regions follow it in the file. Held for the life of its mapping, too. */
  readonly #table: Segment;
  readonly #segments: (Segment | undefined)[] = [];

  constructor(handle: StoreHandle, table: Segment) {
    this.#handle = handle;
    this.#table = table;
  }

  segment(region: number): Segment {
    const known = this.#segments[region];
    if (known !== undefined) return known;
    const handle = this.#handle;
    const byteLength = Math.min(REGION_PAGES, handle.pages - region * REGION_PAGES) * PAGE;
    const offset = this.#table.byteLength + region * REGION_PAGES * PAGE;
    const segment = attachSegment(
      handle.kind === 'memfd'
        ? { kind: 'memfd', fd: handle.fd, byteLength, offset }
        : { kind: 'memory', memory: handle.regions[region]! },
    );
    this.#segments[region] = segment;
    return segment;
  }

  /**
   * Gives everything back, although mappings of it may stay until they are garbage. Of the table the first block is left,
   * which says to all who still look that the store is closed.
   */
  end(): void {
    const { pages } = this.#handle;
    if (this.#handle.kind === 'memory') this.punch(0, pages);
    else libc()!.punchHole(this.#handle.fd, BLOCK, this.#table.byteLength - BLOCK + pages * PAGE);
  }

  /** Gives the pages [start, end) back to the system; what was in them is gone. */
  punch(start: number, end: number): void {
    const c = libc();
    const handle = this.#handle;
    if (handle.kind === 'memfd') {
      c!.punchHole(handle.fd, this.#table.byteLength + start * PAGE, (end - start) * PAGE);
      return;
    }
    if (c === undefined) return;
    for (let page = start; page < end; ) {
      const { region, offset } = placeOf(page);
      const stop = Math.min(end, (region + 1) * REGION_PAGES);
      c.discard(this.segment(region).address! + BigInt(offset), (stop - page) * PAGE);
      page = stop;
    }
  }
}
