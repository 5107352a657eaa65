import type { Address } from './ids.ts';
import type { TaskRecord } from './task-record.ts';

/** What a party knows of a cell's value. */
export const PENDING = 0;
export const READY = 1;
export const FAILED = 2;
/** Nobody here holds it any more; what it kept is gone. */
export const FREED = 3;
type CellState = typeof PENDING | typeof READY | typeof FAILED | typeof FREED;

/** Someone who wants to hear once that a cell has settled. */
export interface Waiter {
  cellSettled(cell: Cell): void;
}

export const NO_CELLS: readonly Cell[] = Object.freeze([]);

/**
 * A party's record of one object: its own, or one that it borrows. User handles, task records and containing values
 * point at it, and each of them counts as one hold.
 *
 * A cell is *private* while `id` is null: no other party can know of it, so nothing but this party's heap holds it, and
 * letting it go costs no message. It becomes *promoted* when it escapes: the node's directory then speaks for it.
 */
export class Cell {
  state: CellState = PENDING;
  /** The host's form of the value; never looked at here. */
  value: unknown = undefined;
  /** The value keeps shared memory pinned, so freeing the cell must tell the host. */
  pinned = false;
  /** The references inside the value; the cell holds each of them. */
  inner: readonly Cell[] = NO_CELLS;
  /** Local reasons to keep it: the user's handle, tasks that use it, values that contain it, grants not yet acknowledged. */
  holds = 1;
  id: string | null = null;
  /** Null for an own cell. */
  owner: Address | null = null;
  /** Once it has an id: how many times this party has been added to the directory's table; given back at the end. */
  credits = 0;
  /** How many of them one other party has made for this one, and which; the directory or this party made the rest. */
  sponsored = 0;
  sponsor = -1;
  /** This party has counted others in while it was not counted itself, and holds the cell until it is. */
  sponsoring = false;
  /** Borrowed only: the value has been asked for. */
  asked = false;
  /** The result of a task that returned a reference: this cell takes its value from that one. */
  alias: Cell | null = null;
  waiters: Waiter | Waiter[] | null = null;
  /** The task that makes it, while it is pending or can be made again. */
  task: TaskRecord | null = null;
  /** How many kept tasks were given it and rely on its being made again; see `Lineage`. */
  lineage = 0;
  /** Somebody has looked at it, or said that nobody need: its failure is not reported. */
  observed = false;

  /** The host's: how it finds the user's handle again. */
  handle: unknown = null;

  addWaiter(waiter: Waiter): void {
    const w = this.waiters;
    if (w === null) this.waiters = waiter;
    else if (Array.isArray(w)) w.push(waiter);
    else this.waiters = [w, waiter];
  }

  removeWaiter(waiter: Waiter): void {
    const w = this.waiters;
    if (w === waiter) this.waiters = null;
    else if (Array.isArray(w)) {
      const at = w.indexOf(waiter);
      if (at >= 0) w.splice(at, 1);
    }
  }

  get settled(): boolean {
    return this.state === READY || this.state === FAILED;
  }
}
