import { after, CancelledError, formatDuration, onAbort, TimeoutError } from '../base/index.ts';
import { type Cell, FAILED, FREED, READY, type Run, type Waiter } from '../protocol/index.ts';
import { Reference } from './reference.ts';
import type { TaskHost } from './task-host.ts';

export interface WaitLimits {
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How user code waits for cells. Each wait of a task frees its place on the worker until it ends. */
export class Waits {
  readonly #host: TaskHost;
  readonly #open = new Set<Wait>();
  #kicked = false;
  /** Waits under way. */
  waiting = 0;

  constructor(host: TaskHost) {
    this.#host = host;
  }

  /** For the handle `ref`. */
  value(cell: Cell, ref: Reference<unknown>): Promise<unknown> {
    cell.observed = true;
    if (cell.settled) return this.#settledValue(cell, ref);
    if (this.#host.closed) return Promise.reject(afterClose());
    return new Promise((resolve, reject) => {
      const wait = new ValueWait(this, cell, ref, resolve, reject);
      // The handle may be garbage while somebody waits for the promise that it gave.
      this.#host.party.references.hold(cell);
      this.#begin(wait, cell);
    });
  }

  /**
   * Brings values into memory that are on disk, without standing still: the control thread reads them; and opens files. Undefined
   * when there are none. Whoever uses one for which that was in vain tries by himself, and hears why it can't be.
   */
  bring(cells: readonly Cell[]): Promise<void> | undefined {
    const { values, closed } = this.#host;
    if (closed || !cells.some((cell) => values.isAbsent(cell.value))) return undefined;
    return this.#bring(cells.filter((cell) => values.isAbsent(cell.value)));
  }

  #bring(absent: readonly Cell[]): Promise<void> {
    const { values, party } = this.#host;
    const slots = absent.flatMap((cell) => values.absent(cell.value));
    const files = absent.flatMap((cell) => values.unopened(cell.value));
    for (const cell of absent) party.references.hold(cell);
    this.waiting++;
    const coming: Promise<unknown>[] = files.map((file) => file.open());
    if (slots.length > 0) coming.push(this.#host.fetch(slots));
    return Promise.all(coming).then(() => {
      this.waiting--;
      for (const cell of absent) this.letGo(cell);
    });
  }

  #settledValue(cell: Cell, ref: Reference<unknown>): Promise<unknown> {
    const coming = cell.pinned ? this.bring([cell]) : undefined;
    if (coming === undefined) return this.#presentValue(cell, ref);
    const run = this.#host.executions?.current();
    return coming.then(() => {
      let value: unknown;
      try {
        value = this.readFor(run, cell);
      } catch (error) {
        return this.again(run, cell, ref, error);
      }
      if (cell.state === FAILED) throw value;
      if (cell.pinned) Reference.show(ref, value);
      return value;
    });
  }

  #presentValue(cell: Cell, ref: Reference<unknown>): Promise<unknown> {
    try {
      const value = this.read(cell);
      if (cell.pinned && cell.state === READY) Reference.show(ref, value);
      return cell.state === FAILED ? Promise.reject(value) : Promise.resolve(value);
    } catch (error) {
      return this.again(undefined, cell, ref, error);
    }
  }

  /** @internal Reading has failed with `error`: a value that is lost is waited for once more. */
  again(run: Run | undefined, cell: Cell, ref: Reference<unknown>, error: unknown): Promise<unknown> {
    const { executions } = this.#host;
    if (!this.#host.recover(cell)) return Promise.reject(error);
    if (run === undefined || executions === null) return this.value(cell, ref);
    return executions.within(run, () => this.value(cell, ref));
  }

  /** A wait that held the cell is over. */
  letGo(cell: Cell): void {
    this.#host.drop(cell);
  }

  read(cell: Cell): unknown {
    if (cell.state === FREED) return afterClose();
    return this.#host.values.read(cell);
  }

  /** The same; handles that reading makes belong to the run that waited. */
  readFor(run: Run | undefined, cell: Cell): unknown {
    const { executions } = this.#host;
    if (run === undefined || executions === null) return this.read(cell);
    return executions.within(run, () => this.read(cell));
  }

  /** Resolves when `count` of the cells have settled, or at once when one failed if `failFast`. */
  settled(cells: readonly Cell[], count: number, failFast: boolean, limits: WaitLimits): Promise<boolean> {
    let ready = 0;
    for (const cell of cells) {
      if (!cell.settled) continue;
      ready++;
      if (failFast && cell.state === FAILED) return Promise.resolve(true);
    }
    if (ready >= count) return Promise.resolve(true);
    if (this.#host.closed) return Promise.reject(afterClose());
    limits.signal?.throwIfAborted();
    if (limits.timeout === 0) return this.#poll(cells, count);
    return new Promise((resolve, reject) => {
      const wait = new CountWait(this, cells, count - ready, failFast, resolve, reject);
      this.#beginMany(wait, cells);
      wait.limit(limits, reject);
    });
  }

  /** One look at what has come by now: a turn of the event loop takes messages in. */
  async #poll(cells: readonly Cell[], count: number): Promise<boolean> {
    await this.#host.reactor.poll();
    for (const cell of cells) if (!cell.settled) this.#host.party.references.need(cell);
    return cells.reduce((n, cell) => n + (cell.settled ? 1 : 0), 0) >= count;
  }

  #begin(wait: Wait, cell: Cell): void {
    this.#enter(wait);
    cell.addWaiter(wait);
    this.#host.party.references.need(cell);
  }

  #beginMany(wait: Wait, cells: readonly Cell[]): void {
    this.#enter(wait);
    const { references } = this.#host.party;
    for (const cell of cells) {
      if (cell.settled) continue;
      cell.addWaiter(wait);
      references.need(cell);
    }
  }

  #enter(wait: Wait): void {
    this.waiting++;
    const { executions } = this.#host;
    const run = executions?.current();
    if (run !== undefined) {
      wait.run = run;
      executions?.suspend(run);
    }
    this.#open.add(wait);
    this.#kick();
  }

  /** A wait of another kind for cells that are pending. */
  begin(wait: Wait): void {
    this.#beginMany(wait, wait.cells);
  }

  /** Once the current piece of user code is done, look for answers without waiting for the event loop. */
  #kick(): void {
    if (this.#kicked) return;
    this.#kicked = true;
    if (this.#host.role === 'driver') queueMicrotask(this.#spin);
    else {
      this.#kicked = false;
      this.#host.reactor.kick();
    }
  }

  readonly #spin = (): void => {
    this.#kicked = false;
    if (this.waiting > 0) this.#host.reactor.spinNow();
  };

  /** @internal */
  leave(wait: Wait): void {
    if (!this.#open.delete(wait)) return;
    this.waiting--;
    this.#host.reactor.deliveries++;
    if (wait.run !== undefined) this.#host.executions?.resume(wait.run);
  }

  close(error: Error): void {
    for (const wait of [...this.#open]) wait.fail(error);
  }

  /** What each run waits for. */
  byRun(): Map<Run, Cell[]> {
    const all = new Map<Run, Cell[]>();
    for (const { run, cells } of this.#open) {
      if (run === undefined) continue;
      const known = all.get(run);
      const pending = cells.filter((cell) => !cell.settled);
      if (known === undefined) all.set(run, pending);
      else known.push(...pending);
    }
    return all;
  }

  /** What is waited for: see `explain.ts`. */
  *pending(): Generator<Cell> {
    for (const wait of this.#open) for (const cell of wait.cells) if (!cell.settled) yield cell;
  }
}

export function afterClose(): CancelledError {
  return new CancelledError('the session of the reference is closed, and the value was not fetched before');
}

export abstract class Wait implements Waiter {
  readonly #waits: Waits;
  run: Run | undefined = undefined;
  #stopTimer: (() => void) | undefined = undefined;
  #unlisten: (() => void) | undefined = undefined;

  constructor(waits: Waits) {
    this.#waits = waits;
  }

  abstract readonly cells: readonly Cell[];
  abstract cellSettled(cell: Cell): void;
  abstract fail(error: Error): void;

  protected get waits(): Waits {
    return this.#waits;
  }

  protected end(): void {
    this.#stopTimer?.();
    this.#unlisten?.();
    for (const cell of this.cells) if (!cell.settled) cell.removeWaiter(this);
    this.#waits.leave(this);
  }

  limit({ timeout, signal }: WaitLimits, reject: (error: unknown) => void): void {
    if (timeout !== undefined) {
      this.#stopTimer = after(timeout, () => {
        this.end();
        const pending = this.cells.filter((cell) => !cell.settled).length;
        reject(
          new TimeoutError(
            `${pending} of ${this.cells.length} reference(s) not ready after ${formatDuration(timeout)}; they stay pending and ` +
              'can be waited for again',
          ),
        );
      });
    }
    if (signal !== undefined) {
      this.#unlisten = onAbort(signal, () => {
        this.end();
        reject(signal.reason);
      });
    }
  }
}

class ValueWait extends Wait {
  readonly #cell: Cell;
  readonly #ref: Reference<unknown>;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    waits: Waits,
    cell: Cell,
    ref: Reference<unknown>,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super(waits);
    this.#cell = cell;
    this.#ref = ref;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get cells(): readonly Cell[] {
    return [this.#cell];
  }

  cellSettled(cell: Cell): void {
    this.waits.leave(this);
    const coming = cell.pinned ? this.waits.bring([cell]) : undefined;
    if (coming === undefined) this.#give(cell);
    else void coming.then(() => this.#give(cell));
  }

  #give(cell: Cell): void {
    try {
      const value = this.waits.readFor(this.run, cell);
      if (cell.state === FAILED) this.#reject(value);
      else {
        if (cell.pinned) Reference.show(this.#ref, value);
        this.#resolve(value);
      }
    } catch (error) {
      this.#resolve(this.waits.again(this.run, cell, this.#ref, error));
    }
    this.waits.letGo(cell);
  }

  fail(error: Error): void {
    this.end();
    this.#reject(error);
    this.waits.letGo(this.#cell);
  }
}

class CountWait extends Wait {
  readonly cells: readonly Cell[];
  #missing: number;
  readonly #failFast: boolean;
  readonly #resolve: (done: boolean) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    waits: Waits,
    cells: readonly Cell[],
    missing: number,
    failFast: boolean,
    resolve: (done: boolean) => void,
    reject: (error: unknown) => void,
  ) {
    super(waits);
    this.cells = cells;
    this.#missing = missing;
    this.#failFast = failFast;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  cellSettled(cell: Cell): void {
    this.#missing--;
    if (this.#missing > 0 && !(this.#failFast && cell.state === FAILED)) return;
    this.end();
    this.#resolve(true);
  }

  fail(error: Error): void {
    this.end();
    this.#reject(error);
  }
}
