import {
  type Cell,
  DONE,
  FAILED,
  type Kept,
  NO_CELLS,
  type Shape,
  TaskRecord,
  Timing,
  WAITING,
  type Waiter,
} from '../protocol/index.ts';
import type { TaskHost } from './task-host.ts';
import { type CellValue, Gathered, isShared } from './values.ts';

/** By the cells of their results, which no task makes. */
const gatherings = new WeakMap<Cell, Gathering>();

/** Cancels the `all` that makes this cell, if one does. */
export function cancelGathering(cell: Cell, error: Error, force: boolean, recursive: boolean): void {
  gatherings.get(cell)?.cancel(error, force, recursive);
}

/** What keeping an `all` takes of the budget for lineage: by itself, and for each part. */
const RECORD_BYTES = 256;
const PART_BYTES = 32;

/** It runs nowhere. */
const NO_SHAPE: Shape = { cpus: 0, gpus: 0, memory: 0, custom: {}, isolation: 'thread', exclusive: false };

/**
 * An `all` as lineage knows it: something that makes its result again out of the same parts, which costs nobody a retry. It is in
 * no queue and on no worker.
 */
export class Regathering extends TaskRecord {
  readonly #gathering: Gathering;

  constructor(host: TaskHost, gathering: Gathering, result: Cell, parts: readonly Cell[]) {
    super(host.party.owner.queue(NO_SHAPE), new Timing(), result, Number.POSITIVE_INFINITY, 0);
    this.#gathering = gathering;
    this.uses = parts;
    this.state = DONE;
  }

  /** The result is lost, and the parts are here or on their way. */
  again(): void {
    this.state = WAITING;
    this.#gathering.again((this.kept as Kept).uses);
  }
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
  /** How it is made again; null while it is not known whether it has to be. */
  #record: Regathering | null = null;

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

  /** @internal Puts the same parts together once more. */
  again(parts: readonly Cell[]): void {
    const { references } = this.#host.party;
    for (const cell of parts) {
      references.revive(cell);
      references.hold(cell);
    }
    this.#over = false;
    this.#missing = 0;
    this.begin();
  }

  /** It has come to its end: before the result settles, with which the record may be forgotten. */
  #end(): void {
    this.#over = true;
    if (this.#record !== null) this.#record.state = DONE;
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
    this.#end();
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

  /** Parts may be lost: then they are made again, and put together again. */
  #keep(): void {
    if (this.#record !== null) return;
    const { lineage } = this.#host.party;
    const record = new Regathering(this.#host, this, this.#result, this.#cells);
    lineage.keep(record, RECORD_BYTES + PART_BYTES * this.#cells.length);
    if (record.kept === null) return;
    this.#record = record;
    this.#result.task = record;
  }

  #finish(failed: Cell | undefined): void {
    this.#end();
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
      if (pinned && values.store.room.spills) this.#keep();
      references.settle(this.#result, false, value, pinned, inner);
    }
    for (const cell of this.#cells) {
      cell.removeWaiter(this);
      references.drop(cell);
    }
  }
}
