import { CancelledError } from '../base/index.ts';
import { type Cell, FAILED, FREED, type Waiter } from '../protocol/index.ts';
import { type Call, callOf } from './call.ts';
import type { Reference } from './reference.ts';
import { describeSite } from './sites.ts';
import type { CellValue, Values } from './values.ts';

interface Failure {
  readonly cell: Cell;
  readonly call: Call;
}

const LOOKED_AT = 'nobody looked at its result (ref.ignore() says that this is meant)';

/** More failures than this that nobody has looked at are cleared of those that somebody has by now. */
const MANY = 1000;

/**
 * Failures that nobody has looked at: each is reported once, when its last handle is released, garbage, or left over at the
 * end of the session. Cancelling is no failure.
 */
export class Failures {
  readonly #values: Values;
  #log: (line: string) => void;
  readonly #open = new Map<Cell, Failure>();
  readonly #unreachable = new FinalizationRegistry<Failure>((failure) => {
    const { cell } = failure;
    // Others may hold one that has escaped, and look at it; it is heard of when all have let go.
    if (cell.id === null || cell.state === FREED) this.#report(failure);
  });

  constructor(values: Values, log: (line: string) => void) {
    this.#values = values;
    this.#log = log;
  }

  /** `call` has failed, and `handle` is how somebody may still look at it. */
  watch(handle: Reference<unknown>, cell: Cell, call: Call): void {
    const failure = { cell, call };
    if (this.#open.size >= MANY) for (const each of this.#open.keys()) if (each.observed) this.#open.delete(each);
    this.#open.set(cell, failure);
    this.#unreachable.register(handle, failure);
  }

  /** Hears of it when `call`, which returned a reference, fails with that. */
  delegated(call: Call): Waiter {
    return {
      cellSettled: (cell) => {
        if (cell.state === FAILED && !cell.observed) this.#open.set(cell, { cell, call });
      },
    };
  }

  /** A failed cell is about to be let go. */
  freed(cell: Cell): void {
    const call = callOf(cell);
    if (call !== null) this.#report({ cell, call });
  }

  #report({ cell, call }: Failure): void {
    this.#open.delete(cell);
    if (cell.observed) return;
    cell.observed = true;
    // Of a tuple whose task failed one look is enough.
    let seen = false;
    call.eachResult((each) => {
      if (each !== cell && each.observed) seen = true;
      each.observed = true;
    });
    if (seen) return;
    const [name, made, looked] =
      call.actorId === null
        ? [call.name, 'called', LOOKED_AT]
        : [`the actor ${call.name}`, 'created', 'nobody has called it, or awaited `ready`'];
    this.#say(`${name}, ${made} ${describeSite(call.site)},`, looked, cell.value, cell.inner.length);
  }

  /** The failure, with so many references in it, of a task that a worker has called; its stack says which that was. */
  elsewhere(value: CellValue, references: number): void {
    const error = this.#read(value, references);
    const name = /\n {4}in task (.+) \(attempt \d+, worker \d+\)/.exec(
      error instanceof Error ? `${error.stack}` : '',
    )?.[1];
    this.#say(`${name ?? 'a task'}, called by a task,`, LOOKED_AT, value, references);
  }

  #say(who: string, looked: string, value: CellValue, references: number): void {
    const error = this.#read(value, references);
    if (error instanceof CancelledError) return;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#log(`sheaf: ${who} failed and ${looked}: ${text}`);
  }

  #read(value: CellValue, references: number): unknown {
    try {
      return this.#values.glance(value, references);
    } catch (error) {
      return error;
    }
  }

  /** Reports what is left, by `log` where no other way is open any more. */
  close(log = this.#log): void {
    this.#log = log;
    for (const failure of [...this.#open.values()]) this.#report(failure);
  }
}
