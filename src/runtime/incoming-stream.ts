import { ReleasedError } from '../base/index.ts';
import { Cell, FAILED, type Intake, NO_CELLS, PENDING, PUSHED, READY } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { Reference } from './reference.ts';
import { refuseForce } from './submissions.ts';
import type { TaskHost } from './task-host.ts';
import { afterClose, Wait, type Waits } from './waits.ts';

const DONE: IteratorResult<unknown> = Object.freeze({ done: true, value: undefined });
const left = { because: 'ended with the stream that it belongs to' };

/**
 * A stream as its consumer has it. While it can be reached its producer goes on: nothing else holds the handle of the end,
 * which the garbage collector watches.
 */
export class IncomingStream {
  readonly #host: TaskHost;
  readonly #call: Call;
  readonly #intake: Intake;
  /** Stands for how the task ends. */
  readonly end: Reference<unknown>;
  readonly #end: Cell;
  /** There is no next item; what it ended with has been told. */
  #over = false;
  /** It was cancelled after its task had come to its end. */
  #cancelled: Error | undefined = undefined;
  /** The last of those who wait for an item, each after the one before. */
  #last: Promise<unknown> | undefined = undefined;

  constructor(host: TaskHost, call: Call, intake: Intake, end: Reference<unknown>) {
    this.#host = host;
    this.#call = call;
    this.#intake = intake;
    this.end = end;
    this.#end = Reference.peek(end);
  }

  get name(): string {
    return this.#call.name;
  }

  /** Whether `take` has something to say. */
  get ready(): boolean {
    return this.#over || this.#intake.size > 0 || this.#end.state !== PENDING || this.#host.closed;
  }

  /** The next item, its value or a reference to it; the failure of the task, once; or that there is no more. */
  next(asRef: boolean): Promise<IteratorResult<unknown>> {
    if (this.#last === undefined && this.ready) {
      try {
        return Promise.resolve(this.take(asRef));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const own = this.#later(this.#last, asRef);
    const over = (): void => {
      if (this.#last === settled) this.#last = undefined;
    };
    const settled: Promise<unknown> = own.then(over, over);
    this.#last = settled;
    return own;
  }

  async #later(before: Promise<unknown> | undefined, asRef: boolean): Promise<IteratorResult<unknown>> {
    if (before !== undefined) await before;
    while (!this.ready) await IncomingStream.any([this]);
    return this.take(asRef);
  }

  /** The same, here and now, of one that is ready. */
  take(asRef: boolean): IteratorResult<unknown> {
    if (this.#over) return DONE;
    if (this.#host.closed) {
      this.#over = true;
      throw afterClose();
    }
    if (this.#intake.size > 0) {
      const item = this.#intake.take();
      this.#tell(false);
      try {
        return { done: false, value: asRef ? this.#refOf(item) : this.#valueOf(item) };
      } catch (error) {
        this.leave(error as Error);
        throw error;
      }
    }
    return this.#finish();
  }

  #finish(): IteratorResult<unknown> {
    const { end } = this;
    const cell = this.#end;
    this.#over = true;
    cell.observed = true;
    if (this.#cancelled !== undefined) {
      if (!Reference.isReleased(end)) Reference.expire(end, left);
      throw this.#cancelled;
    }
    if (Reference.isReleased(end)) {
      throw new ReleasedError(
        `the stream of ${this.name} ended with its scope, or with the task that opened it, before its last item was read`,
      );
    }
    const failed = cell.state === FAILED;
    const value = failed ? this.#host.waits.read(cell) : undefined;
    Reference.expire(end, left);
    if (failed) throw value;
    return DONE;
  }

  #valueOf(item: unknown): unknown {
    const { values } = this.#host;
    if (!(item instanceof Cell)) return values.readValue(item, NO_CELLS, false);
    try {
      return values.read(item);
    } finally {
      this.#host.drop(item);
    }
  }

  #refOf(item: unknown): Reference<unknown> {
    const host = this.#host;
    let cell: Cell;
    if (item instanceof Cell) cell = item;
    else {
      cell = new Cell();
      cell.state = READY;
      cell.value = item;
    }
    // The hold that the stream had on it is the handle's from now on.
    const handle = new Reference<unknown>(host, cell);
    if (cell.pinned || cell.inner.length > 0) Reference.watch(handle);
    host.executions?.current()?.adopt(handle);
    return handle;
  }

  /** Tells the producer how far its consumer is, if that is due. */
  #tell(waits: boolean): void {
    if (!this.#intake.owes(waits)) return;
    const call = this.#call;
    if (call.state !== PUSHED) return;
    this.#host.consumed(call, this.#intake.taken);
  }

  /** Nobody reads it any further: its producer ends, and what has come is let go. */
  leave(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#end.observed = true;
    this.#stop(error, false, true);
    if (!Reference.isReleased(this.end)) Reference.expire(this.end, left);
  }

  /** The same from outside: whoever reads it hears of the error. */
  cancel(error: Error, force: boolean, recursive: boolean): void {
    if (this.#over) return;
    if (force) refuseForce(this.#end);
    if (this.#end.settled) this.#cancelled = error;
    this.#stop(error, force, recursive);
  }

  #stop(error: Error, force: boolean, recursive: boolean): void {
    const host = this.#host;
    if (host.closed) return;
    host.cancel(this.#end, error, force, recursive);
    this.#intake.close((cell) => host.drop(cell));
  }

  /** Waits until one of the streams is ready. */
  static any(streams: readonly IncomingStream[]): Promise<void> {
    const first = streams[0];
    if (first === undefined) return Promise.resolve();
    const host = first.#host;
    return new Promise((resolve, reject) => {
      const ends = streams.map((stream) => stream.#end);
      const intakes = streams.map((stream) => stream.#intake);
      for (const stream of streams) stream.#tell(true);
      for (const end of ends) host.party.references.hold(end);
      const release = (): void => {
        for (const end of ends) host.drop(end);
      };
      host.waits.begin(new ItemWait(host.waits, ends, intakes, release, resolve, reject));
    });
  }
}

/** A wait for the next item of any of some streams, or for the end of one. */
class ItemWait extends Wait {
  readonly cells: readonly Cell[];
  readonly #intakes: readonly Intake[];
  readonly #release: () => void;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    waits: Waits,
    cells: readonly Cell[],
    intakes: readonly Intake[],
    release: () => void,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    super(waits);
    this.cells = cells;
    this.#intakes = intakes;
    this.#release = release;
    this.#resolve = resolve;
    this.#reject = reject;
    for (const intake of intakes) intake.listeners.add(this.#came);
  }

  readonly #came = (): void => {
    this.#over();
    this.#resolve();
  };

  cellSettled(): void {
    this.#came();
  }

  fail(error: Error): void {
    this.#over();
    this.#reject(error);
  }

  #over(): void {
    for (const intake of this.#intakes) intake.listeners.delete(this.#came);
    this.end();
    this.#release();
  }
}
