import { CancelledError } from '../base/index.ts';
import type { Cell } from '../protocol/index.ts';
import type { Call } from './call.ts';
import type { Reference } from './reference.ts';
import { describeSite } from './sites.ts';
import type { Values } from './values.ts';

interface Failure {
  readonly cell: Cell;
  readonly call: Call;
}

/** More failures than this that nobody has looked at are cleared of those that somebody has by now. */
const MANY = 1000;

/**
 * Failures that nobody has looked at: each is reported once, when its last handle is released, garbage, or left over at the
 * end of the session. Cancelling is no failure.
 */
export class Failures {
  readonly #values: Values;
  readonly #log: (line: string) => void;
  readonly #open = new Map<Cell, Failure>();
  readonly #unreachable = new FinalizationRegistry<Failure>((failure) => this.#report(failure));

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

  /** A failed cell is about to be let go. */
  freed(cell: Cell): void {
    const call = cell.task as Call | null;
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
    let text: string;
    try {
      const error = this.#values.glance(cell);
      if (error instanceof CancelledError) return;
      text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    } catch (error) {
      text = String(error);
    }
    this.#log(
      `sheaf: ${call.name}, called ${describeSite(call.site)}, failed and nobody looked at its result ` +
        `(ref.ignore() says that this is meant): ${text}`,
    );
  }

  close(): void {
    for (const failure of [...this.#open.values()]) this.#report(failure);
  }
}
