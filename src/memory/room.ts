import { formatBytes, InternalError, OutOfMemoryError } from '../base/index.ts';
import { statsOf } from './accounts.ts';
import { obstacles } from './eviction.rules.ts';
import type { StoreHandle } from './handle.ts';
import { PAGE, REGION_PAGES } from './layout.ts';
import { pagesOf, type Residence } from './residence.ts';
import { describeErrno } from './spill-disk.ts';
import { spillFile } from './spill-folder.ts';
import type { SpillRequests, Trouble } from './spill-requests.ts';
import type { Table } from './table.ts';

const BUSY_WAIT_MS = 500;

const nap = new Int32Array(new SharedArrayBuffer(4));

/** What `Room` may ask of the store that it belongs to. */
interface Garbage {
  /** There are views that may be garbage, and it is a good moment to find out. */
  readonly worthwhile: boolean;
  collect(): void;
}

/** How one party gets room in shared memory when there is none, and what it says when that is in vain. */
export class Room {
  /**
   * Called when there is no room: `needed` bytes in one piece. It may call `tryAgain`, which says whether there was, as often
   * as it likes; true: try once more.
   */
  onPressure: ((needed: number, tryAgain: () => boolean) => boolean) | undefined;
  /** Called when the one who spills has something to do. */
  onSpill: (() => void) | undefined;
  /** The last wait for room was given up because the disk did not answer. */
  diskSilent = false;
  readonly #handle: StoreHandle;
  readonly #table: Table;
  readonly #residence: Residence;
  readonly #requests: SpillRequests;
  readonly #garbage: Garbage;

  constructor(handle: StoreHandle, table: Table, residence: Residence, requests: SpillRequests, garbage: Garbage) {
    this.#handle = handle;
    this.#table = table;
    this.#residence = residence;
    this.#requests = requests;
    this.#garbage = garbage;
  }

  /** Pages that an object can have at most. */
  get #most(): number {
    return Math.min(REGION_PAGES, this.#handle.pages);
  }

  /**
   * What `attempt` gives, with `bytes` in one piece; again when there is room, if that can be made.
   * @throws OutOfMemoryError
   */
  find<T>(bytes: number, attempt: () => T | undefined): T {
    return attempt() ?? this.#make(pagesOf(bytes), attempt) ?? this.#full(bytes);
  }

  #make<T>(pages: number, attempt: () => T | undefined): T | undefined {
    if (pages > this.#most) return undefined;
    this.#table.raisePressure();
    let got: T | undefined;
    const tryAgain = (): boolean => {
      got ??= attempt();
      if (got === undefined && this.#evictCopied(pages)) got = attempt();
      return got !== undefined;
    };
    // Pages on their way to the system come back by themselves.
    const end = performance.now() + BUSY_WAIT_MS;
    while (this.#table.pages.busy > 0 && performance.now() < end) {
      Atomics.wait(nap, 0, 0, 0.2);
      if (tryAgain()) return got;
    }
    if (tryAgain()) return got;
    if (this.#garbage.worthwhile) {
      this.#garbage.collect();
      if (tryAgain()) return got;
    }
    if (this.onPressure?.(pages * PAGE, tryAgain)) tryAgain();
    return got;
  }

  /** Objects that are on disk as well leave memory at once, if that makes room. */
  #evictCopied(pages: number): boolean {
    if (!this.#requests.open) return false;
    const pieces = this.#residence.residents().map((each) => ({ ...each, idle: each.idle && each.copied }));
    const chosen = obstacles(pieces, this.#handle.pages, REGION_PAGES, pages);
    return chosen?.every(({ ref }) => this.#residence.evict(ref)) ?? false;
  }

  // ---- disk

  /** Somebody writes objects to disk that have no room, or will soon. */
  get spills(): boolean {
    return this.#handle.spill !== undefined;
  }

  /** So much is taken that objects are written to disk. */
  get tight(): boolean {
    return this.#handle.pages - this.#table.pages.free > this.#requests.high;
  }

  /** Asks the one who spills for `bytes` in one piece; see `SpillRequests`. */
  ask(bytes: number): number {
    const request = this.#requests.ask(pagesOf(bytes));
    this.onSpill?.();
    return request;
  }

  answered(request: number): boolean {
    return this.#requests.answered(request);
  }

  get progress(): number {
    return this.#requests.progress;
  }

  raisePressure(): void {
    this.#table.raisePressure();
  }

  /** Nothing more is to be written to disk. */
  endSpilling(): void {
    this.#requests.end();
  }

  /** The folder for what has no room. */
  get folder(): string {
    const { spill } = this.#handle;
    if (spill === undefined) throw new InternalError('there is no folder to spill to');
    return spill;
  }

  // ---- in vain

  #full(byteLength: number): never {
    const { used, objects, limit, free, largestFree, spilled } = statsOf(this.#table);
    const trouble = this.spills ? this.#requests.trouble : undefined;
    const tooLarge = byteLength > this.#most * PAGE;
    const failed = !tooLarge && (trouble !== undefined || this.diskSilent);
    const onDisk = spilled > 0 ? `, ${formatBytes(spilled)} more are on disk` : '';
    throw new OutOfMemoryError(
      `no room for ${formatBytes(byteLength)} in the shared memory of this node: ${formatBytes(used)} of ` +
        `${formatBytes(limit)} are in use by ${objects} objects${onDisk}, and the largest free piece has ` +
        `${formatBytes(largestFree)}; ${tooLarge ? this.#split() : this.#advice(trouble)}`,
      {
        ...(failed ? { code: 'ERR_SHEAF_SPILL_FAILED' } : {}),
        details: {
          requested: byteLength,
          used,
          limit,
          free,
          largestFree,
          objects,
          ...(spilled > 0 ? { spilled } : {}),
          ...(failed ? { folder: this.folder } : {}),
          ...(failed && trouble !== undefined ? { errno: trouble.errno } : {}),
        },
      },
    );
  }

  #split(): string {
    const most = this.#most;
    const raise = most < REGION_PAGES ? ', or raise connect({ memory })' : '';
    return `one object can have ${formatBytes(most * PAGE)} at most: split the value${raise}`;
  }

  #advice(trouble: Trouble | undefined): string {
    if (this.diskSilent) {
      return `the disk of ${this.folder} does not answer; name a folder on another one with connect({ spill }), or raise connect({ memory })`;
    }
    if (trouble !== undefined) {
      const { folder } = this;
      return (
        `nothing could be written to ${trouble.serial === 0 ? folder : spillFile(folder, trouble.serial)}: ` +
        `${describeErrno(trouble.errno)}; make room there, name a folder on another disk with connect({ spill }), or raise ` +
        'connect({ memory })'
      );
    }
    const others = this.spills
      ? 'all that could be written to disk was, and the rest is in use: hold fewer values at a time, '
      : '';
    return `${others}release references that are no longer needed, or raise connect({ memory })`;
  }
}
