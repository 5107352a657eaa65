import { libc } from '../native/index.ts';
import { PAGE } from './layout.ts';
import type { Regions } from './regions.ts';
import type { Table } from './table.ts';

/** Bytes that `trim` gives back with one call. */
const TRIM_STEP = 256 * 1024 * 1024;
/** Surplus that gathers before it is given back, as a part of the limit and in bytes: one call instead of many. */
const SLACK_PART = 16;
const MOST_SLACK = 64 * 1024 * 1024;

/** How many of the free pages are present in memory: the first touch of a page costs more than filling it does. */
export class WarmPages {
  readonly #table: Table;
  readonly #regions: Regions;
  readonly #slack: number;

  constructor(table: Table, regions: Regions, limit: number) {
    this.#table = table;
    this.#regions = regions;
    this.#slack = Math.min(MOST_SLACK, limit / SLACK_PART) / PAGE;
  }

  /**
   * Gives free memory back to the system until at most `keep` bytes of it are warm, or `most` bytes are given back
   * (about 5 GB a second). Answers the bytes given back.
   */
  trim(keep: number, most: number): number {
    let trimmed = 0;
    while (libc() !== undefined && trimmed < most) {
      const step = Math.ceil(Math.min(TRIM_STEP, most - trimmed) / PAGE);
      const run = this.#table.takeWarm(Math.floor(keep / PAGE), step);
      if (run === undefined) break;
      const { start, end } = this.#table.runOf(run);
      this.#regions.punch(start, end);
      this.#table.putBack(run, true);
      trimmed += (end - start) * PAGE;
    }
    return trimmed;
  }

  /** After something was freed: gives back what is too much, once it is worth a call. */
  shedSurplus(): void {
    const { surplus, warm } = this.#table.pages;
    if (surplus > this.#slack) this.trim((warm - surplus) * PAGE, Number.POSITIVE_INFINITY);
  }
}
