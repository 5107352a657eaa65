import { type Cell, FAILED, NO_CELLS, type Waiter } from '../protocol/index.ts';
import type { TaskHost } from './task-host.ts';
import { type CellValue, Gathered, isShared } from './values.ts';

/** By the cells of their results, which no task makes. */
const gatherings = new WeakMap<Cell, Gathering>();

/** Cancels the `all` that makes this cell, if one does. */
export function cancelGathering(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
  gatherings.get(cell)?.cancel(error, force, recursive);
}

/** Nothing in this process waits for it or for what its task makes besides, and no other process knows of them. */
function isAlone(cell: Cell): boolean {
  const results = cell.task === null ? [cell] : cell.task.results;
  return (Array.isArray(results) ? results : [results]).every(
    ({ id, waiters }: Cell) => id === null && (waiters === null || (Array.isArray(waiters) && waiters.length === 0)),
  );
}

/** Waits for the parts of an `all`, and puts them together without moving them. */
export class Gathering implements Waiter {
  readonly #host: TaskHost;
  readonly #result: Cell;
  readonly #keys: readonly string[] | null;
  readonly #cells: readonly Cell[];
  #missing = 0;
  #over = false;

  constructor(host: TaskHost, result: Cell, keys: readonly string[] | null, cells: readonly Cell[]) {
    this.#host = host;
    this.#result = result;
    this.#keys = keys;
    this.#cells = cells;
  }

  begin(): void {
    gatherings.set(this.#result, this);
    for (const cell of this.#cells) {
      if (cell.state === FAILED) {
        this.cellSettled(cell);
        return;
      }
      if (cell.settled) continue;
      this.#missing++;
      cell.addWaiter(this);
      this.#host.party.references.need(cell);
    }
    if (this.#missing === 0) this.#finish(undefined);
  }

  cellSettled(cell: Cell): void {
    if (this.#over) return;
    if (cell.state === FAILED) this.#finish(cell);
    else if (--this.#missing === 0) this.#finish(undefined);
  }

  /**
   * Fails the result. `recursive`: parts that are alone are cancelled with it. A handle that the program holds is no
   * reason to spare one, since nobody can tell whether it will be used.
   */
  cancel(error: Error, force: boolean, recursive: boolean): void {
    if (this.#over) return;
    this.#over = true;
    for (const cell of this.#cells) cell.removeWaiter(this);
    if (recursive) {
      for (const cell of this.#cells) if (isAlone(cell)) this.#host.cancel(cell, error, force, true);
    }
    const { references } = this.#host.party;
    references.settle(this.#result, true, error, false, NO_CELLS);
    for (const cell of this.#cells) references.drop(cell);
    this.#host.settleUp();
    this.#host.reactor.kick();
  }

  #finish(failed: Cell | undefined): void {
    this.#over = true;
    const { references } = this.#host.party;
    const { values } = this.#host;
    if (failed !== undefined) {
      const pinned = isShared(failed.value);
      if (pinned) values.pin(failed.value);
      for (const each of failed.inner) references.hold(each);
      references.settle(this.#result, true, failed.value, pinned, failed.inner);
    } else {
      const inner = this.#cells.flatMap((cell) => cell.inner);
      for (const cell of inner) references.hold(cell);
      const value: CellValue = new Gathered(
        this.#keys,
        this.#cells.map((cell) => cell.value),
        this.#cells.map((cell) => cell.inner.length),
      );
      const pinned = isShared(value);
      if (pinned) values.pin(value);
      references.settle(this.#result, false, value, pinned, inner);
    }
    for (const cell of this.#cells) {
      cell.removeWaiter(this);
      references.drop(cell);
    }
  }
}
